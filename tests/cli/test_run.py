from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import COMMAND, forked
from tests.support.terminals import Terminal
from tests.support.worlds import BATMAN, World
from xsession.fanout import read_journal

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals are different there"),
    pytest.mark.usefixtures("accounts"),
]

RUN = [*COMMAND, "run"]
ALL_FAILED, SOME_FAILED, USAGE = 4, 3, 2
COUNT = 10
REFUSED = "a07"
WHO = "import boto3, os; print(boto3.client('sts').get_caller_identity()['Account'], os.environ['XSESSION_ACCOUNT'])"


@pytest.fixture
def accounts(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Ten accounts of a file, one of which refuses Batman."""
    text = ""
    for number in range(COUNT):
        name = f"a{number:02}"
        trusted = "999999999999" if name == REFUSED else BATMAN
        role = world.aws.account(account_id(number)).role("Reader", trusts=trusted)
        text += f'[accounts.{name}]\nrole_arn = "{role}"\ntags = {{ half = "{number // 5}" }}\n'
    (tmp_path / "xsession.toml").write_text(text)
    (tmp_path / "scan.py").write_text(
        "import json\n"
        "def who(session):\n"
        "    account_id = session.get_client('sts').get_caller_identity()['Account']\n"
        "    return {'id': json.loads(account_id), 'at': session.region_name}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XSESSION_CONFIG", "xsession.toml")
    with world.aws.applied(world.key):
        yield


def account_id(number: int) -> str:
    """That of an account of the file."""
    return f"{500_000_000_000 + number}"


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A run that has come to its end."""
    return forked("run", *arguments)


def until(holds: Callable[[], bool]) -> None:
    """Waits for what is soon so."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < 20
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_refused_account_of_ten(world: World) -> None:
    """The status is not 0, and all ten were tried (H99)."""
    done = ran("--", "sh", "-c", "echo $XSESSION_ACCOUNT")
    assert done.returncode == SOME_FAILED
    assert sorted(done.stdout.splitlines()) == [f"a{n:02}: a{n:02}" for n in range(COUNT) if f"a{n:02}" != REFUSED]
    assert f"{REFUSED}: failed: AccessDenied\n" in done.stderr
    assert "xsession: 1 of 10 accounts failed:\n  a07: account 'a07', hop 1" in done.stderr
    asked = [call.role_arn for call in world.aws.calls if call.operation == "AssumeRole"]
    assert len(set(asked)) == COUNT


def test_each_end_has_a_status_of_its_own() -> None:
    """Done, wrong usage, some failed, all failed, no such command (H100)."""
    one = ("--name", "a01")
    Path("ends.py").write_text("raise SystemExit(0)\n")
    assert ran(*one, "--", "true").returncode == 0
    assert ran(*one, "--", "false").returncode == ALL_FAILED
    assert ran("--name", REFUSED, "--", "true").returncode == ALL_FAILED
    for wrong in (
        [],
        ["scan.py:who", "--", "true"],
        ["ls", "-l"],
        ["none.py:who"],
        ["ends.py:f"],
        ["--name", "x", "--", "true"],
    ):
        done = ran(*wrong)
        assert (done.returncode, done.stdout) == (USAGE, ""), done.stderr
    assert ran(*one, "--", "no-such-command").returncode == 127


def test_a_command_acts_in_the_account() -> None:
    """By an SDK in it, which asks the one endpoint; what it writes to standard error goes there."""
    done = ran("--name", "a0[12]", "--", sys.executable, "-c", f"{WHO}; import sys; sys.exit('a\tb')")
    assert done.returncode == ALL_FAILED
    assert sorted(done.stdout.splitlines()) == [f"a0{n}: {account_id(n)} a0{n}" for n in (1, 2)]
    assert "a01: a\tb\na01: failed: status 1\n" in done.stderr


def test_json_has_a_line_for_each_call() -> None:
    """With what a command wrote, and how it ended."""
    done = ran("--json", "--tag", "half=1", "--", "sh", "-c", "echo out; echo err >&2; [ $XSESSION_ACCOUNT = a05 ]")
    assert done.returncode == SOME_FAILED
    found = {line["account"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert found.keys() == {"a05", "a06", "a07", "a08", "a09"}
    assert found["a05"]["value"] == {"stdout": "out\n", "stderr": "err\n", "returncode": 0}
    assert (found["a05"]["status"], found["a05"]["error"]) == ("ok", None)
    assert (found["a06"]["value"]["returncode"], found["a06"]["error"]["type"]) == (1, "CommandError")
    refused = found[REFUSED]
    assert (refused["phase"], refused["category"], refused["value"]) == ("reach", "refused", None)
    assert refused["error"]["code"] == "AccessDenied"


def test_a_function_of_a_file_in_regions() -> None:
    """With a session of each account and region."""
    done = ran("--id", account_id(1), "--regions", "eu-west-1,us-east-1", "scan.py:who")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [
        f'a01 {region}: {{"id": {account_id(1)}, "at": "{region}"}}' for region in ("eu-west-1", "us-east-1")
    ]


VALUES = """
class Failing:
    def __repr__(self):
        raise KeyError

class Leaving:
    def __repr__(self):
        raise SystemExit(0)

deep = []
for _ in range(100_000):
    deep = [deep]
VALUES = [Failing(), [Failing()], Leaving(), deep, 10**5_000, {"n": float("nan")}, {(1, 2): 3}, None, "\\ud800",
          {"stdout": 5, "stderr": None, "returncode": "x"}]

def value(session):
    return VALUES[int(session.name[1:])]
"""


@pytest.mark.parametrize("as_json", [True, False])
def test_no_value_ends_the_others(as_json: bool) -> None:
    """Whatever it is or does; each line of JSON is JSON, whoever reads it."""
    Path("values.py").write_text(VALUES)
    done = ran(*(["--json"] if as_json else []), "values.py:value")
    assert done.returncode == SOME_FAILED
    lines = done.stdout.splitlines()
    found: dict[str, Any]
    if as_json:
        found = {line["account"]: line["value"] for line in (json.loads(line, parse_constant=int) for line in lines)}
        assert found["a05"] == "{'n': nan}"
        assert found["a09"]["stdout"] == 5
    else:
        found = {REFUSED: None, **dict(line.split(": ", 1) for line in lines)}
    assert len(found) == COUNT
    assert "str() raised KeyError" in found["a00"]
    assert "str() raised SystemExit" in found["a02"]


def test_enabled_regions_are_asked_for(world: World) -> None:
    """Each account once."""
    done = ran("--id", account_id(1), "--regions", "enabled", "--", "sh", "-c", "echo $AWS_REGION")
    assert done.returncode == 0
    assert "a01 eu-west-1: eu-west-1" in done.stdout.splitlines()
    assert world.aws.count("DescribeRegions") == 1


def test_a_journal_goes_on() -> None:
    """What is done is not done again, and shown from the file; another command is an error."""
    journal = ("--journal", "run.jsonl", "--tag", "half=1")
    command = ("--", "sh", "-c", "echo $XSESSION_ACCOUNT >> called; echo out")
    assert ran(*journal, *command).returncode == SOME_FAILED
    again = ran(*journal, *command)
    assert again.returncode == SOME_FAILED
    assert "a05: out\n" in again.stdout
    assert "a05: from the journal\n" in again.stderr
    assert sorted(Path("called").read_text().split()) == ["a05", "a06", "a08", "a09"]
    other = ran(*journal, "--", "true")
    assert other.returncode not in (0, SOME_FAILED, ALL_FAILED)
    assert "run.jsonl" in other.stderr


def test_a_person_at_the_terminal_sees_how_far_it_is() -> None:
    """On standard error; and lines of accounts have a line of their own."""
    environ = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [*RUN, "--tag", "half=0", "--max-workers", "1", "--", "sh", "-c", "echo out of $XSESSION_ACCOUNT"]
    with Terminal(command, {**environ, "TERM": "xterm"}) as terminal:
        terminal.resize(100)
        assert terminal.ended() == 0
        shown = terminal.shown
    assert b"5/5" in shown
    lines = [line.rpartition(b"\r")[2] for line in shown.split(b"\r\n")]
    assert [line for line in lines if b"out of" in line] == [b"a%02d: out of a%02d" % (one, one) for one in range(5)]


def test_a_time_limit_ends_a_command() -> None:
    """And is its failure."""
    done = ran("--name", "a01", "--timeout", "1s", "--", "sleep", "60")
    assert done.returncode == ALL_FAILED
    assert "a01: failed: timeout\n" in done.stderr
    assert "took longer than 1 s" in done.stderr


@pytest.mark.parametrize(
    ("ended", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)]
)
def test_commands_end_with_the_run(ended: signal.Signals, status: int) -> None:
    """They would go on without credentials."""
    command = [*RUN, "--tag", "half=0", "--max-workers", "2", "--", "sh", "-c", "echo $$ >> pids; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        pids = Path("pids")
        until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        running.send_signal(ended)
        written = running.communicate(timeout=20)
    assert running.returncode == status, written
    assert (written[0], written[1].strip()) == ("", "xsession: interrupted" if ended == signal.SIGINT else "")
    until(lambda: not any(map(is_alive, map(int, pids.read_text().split()))))


@pytest.mark.parametrize(
    ("ended", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)]
)
def test_a_signal_that_comes_where_python_ignores_exceptions_ends_the_run(ended: signal.Signals, status: int) -> None:
    """As in the destructor of a value, which is called in the thread that shows it."""
    Path("scan.py").write_text(
        "import os, time\n"
        "class Value:\n"
        "    def __del__(self):\n"
        f"        os.kill(os.getpid(), {ended:d})\n"
        "def work(session):\n"
        "    if session.name == 'a00':\n"
        "        return Value()\n"
        "    if session.name != 'a01':\n"
        "        time.sleep(60)\n"
    )
    done = ran("--tag", "half=0", "--max-workers", "1", "--journal", "run.jsonl", "scan.py:work")
    assert done.returncode == status
    assert done.stderr.strip() == ("xsession: interrupted" if ended == signal.SIGINT else "")
    assert {outcome.account for outcome in read_journal("run.jsonl").values()} == {"a00", "a01"}


def test_a_signal_ends_a_run_whose_reader_hangs() -> None:
    """It waits for nobody longer than for a moment, and no command goes on."""
    shell = "echo $$ >> pids; [ $XSESSION_ACCOUNT = a00 ] || exec sleep 60; head -c 200000 /dev/zero | tr '\\0' x"
    command = [*RUN, "--tag", "half=0", "--max-workers", "2", "--", "sh", "-c", shell]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        # It writes now, and more than a pipe holds.
        running.stdout.read(1)
        pids = Path("pids")
        until(lambda: len(pids.read_text().split()) >= 2)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == -signal.SIGTERM
    until(lambda: not any(map(is_alive, map(int, pids.read_text().split()))))


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_ends_the_run(unbuffered: str) -> None:
    """As `| head -1` does: no word, and no command is left (H84)."""
    shell = (
        "echo $$ >> pids; [ $XSESSION_ACCOUNT = a00 ] || sleep 0.5; echo out; [ $XSESSION_ACCOUNT != a04 ] || sleep 60"
    )
    command = [*RUN, "--tag", "half=0", "--max-workers", "1", "--", "sh", "-c", shell]
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    pipeline = f"{shlex.join(command)} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", pipeline], capture_output=True, text=True, env=environ, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("a00: out\n141\n", "")
    assert len(Path("pids").read_text().split()) < 5
    until(lambda: not any(map(is_alive, map(int, Path("pids").read_text().split()))))
