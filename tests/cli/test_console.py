from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command_line import run
from xsession.cli._browser import openers
from xsession.grants import _sign_in_link

pytestmark = pytest.mark.usefixtures("folder", "signs_in")

LINK = "https://signin.aws.amazon.com/federation?Action=login"
# As the command, with AWS's page for links at hand.
CONSOLE = """
import sys
from xsession.grants import _sign_in_link
_sign_in_link.post_form = lambda _address, _form: b'{"SigninToken": "a-token"}'
sys.argv = ["xsession", "console", *sys.argv[1:]]
from xsession.cli import main
sys.exit(main())
"""


@pytest.fixture
def signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS's page for links, without a network."""
    monkeypatch.setattr(_sign_in_link, "post_form", lambda _address, _form: b'{"SigninToken": "a-token"}')


def opener(folder: Path, body: str) -> str:
    """A program that opens what it is given."""
    file = folder / "open it"
    file.write_text(f"#!{sys.executable}\nimport subprocess, sys, time, urllib.request\n{body}\n")
    file.chmod(stat.S_IRWXU)
    return f"'{file}' %s"


def opened(*arguments: str, **variables: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The command, run with `--open`; and how long it took since the browser was due."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CONSOLE, "vegeta", "--open", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done, time.monotonic() - began


def test_a_link_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """To the page that was asked for, in the account's region."""
    assert run(monkeypatch, "console", "vegeta", "--path", "s3") == 0
    link = capsys.readouterr().out
    assert link.startswith(LINK)
    assert "Destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Deu-west-1&" in link
    assert run(monkeypatch, "console", "vegeta", "--path", "//evil.example") == 2
    assert run(monkeypatch, "console", "vegeta", "--path", "s3", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"url": link.strip(), "opened": False}


def test_the_browser_gets_an_address_of_this_machine(folder: Path) -> None:
    """So that the link is in no list of processes; it leads there once."""
    browser = opener(
        folder,
        f"""
address = sys.argv[1]
class Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments): return None
def ask(address):
    try: urllib.request.build_opener(Stays, urllib.request.ProxyHandler({{}})).open(address)
    except OSError as error: return getattr(error, "code", 0), getattr(error, "headers", {{}}).get("Location")
open({str(folder / "argument")!r}, "w").write(address)
found = [ask(address + "x"), ask(address), ask(address)]
open({str(folder / "found")!r}, "w").write(repr(found))
""",
    )
    done, _seconds = opened(BROWSER=browser)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}", (folder / "argument").read_text())
    ends = time.monotonic() + 10
    while not (folder / "found").exists() or not (folder / "found").read_text():
        assert time.monotonic() < ends
        time.sleep(0.02)
    other, first, second = eval((folder / "found").read_text())  # noqa: S307 # what this test wrote
    assert other[1] is second[1] is None
    assert first[0] == 302
    assert first[1].startswith(LINK)


@pytest.mark.parametrize(
    "body",
    ["sys.exit('cannot open display')", "time.sleep(20)", None],
    ids=["it fails", "it never returns", "there is none"],
)
def test_without_a_browser_the_link_is_printed(folder: Path, body: str | None) -> None:
    """Soon, with status 0, and without what desktops say."""
    browser = str(folder / "none") if body is None else opener(folder, body)
    quick, without = opened(BROWSER=str(folder / "none"))
    assert quick.returncode == 0
    done, seconds = opened(BROWSER=browser)
    assert done.returncode == 0
    assert done.stdout.startswith(LINK)
    assert "display" not in done.stderr
    assert done.stderr.endswith("open this link:\n")
    assert seconds - without < 15  # it would be 20, and this machine may be busy


def test_the_users_own_command_comes_first() -> None:
    """In BROWSER, as other programs read it; each platform has one of its own otherwise."""
    named = {"BROWSER": os.pathsep.join(["firefox -P work", "lynx '%s' -x", "'"])}
    assert list(openers(named, "linux", "http://x")) == [
        ["firefox", "-P", "work", "http://x"],
        ["lynx", "http://x", "-x"],
    ]
    assert next(openers({}, "darwin", "http://x")) == ["open", "http://x"]
    assert next(openers({}, "win32", "http://x"))[0] == "rundll32"
    assert list(openers({}, "linux", "http://x")) == [["xdg-open", "http://x"]]
    wsl = [command[0] for command in openers({"WSL_DISTRO_NAME": "Debian"}, "linux", "http://x")]
    assert wsl == ["wslview", "rundll32.exe", "xdg-open"]
