from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from keyring.backends import fail

from tests.support.command_line import COMMAND, at_terminal, run
from tests.support.stores import as_root
from tests.support.worlds import BATMAN, VEGETA, World
from tools.project import ROOT
from xsession import CrossAccountSession
from xsession.cli._app import cli
from xsession.cli._credential_process import OPTIONS, credential_process
from xsession.cli._exit_status import ExitStatus
from xsession.policies import trust
from xsession.stores import FileStore, KeptCredentials
from xsession.testing import Fault

SERIAL = "arn:aws:iam::111111111111:mfa/bruce"


@pytest.fixture(autouse=True)
def stored(folder: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with its key in a file, of which that was said; and an account that asks for MFA."""
    # The name of a session says which program it is.
    monkeypatch.setattr(sys, "argv", ["/usr/bin/xsession"])
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("XSESSION_STORE", str(folder / "store"))
    strict = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'\n[accounts.strict]\nrole_arn = "{strict}"\nmfa_serial = "{SERIAL}"\n')
    with pytest.warns(UserWarning, match="no keyring"):
        FileStore().put_principal("made", "once")
    return folder / "store"


def printed(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What the command prints, which must be one JSON object and a line break."""
    status = credential_process([*arguments])
    out, err = capfd.readouterr()
    assert (status, err) == (0, "")
    assert out.count("\n") == 1
    document: dict[str, Any] = json.loads(out)
    return document


def test_it_prints_what_sdks_expect(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """And the same again, without a call of AWS."""
    document = printed(capfd, "vegeta")
    assert document.keys() == {
        "Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId"
    }  # fmt: skip
    assert (document["Version"], document["AccountId"]) == (1, VEGETA)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["Expiration"])
    world.aws.clear_calls()
    assert printed(capfd, "vegeta") == document
    assert not world.aws.calls


def test_a_warm_start_imports_little(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of other packages what decrypts alone, and of Python nothing that is large: SDKs run it again and again."""
    printed(capfd, "vegeta")
    code = """
import sys
before = {*sys.modules}
from xsession.cli import main
sys.argv[1:] = ["credential-process", "vegeta"]
assert main() == 0
loaded = {*sys.modules} - before
others = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
assert others == {"xsession", "cryptography", "_cffi_backend", "_openssl"}, others
unwanted = {"argparse", "asyncio", "hashlib", "importlib.metadata", "inspect", "logging", "platform", "shutil"}
unwanted |= {"socket", "ssl", "subprocess", "tempfile", "traceback", "xsession.errors._signing", "xsession.events"}
unwanted |= {"base64", "unicodedata", "xsession._aws._error_codes"}
unwanted |= {"glob"} if sys.version_info < (3, 13) else set()  # from then on, pathlib imports it
unwanted |= {f"xsession.accounts._{name}" for name in ("explanation", "kept_organizations", "organization")}
unwanted |= {f"xsession.accounts._{name}" for name in ("organization_accounts", "organization_table", "selection")}
unwanted |= {"xsession.accounts._unique_names"}
assert not unwanted & loaded, unwanted & loaded
"""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = folder / "xsession"
    script.write_text(code)
    done = subprocess.run([sys.executable, script], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["AccountId"] == VEGETA


def test_of_many_that_begin_at_once_one_loads_boto3(folder: Path, world: World) -> None:
    """The others wait for what it stores, or a machine that restores fifty terminals would be busy with that alone."""
    script = folder / "xsession"
    script.write_text("import sys\nfrom xsession.cli import main\nmain()\nassert 'boto3' not in sys.modules\n")
    command = [sys.executable, str(script), "credential-process", "vegeta"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run_it(_number: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(run_it, range(8)))
    assert sorted(each.returncode for each in done) == [0] * 7 + [1], done
    assert len({json.loads(each.stdout)["AccessKeyId"] for each in done}) == 1
    assert world.aws.count("AssumeRole") == 1


@as_root
def test_each_run_on_a_read_only_disk_succeeds(folder: Path, stored: Path) -> None:
    """Images are mounted like that; the first run fails no less than the others."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(stored)], check=True)
    try:
        script = folder / "xsession"
        script.write_text("import sys\nfrom xsession.cli import main\nsys.exit(main())\n")
        command = [sys.executable, str(script), "credential-process", "vegeta"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = [subprocess.run(command, env=environ, capture_output=True, text=True, check=False) for _ in range(3)]
    finally:
        subprocess.run(["umount", str(stored)], check=True)
    assert [each.returncode for each in done] == [0] * 3, done
    assert [each.stderr.count("xsession: store: ") for each in done] == [1] * 3, done
    assert [json.loads(each.stdout)["AccountId"] for each in done] == [VEGETA] * 3


def test_what_ends_soon_is_refreshed_first(world: World, capfd: pytest.CaptureFixture[str], stored: Path) -> None:
    """Or SDKs would ask again at each request."""
    document = printed(capfd, "vegeta")
    age(stored, 3_600 - 240)
    assert printed(capfd, "vegeta")["AccessKeyId"] != document["AccessKeyId"]
    assert world.aws.count("AssumeRole") == 2


def test_what_is_kept_is_served_where_no_other_can_be_had(
    world: World, capfd: pytest.CaptureFixture[str], stored: Path
) -> None:
    """For as long as it is good."""
    document = printed(capfd, "vegeta")
    age(stored, 3_600 - 240)
    world.aws.fail(Fault(status=403, code="AccessDenied", operation="AssumeRole", times=None))
    assert credential_process(["vegeta"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["AccessKeyId"] == document["AccessKeyId"]
    assert err.startswith("xsession: served what is kept for ")


@pytest.mark.parametrize("wanted", ["20m", "30m"])
def test_so_much_time_is_left_as_was_asked_for(
    world: World, capfd: pytest.CaptureFixture[str], stored: Path, wanted: str
) -> None:
    """Within the window in which refreshes begin by themselves, and before it."""
    document = printed(capfd, "vegeta", "--min-valid", "20m")
    age(stored, 3_600 - 1_000)
    fresh = printed(capfd, "vegeta", "--min-valid", wanted)
    assert fresh["AccessKeyId"] != document["AccessKeyId"]
    assert world.aws.count("AssumeRole") == 2


def test_more_than_the_role_gives_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever needs it must know before the job begins."""
    assert credential_process(["vegeta", "--min-valid", "2h"]) == ExitStatus.FAILED
    out, err = capfd.readouterr()
    assert out == ""
    assert "--min-valid wants 7200 s" in err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["krillin"], ExitStatus.USAGE, "krillin"),
        ([], ExitStatus.USAGE, "account"),
        (["vegeta", "--min-valid", "soon"], ExitStatus.USAGE, "soon"),
        (["vegeta", "--config", "gone.toml"], ExitStatus.USAGE, "gone.toml"),
    ],
)
def test_what_is_wrong_is_said_on_standard_error(
    capfd: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    """Nothing reaches standard output."""
    assert credential_process(arguments) == status
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err


@pytest.mark.parametrize("unattended", [True, False])
def test_where_a_person_is_needed_it_fails_at_once_and_says_what_to_run(folder: Path, unattended: bool) -> None:
    """In a session without a terminal; or where the variable says so."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "XSESSION_NO_INPUT": "1" if unattended else ""}
    done = subprocess.run(
        [sys.executable, "-m", "xsession", "credential-process", "strict"],
        cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        start_new_session=not unattended,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (ExitStatus.NEEDS_PERSON, "")
    assert "run at a terminal: xsession credential-process strict" in done.stderr


def age(store: Path, seconds: float) -> None:
    """Makes what is kept older."""
    found = KeptCredentials.of_machine()
    kept = found.of(found.accounts.find("vegeta"))
    assert kept is not None
    assert kept.issued_at is not None
    issued = datetime.fromtimestamp(time.time() - seconds, UTC)
    with CrossAccountSession.from_config() as xs:
        last = xs._chains.resolve(xs.accounts.find("vegeta")).cells[-1]
        key = xs._chains._stored_hops[last].key()
    assert key is not None
    FileStore(store).put(key, replace(kept, issued_at=issued))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_output_that_can_not_be_written_is_an_error_in_our_words() -> None:
    """Not a traceback, which SDKs would show; and none at all where its reader has gone."""
    command = shlex.join([*COMMAND, "credential-process", "vegeta"])
    ends = {"full": f"{command} >/dev/full", "closed": f"{command} >&-", "gone": f"{{ {command}; echo $? >&2; }} | :"}
    done = {name: subprocess.run(["sh", "-c", end], capture_output=True, text=True) for name, end in ends.items()}  # noqa: PLW1510 # two of them fail
    assert (done["full"].returncode, done["full"].stderr) == (1, "xsession: [Errno 28] No space left on device\n")
    assert (done["closed"].returncode, done["closed"].stderr) == (1, "xsession: [Errno 9] standard output is closed\n")
    assert done["gone"].stderr in {"141\n", "0\n"}


def test_what_nobody_expected_is_two_lines(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """With --debug, and where it happened."""

    def fails(*_arguments: object, **_options: object) -> None:
        msg = "a\x1b[31m bug"
        raise RuntimeError(msg)

    monkeypatch.setattr(KeptCredentials, "of_machine", fails)
    assert credential_process(["vegeta"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        "xsession: RuntimeError: a\\x1b[31m bug\n"
        "  run it again as `xsession --debug credential-process ...` to see where\n"
    )
    assert credential_process(["vegeta", "--debug"]) == 1
    assert capfd.readouterr().err.startswith("Traceback")


def test_it_is_among_the_commands(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], world: World
) -> None:
    """Its help is as theirs; and started from there, it is the same command."""
    assert run(monkeypatch, "--help") == 0
    assert re.search(r"^  credential-process  \w", capfd.readouterr().out, re.MULTILINE)
    assert run(monkeypatch, "credential-process", "--help") == 0
    shown = capfd.readouterr().out
    assert shown.startswith("Usage: xsession credential-process [OPTIONS] ACCOUNT\n")
    options = {f"--{name.removesuffix('=')}" for name in OPTIONS} - {"--debug"}
    assert {option for option in options if option not in shown} == set()
    arguments = ["credential-process", "vegeta", "--min-valid", "30m", "--region", "eu-west-1"]
    assert cli.main(arguments, prog_name="xsession", standalone_mode=False) == 0
    assert json.loads(capfd.readouterr().out)["AccountId"] == VEGETA
    assert world.aws.count("AssumeRole") == 1


def test_a_terminal_shows_the_same_object_without_colors(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever variables force them."""
    document = printed(capfd, "vegeta")
    shown = at_terminal([*COMMAND, "credential-process", "vegeta"], FORCE_COLOR="1", CLICOLOR_FORCE="1", TERM="xterm")
    assert "\x1b" not in shown
    assert json.loads(shown) == document


def test_what_the_store_has_to_say_is_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path
) -> None:
    """In two lines, and by no warning of Python's; standard output has the one JSON object (H19)."""
    monkeypatch.setenv("XSESSION_STORE", str(folder / "new"))
    assert credential_process(["vegeta"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["AccountId"] == VEGETA
    said, hint = err.splitlines()
    assert re.fullmatch(r"xsession: store: this machine has no keyring, so .*: /.*/new", said)
    assert hint.startswith("  keep ")
