from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import VEGETA, World
from xsession import CommandError, ConfigError, Outcome, Outcomes
from xsession.fanout import Command, CommandResult, exit_status, load_function

WHO = """
import json, os, boto3
print(json.dumps([boto3.client("sts").get_caller_identity()["Account"], os.environ["AWS_REGION"]]))
"""


def test_a_command_acts_in_each_account(world: World) -> None:
    """In a process of its own, in the region that is named."""
    xs = world.session()
    with world.aws.applied(world.key), xs.serve() as server:
        command = Command([sys.executable, "-c", WHO], server.environ)
        outcomes = xs.run(command, regions=["us-east-1"]).collect()
    assert {key: json.loads(result.stdout) for key, result in outcomes.results.items()} == {
        ("vegeta", "us-east-1"): [VEGETA, "us-east-1"],
        ("deep", "us-east-1"): [VEGETA, "us-east-1"],
    }


def ran(world: World, code: str, timeout: float | None = None) -> Outcome[CommandResult]:
    """What comes of Python code in one account."""
    command = Command([sys.executable, "-c", code], lambda _name: {"PATH": ""}, timeout=timeout)
    return world.session().run(command, "vegeta").collect()["vegeta"]


def test_a_status_that_is_not_0_is_a_failure(world: World) -> None:
    """With what it wrote."""
    outcome = ran(world, "import sys; print('out'); sys.exit('no such thing')")
    error = outcome.error
    assert (outcome.status, outcome.category) == ("failed", "command_failed")
    assert isinstance(error, CommandError)
    assert (error.returncode, error.stdout, error.stderr) == (1, "out\n", "no such thing\n")
    assert str(error).endswith("ended with status 1: no such thing")


def test_one_that_takes_too_long_is_ended(world: World) -> None:
    """With what it started."""
    began = time.monotonic()
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    outcome = ran(world, code, 0.5)
    assert outcome.category == "timeout"
    assert "took longer than 0.5 s" in str(outcome.error)
    assert time.monotonic() - began < 20


def test_one_that_takes_too_long_may_have_left_something_behind(world: World) -> None:
    """What has left its group holds its output open, and is not waited for; what was written is there."""
    began = time.monotonic()
    left = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)'], start_new_session=True)"
    outcome = ran(world, f"import subprocess, sys, time; print('out', flush=True); {left}; time.sleep(60)", 1.0)
    error = outcome.error
    assert isinstance(error, CommandError)
    assert (error.timed_out, error.stdout, error.returncode) == (True, "out\n", -signal.SIGKILL)
    assert time.monotonic() - began < 15


def test_one_that_is_not_there_says_so() -> None:
    """With the account."""
    command = Command(["/no/such/program"], lambda _name: {})

    class Session:
        name, region_name = "vegeta", None

    with pytest.raises(CommandError, match="account 'vegeta': /no/such/program can't be started: No such file"):
        command(Session())
    wrongs: list[Any] = ["ls -l", [], ["ls", 5], ["ls", "a\0b"], ["ls", "\ud800"], [None]]
    for wrong in wrongs:
        with pytest.raises(ConfigError, match="command"):
            Command(wrong, lambda _name: {})
    limits: list[Any] = [0, -1, "5", float("nan"), float("inf"), 1e12]
    for limit in limits:
        with pytest.raises(ConfigError, match="timeout"):
            Command(["ls"], lambda _name: {}, timeout=limit)


@pytest.mark.parametrize("program", ["/no/such/program", sys.executable])
def test_no_frame_of_a_failure_has_the_environment(program: str) -> None:
    """Error reporters send the variables of each frame, and a child's environment has a token."""
    command = Command([program, "-c", "raise SystemExit(3)"], lambda _name: {"PATH": "", "TOKEN": "kept to ourselves"})

    class Session:
        name, region_name = "vegeta", "eu-west-1"

    errors = []
    for _ in range(2):
        with pytest.raises(CommandError) as raised:
            command(Session())
        errors.append(raised.value)
        command.close()
    ours = [
        frame
        for error in errors
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename != __file__
    ]
    assert ours
    assert not [frame for frame in ours if "kept to ourselves" in repr(frame.f_locals)]


