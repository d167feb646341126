from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, forked, run
from tests.support.terminals import Terminal
from tests.support.worlds import BATMAN, VEGETA, World
from xsession.policies import trust

pytestmark = pytest.mark.usefixtures("folder")

SERIAL = f"arn:aws:iam::{BATMAN}:mfa/bruce"
SHOW_ALL = "env -0 | grep -zav '^_=' | sort -z"


def in_shell(script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A script in a strict shell that knows the command as `xsession`."""
    known = f'xsession() {{ "{sys.executable}" -m xsession "$@"; }}\n'
    environ = {name: value for name, value in os.environ.items() if name not in {"AWS_REGION", "AWS_DEFAULT_REGION"}}
    return subprocess.run(
        ["sh", "-euc", known + script],
        env={**environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_shell_has_the_account_and_forgets_it_again(world: World) -> None:
    """All that was set is unset; what had no value before has none after."""
    key = world.key
    Path("config").write_text(
        "[default]\nregion = eu-west-1\n"
        f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    )
    free = "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN; export AWS_CONFIG_FILE=config\n"
    done = in_shell(
        f'{free}{SHOW_ALL} >before\neval "$(xsession env vegeta)"\nxsession whoami\n'
        f'eval "$(xsession env --unset)"\n{SHOW_ALL} >after\n'
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"arn:aws:sts::{VEGETA}:assumed-role/Reader/")
    assert Path("before").read_bytes() == Path("after").read_bytes()


def test_nothing_is_printed_unless_all_went_well(world: World) -> None:
    """The shell keeps what it had, and learns that it failed."""
    world.vegeta.set_trust("Reader", trust("333333333333"))
    done = in_shell(f'{SHOW_ALL} >before\neval "$(xsession env vegeta)" || true\n{SHOW_ALL} >after\n')
    assert done.stdout == ""
    assert Path("before").read_bytes() == Path("after").read_bytes()
    done = in_shell("xsession env vegeta")
    assert (done.returncode, done.stdout) == (6, "")
    assert "AccessDenied" in done.stderr


@pytest.mark.parametrize("style", ["sh", "fish", "powershell", "dotenv", "json"])
def test_nothing_but_assignments_is_printed(style: str) -> None:
    """No comment, no colour, and no carriage return, whoever asks for them; one exact line for each variable."""
    done = forked("env", "vegeta", "--format", style, env={**os.environ, "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"})
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout
    assert done.stderr == ""
    begins = {"sh": "export AWS_", "fish": "set -gx AWS_", "powershell": "$Env:AWS_", "dotenv": "AWS_"}
    if style in begins:
        assert all(line.startswith(begins[style]) for line in done.stdout.splitlines())


def test_a_terminal_is_told_when_they_end() -> None:
    """Since nobody refreshes them; and there is no colour there either."""
    environ = {**os.environ, "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    with Terminal([*COMMAND, "env", "vegeta"], environ) as terminal:
        assert terminal.ended() == 0
        assert b"xsession: they end at " in terminal.shown
        assert b"\x1b" not in terminal.shown


def test_line_feeds_stay_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, the text layer would write two characters for each."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8", newline="\r\n"))
    assert run(monkeypatch, "env", "vegeta") == 0
    sys.stdout.flush()
    assert b"\r" not in written.getvalue()
    assert written.getvalue().endswith(b"\n")


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are different there")
def test_a_program_gives_the_code_where_there_is_no_terminal(world: World) -> None:
    """A wrapper that knows the device."""
    role = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    with Path("xsession.toml").open("a") as file:
        file.write(f'[accounts.strict]\nrole_arn = "{role}"\nmfa_serial = "{SERIAL}"\n')
    world.aws.expect_mfa_code(SERIAL, "123456")
    command = [*COMMAND, "env", "strict", "--mfa-code", "-"]
    done = subprocess.run(command, input=b"123456", capture_output=True, start_new_session=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"export AWS_ACCESS_KEY_ID=")
    assert b"123456" not in done.stdout + done.stderr


def test_what_some_programs_prefer_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They would go on with the profile."""
    key = world.key
    keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    Path("config").write_text(f"[profile batman]\n{keys}")
    monkeypatch.setenv("AWS_CONFIG_FILE", "config")
    monkeypatch.setenv("AWS_PROFILE", "batman")
    assert run(monkeypatch, "env", "vegeta") == 0
    assert "AWS_PROFILE is set, and some programs prefer it: unset AWS_PROFILE" in capsys.readouterr().err


def test_an_account_is_named_or_all_is_unset(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The source's credentials are never meant."""
    assert run(monkeypatch, "env") == 2
    assert "Missing argument 'ACCOUNT'" in capsys.readouterr().err
    assert run(monkeypatch, "env", "--unset", "--format", "json") == 2
    assert run(monkeypatch, "env", "nobody") == 2
    assert run(monkeypatch, "env", "vegeta", "--min-valid", "soon") == 2
    assert capsys.readouterr().out == ""
