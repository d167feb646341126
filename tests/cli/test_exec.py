from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, forked, run
from tests.support.terminals import CTRL_C, Terminal
from tests.support.worlds import BATMAN, HUB, VEGETA, World
from tools.project import ROOT
from xsession._chain._shared_devices import SharedDevices
from xsession.cli._exec import shell_of_user
from xsession.policies import trust
from xsession.stores import FileStore

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals are different there"),
    pytest.mark.usefixtures("folder"),
]

SERIAL = f"arn:aws:iam::{BATMAN}:mfa/bruce"
EXEC = [*COMMAND, "exec"]
# Quicker than any SDK: what the endpoint answers.
ASKS = """
import os, sys, urllib.request
request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
request.add_header("Authorization", open(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read())
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read().decode(), flush=True)
"""
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'], flush=True)"


@pytest.fixture
def with_mfa(folder: Path, world: World) -> Path:
    """The folder, with an account that asks for MFA too."""
    role = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'[accounts.strict]\nrole_arn = "{role}"\nmfa_serial = "{SERIAL}"\n')
    return folder


def ran(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """An exec that has run to its end."""
    return forked("exec", *arguments, env=env)


def variables(text: str) -> dict[str, str]:
    """What `env -0` printed."""
    return dict(pair.split("=", 1) for pair in text.split("\0") if pair)


def listens(port: int) -> bool:
    """Whether anything does, on loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


def port_of(environ: dict[str, str]) -> int:
    """The endpoint's."""
    return int(environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"].split(":")[2].partition("/")[0])


def by_profile(world: World, **others: str) -> dict[str, str]:
    """An environment whose source is a profile with Batman's keys, and which has variables that name other ones."""
    key = world.key
    keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    Path("config").write_text(f"[profile batman]\n{keys}")
    environ = {**os.environ, "AWS_CONFIG_FILE": "config", "AWS_SECURITY_TOKEN": "x", **others}
    environ |= {"AWS_PROFILE": "batman", "AWS_DEFAULT_PROFILE": "batman"}
    return {name: value for name, value in environ.items() if "ACCESS_KEY" not in name}


def test_a_command_acts_in_the_account(world: World) -> None:
    """By the endpoint, whatever credentials and proxies there are outside; one AssumeRole."""
    environ = {
        **os.environ,
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    # The local AWS speaks HTTP, too, and is on loopback: so the proxy counts for neither.
    done = ran("vegeta", "--", sys.executable, "-c", WHO, env=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{VEGETA}\n", "")
    assert world.aws.count("AssumeRole") == 1
    shown = variables(ran("vegeta", "--", "env", "-0", env=environ).stdout)
    assert shown["NO_PROXY"] == shown["no_proxy"] == "127.0.0.1,localhost"
    assert shown["HTTP_PROXY"] == "http://127.0.0.1:9"
    assert shown["AWS_EC2_METADATA_DISABLED"] == "true"


def test_the_status_and_the_output_are_the_commands() -> None:
    """Nothing of ours is added; a signal that ends it ends both."""
    done = ran("vegeta", "--", "sh", "-c", "exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
    done = ran("vegeta", "--", "sh", "-c", "kill -TERM $$")
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")


def test_a_command_that_can_not_be_run_costs_no_call(
    folder: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status is that of shells, and why is one line."""
    (folder / "tool").write_text("")
    for name, status, words in (("no-such-cmd", 127, "command not found"), ("./tool", 126, "Permission denied")):
        assert run(monkeypatch, "exec", "vegeta", "--", name) == status
        assert capsys.readouterr() == ("", f"xsession: {name}: {words}\n")
    assert world.aws.calls == []


def test_arguments_arrive_byte_for_byte() -> None:
    """Also those that look like ours, and what is no text."""
    arguments = ["a b", "", "$x", "*", "é", "--", "--region", "-h", os.fsdecode(b"\xff")]
    done = subprocess.run(
        [*EXEC, "vegeta", "--region", "eu-west-1", "--", "printf", "[%s]", *arguments], capture_output=True, check=True
    )
    assert done.stdout == b"".join(b"[%s]" % os.fsencode(argument) for argument in arguments)


@pytest.mark.parametrize("arguments", [["vegeta", "aws", "s3"], ["vegeta", "aws", "--profile", "x"]])
def test_a_command_stands_behind_dashes(
    arguments: list[str], world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that no option of it is taken for ours."""
    assert run(monkeypatch, "exec", *arguments) == 2
    assert "a command stands behind --, as in: xsession exec vegeta -- aws s3 ls" in capsys.readouterr().err
    assert world.aws.calls == []


def documented() -> set[str]:
    """The variables that the documentation lists as different in a child."""
    pages = [(ROOT / "docs" / "how-to" / name).read_text("utf-8") for name in ("other-programs.md", "shell.md")]
    rows = [line for page in pages for line in page.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Za-z_]+)`", row.split("|")[1])}


@pytest.mark.parametrize("how", [[], ["--env"]], ids=["by the endpoint", "plain"])
def test_the_environment_differs_in_what_is_documented(world: World, how: list[str]) -> None:
    """Python adds a variable of its own where the locale is C: it does not reach the child."""
    environ = by_profile(world, ODD="a\nb=\u00e9")
    for name in [name for name in environ if name.startswith(("LC_", "LANG"))]:
        del environ[name]
    outside = variables(subprocess.run(["env", "-0"], env=environ, capture_output=True, text=True, check=True).stdout)
    inside = variables(ran("vegeta", *how, "--", "env", "-0", env=environ).stdout)
    different = {name for name in outside.keys() | inside.keys() if outside.get(name) != inside.get(name)}
    assert different
    assert different <= documented()
    assert inside["ODD"] == "a\nb=\u00e9"
    assert not {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"} & inside.keys()


@pytest.mark.parametrize("how", [[], ["--env"]], ids=["by the endpoint", "plain"])
def test_all_else_is_as_without_us(how: list[str]) -> None:
    """The folder, the mask for new files, limits, and open files that were handed down."""
    show = ["sh", "-c", "pwd; umask; ulimit -n; ulimit -c; cat <&7; ls /proc/self/fd | wc -l"]
    script = 'umask 027; ulimit -S -n 200; ulimit -S -c 0; exec 7<given "$@"'
    Path("given").write_text("given\n")
    shown = [
        subprocess.run(["sh", "-c", script, "sh", *wrapped, *show], capture_output=True, text=True, check=True).stdout
        for wrapped in ([], [*EXEC, "vegeta", *how, "--"])
    ]
    assert shown[0] == shown[1]


def test_plain_variables_are_those_of_the_account(world: World) -> None:
    """Nothing is left that leads elsewhere; nobody stays to serve."""
    environ = by_profile(world, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:9/")
    done = ran("vegeta", "--env", "--region", "eu-north-1", "--", "env", "-0", env=environ)
    shown = variables(done.stdout)
    assert (shown["AWS_REGION"], shown["XSESSION_ACCOUNT"]) == ("eu-north-1", "vegeta")
    key = world.aws._sts.find(shown["AWS_ACCESS_KEY_ID"])
    assert key is not None
    assert f"::{VEGETA}:" in str(key)
    assert (
        not {"AWS_PROFILE", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "XSESSION_EXEC"} & shown.keys()
    )
    assert ran("vegeta", "--env", "--", "sh", "-c", "kill -9 $$").returncode == -signal.SIGKILL


def test_a_duration_and_a_time_are_obeyed_or_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The role's last hop has the duration; what can't last as long is no surprise an hour later."""
    world.vegeta.role("Long", trusts=BATMAN, max_session_duration=43_200)
    with Path("xsession.toml").open("a") as file:
        file.write(f'[accounts.long]\nrole_arn = "arn:aws:iam::{VEGETA}:role/Long"\n')
    done = ran("long", "--env", "--duration", "2h", "--min-valid", "90m", "--", "env", "-0")
    assert done.returncode == 0
    assert run(monkeypatch, "exec", "long", "--env", "--min-valid", "90m", "--", "true") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "its sessions last 60 minutes, and 90 minutes were asked for" in err
    assert run(monkeypatch, "exec", "long", "--min-valid", "90m", "--", "true") == 2
    assert run(monkeypatch, "exec", "own", "--duration", "2h", "--", "true") == 2
    assert run(monkeypatch, "exec", "long", "--region", "nowhere", "--", "true") == 2


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
def test_the_endpoint_is_gone_with_the_command(ended: signal.Signals) -> None:
    """Also where we are killed: nothing listens within a second, and the token is worth nothing."""
    code = f"{ASKS}\nprint(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'], flush=True)\nsys.stdin.read()"
    child = subprocess.Popen(
        [*EXEC, "vegeta", "--", sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert json.loads(child.stdout.readline())["AccountId"] == VEGETA
    port = port_of({"AWS_CONTAINER_CREDENTIALS_FULL_URI": child.stdout.readline()})
    assert listens(port)
    child.send_signal(ended)
    child.wait(10)
    began = time.monotonic()
    while listens(port):
        assert time.monotonic() - began < 1
        time.sleep(0.01)
    child.stdin.close()
    child.stdout.close()


def test_the_endpoint_answers_again_after_both_were_stopped() -> None:
    """As by Ctrl-Z and `fg`."""
    code = f"import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n{ASKS}"
    command = [*EXEC, "vegeta", "--", sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        os.killpg(child.pid, signal.SIGSTOP)
        assert os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1])
        os.killpg(child.pid, signal.SIGCONT)
        child.stdin.write("\n")
        child.stdin.flush()
        assert json.loads(child.stdout.readline())["AccountId"] == VEGETA


def test_its_files_are_gone_with_the_command(tmp_path: Path) -> None:
    """The token's, and the copy of the config."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = ran("vegeta", "--", "sh", "-c", "ls -A $TMPDIR; exit 3", env={**os.environ, "TMPDIR": str(folder)})
    assert (done.returncode, len(done.stdout.split())) == (3, 1)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("each", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_those_at_the_same_time_have_their_own_accounts(world: World, each: int) -> None:
    """Each has a port of its own."""
    world.batman.role("Reader", trusts=BATMAN)
    with Path("xsession.toml").open("a") as file:
        file.write(f'[accounts.batman]\nrole_arn = "arn:aws:iam::{BATMAN}:role/Reader"\n')
    names = ["vegeta", "batman"] * each
    with ThreadPoolExecutor(2 * each) as pool:
        done = list(pool.map(lambda name: ran(name, "--", sys.executable, "-c", ASKS), names))
    accounts = [json.loads(one.stdout)["AccountId"] for one in done]
    assert accounts == [VEGETA, BATMAN] * each


def test_no_secret_is_where_others_look() -> None:
    """Not in the arguments or variables of any process, nor in a file; the token is in the child and in its file."""
    with tempfile.TemporaryDirectory() as name:
        child = subprocess.Popen(
            [*EXEC, "vegeta", "--", sys.executable, "-c", f"{ASKS}\nsys.stdin.read()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": name, "HOME": name},
            text=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        held = json.loads(child.stdout.readline())
        secrets = [held["SecretAccessKey"].encode(), held["Token"].encode()]
        seen = 0
        for process in Path("/proc").glob("[0-9]*"):
            for file in ("cmdline", "environ"):
                try:
                    text = (process / file).read_bytes()
                except OSError:
                    continue
                seen += 1
                assert not any(secret in text for secret in secrets), process
        assert seen
        files = [path for path in Path(name).rglob("*") if path.is_file()]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert not any(secret in path.read_bytes() for path in files for secret in secrets)
        child.stdin.close()
        assert child.wait(10) == 0
        child.stdout.close()


# One inside of another


def test_one_inside_of_another_is_said() -> None:
    """Its chain begins with the credentials of the one outside."""
    done = ran("vegeta", "--", *EXEC, "vegeta", "--", "true")
    assert "this is inside of `xsession exec vegeta`: the chain to vegeta starts from its credentials" in done.stderr


def test_variables_of_a_dead_one_are_no_other() -> None:
    """They outlive their process, as in a terminal that was started there: it works, with one line."""
    left = variables(ran("vegeta", "--", "env", "-0").stdout)
    environ = {
        **os.environ,
        **{name: left[name] for name in left if name.startswith(("XSESSION_", "AWS_C", "AWS_SH", "AWS_E"))},
    }
    done = ran("vegeta", "--", "sh", "-c", 'echo "$XSESSION_ACCOUNT"', env=environ)
    assert (done.returncode, done.stdout) == (0, "vegeta\n")
    assert done.stderr == (
        "xsession: the `xsession exec vegeta` that this was started in has ended; its variables are ignored\n"
    )


# Shells and people at terminals


@pytest.mark.parametrize(
    ("shell", "started", "told"),
    [("/bin/bash", "bash", ""), (None, "sh", ""), ("/nonexistent", "sh", "SHELL is /nonexistent, which can't be run")],
)
def test_without_a_command_it_is_the_shell(shell: str | None, started: str, told: str) -> None:
    """Which one is said, and for which account; its status is ours."""
    environ = {**os.environ, "TERM": "dumb", **({} if shell is None else {"SHELL": shell})}
    if shell is None:
        environ.pop("SHELL", None)
    with Terminal([*EXEC, "vegeta"], environ) as terminal:
        if told:
            terminal.wait_for(told.encode())
        terminal.wait_for(f"/bin/{started} with the credentials of vegeta; exit ends it".encode())
        terminal.type(b"echo $XSESSION_ACCOUNT $0; exit 6\n")
        terminal.wait_for(b"vegeta /bin/")
        assert terminal.ended() == 6


@pytest.mark.parametrize(
    ("platform", "variables", "shell"),
    [
        ("win32", {"COMSPEC": r"C:\Windows\System32\cmd.exe", "SHELL": "/bin/bash"}, r"C:\Windows\System32\cmd.exe"),
        ("win32", {}, "cmd.exe"),
        ("linux", {"SHELL": "/bin/zsh", "COMSPEC": "x"}, "/bin/zsh"),
        ("linux", {"SHELL": ""}, "/bin/sh"),
    ],
)
def test_each_platform_has_its_variable_for_the_shell(platform: str, variables: dict[str, str], shell: str) -> None:
    """Also where both are set, as in Git's shell on Windows."""
    assert shell_of_user(variables, platform) == shell


def test_without_a_command_and_a_terminal_it_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of any wrong command."""
    for arguments in (["vegeta"], ["vegeta", "--"]):
        assert run(monkeypatch, "exec", *arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "there is no command, and no terminal for a shell" in err
    assert world.aws.calls == []


def test_ctrl_c_leaves_the_question_for_a_code(with_mfa: Path) -> None:
    """Within a second, before the command was started; whoever comes next need not wait for its turn."""
    variables = {"XSESSION_STORE": str(with_mfa / "store"), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    with Terminal([*EXEC, "strict", "--", "touch", "started"], {**os.environ, **variables}) as terminal:
        terminal.wait_for(b"Code of the MFA device")
        time.sleep(0.3)
        terminal.type(CTRL_C)
        terminal.wait_for(b"interrupted", 1.0)
        # What is left is Python's own end, for which a busy machine takes its time.
        assert terminal.ended(5.0) == 130
    assert not (with_mfa / "started").exists()
    assert list((with_mfa / "store").glob("*.lock"))
    with SharedDevices(FileStore(with_mfa / "store")).turn(SERIAL, pytest.fail):
        pass


def test_the_question_is_on_the_terminal_whatever_reads_the_output(with_mfa: Path, world: World) -> None:
    """The pipe holds the command's output, and nothing else."""
    world.aws.expect_mfa_code(SERIAL, "123456")
    with (
        (with_mfa / "out").open("wb") as out,
        Terminal(
            [*EXEC, "strict", "--", "echo", "hello"], os.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        ) as terminal,
    ):
        terminal.wait_for(b"Code of the MFA device")
        time.sleep(0.3)
        terminal.type(b"123456\n")
        assert terminal.ended() == 0
        assert b"123456" not in terminal.shown
    assert (with_mfa / "out").read_text() == "hello\n"


@pytest.mark.usefixtures("with_mfa")
@pytest.mark.parametrize("how", ["no terminal", "a terminal and a variable"])
def test_without_a_person_nobody_is_asked(how: str) -> None:
    """It fails, at once, with the status for that and what to do."""
    environ = {**os.environ, **({} if how == "no terminal" else {"XSESSION_NO_INPUT": "1"})}
    if how == "no terminal":
        done = subprocess.run(
            [*EXEC, "strict", "--", "true"],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        status, shown = done.returncode, done.stderr
    else:
        with Terminal([*EXEC, "strict", "--", "true"], environ) as terminal:
            status, shown = terminal.ended(), terminal.shown.decode()
    assert status == 5
    assert "needs a code" in shown


@pytest.mark.usefixtures("with_mfa")
def test_a_program_may_give_the_code(world: World) -> None:
    """On standard input, with no terminal; without one, that is an error."""
    world.aws.expect_mfa_code(SERIAL, "123456")
    command = [*EXEC, "strict", "--mfa-code", "-", "--", "true"]
    assert subprocess.run(command, input=b"123456\n", start_new_session=True, check=False).returncode == 0
    done = ran("strict", "--mfa-code", "-", "--", "true")
    assert done.returncode == 5
    assert "standard input has none" in done.stderr


# Machines that are not like others


def test_a_user_without_name_and_home_is_served() -> None:
    """As in a container that runs as any number; what is read-only stays as it is."""
    code = """
import pwd, sys
def nobody(_uid): raise KeyError
pwd.getpwuid = nobody
sys.argv = ["xsession", "exec", "vegeta", "--", "sh", "-c", "echo $XSESSION_ACCOUNT"]
from xsession.cli import main
sys.exit(main())
"""
    environ = {name: value for name, value in os.environ.items() if name not in {"HOME", "USER", "LOGNAME", "USERNAME"}}
    environ |= {"XDG_CACHE_HOME": "/proc/none", "XDG_CONFIG_HOME": "/proc/none"}
    for home in ({}, {"HOME": "/proc"}):
        done = subprocess.run(
            [sys.executable, "-c", code], env={**environ, **home}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "vegeta\n", "")


def test_the_help_names_what_outlives_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For programs that return at once and go on in the background."""
    assert run(monkeypatch, "exec", "--help") == 0
    shown = capsys.readouterr().out
    assert "use `xsession serve`" in " ".join(shown.split())
    assert shown.startswith("Usage: xsession exec [OPTIONS] ACCOUNT [-- COMMAND...]\n")


@pytest.mark.slow
def test_many_at_once_act_in_their_own_accounts_each(
    folder: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten in each of two accounts: no port and no file is shared (H14)."""
    hub = world.hub.role("Shared", trusts=BATMAN)
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'[accounts.hub]\nrole_arn = "{hub}"\n')
    monkeypatch.setenv("XSESSION_STORE", str(folder / "store"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    names = ["vegeta", "hub"] * 10
    # However busy the machine is with twenty that start, they find what these get.
    for name in names[:2]:
        assert ran(name, "--", "true").returncode == 0
    running = [
        subprocess.Popen([*EXEC, name, "--", sys.executable, "-c", ASKS], stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    answers = [json.loads(process.communicate(timeout=300)[0])["AccountId"] for process in running]
    assert answers == [{"vegeta": VEGETA, "hub": HUB}[name] for name in names]
