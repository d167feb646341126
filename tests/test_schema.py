from __future__ import annotations

import json
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.wrong_files import TOML
from xsession.accounts import _tables as tables
from xsession.accounts import _toml as toml
from xsession.accounts._toml import read_toml
from xsession.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
TEXT = resources.files("xsession").joinpath("xsession.schema.json").read_text(encoding="utf-8")
SCHEMA: dict[str, Any] = json.loads(TEXT)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

EXAMPLES = [
    (ROOT / "examples" / "xsession.toml").read_text(encoding="utf-8"),
    *(
        block
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        if not block.startswith("[roles.")  # another file's, which RoleSpec.from_toml reads
        if "[tool." not in block
    ),
]


def test_it_is_a_schema() -> None:
    """Of the draft that it names."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("definition", "keys"),
    [
        ("role", tables.ROLE_KEYS),
        ("hub", tables.HUB_KEYS),
        ("account", tables.ACCOUNT_KEYS),
        ("defaults", tables.DEFAULT_KEYS),
    ],
)
def test_it_has_the_keys_of_the_parser(definition: str, keys: set[str]) -> None:
    """All of them and no others, each with its description."""
    assert SCHEMA["definitions"][definition]["properties"].keys() == keys
    assert [key for key in keys if "description" not in SCHEMA["definitions"][key]] == []


def test_it_has_the_tables_of_the_parser() -> None:
    """At the top of a file."""
    assert SCHEMA["properties"].keys() == toml.FILE_KEYS


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_valid_for_both(tmp_path: Path, text: str) -> None:
    """The schema and the parser; what an example includes is not there."""
    VALIDATOR.validate(tomllib.loads(text))
    path = tmp_path / "xsession.toml"
    path.write_text(re.sub(r"(?m)^include.*$", "", text))
    read_toml(path)


# What only the parser sees: how keys go together, other places of the document, other files; and bounds.
TOGETHER = re.compile(
    "nothing says|can't stand|role is|say it all|says it all|says which|leave its|lead to|has a source|a hub|first hop"
    "|not the account|is needed here; give|not the name|can't be read|not valid TOML|000000000000:role/a b"
    "|nests values|a key of more than|bytes, and is not read|a number of more than"
)


@pytest.mark.parametrize("text", [text for text, message in TOML if not TOGETHER.search(message)])
def test_what_the_parser_refuses_is_not_valid(tmp_path: Path, text: str) -> None:
    """So an editor marks it while it is typed."""
    path = tmp_path / "xsession.toml"
    path.write_text(text)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(tomllib.loads(text))


@pytest.mark.parametrize("key", sorted(tables.ROLE_KEYS - {"partition", "role_name", "policy"}))
@pytest.mark.parametrize("value", ["", "x", "arn:aws:iam::222222222222:role/R", 5, 900, [], ["x"], {}, {"x": 1}])
def test_both_agree_on_the_value_of_a_key(tmp_path: Path, key: str, value: object) -> None:
    """Right or wrong."""
    table = {"session_tags": {"x": ""}} if key == "transitive_tag_keys" else {}
    role = {"role_arn": "arn:aws:iam::222222222222:role/R", **table, key: value}
    path = tmp_path / "xsession.toml"
    path.write_text("[accounts.a]\n" + "".join(f"{name} = {_toml_text(item)}\n" for name, item in role.items()))
    valid = VALIDATOR.is_valid({"accounts": {"a": role}})
    try:
        read_toml(path)
    except ConfigError:
        assert not valid
    else:
        assert valid or key == "account_id"  # which only the account looks at


def _toml_text(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml_text(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
