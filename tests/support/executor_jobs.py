"""Functions for workers in other processes, and what every executor is to do with them."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from email.message import Message
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import BATMAN, VEGETA, World
from xsession import ConfigError, CrossAccountSession, Outcomes, RemoteCallError, WorkerLostError

ACCOUNTS = 6


def identity(session: Any, word: str = "") -> tuple[str, str | None, int, str]:
    """Who it is there, where its clients are, and in which process."""
    return session.client("sts").get_caller_identity()["Account"], session.region_name, os.getpid(), word


def http_error(_session: Any) -> None:
    """Raises what no pickle brings back."""
    url = "https://example.com"
    raise urllib.error.HTTPError(url, 404, "not there", Message(), None)


def lock(_session: Any) -> Any:
    """Returns what can't be sent back."""
    import threading  # noqa: PLC0415 # here alone

    return threading.Lock()


def hanging(session: Any) -> str:
    """Hangs in one account."""
    if session.name == "a1":
        time.sleep(60)
    return str(session.name)


def killing(session: Any, folder: str) -> str:
    """Counts its calls in files; in one account it kills its worker."""
    with (Path(folder) / session.name).open("a") as file:
        file.write("x")
    if session.name == "a1":
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    return str(session.name)


@contextmanager
def sessions(world: World) -> Iterator[CrossAccountSession]:
    """A session whose source is the environment's, as that of workers on this machine is, with some accounts."""
    with world.aws.applied(world.key):
        accounts: dict[str, Any] = {f"a{number}": world.role for number in range(ACCOUNTS)}
        yield world.session(accounts, session=None, hooks=())


def check_all(world: World, executor: Executor, workers: int) -> None:
    """All that any executor is to do, but to lose a worker.

    Args:
        world: Where the accounts are.
        executor: The executor.
        workers: How many processes make its calls, at most.
    """
    check_calls(world, executor, workers)
    check_errors(world, executor)
    check_refusals(world, executor)
    check_time_limit(world, executor)
    if find_spec("cloudpickle") is not None:
        check_own_functions(world, executor)


def check_calls(world: World, executor: Executor, workers: int) -> None:
    """Calls are made in other processes, in each with one AssumeRole for a role, and the executor goes on."""
    with sessions(world) as xs:
        begun = world.aws.count("AssumeRole")
        outcomes = xs.run(
            identity, regions=["eu-west-1", "us-east-1"], executor=executor, arguments={"word": "w"}
        ).collect()
        assert len(outcomes) == 2 * ACCOUNTS
        assert {(one[0], one[1], one[3]) for one in outcomes.results.values()} == {
            (VEGETA, "eu-west-1", "w"),
            (VEGETA, "us-east-1", "w"),
        }
        processes = {one[2] for one in outcomes.results.values()}
        assert os.getpid() not in processes
        assert len(processes) <= workers
        assert world.aws.count("AssumeRole") - begun <= workers
        assert executor.submit(os.getpid).result() != os.getpid()


def check_errors(world: World, executor: Executor) -> None:
    """What can't be rebuilt here says what it was; what can't be sent back does too."""
    with sessions(world) as xs:
        error = xs.run(http_error, "a0", executor=executor).collect()["a0"].error
        assert isinstance(error, RemoteCallError)
        assert error.kind == "HTTPError"
        assert "HTTP Error 404: not there" in str(error)
        assert "in http_error" in error.traceback_text
        outcome = xs.run(lock, "a0", executor=executor).collect()["a0"]
        assert outcome.category == "bug"
        assert "returned a lock, which can't be sent back" in str(outcome.error)


def check_own_functions(world: World, executor: Executor) -> None:
    """Those of notebooks and scripts too, which lie in no module."""
    offset = 7

    def work(session: Any) -> int:
        return len(session.name) + offset

    with sessions(world) as xs:
        assert xs.run(work, executor=executor).collect().results == {f"a{number}": 9 for number in range(ACCOUNTS)}


def check_time_limit(world: World, executor: Executor) -> None:
    """One that hangs has an outcome, and the others go on."""
    with sessions(world) as xs:
        began = time.monotonic()
        outcomes = xs.run(hanging, executor=executor, timeout=1.0).collect()
        assert time.monotonic() - began < 30
        assert {key: outcome.category for key, outcome in outcomes.items() if not outcome.ok} == {"a1": "timeout"}


def check_lost_worker(world: World, executor: Executor, folder: Path) -> Outcomes[str]:
    """A worker that dies is an outcome, and its function is not called a second time."""
    with sessions(world) as xs:
        outcomes: Outcomes[str] = xs.run(killing, executor=executor, arguments={"folder": str(folder)}).collect()
        assert isinstance(outcomes["a1"].error, WorkerLostError)
        assert outcomes["a1"].category == "worker_lost"
        assert len(outcomes) == ACCOUNTS
        assert {path.name: path.read_text() for path in folder.iterdir() if path.read_text() != "x"} == {}
        return outcomes


def check_another_source(world: World, executor: Executor) -> None:
    """Workers whose source is somebody else refuse; those without one say so in one line. No secret travels."""
    with world.aws.applied(world.key):
        xs = world.session({f"a{number}": world.role for number in range(ACCOUNTS)}, session=None, hooks=())
        outcomes = xs.run(identity, executor=executor).collect()
    assert len(outcomes.failures) == 1, str(outcomes)
    assert {outcome.phase for outcome in outcomes.values()} == {"reach"}
    assert BATMAN in str(outcomes) or "source" in str(outcomes)


def check_refusals(world: World, executor: Executor) -> None:
    """What can't travel is refused before the first call, and the way out named."""
    with sessions(world) as xs:
        for name, value in (
            ("client", xs.get_client("s3", "a0")),
            ("session", xs["a0"]),
            ("credentials", {"deep": [xs.get_frozen_credentials("a0")]}),
        ):
            with pytest.raises(ConfigError, match=f"holds .*{name}.*; make it in the function"):
                xs.run(identity, executor=executor, arguments={"word": value})
