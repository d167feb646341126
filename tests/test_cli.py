from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession.cli import main
from xsession.policies import trust
from xsession.testing import Fault


@pytest.fixture
def folder(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an xsession.toml that is named, and an environment whose credentials are Batman's."""
    (tmp_path / "xsession.toml").write_text(
        f"""
        [accounts.vegeta]
        account_id = "{VEGETA}"
        role_name = "Reader"
        tags = {{ env = "prod" }}
        [accounts.own]
        source = "default"
        """
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XSESSION_CONFIG", "xsession.toml")
    with world.aws.applied(world.key):
        yield tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs the command line with these arguments."""
    monkeypatch.setattr(sys, "argv", ["xsession", *arguments])
    return main()


@pytest.mark.usefixtures("folder")
def test_accounts_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With their ids and how they are reached."""
    assert run(monkeypatch, "accounts") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"vegeta  {VEGETA}  arn:aws:iam::{VEGETA}:role/Reader"
    assert lines[1] == "own  -  source default"


@pytest.mark.usefixtures("folder")
def test_accounts_are_listed_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """For other programs."""
    assert run(monkeypatch, "accounts", "--json") == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {
        "name": "vegeta",
        "account_id": VEGETA,
        "source": None,
        "chain": [f"arn:aws:iam::{VEGETA}:role/Reader"],
        "region_name": None,
        "tags": {"env": "prod"},
    }


@pytest.mark.usefixtures("folder")
def test_whoami_says_who_we_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In an account; and without a name, as the source."""
    assert run(monkeypatch, "whoami", "vegeta") == 0
    assert capsys.readouterr().out.startswith(f"arn:aws:sts::{VEGETA}:assumed-role/Reader/")
    assert run(monkeypatch, "whoami") == 0
    assert capsys.readouterr().out == f"arn:aws:iam::{BATMAN}:user/bruce\n"


@pytest.mark.usefixtures("folder")
def test_diagnose_says_what_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a tree or as JSON, with an exit status; with --using, by the policies themselves."""
    assert run(monkeypatch, "diagnose", "vegeta") == 0
    assert capsys.readouterr().out.startswith("vegeta: ok\n|-- source  ok, as ")
    world.vegeta.set_trust("Reader", trust(HUB))
    admin = world.vegeta.user("admin")
    world.aws.write_profiles(
        f"[profile admin]\naws_access_key_id = {admin.access_key_id}\naws_secret_access_key = {admin.secret_access_key}"
    )
    with Path("xsession.toml").open("a") as file:
        file.write('\n[accounts.admin]\nsource = "admin"\n')
    assert run(monkeypatch, "diagnose", "vegeta") == 1
    assert "possible cause: the role's trust policy does not name" in capsys.readouterr().out
    assert run(monkeypatch, "diagnose", "vegeta", "--using", "admin", "--json") == 1
    assert json.loads(capsys.readouterr().out)["hops"][1]["causes"][0]["certain"] is True
    assert run(monkeypatch, "diagnose", "nobody") == 2


def test_whoami_of_the_source_needs_no_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """But a file that is named must be there."""
    (folder / "xsession.toml").unlink()
    assert run(monkeypatch, "whoami") == 0
    assert run(monkeypatch, "--config", "missing.toml", "whoami") == 2
    assert "missing.toml" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_verify_fails_where_an_account_can_not_be_reached(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each account has its line; the exit status says whether all are fine."""
    assert run(monkeypatch, "verify", "vegeta") == 0
    capsys.readouterr()
    world.vegeta.set_trust(
        "Reader",
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        },
    )
    assert run(monkeypatch, "verify", "vegeta") == 1
    first, count, words = capsys.readouterr().out.splitlines()
    assert (first, count) == ("vegeta: FAILED: AccessDenied", "1 of 1 accounts failed:")
    assert words.startswith("  vegeta: account 'vegeta', hop 1")


@pytest.mark.usefixtures("folder")
def test_verify_prints_json(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """For other programs: each account with who we are there, or its error."""
    assert run(monkeypatch, "verify", "--json") == 1
    vegeta, own = json.loads(capsys.readouterr().out)
    arn = vegeta.pop("arn")
    assert vegeta == {"name": "vegeta", "ok": True, "account_id": VEGETA, "notes": [], "error": None}
    assert arn.startswith(f"arn:aws:sts::{VEGETA}:assumed-role/Reader/")
    assert (own["ok"], own["arn"], own["error"]["type"]) == (False, None, "SourceCredentialsError")
    assert own["error"]["hop"] == 0
    world.vegeta.set_trust("Reader", trust(HUB))
    assert run(monkeypatch, "verify", "--json", "vegeta") == 1
    (vegeta,) = json.loads(capsys.readouterr().out)
    assert vegeta["error"]["code"] == "AccessDenied"
    assert vegeta["error"]["role_arn"] == f"arn:aws:iam::{VEGETA}:role/Reader"


def test_verify_fails_where_there_is_nothing_to_verify(
    folder: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file without accounts is no proof that all is well; what could not be used is named."""
    (folder / "xsession.toml").write_text("[accounts]\n")
    assert run(monkeypatch, "--config", "xsession.toml", "verify") == 2
    assert "there is nothing to verify" in capsys.readouterr().err
    assert run(monkeypatch, "--config", "xsession.toml", "verify", "--json") == 2
    assert capsys.readouterr().out == ""
    world.aws.write_profiles("[profile bad]\nrole_arn = x\nsource_profile = default")
    assert run(monkeypatch, "verify") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("xsession: bad is not checked: ")
    assert lines[-1].startswith("xsession: there is nothing to verify")


def test_verify_says_at_once_what_it_knows(folder: Path, world: World) -> None:
    """Before an account that takes long: here one whose region hangs until the first line was read."""
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'[accounts.slow]\nrole_arn = "{world.chain.roles[0].role_arn}"\n')
    world.aws.fail(Fault(kind="hang", role_arn=world.chain.roles[0].role_arn))
    command = [sys.executable, "-m", "xsession", "verify", "vegeta", "slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(f"vegeta: arn:aws:sts::{VEGETA}:")
        world.aws.recover()
        world.aws.release()
        assert running.stdout.readline().startswith("slow: arn:aws:sts::")
    assert running.returncode == 0


@pytest.mark.usefixtures("folder")
def test_verify_names_options_that_have_no_effect(
    world: World, aws_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the line of the account whose profile has them, whether it can be reached or not."""
    key = world.key
    (aws_folder / "config").write_text(
        f"[profile team]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
        "external_id = agreed\n"
    )
    assert run(monkeypatch, "verify", "team", "vegeta") in {0, 1}
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    (place,) = [place for place, line in enumerate(lines) if line.startswith("team: ")]
    assert lines[place + 1] == "  external_id: no effect, since profile 'team' assumes no role"


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


def test_text_from_outside_moves_no_cursor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters of a file are written out."""
    (folder / "xsession.toml").write_text('[accounts.own]\nsource = "a\\u001b[2Jb"\n')
    assert run(monkeypatch, "accounts") == 0
    assert capsys.readouterr().out == "own  -  source a\\x1b[2Jb\n"


def test_a_found_file_is_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command that the error names; what it names is shown, and a changed file is asked for again."""
    monkeypatch.delenv("XSESSION_CONFIG")
    file = folder / "xsession.toml"
    assert run(monkeypatch, "accounts") == 2
    assert f"run: xsession trust {file}; in CI, name it in XSESSION_CONFIG" in capsys.readouterr().err
    assert run(monkeypatch, "trust") == 0
    assert capsys.readouterr().out == f"{file}: trusted\n  accounts.own.source = default\n"
    assert run(monkeypatch, "trust", "--list") == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert run(monkeypatch, "accounts") == 0
    file.write_text(file.read_text().replace('"default"', '"a\\u001b[2Jb"'))
    assert run(monkeypatch, "accounts") == 2
    assert "has changed since it was trusted: accounts.own.source has another value" in capsys.readouterr().err
    assert run(monkeypatch, "trust", "xsession.toml") == 0
    assert capsys.readouterr().out.endswith("  accounts.own.source = a\\x1b[2Jb\n")
    assert run(monkeypatch, "trust", "--remove", "xsession.toml") == 0
    assert run(monkeypatch, "trust", "--remove", "xsession.toml") == 0
    assert capsys.readouterr().out == "xsession.toml: not trusted any more\nxsession.toml: was not trusted\n"
    assert run(monkeypatch, "accounts") == 2


def test_what_can_not_be_trusted_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there, or no path to remove; a file that needs no trust is no error."""
    assert run(monkeypatch, "trust", "--remove") == 2
    assert run(monkeypatch, "trust", "missing.toml") == 2
    assert run(monkeypatch, "trust", "--list") == 0
    (folder / "xsession.toml").write_text("")
    assert run(monkeypatch, "trust") == 0
    assert capsys.readouterr().out == f"{folder / 'xsession.toml'}: needs no trust\n"
    (folder / "xsession.toml").unlink()
    assert run(monkeypatch, "trust") == 2
    assert "there is no file to trust" in capsys.readouterr().err


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

    monkeypatch.setattr("xsession.cli.CrossAccountSession", interrupted)
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


def test_python_dash_m_is_the_same() -> None:
    """Where the script is not on PATH."""
    done = subprocess.run([sys.executable, "-m", "xsession", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("xsession ")


def test_without_click_it_says_what_to_install() -> None:
    """The extra is not installed."""
    code = "import sys; sys.modules['click'] = None; from xsession.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "xsession[cli]" in done.stderr
