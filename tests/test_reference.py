"""The reference has all that is public, and nothing else; its pages say what each is for."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

import click
import pytest

from tools.project import ROOT
from xsession import errors, events
from xsession.cli._app import cli
from xsession.cli._exit_status import ExitStatus

if TYPE_CHECKING:
    import griffe

REFERENCE = ROOT / "docs" / "reference"
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted(REFERENCE.rglob("*.md"))}
DIRECTIVE = re.compile(r"^::: (xsession\S*)$", re.MULTILINE)
# What no snippet of its page calls by name, and why.
WITHOUT_EXAMPLE = {
    "xsession.accounts.IdentityCenterAccount": "needs a login; the how-to page has it",
    "xsession.accounts.Organization": "the how-to page of organizations has an AWS with one",
    "xsession.accounts.OrganizationAccount": "likewise",
    "xsession.accounts.OrganizationalUnit": "likewise",
    "xsession.cli.main": "the program `xsession`",
    "xsession.integrations.RayExecutor": "needs Ray; the page of many accounts has it",
    "xsession.testing.NotJudgedError": "is raised by what LocalAWS does not know",
}


def snippets(page: str) -> str:
    """The Python of a page, which the tests run."""
    return "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))


def rows(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables by each name in the first cell, their other cells."""
    found = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            first, *others = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", first), others))
    return found


# Names of the package


@pytest.fixture(scope="module")
def public() -> dict[str, griffe.Object]:
    """Every public name, as the table of the first page has them."""
    griffe = pytest.importorskip("griffe")
    from tools.public_names import public_names  # noqa: PLC0415 # it imports griffe

    package: griffe.Module = griffe.load("xsession", search_paths=[ROOT])
    return public_names(package)


def test_every_public_name_is_described_once(public: dict[str, griffe.Object]) -> None:
    """And nothing that is not public, or not there."""
    described = [name for page in PAGES.values() for name in DIRECTIVE.findall(page)]
    described.remove("xsession.errors")  # the tree of all errors
    assert sorted(described) == sorted(public)


def test_every_public_name_says_what_it_is_for(public: dict[str, griffe.Object]) -> None:
    """In a docstring, of which the reference is made."""
    assert [name for name, item in public.items() if item.docstring is None] == []


def test_every_public_name_is_used_in_an_example(public: dict[str, griffe.Object]) -> None:
    """On its page, in a snippet that the tests run; of errors, how they are caught is shown for a few."""
    used = {
        name for page in PAGES.values() for name in DIRECTIVE.findall(page) if re.search(_word(name), snippets(page))
    }
    raised = {name for name, item in public.items() if item.path.startswith(("xsession.errors.", "xsession.events."))}
    constants = {name for name, item in public.items() if item.is_attribute and name.rpartition(".")[2].isupper()}
    assert sorted(public.keys() - used - raised - constants) == sorted(WITHOUT_EXAMPLE)


def _word(path: str) -> str:
    return rf"\b{path.rpartition('.')[2]}\b"


# Errors


