"""Every command where nobody reads what it prints: its reader has gone, its output is closed, or the disk is full."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import command_line
from tests.support.command_line import forked
from tests.support.worlds import BATMAN, World
from xsession.cli import main
from xsession.cli._app import COMMANDS
from xsession.grants import _sign_in_link
from xsession.policies import allow

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the command is a fork of this process")

LINES = [
    "accounts --json",
    "activity admin --since 1h",
    "aws-config --write --file written",
    "completion bash",
    "console vegeta",
    "credential-process vegeta",
    "demo --help",
    "diagnose vegeta",
    "env vegeta",
    "exec vegeta -- echo",
    "grant vegeta --to jane --duration 1h",
    "login vegeta",
    "logout --help",
    "revoke admin --everybody --using admin",
    "run --name vegeta -- echo",
    "serve --account vegeta",
    "setup apply role.toml --using admin",
    "setup export role.toml",
    "status",
    "trust",
    "verify vegeta --json",
    "whoami vegeta",
]
"""Each prints something."""

ROLE = """
[roles.Reads]
trust = { principals = ["111111111111"] }
permissions = { s3_read = { bucket = "vegeta-power-levels" } }
"""


@pytest.fixture(autouse=True)
def _ready(folder: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that may do all this, a role to set up, and AWS's page for links."""
    permissions = allow("cloudtrail:LookupEvents", "ec2:*", "iam:*")
    admin = world.vegeta.role("Admin", trusts=BATMAN, permissions=permissions)
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'\n[accounts.admin]\nrole_arn = "{admin}"\n')
    (folder / "role.toml").write_text(ROLE)
    world.session({"admin": admin}).get_client("ec2", "admin").describe_instances()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(_sign_in_link, "post_form", lambda _address, _form: b'{"SigninToken": "a-token"}')


def gone() -> None:
    """The other end of the pipe was closed."""
    reader, writer = os.pipe()
    os.dup2(writer, 1)
    os.close(reader)
    os.close(writer)


def full() -> None:
    """A disk without room."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def closed() -> None:
    """As a shell has it: `>&-`."""
    os.close(1)


def ended(monkeypatch: pytest.MonkeyPatch, output: Callable[[], None], line: str) -> tuple[int, str]:
    """The status of a command with such an output, and what it says."""

    def command() -> int:
        before = sys.stdout  # else it closes a file that is another one by now
        output()
        written = None if output is closed else os.fdopen(1, "w")
        vars(sys).update(stdout=written, __stdout__=written)
        # Whoever serves is told to end.
        threading.Timer(2.0 if line.startswith("serve") else 60.0, os.kill, [os.getpid(), signal.SIGINT]).start()
        status = int(main())
        sys.stderr.flush()
        os._exit(status if before else 70)

    monkeypatch.setattr(command_line, "main", command)
    done = forked(*line.split())
    return done.returncode, done.stderr


def test_all_commands_are_among_these() -> None:
    """A new one is added above."""
    assert {line.split()[0] for line in LINES} == set(COMMANDS)


@pytest.mark.parametrize("line", LINES)
def test_a_reader_that_has_gone_ends_each_command(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """With the status that shells give for it, and no word of that. A command that `exec` runs ends by itself."""
    status, said = ended(monkeypatch, gone, line)
    assert status == (-signal.SIGPIPE if line.startswith("exec") else 141), said
    assert "Broken" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("activity admin --since 1h", 0),
        ("aws-config --write --file written", 0),
        ("console vegeta", 0),
        ("login vegeta", 0),
        ("setup apply role.toml --using admin", 0),
        ("serve --account vegeta", -signal.SIGINT),
    ],
)
def test_closed_output_changes_nothing(monkeypatch: pytest.MonkeyPatch, line: str, status: int) -> None:
    """The command does what it is for; nobody wants to see it."""
    done, said = ended(monkeypatch, closed, line)
    assert done == status, said
    assert "Traceback" not in said


def test_a_grant_that_nobody_can_receive_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its credentials would be lost."""
    world.aws.clear_calls()
    line = "grant vegeta --to jane --duration 1h"
    assert ended(monkeypatch, closed, line) == (1, "xsession: [Errno 9] standard output is closed\n")
    assert not world.aws.calls


@pytest.mark.parametrize("output", [gone, full])
def test_a_grant_that_nobody_received_can_be_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch, output: Callable[[], None]
) -> None:
    """It was made: its id is said all the same, and is on record."""
    _status, said = ended(monkeypatch, output, "grant vegeta --to jane --duration 1h --log audit.jsonl")
    (identifier,) = re.findall(r"xsession revoke vegeta --grant (\S+) --using ACCOUNT", said)
    assert identifier in (folder / "audit.jsonl").read_text()
