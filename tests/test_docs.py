from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.support.command_line import forked
from tools.project import PYPROJECT, ROOT
from xsession import errors, events
from xsession.accounts import _tables as tables
from xsession.accounts import _toml as toml
from xsession.cli._exit_status import ExitStatus
from xsession.roles import _session_name as session_name
from xsession.roles._defaults import DEFAULT_OPTIONS
from xsession.roles._role import ROLE_OPTIONS
from xsession.testing import LocalAWS, Story

DOCS = ROOT / "docs"


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as `make docs` builds it."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_documentation_is_built_without_a_warning(site: Path) -> None:
    """Links, anchors and the API's names are right."""
    assert "CrossAccountSession" in (site / "reference" / "api" / "index.html").read_text(encoding="utf-8")


def test_the_documentation_publishes_the_schema(site: Path) -> None:
    """The same one that is in the package."""
    published = site / "reference" / "xsession.schema.json"
    assert published.read_bytes() == (ROOT / "xsession" / "xsession.schema.json").read_bytes()


def test_every_task_is_on_the_home_page() -> None:
    """A page without a link to it is not found; a long sentence of links is not read."""
    home = page("index.md")
    tasks = {f"how-to/{path.name}" for path in (DOCS / "how-to").glob("*.md")}
    assert {task for task in tasks if f"]({task})" not in home} == set()
    assert [line for line in home.splitlines() if line.count("](") > 1] == []


def test_every_page_is_linked_from_the_home_page() -> None:
    """Also those that are no task: reference, explanations, first steps."""
    home = page("index.md")
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"index.md"}
    assert {name for name in pages if f"]({name})" not in home} == set()


def test_links_of_the_readme_work_anywhere() -> None:
    """A package index shows it far from the files beside it; so links are absolute, and lead to files that exist."""
    links = re.findall(r"\]\((.*?)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    files = f"{PYPROJECT['project']['urls']['Source']}/blob/HEAD/"
    assert [link for link in links if not link.startswith(files)] == []
    assert [link for link in links if not (ROOT / link.removeprefix(files)).is_file()] == []


@pytest.mark.parametrize("name", ["README.md", "docs/index.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_pages_name_one_repository(name: str) -> None:
    """The one that `project.urls` names."""
    source = PYPROJECT["project"]["urls"]["Source"]
    found = re.findall(r"https://github\.com/[^/\s]+/[^/\s')]+", (ROOT / name).read_text(encoding="utf-8"))
    assert set(found) == {source}


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


def test_every_error_has_its_place_on_the_troubleshooting_page() -> None:
    """By its name."""
    names = {
        name for name, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, errors.XSessionError)
    }
    text = page("troubleshooting.md")
    assert {name for name in names if name not in text} == set()


def test_every_event_is_listed() -> None:
    """With when it comes."""
    kinds = {name for name, item in inspect.getmembers(events, inspect.isclass) if issubclass(item, events.Event)}
    text = page("how-to/events.md")
    assert {name for name in kinds - {"Event"} if f"| `{name}` |" not in text} == set()


def test_every_reason_of_an_invalidation_is_listed() -> None:
    """Where events are explained, and in the event's own description."""
    reasons = get_args(events.InvalidationReason)
    assert len(reasons) == 6
    assert {reason for reason in reasons if f"| `{reason}` |" not in page("how-to/events.md")} == set()
    described = " ".join((events.Invalidated.__doc__ or "").split())
    assert {reason for reason in reasons if f'"{reason}"' not in described} == set()


def test_every_key_of_the_file_is_listed() -> None:
    """In the reference."""
    text = page("reference/toml.md")
    assert {
        key for key in tables.ACCOUNT_KEYS | tables.DEFAULT_KEYS | toml.FILE_KEYS if f"`{key}`" not in text
    } == set()


def test_every_option_of_a_role_and_every_default_is_listed() -> None:
    """In the reference, each in a row of its own."""
    text = page("reference/role-options.md")
    options = ROLE_OPTIONS | DEFAULT_OPTIONS | {"role_arn"} | {f"{{{name}}}" for name in session_name.PLACEHOLDERS}
    assert {name for name in options if f"\n| `{name}` |" not in text} == set()


def test_every_environment_variable_of_ours_is_listed() -> None:
    """In the reference."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "xsession").rglob("*.py"))
    text = page("reference/environment.md")
    assert {name for name in re.findall(r"XSESSION_[A-Z_]+", code) if f"`{name}`" not in text} == set()


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


def test_exit_statuses_are_on_the_page_of_the_command_line() -> None:
    """Each in a row of its own."""
    rows = re.findall(r"^\| (\d+) \|", page("how-to/command-line.md"), re.MULTILINE)
    assert [int(row) for row in rows] == [status.value for status in ExitStatus]


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
