from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import run


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["whoami", "vegetta"], 2, "did you mean vegeta"),
        (["--profile", "nobody", "whoami", "vegeta"], 1, "nobody"),
        (["wohami"], 2, "No such command"),
        (["accounts", "--colour"], 2, "--colour"),
    ],
)
def test_errors_are_one_line_and_a_status(
    arguments: list[str],
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """2 for what the caller can fix in its command or file, 1 for what AWS said; no traceback."""
    assert run(monkeypatch, *arguments) == status
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_are_no_errors(
    argument: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And need neither file nor credentials."""
    assert run(monkeypatch, argument) == 0
    assert "xsession" in capsys.readouterr().out.lower()


def test_an_interrupt_ends_it_with_its_own_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As shells expect."""

    def interrupted(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("xsession.CrossAccountSession", interrupted, raising=False)
    assert run(monkeypatch, "whoami") == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_output_that_can_not_be_written_is_one_line_and_a_status() -> None:
    """A full disk, for one."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "xsession", "accounts"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "xsession: [Errno 28] No space left on device\n"


@pytest.mark.usefixtures("folder")
def test_a_traceback_is_for_those_who_ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody expected is two lines as well, and says how to see more; so are errors of ours."""

    def broken(*_args: object, **_kwargs: object) -> None:
        msg = "nobody expected this"
        raise RuntimeError(msg)

    monkeypatch.setattr("xsession.CrossAccountSession", broken, raising=False)
    assert run(monkeypatch, "whoami") == 1
    said = "xsession: RuntimeError: nobody expected this\n  run it again as `xsession --debug ...` to see where\n"
    assert capsys.readouterr().err == said
    assert run(monkeypatch, "--debug", "whoami") == 1
    error = capsys.readouterr().err
    assert error.startswith("Traceback")
    assert error.endswith(said)
    assert run(monkeypatch, "--debug", "--config", "missing.toml", "accounts") == 2
    assert "Traceback" in capsys.readouterr().err
    assert run(monkeypatch, "--debug", "accounts", "--colour") == 2
    assert "Traceback" not in capsys.readouterr().err
