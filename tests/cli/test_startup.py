from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.worlds import World

# Run before anything of ours: prints what is written to, and which of some modules are there at the end.
WATCH = """
import atexit, os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def hook(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES and args[0] not in ("/dev/tty", os.devnull):
        print("open", args[0], file=sys.stderr)
    if event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink"):
        print(event, *args, file=sys.stderr)
sys.addaudithook(hook)
LARGE = {"boto3", "botocore.session", "rich", "ssl"}
atexit.register(lambda: print("imported", *(LARGE & {*sys.modules}), file=sys.stderr))
from xsession.cli import main
sys.exit(main())
"""


def watched(*arguments: str, **environ: str) -> tuple[list[str], set[str]]:
    """What a command writes to, and which large modules it imports."""
    command = [sys.executable, "-c", WATCH, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environ})
    assert done.returncode in {0, 4}, done.stderr
    *written, last = done.stderr.splitlines()
    return [line for line in written if line.startswith(("open", "os."))], set(last.split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["accounts"],
        ["accounts", "--json"],
        ["completion", "bash"],
        ["aws-config"],
        ["setup", "--help"],
        ["grant", "--help"],
    ],
    ids=" ".join,
)
def test_what_calls_nobody_starts_fast_and_writes_nothing(arguments: list[str], folder: Path) -> None:
    """Neither boto3, nor what draws on terminals; no file and no folder, not even an empty one."""
    before = sorted(folder.rglob("*"))
    assert watched(*arguments, HOME=str(folder / "home"), PYTHONDONTWRITEBYTECODE="1") == ([], set())
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("arguments", [["status"], ["whoami", "vegeta"], ["verify", "vegeta"]], ids=" ".join)
def test_what_only_looks_writes_nothing(arguments: list[str]) -> None:
    """A machine may be read-only, and a command run by root leaves nothing in a user's home."""
    assert watched(*arguments, PYTHONDONTWRITEBYTECODE="1")[0] == []


def test_a_store_is_looked_at_without_a_trace(folder: Path) -> None:
    """The folder is made by the first command that has something to keep."""
    before = sorted(folder.rglob("*"))
    assert watched("status", XSESSION_STORE="file", PYTHONDONTWRITEBYTECODE="1")[0] == []
    assert sorted(folder.rglob("*")) == before


def test_credentials_of_the_user_are_never_written_to(world: World, aws_folder: Path, folder: Path) -> None:
    """Not opened for it, whatever is set up: they are the user's own."""
    key = world.key
    (aws_folder / "credentials").write_text(
        f"[default]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    )
    before = (aws_folder / "credentials").read_bytes()
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(aws_folder / "credentials"), "PYTHONDONTWRITEBYTECODE": "1"}
    config = str(aws_folder / "config")
    written, _ = watched(
        "--config", str(folder / "xsession.toml"), "aws-config", "--write", "--file", config, **environ
    )
    assert written
    assert not [line for line in written if str(aws_folder / "credentials") in line]
    for arguments in (["whoami", "vegeta"], ["grant", "vegeta", "--to", "jane", "--duration", "1h"], ["status"]):
        assert watched("--config", str(folder / "xsession.toml"), *arguments, **environ)[0] == []
    assert (aws_folder / "credentials").read_bytes() == before
