from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import get_args

import pytest

from bench import chart
from tests.support.command_line import forked
from tools.project import PYPROJECT, ROOT
from xsession import events
from xsession.roles import _session_name as session_name
from xsession.roles._defaults import DEFAULT_OPTIONS
from xsession.roles._role import ROLE_OPTIONS
from xsession.testing import LocalAWS, Story

DOCS = ROOT / "docs"


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def links_from(path: Path) -> set[Path]:
    """The pages that a page links to."""
    found = re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    return {(path.parent / link).resolve() for link in found}


def test_every_page_is_reached_by_links_from_home() -> None:
    """A repository's own view of the pages has no navigation, and no table of all names."""
    reached, new = set[Path](), {DOCS / "index.md"}
    while new:
        reached |= new
        new = set().union(*map(links_from, new)) - reached
    assert set(DOCS.rglob("*.md")) - reached == set()


def test_the_sections_are_what_people_do() -> None:
    """In this order, each with few enough entries to be read."""
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2].partition("\nplugins:\n")[0]
    sections = re.findall(r"^  - ([^:\n]+):\n((?:      .*\n?)+)", nav, re.MULTILINE)
    assert [name for name, _ in sections] == [
        "Start", "Accounts", "Use", "Processes and shell", "Give access", "See what happened", "Operate", "Test",
        "Reference", "Why",
    ]  # fmt: skip
    for name, entries in sections:
        assert len(re.findall(r"^      - ", entries, re.MULTILINE)) <= 12, name


def pages_in(*folders: str) -> list[str]:
    """The names of their pages."""
    return sorted(path.relative_to(DOCS).as_posix() for folder in folders for path in (DOCS / folder).glob("*.md"))


@pytest.mark.parametrize("name", pages_in("how-to"))
def test_a_how_to_has_its_parts(name: str) -> None:
    """First when it is needed, then an example, and at its end what can go wrong."""
    text = page(name)
    assert re.match(r"# .+\n\nYou need this page ", text), "the first sentence says when it is needed"
    assert "```" in text, "an example"
    wrong = r"\n\n## What can go wrong\n\n(\* .+\n(  .+\n)*){3,}\n## Next\n"
    assert re.search(wrong, text), "three things that can go wrong"


@pytest.mark.parametrize("name", pages_in("tutorial", "how-to", "recipes", "explanation"))
def test_a_page_says_where_to_go_next(name: str) -> None:
    """At its end: links alone, two at least."""
    assert re.search(r"\n\n## Next\n\n\[[^\n]+\]\([^\n]+\)[^\n]*( · \[[^\n]+)+\n\Z", page(name))


def recipes() -> list[tuple[str, str]]:
    """The recipes of all pages: each question, and what is said to it."""
    found = []
    for name in pages_in("recipes"):
        for part in re.split(r"^## ", page(name), flags=re.MULTILINE)[1:]:
            question, _, answer = part.partition("\n")
            found += [(question, answer)] if question != "Next" else []
    return found


def test_recipes_are_answered_by_code_and_name_their_source() -> None:
    """By a snippet, or by that of the page that they lead to; the source is an issue that can be read."""
    assert len(recipes()) >= 40
    code = r"```py(thon)?\n|\]\(\.\./how-to/[\w-]+\.md#"
    asked = r"\n\nAsked in \[[\w./-]+#\d+\]\(https://github\.com/[\w./-]+/(issues|pull)/\d+\)"
    assert [question for question, answer in recipes() if not re.search(code, answer)] == []
    assert [question for question, answer in recipes() if not re.search(asked, answer)] == []


def test_snippets_of_every_page_are_run() -> None:
    """The patterns of `conftest.py` go three folders deep: no ** of theirs stands for more than one."""
    assert max(len(path.relative_to(ROOT).parts) for path in DOCS.rglob("*.md")) <= 4