def sections(page: str) -> dict[str, str]:
    """What a page says below each of its headings."""
    _, *parts = re.split(r"^##+ +(.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


TROUBLESHOOTING = sections((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_its_cause_and_a_way_out(name: str) -> None:
    """Below a heading of its name, to which others link, the two in words of their own."""
    text = TROUBLESHOOTING[name]
    for label in ("Cause", "Way out"):
        (said,) = re.findall(rf"^\*\*{label}:\*\* (.+?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(said.split()) >= 4, said


def test_no_error_is_explained_that_does_not_exist() -> None:
    """A heading that is one word in CamelCase is an error, a warning or an event."""
    named = {heading for heading in TROUBLESHOOTING if re.fullmatch(r"[A-Z]\w+(Error|Warning|Problem)", heading)}
    assert named - set(errors.__all__) == {"StoreProblem"}


# Events


KINDS = [kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, events.Event)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not events.Event])
def test_every_event_says_when_it_comes_and_what_the_log_makes_of_it(kind: type[events.Event]) -> None:
    """In a row of its own; the level is that of `LoggingHook`."""
    when, level = rows(PAGES[REFERENCE / "events.md"])[kind.__name__]
    assert when
    logged = {"WARNING": events.LoggingHook._WARNINGS, "INFO": events.LoggingHook._NOTICES}
    assert level == next((name for name, kinds in logged.items() if issubclass(kind, kinds)), "DEBUG")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_an_event_is_explained(kind: type[events.Event]) -> None:
    """In its docstring, which the page shows."""
    own = {item.name for item in fields(kind)} - (
        {item.name for item in fields(events.Event)} if kind is not events.Event else set()
    )
    described = re.findall(r"^ {4}(\w+): ", inspect.getdoc(kind) or "", re.MULTILINE)
    assert sorted(described) == sorted(own)


def test_no_event_is_listed_that_does_not_exist() -> None:
    """Each name with a level is one."""
    listed = {
        name
        for name, cells in rows(PAGES[REFERENCE / "events.md"]).items()
        if cells[-1] in {"DEBUG", "INFO", "WARNING"}
    }
    assert listed == {kind.__name__ for kind in KINDS} - {"Event"}


# Environment variables


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
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def test_variables_are_found_in_code() -> None:
    """However they are looked up."""
    source = """
JOBS = (("jenkins", ("BUILD_TAG",)),)
for user, names in JOBS: print(environ[names[0]])
print(os.environ.get("CI"), "TERM" in os.environ, base["NO_PROXY"], variables.get(NAME), {"AWS_REGION": ""}, {}["X"])
"""
    assert variables_of(source) == {"BUILD_TAG", "CI", "TERM", "NO_PROXY", "AWS_REGION"}


def test_every_environment_variable_is_on_its_page_and_no_other() -> None:
    """In the first cell of a row, with what it does."""
    code = [path for path in (ROOT / "xsession").rglob("*.py") if "testing" not in path.parts]
    in_code = {name for path in code for name in variables_of(path.read_text(encoding="utf-8"))}
    listed = rows(PAGES[REFERENCE / "environment.md"])
    assert len(in_code) > 50
    assert sorted(in_code - listed.keys()) == []
    assert sorted(name for name in listed.keys() - in_code - READ_FOR_US if not name.startswith("AWS_")) == []
    assert [name for name, cells in listed.items() if not all(cells)] == []


# The command line


def commands(command: click.Command = cli, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Each command with the words that it is called by."""
    words = (*before, command.name or "") if before else ("xsession",)
    yield " ".join(words), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, *words)


COMMAND_LINE = PAGES[REFERENCE / "command-line.md"]


def test_every_command_has_its_section() -> None:
    """A heading, and the place where its description is put when the site is built; and no other command has one."""
    names = [name for name, _ in commands()]
    assert len(names) > 20
    assert sorted(re.findall(r"^<!-- (xsession.*) -->$", COMMAND_LINE, re.MULTILINE)) == sorted(names)
    assert sorted(re.findall(r"^##+ `(xsession.*)`$", COMMAND_LINE, re.MULTILINE)) == sorted(names)


def test_every_option_has_a_description() -> None:
    """In click's own words, which `--help` shows as well."""
    options = [
        (name, option) for name, command in commands() for option in command.params if isinstance(option, click.Option)
    ]
    assert len(options) > 50
    assert [f"{name} {option.name}" for name, option in options if not (option.help or "").strip()] == []


def test_exit_statuses_are_on_the_page_of_the_command_line() -> None:
    """Each in a row of its own."""
    found = re.findall(r"^\| (\d+) \|", COMMAND_LINE, re.MULTILINE)
    assert [int(row) for row in found] == [status.value for status in ExitStatus]


@pytest.mark.parametrize("line", re.findall(r"^\$ .*?(xsession .*?)\)?\"?$", COMMAND_LINE, re.MULTILINE))
def test_examples_of_commands_are_valid(line: str) -> None:
    """Their options and arguments are taken; what they do is shown, and tested, on the pages for users."""
    _, *words = shlex.split(line)
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context(command.name, words, resilient_parsing="--version" in words)
