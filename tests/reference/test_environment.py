from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.reference import PAGES, rows
from tools.project import ROOT

ENVIRONMENTS = {"environ", "variables", "base", "getenv"}
# Of other libraries, which read them for us: platformdirs and keyring; AWS's SDKs, with any service in the name.
READ_FOR_US = {"LOCALAPPDATA", "PYTHON_KEYRING_BACKEND", "XDG_CACHE_HOME"}


def variables_of(source: str) -> set[str]:
    """The names of environment variables that a module reads or sets.

    What AWS's, boto's and our own begin with, wherever it stands; and what is looked up in something that has the name
    of an environment: there, or in a constant of a module that looks up.

    Args:
        source: The module's text.
    """
    tree = ast.parse(source)
    found = {text for text in _strings(tree) if re.fullmatch(r"(AWS|BOTO|XSESSION)_[A-Z0-9_]*[A-Z0-9]", text)}
    looks_up = False
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="get" | "pop"), args=[key, *_]):
                pass
            case ast.Call(func=ast.Attribute(attr="getenv") | ast.Name(id="getenv") as owner, args=[key, *_]):
                pass
            case ast.Subscript(value=owner, slice=key) | ast.Compare(left=key, comparators=[owner]):
                pass
            case _:
                continue
        if {name.id for name in ast.walk(owner) if isinstance(name, ast.Name)} & ENVIRONMENTS or _is_os_environ(owner):
            looks_up = True
            found |= {text for text in _strings(key) if text.isupper()}
    if looks_up:
        constants = [node for node in tree.body if isinstance(node, ast.Assign)]
        found |= {
            text for node in constants for text in _strings(node.value) if re.fullmatch("[A-Z0-9]+(_[A-Z0-9]+)+", text)
        }
    return found


def _strings(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_os_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}


def test_variables_are_found_in_code() -> None:
    """However they are looked up."""
    source = """
JOBS = (("jenkins", ("BUILD_TAG",)),)
for user, names in JOBS: print(environ[names[0]])
print(os.environ.get("CI"), "TERM" in os.environ, base["NO_PROXY"], variables.get(NAME), {"AWS_REGION": ""}, {}["X"])
print(os.getenv("SHELL"), getenv("PATH"))
"""
    assert variables_of(source) == {"BUILD_TAG", "CI", "TERM", "NO_PROXY", "AWS_REGION", "SHELL", "PATH"}


def test_every_environment_variable_is_on_its_page_and_no_other() -> None:
    """In the first cell of a row, with what it does."""
    code = [path for path in (ROOT / "xsession").rglob("*.py") if "testing" not in path.parts]
    in_code = {name for path in code for name in variables_of(path.read_text(encoding="utf-8"))}
    listed = rows(PAGES["environment.md"])
    assert len(in_code) > 50
    assert sorted(in_code - listed.keys()) == []
    assert sorted(name for name in listed.keys() - in_code - READ_FOR_US if not name.startswith("AWS_")) == []
    assert [name for name, cells in listed.items() if not all(cells)] == []
