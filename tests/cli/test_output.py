from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, at_terminal


def many_accounts(folder: Path, count: int) -> Path:
    """A file with many accounts."""
    file = folder / "many.toml"
    file.write_text("".join(f'[accounts.a{n}]\nrole_arn = "arn:aws:iam::{n:012}:role/R"\n' for n in range(1, count)))
    return file


@pytest.mark.parametrize("arguments", [["accounts"], ["accounts", "--json"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, arguments: list[str], unbuffered: str) -> None:
    """As in `xsession accounts | head -1`: nothing on standard error, and the status that a shell gives for it.

    There are more of them than a pipe takes at once.
    """
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [*COMMAND, "--config", str(many_accounts(tmp_path, 1_501)), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
    # Unbuffered, Python does not notice that the end of what it wrote was not taken.
    assert running.returncode in ({0, 141} if unbuffered else {141})


def test_colours_are_for_a_terminal_alone(tmp_path: Path) -> None:
    """Whatever a variable says that forces them elsewhere; and not where NO_COLOR is set."""
    command = [*COMMAND, "--config", str(many_accounts(tmp_path, 3)), "accounts"]
    assert "\x1b[1m" in at_terminal(command, TERM="xterm")
    assert "\x1b[3" not in at_terminal(command, TERM="xterm", NO_COLOR="1")
    forced = {**os.environ, "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    piped = subprocess.run(command, capture_output=True, env=forced, check=True).stdout
    assert b"\x1b" not in piped


def test_what_a_shell_or_a_file_takes_in_has_no_colours(tmp_path: Path) -> None:
    """Not even at a terminal where variables force them."""
    forced = {"TERM": "xterm", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "HOME": str(tmp_path)}
    for arguments in (["aws-config"], ["completion", "bash"], ["accounts", "--json"]):
        command = [*COMMAND, "--config", str(many_accounts(tmp_path, 3)), *arguments]
        assert "\x1b" not in at_terminal(command, **forced)


def test_a_row_is_one_line_for_programs(tmp_path: Path) -> None:
    """However long: a wrapped row would be two for whoever counts lines."""
    name = "a" * 120
    (tmp_path / "long.toml").write_text(f'[accounts.{name}]\nrole_arn = "arn:aws:iam::222222222222:role/{"R" * 64}"\n')
    command = [*COMMAND, "--config", str(tmp_path / "long.toml"), "accounts"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "40"}, check=True)
    header, row = done.stdout.splitlines()
    assert row.startswith(f"{name}  222222222222  source -> ")
    assert f"account{' ' * 113}  id" in header


def test_json_is_ascii(tmp_path: Path) -> None:
    """Whatever a locale makes of it, and nothing in it moves a cursor."""
    (tmp_path / "file.toml").write_text('[accounts.a]\nsource = "\\u009b2J\\u202eé"\n')
    command = [*COMMAND, "--config", str(tmp_path / "file.toml"), "accounts", "--json"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=True)
    assert done.stdout.isascii()
    assert b"\\u009b2J\\u202e\\u00e9" in done.stdout


def test_text_that_the_encoding_lacks_is_written_out(tmp_path: Path) -> None:
    """An old console's encoding is no reason for an error."""
    (tmp_path / "file.toml").write_text('[accounts.a]\nsource = "€"\n', encoding="utf-8")
    command = [*COMMAND, "--config", str(tmp_path / "file.toml"), "accounts"]
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0
    assert "profile \\u20ac" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["credential-process", "--help"]],
    ids=" ".join,
)
def test_nothing_is_said_where_the_reader_has_gone(arguments: list[str]) -> None:
    """The status is that of every command; each is tried in a copy of this process, these in a Python of their own."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="its shells close no descriptor")
def test_nobody_listens_at_all(tmp_path: Path) -> None:
    """Standard output was closed before the start."""
    command = [*COMMAND, "--config", str(many_accounts(tmp_path, 3)), "accounts"]
    line = f"{' '.join(command)} >&-"
    done = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