def test_links_of_the_readme_work_anywhere() -> None:
    """A package index shows it far from the files beside it; so links are absolute, and lead to files that exist."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    source = PYPROJECT["project"]["urls"]["Source"]
    for links, prefix in (
        (re.findall(r"\]\((.*?)\)", text), f"{source}/blob/HEAD/"),
        (re.findall(r'src="(.*?)"', text), f"{source}/raw/HEAD/"),
    ):
        assert links
        assert [link for link in links if not link.startswith(prefix)] == []
        assert [link for link in links if not (ROOT / link.removeprefix(prefix).partition("#")[0]).is_file()] == []


COMPARED = {
    f"https://github.com/{name}"
    for name in (
        "benkehoe/aws-assume-role-lib", "michaelthomasletts/boto3-refresh-session", "connelldave/botocove",
        "MacHu-GWU/boto_session_manager-project", "99designs/aws-vault", "cloud-custodian/cloud-custodian",
    )
}  # fmt: skip
"""What the front page has a row of its table for."""


@pytest.mark.parametrize("name", ["README.md", "docs/index.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_pages_name_one_repository(name: str) -> None:
    """The one that `project.urls` names; the front page names those that it is compared with, too."""
    source = PYPROJECT["project"]["urls"]["Source"]
    found = re.findall(r"https://github\.com/[^/\s]+/[^/\s')]+", (ROOT / name).read_text(encoding="utf-8"))
    assert set(found) == {source} | (COMPARED if name == "docs/index.md" else set())


def test_examples_of_the_front_page_are_whole_on_a_phone() -> None:
    """That many characters are what 390 pixels show, in the text and in a card."""
    blocks = re.findall(r"^( *)```py.*\n((?:.*\n)*?) *```", page("index.md"), re.MULTILINE)
    assert len(blocks) == 4
    for indented, block in blocks:
        assert max(len(line) - len(indented) for line in block.splitlines()) <= (41 if indented else 44)


def test_the_front_page_shows_what_was_measured() -> None:
    """Its charts are drawn from the record beside them; it names date, machine and command, and has its figures."""
    costs = DOCS / "costs"
    record = json.loads((costs / "bench.json").read_text(encoding="utf-8"))
    home = page("index.md")
    for name in chart.PANELS:
        assert (costs / f"{name}.svg").read_text(encoding="utf-8") == chart.drawing(record, name)
        assert f"](costs/{name}.svg)" in home
    assert {name for name in ("date", "machine", "command") if record[name] not in " ".join(home.split())} == set()
    assert chart.in_words(record) in " ".join(home.split())


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.svg")), ids=lambda path: path.name)
def test_pictures_have_words(path: Path) -> None:
    """A title for each, and for what is more than a mark, a description."""
    text = path.read_text(encoding="utf-8")
    assert re.search(r"<title.*?>\S.*?</title>", text)
    assert path.name == "logo.svg" or re.search(r"<desc.*?>\S[^<]{60,}</desc>", text)


def test_values_are_documented_with_their_arguments() -> None:
    """The API page has the type and the default of each, as for any dataclass."""
    griffe = pytest.importorskip("griffe")
    extensions = griffe.load_extensions(str(ROOT / "tools" / "griffe_values.py"))
    package = griffe.load("xsession", search_paths=[ROOT], extensions=extensions)
    shown = {item.name: (str(item.annotation), item.default) for item in package["refresh.RefreshPolicy"].parameters}
    assert shown["advisory"] == ("float | None", "None")
    assert shown["patience"] == ("float", "30.0")
    assert [item.name for item in package["refresh._policy.Windows"].parameters] == [
        "self",
        "advisory",
        "mandatory",
        "hard",
    ]


def test_every_reason_of_an_invalidation_is_listed() -> None:
    """Where events are explained, and in the event's own description."""
    reasons = get_args(events.InvalidationReason)
    assert len(reasons) == 6
    assert {reason for reason in reasons if f"| `{reason}` |" not in page("reference/events.md")} == set()
    described = " ".join((events.Invalidated.__doc__ or "").split())
    assert {reason for reason in reasons if f'"{reason}"' not in described} == set()


def test_every_option_of_a_role_and_every_default_is_listed() -> None:
    """In the reference, each in a row of its own."""
    text = page("reference/role-options.md")
    options = ROLE_OPTIONS | DEFAULT_OPTIONS | {"role_arn"} | {f"{{{name}}}" for name in session_name.PLACEHOLDERS}
    assert {name for name in options if f"\n| `{name}` |" not in text} == set()


def test_the_command_line_prints_what_its_page_shows(
    tmp_path: Path, local_aws: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command, with the files that the page shows; "..." stands for what differs each time."""
    text = page("how-to/command-line.md")
    accounts, role = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xsession.toml").write_text(accounts)
    (tmp_path / "role.toml").write_text(role)
    environ = {**local_aws.environ(Story.told_by(local_aws).key), "PATH": os.environ["PATH"]}
    environ |= {"COLUMNS": "80", "LOGNAME": "bruce", "XDG_CONFIG_HOME": str(tmp_path / "none")}
    environ |= {"XSESSION_STORE": "memory"}
    blocks = re.findall(r"```console\n\$ xsession (.*?)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) > 20
    for arguments, expected in blocks:
        done = forked(*shlex.split(arguments), env=environ)
        printed = done.stdout + done.stderr
        for real, shown in ((f"{sys.executable} -m xsession", "/usr/local/bin/xsession"), (tmp_path, "/srv/batcave")):
            printed = printed.replace(str(real), shown)
        pattern = re.escape(expected).replace(re.escape("..."), ".*?")
        assert re.fullmatch(pattern, printed, re.DOTALL), f"{arguments}\n{printed}"


def outputs_of(notebook: Path) -> list[str]:
    """What is saved in a notebook, but for what its author wrote: each output but pictures, as JSON."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    for output in shown:
        output.get("data", {}).pop("image/png", None)
    return [json.dumps(output) for output in shown]


def secrets_in(text: str) -> list[str]:
    """What has the form of a secret key or of a token: forty or more of their characters, and no ARN."""
    found = re.findall(r"(?<![\w/+=-])[\w/+=-]{40,}(?![\w/+=-])", text)
    return [one for one in found if re.search("[A-Za-z]", one) and not re.search("role/|user/", one)]


def test_saved_notebooks_hold_no_secret() -> None:
    """They are saved with their outputs, as users save theirs."""
    notebooks = sorted(DOCS.rglob("*.ipynb"))
    assert notebooks
    for notebook in notebooks:
        outputs = outputs_of(notebook)
        assert len(outputs) > 5
        assert [secret for output in outputs for secret in secrets_in(output)] == []


def test_a_secret_in_an_output_is_found(local_aws: LocalAWS) -> None:
    """Of the local AWS, and of AWS."""
    key = local_aws.account("111111111111").user("bruce")
    for secret in (key.secret_access_key, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzE" * 20):
        assert secrets_in(json.dumps({"text/plain": f"Credentials('{secret}')"})) == [secret]


def test_pages_name_no_function_that_is_not_there() -> None:
    """Whatever a page calls on `xs`, the session has."""
    from xsession import CrossAccountSession  # noqa: PLC0415 # only here

    called = {
        name
        for path in [*DOCS.rglob("*.md"), ROOT / "README.md"]
        for name in re.findall(r"\bxs\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert {name for name in called if not hasattr(CrossAccountSession, name)} - {"accounts"} == set()
