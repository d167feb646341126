from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import jsonschema
import pytest

from tests.support.reference import PAGES, rows
from tools.project import ROOT

SCHEMA: dict[str, Any] = json.loads((ROOT / "xsession" / "xsession.schema.json").read_text(encoding="utf-8"))
# The section of the page, and the part of the schema whose keys it has; an account has those of a role as well.
SECTIONS = {
    "# `xsession.toml`": SCHEMA,
    "## An account": SCHEMA["definitions"]["listed_account"],
    "## A role": SCHEMA["definitions"]["role"],
    "## `[defaults]`": SCHEMA["definitions"]["defaults"],
    "## `[organization]`": SCHEMA["definitions"]["organization"],
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """What a reference within the schema leads to."""
    found: dict[str, Any] = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def type_words(schema: dict[str, Any]) -> str:
    """The type of a key in TOML's words."""
    schema = resolved(schema)
    kinds = schema.get("anyOf", schema.get("oneOf", []))
    if kinds:
        return " or ".join(dict.fromkeys(type_words(kind) for kind in kinds))
    if isinstance(schema.get("type"), list):
        return " or ".join(type_words({"type": kind}) for kind in schema["type"])
    if schema.get("type") == "array":
        items = type_words(schema["items"]) if "$ref" not in schema["items"] else "table"
        return "array" if items == "table" else f"array of {' or '.join(f'{item}s' for item in items.split(' or '))}"
    if schema.get("type") == "object":
        return (
            "table of strings"
            if resolved(schema.get("additionalProperties") or {}).get("type") == "string"
            else "table"
        )
    return str(schema.get("type", "string"))


def keys_of_page() -> dict[str, dict[str, list[str]]]:
    """The rows of each section of the page."""
    parts = re.split(r"^(##? .*?)(?: {.*})?$", PAGES["toml.md"], flags=re.MULTILINE)[1:]
    return {heading: rows(text) for heading, text in zip(parts[::2], parts[1::2], strict=True) if rows(text)}


def test_every_key_of_the_file_is_listed_and_no_other() -> None:
    """In the table of its section; what an account and its role have in common stands with the account."""
    page = keys_of_page()
    assert page.keys() == SECTIONS.keys()
    account = page["## An account"].keys() | page["## A role"].keys()
    assert account == SCHEMA["definitions"]["listed_account"]["properties"].keys()
    for heading in ("# `xsession.toml`", "## `[organization]`"):
        assert page[heading].keys() == SECTIONS[heading]["properties"].keys()
    assert page["## `[defaults]`"].keys() == SCHEMA["definitions"]["defaults"]["properties"].keys() - account


@pytest.mark.parametrize(
    ("heading", "key"), [(heading, key) for heading, found in keys_of_page().items() for key in found]
)
def test_every_key_of_the_file_has_its_type_default_and_an_example(heading: str, key: str) -> None:
    """Those of the schema, for which the example is valid."""
    kind, meaning = keys_of_page()[heading][key]
    schema = SECTIONS[heading]["properties"][key]
    default = resolved(schema).get("default")
    assert kind == type_words(schema) + ("" if default is None else f", `{json.dumps(default)}`")
    what, example = meaning.split("<br>")
    value = tomllib.loads(f"key = {example.strip('`')}")["key"]
    jsonschema.Draft7Validator({**schema, "definitions": SCHEMA["definitions"]}).validate(value)
    assert what
