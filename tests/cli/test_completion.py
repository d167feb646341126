from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, run
from tests.support.tmux import Tmux

SHELLS = ("bash", "fish", "zsh")
# How each of them is started without anybody's files, and how it is told to be strict.
PLAIN = {"bash": ["bash", "--norc", "--noprofile"], "fish": ["fish", "--no-config"], "zsh": ["zsh", "-f"]}
STRICT = {"bash": "set -eu; ", "fish": "", "zsh": "setopt errexit nounset; "}
SOURCE = {
    "bash": 'eval "$(xsession completion bash)"',
    "fish": "xsession completion fish | source",
    "zsh": 'eval "$(xsession completion zsh)"',
}
OPTIONS = {"bash": "echo $- $BASHOPTS", "fish": "true", "zsh": "setopt"}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    """A shell that is here."""
    name = str(request.param)
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with accounts, in which this program is on the path, its modules compiled, and no network."""
    (tmp_path / "xsession.toml").write_text(
        "".join(f'[accounts.{name}]\nrole_arn = "arn:aws:iam::222222222222:role/R"\n' for name in ("vegeta", "bulma"))
    )
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "compiled"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(line: str, shell: str) -> list[str]:
    """What click offers for a line, as a shell asks for it."""
    words = line.split(" ")
    environ = {**os.environ, "_XSESSION_COMPLETE": f"{shell}_complete", "COMP_WORDS": line}
    environ["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words) - 1)
    done = subprocess.run(COMMAND, env=environ, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [offered.removeprefix("plain,") for offered in done.stdout.split()]


@pytest.mark.usefixtures("project")
def test_names_of_accounts_complete() -> None:
    """Wherever a command takes them, those that begin so; by the file that is named before."""
    assert completed("xsession whoami ve", "bash") == ["vegeta"]
    assert completed("xsession verify vegeta ", "bash") == ["vegeta", "bulma"]
    assert completed("xsession diagnose vegeta --using b", "bash") == ["bulma"]
    assert completed("xsession --config none.toml whoami ", "bash") == []
    assert "accounts" in completed("xsession a", "bash")


def test_a_file_that_waits_for_trust_completes_nothing(project: Path) -> None:
    """And asks nothing, and says nothing in the middle of a line."""
    with (project / "xsession.toml").open("a") as file:
        file.write('source = "default"\n')
    assert completed("xsession whoami ", "bash") == []


@pytest.mark.usefixtures("project")
def test_completing_imports_no_boto3() -> None:
    """It would take longer than a person waits."""
    code = "import sys; sys.modules['boto3'] = None; from xsession.cli import main; sys.exit(main())"
    environ = {**os.environ, "_XSESSION_COMPLETE": "bash_complete", "COMP_WORDS": "xsession whoami ", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,vegeta", "plain,bulma"], done.stderr


@pytest.mark.usefixtures("project")
def test_it_sources_in_a_strict_shell_twice(shell: str) -> None:
    """Where any error, and any variable that is not set, ends the shell; whose options stay as they are."""
    show = OPTIONS[shell]
    script = f"{STRICT[shell]}{show}; {SOURCE[shell]}; {SOURCE[shell]}; {show}; echo done"
    done = subprocess.run([*PLAIN[shell], "-c", script], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, lines.pop()) == (0, "", "done")
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.usefixtures("project")
def test_an_old_bash_knows_no_nosort(tmp_path: Path) -> None:
    """As 3.2 of macOS: there `complete` refuses the option, and is asked without."""
    script = f"""set -eu
    complete() {{ [[ " $* " != *" nosort "* ]] || {{ echo invalid option >&2; return 2; }}; builtin complete "$@"; }}
    {SOURCE["bash"]}
    builtin complete -p xsession"""
    done = subprocess.run([*PLAIN["bash"], "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "complete -F _xsession_completion xsession\n"


@pytest.mark.shell
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_a_tab_completes_an_account(project: Path, shell: str) -> None:
    """In the shell itself, as a person sees it."""
    with Tmux(PLAIN[shell], project) as terminal:
        terminal.type(f"{SOURCE[shell]}; echo rea''dy")
        terminal.wait_for("ready")
        terminal.send("xsession whoami ve\t")
        terminal.wait_for("xsession whoami vegeta")


@pytest.mark.slow
@pytest.mark.usefixtures("project")
def test_completing_is_quick() -> None:
    """Under 0.3 seconds of the processor, once Python has compiled it; a test machine has other work too."""
    took = []
    for _ in range(6):
        before = processor_seconds()
        assert completed("xsession whoami ve", "bash") == ["vegeta"]
        took.append(processor_seconds() - before)
    assert min(took[1:]) < 0.3


def processor_seconds() -> float:
    """What this process's children have used so far."""
    times = os.times()
    return times.children_user + times.children_system


def test_another_shell_is_a_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Which ones there are is said."""
    assert run(monkeypatch, "completion", "tcsh") == 2
    error = capsys.readouterr().err
    assert all(name in error for name in SHELLS)