def test_a_function_of_a_file(tmp_path: Path) -> None:
    """By its name; the file is not run as a script."""
    path = tmp_path / "scan.py"
    path.write_text("def buckets(session):\n    return session\n\nif __name__ == '__main__':\n    raise SystemExit\n")
    assert load_function(f"{path}:buckets")(7) == 7
    (tmp_path / "ends.py").write_text("import sys\nsys.exit(0)\n")
    for wrong, words in (
        (f"{path}:none", "has no function none"),
        (f"{tmp_path}/ends.py:f", r"ended the program while it was read, by sys\.exit\(0\)"),
        (f"{tmp_path}/none.py:f", "there is no file"),
        ("scan.py", "is not valid"),
        (f"{path}:os.system", "is not valid"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_function(wrong)


def test_a_file_finds_those_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `python scan.py` does, also while its functions are called."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "beside_it.py").write_text("WORD = 'beside'\n")
    (tmp_path / "scan.py").write_text("def word(session):\n    import beside_it\n    return beside_it.WORD\n")
    monkeypatch.chdir(tmp_path.parent)
    function = load_function(f"{tmp_path.name}/scan.py:word")
    try:
        assert function(None) == "beside"
    finally:
        sys.modules.pop("beside_it", None)
    assert sys.path[0] == str(tmp_path.resolve())
    load_function(f"{tmp_path}/scan.py:word")
    assert sys.path.count(str(tmp_path.resolve())) == 1


def test_exit_statuses_are_distinct() -> None:
    """None failed, some, all; 2 is wrong usage everywhere."""
    good: Outcome[int] = Outcome("a", 1, None, 0.1)
    bad: Outcome[int] = Outcome("b", None, ValueError(), 0.1)
    statuses = [exit_status(Outcomes(outcomes)) for outcomes in ([], [good], [good, bad], [bad])]
    assert statuses == [0, 0, 3, 4]


def test_what_still_runs_ends_with_it(world: World, tmp_path: Path) -> None:
    """And nothing begins later."""
    runs = tmp_path / "runs"
    code = f"import pathlib, time; pathlib.Path({str(runs)!r}).touch(); time.sleep(60)"
    command = Command([sys.executable, "-c", code], lambda _name: {"PATH": ""})
    xs = world.session()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(xs.run(command, "vegeta").collect)
        while not runs.exists():
            wait([running], 0.01)
        command.close()
        error = running.result()["vegeta"].error
    assert getattr(error, "returncode", None) == -signal.SIGKILL
    later = xs.run(command, "vegeta").collect()["vegeta"].error
    assert str(later).endswith("was not started: the run has ended")


def test_what_is_being_started_ends_with_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is there before anybody knows of it."""
    started: list[subprocess.Popen[str]] = []
    is_there, may_go_on = threading.Event(), threading.Event()

    def start(*args: Any, **kwargs: Any) -> subprocess.Popen[str]:
        started.append(popen(*args, **kwargs))
        is_there.set()
        may_go_on.wait(20)
        return started[0]

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    command = Command([sys.executable, "-c", "import time; time.sleep(60)"], lambda _name: {"PATH": ""})
    with ThreadPoolExecutor() as pool:
        running = pool.submit(world.session().run(command, "vegeta").collect)
        assert is_there.wait(20)
        closing = pool.submit(command.close)
        assert not wait([closing], 0.1).done
        may_go_on.set()
        closing.result()
        # As soon as `close` is back: a process that ends here takes its threads with it.
        assert started[0].wait(20) == -signal.SIGKILL
        assert isinstance(running.result()["vegeta"].error, CommandError)
