from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import executor_jobs as jobs
from tests.support.programs import run_python
from tests.support.worlds import World
from tools.project import ROOT
from xsession import Account, ConfigError, RemoteCallError, RunError, SessionClosedError, SourceCredentialsError
from xsession.fanout import Task, Ticket, Unit
from xsession.fanout._executors import workers_of
from xsession.fanout._pickles import held
from xsession.fanout._remote import Job, WorkerJob

WORKERS = 2


@pytest.fixture
def pool(world: World) -> Iterator[ProcessPoolExecutor]:
    """Two processes that share nothing with this one, and have Batman's key in their environment."""
    with world.aws.applied(world.key), ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as made:
        list(made.map(abs, range(4)))
        yield made


def test_calls_in_processes(world: World, pool: ProcessPoolExecutor) -> None:
    """All that an executor is to do, but to lose a worker; one start of its processes for all of it."""
    jobs.check_all(world, pool, WORKERS)


def test_workers_ask_for_enabled_regions(world: World, pool: ProcessPoolExecutor) -> None:
    """Each process an account once, and what the outcomes should note is not theirs to know."""
    with jobs.sessions(world) as xs:
        accounts = [replace(xs.accounts[name], notes=("it is old",)) for name in ("a0", "a1", "a2")]
        outcomes = xs.run(jobs.identity, accounts, regions="enabled", executor=pool).collect()
        assert outcomes.ok, str(outcomes)
        regions = xs.enabled_regions("a0")
    assert list(outcomes) == [(account.name, region) for account in accounts for region in regions]
    assert {outcome.notes for outcome in outcomes.values()} == {("it is old",)}
    # At least once: what one of them was told is kept on the disk for the others.
    assert 1 <= world.aws.count("DescribeRegions") <= 1 + WORKERS


def test_a_lost_worker_is_an_outcome(world: World, pool: ProcessPoolExecutor, tmp_path: Path) -> None:
    """Such a pool is broken then: what it has not done is lost too, and nothing is raised."""
    outcomes = jobs.check_lost_worker(world, pool, tmp_path)
    assert {one.category for one in outcomes.values()} <= {None, "worker_lost"}


@pytest.mark.parametrize("source", ["another", "none"])
def test_workers_with_another_source_refuse(world: World, source: str) -> None:
    """They are not who the session's source is."""
    key = world.hub.user("alfred") if source == "another" else None
    with world.aws.applied(key), ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as made:
        made.submit(abs, 1).result()
        jobs.check_another_source(world, made)


class Recorded(Executor):
    """Makes calls in this process, and keeps what would have been sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.shut_down = False
        self.most = 0
        self._waiting: list[Future[Any]] = []
        self._pool = ThreadPoolExecutor(2)
        self._max_workers = 2

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Keeps and calls."""
        self.sent.append(pickle.dumps((fn, args, kwargs)))
        future = self._pool.submit(fn, *args, **kwargs)
        self._waiting = [one for one in [*self._waiting, future] if not one.done()]
        self.most = max(self.most, len(self._waiting))
        return future

    def shutdown(self, *_args: Any, **_options: Any) -> None:
        """Is not to be called."""
        self.shut_down = True


def test_no_secret_travels(world: World) -> None:
    """The configuration, an account's name and a region do."""
    executor = Recorded()
    with jobs.sessions(world) as xs:
        secrets = [world.key.secret_access_key]
        for name in xs:
            keys = xs.get_frozen_credentials(name)
            secrets += [keys.secret_access_key, str(keys.session_token)]
        outcomes = xs.run(jobs.identity, regions=["eu-west-1", "us-east-1"], executor=executor).collect()
        assert outcomes.ok, str(outcomes)
    sent = b"".join(executor.sent)
    assert b"a0" in sent
    assert [secret for secret in secrets if secret.encode() in sent] == []


def test_two_calls_for_each_worker_are_handed_over_ahead(world: World) -> None:
    """Not more; and what was passed in is not shut down."""
    executor = Recorded()
    with jobs.sessions(world) as xs:
        run = xs.run(jobs.identity, regions=["eu-west-1", "us-east-1", "us-west-2"], executor=executor)
        next(run)
        time.sleep(0.05)
        assert len(executor.sent) <= 5
        assert len(run.collect()) == 17
    assert executor.most <= 4
    assert not executor.shut_down


def test_outcomes_outlive_the_executor(world: World, pool: ProcessPoolExecutor) -> None:
    """They are values of this process."""
    with jobs.sessions(world) as xs:
        outcomes = xs.run(jobs.identity, executor=pool).collect()
    pool.shutdown()
    assert len(outcomes.results) == jobs.ACCOUNTS
    assert pickle.loads(pickle.dumps(outcomes)).results == outcomes.results


def test_an_executor_that_was_shut_down_is_no_exception_out_of_the_loop(world: World) -> None:
    """Each call has an outcome."""
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with jobs.sessions(world) as xs:
        outcomes = xs.run(jobs.identity, executor=executor).collect()
    assert len(outcomes.errors) == jobs.ACCOUNTS
    assert "the executor did not make the call" in str(outcomes)


def test_an_account_that_can_not_be_sent_is_an_outcome(world: World) -> None:
    """Its own, and the others are called."""
    executor = Recorded()
    with jobs.sessions(world) as xs:
        own = Account("own", world.role, source=world.source, tags={"x": "1"})
        outcomes = xs.run(jobs.identity, ["a0", own], executor=executor).collect()
    assert list(outcomes.results) == ["a0"]
    assert "the executor did not make the call: " in str(outcomes["own"].error)


class UnsendableError(Exception):
    """Neither it nor its text can be sent."""

    def __reduce__(self) -> Any:
        raise UnsendableError

    def __str__(self) -> str:
        raise ArithmeticError


class Unsendable:
    """Likewise."""

    def __reduce__(self) -> Any:
        raise UnsendableError


class Leaving:
    """Ends whoever reads it."""

    def __reduce__(self) -> Any:
        return sys.exit, (5,)


def unsendable(session: Any) -> Any:
    """Returns or raises what can't be sent back."""
    if session.name == "a0":
        raise UnsendableError
    return Unsendable() if session.name == "a1" else Leaving()


def test_what_can_not_be_sent_back_and_says_nothing_is_an_outcome(world: World) -> None:
    """Nothing comes out of the loop."""
    with jobs.sessions(world) as xs:
        outcomes = xs.run(unsendable, ["a0", "a1", "a2"], executor=Recorded()).collect()
    assert {type(error) for error in outcomes.errors.values()} <= {RunError, RemoteCallError}
    assert len(outcomes.errors) == 3
    assert "returned a Leaving, which can't be sent back: 5" in str(outcomes)
    assert "str() raised ArithmeticError" in str(outcomes)


def test_a_closure_over_a_lock_is_refused(world: World) -> None:
    """Before the first call; in some pools it would hang."""
    lock = threading.Lock()

    def work(_session: Any) -> None:
        lock.acquire()

    with jobs.sessions(world) as xs, pytest.raises(ConfigError, match=r"work'? and its arguments can't be sent"):
        xs.run(work, executor=Recorded())


@pytest.mark.parametrize("executor", [object(), 4, "pool"])
def test_what_is_no_executor_is_refused(world: World, executor: Any) -> None:
    """Before the network."""
    with pytest.raises(ConfigError, match="executor"):
        world.session().run(jobs.identity, executor=executor)
    assert world.aws.calls == []


def test_how_many_workers() -> None:
    """Asked of those who say it."""
    with ThreadPoolExecutor(3) as made:
        assert workers_of(made) == 3
    assert workers_of(Executor()) is None


def test_what_belongs_to_this_process(world: World) -> None:
    """However deep; plain values do not."""
    xs = world.session()
    assert held({"a": [1, ("x", {2.0})], "b": None}) is None
    assert held([{"a": (xs.get_client("s3", "vegeta"),)}]) == "a client"
    assert held({"a": xs["vegeta"]}) == "a session"
    assert held([xs["vegeta"].get_credentials()]) == "credentials"
    loop: list[Any] = []
    loop.append(loop)
    assert held(loop) is None


SCRIPT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from tests.support.worlds import World
from xsession import CrossAccountSession

def work(session, folder):
    open(os.path.join(folder, session.name), "x").close()
    if session.name > "a01":
        time.sleep(0.5)
    return session.name

if __name__ == "__main__":
    role, folder = sys.argv[1:]
    xs = CrossAccountSession({f"a{number:02}": role for number in range(100)})
    pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
    run = xs.run(work, executor=pool, arguments={"folder": folder})
    try:
        for outcome in run:
            print(outcome.account, outcome.status, flush=True)
    except KeyboardInterrupt:
        print("interrupted", run.done, flush=True)
    began = time.monotonic()
    pool.shutdown()
    print("ended", time.monotonic() - began < 10, flush=True)
"""


def test_ctrl_c_with_processes(world: World, tmp_path: Path) -> None:
    """A function of a script is found; Ctrl-C keeps what is done, and no more than what was handed over begins."""
    script, folder = tmp_path / "scan.py", tmp_path / "called"
    script.write_text(SCRIPT)
    folder.mkdir()
    environ = {**world.aws.environ(world.key), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, str(script), world.role, str(folder)], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = [process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read().splitlines()
    assert process.wait(30) == 0
    process.stdout.close()
    assert [line.split()[1] for line in first] == ["ok", "ok"]
    assert rest[-2].startswith("interrupted")
    assert rest[-1] == "ended True"
    interrupted = int(rest[-2].split()[1])
    # Those that were under way.
    assert len(list(folder.iterdir())) <= interrupted + 2


def test_a_function_of_a_prompt_needs_cloudpickle() -> None:
    """Before the first call: other processes would not find it."""
    code = """
import sys
sys.modules["cloudpickle"] = None
from concurrent.futures import ThreadPoolExecutor
from xsession import CrossAccountSession

def work(session):
    pass

try:
    CrossAccountSession({"a": "arn:aws:iam::222222222222:role/R"}).run(work, executor=ThreadPoolExecutor(1))
except ValueError as error:
    print(error)
"""
    assert run_python(code).strip() == (
        "the function 'work' is of a notebook or a prompt, where other processes don't find it; "
        "install cloudpickle, or put it in a module"
    )


def test_a_rate_is_for_threads(world: World) -> None:
    """Processes don't know of each other's requests."""
    with pytest.raises(ConfigError, match="rate= is for threads"):
        world.session().run(jobs.identity, executor=Recorded(), rate=5)


def test_a_job_that_is_large_is_sent_once(world: World) -> None:
    """Its configuration may be that of ten thousand accounts."""
    executor = Recorded()
    with jobs.sessions(world) as xs:
        run = xs.run(jobs.identity, executor=executor, arguments={"word": "w" * 100_000}, max_workers=1)
        assert run.collect().ok
    sizes = sorted(map(len, executor.sent))
    assert [size > 100_000 for size in sizes].count(True) <= 2


class StrangeExecutor(Executor):
    """Brings back what workers never should.

    Args:
        result: What comes of each call; an exception is raised by it.
    """

    def __init__(self, result: object) -> None:
        self._result = result

    def submit(self, *_args: Any, **_options: Any) -> Any:
        """Done at once."""
        future: Future[Any] = Future()
        if self._result is Future:
            return None
        if isinstance(self._result, BaseException):
            future.set_exception(self._result)
        else:
            future.set_result(self._result)
        return future


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (b"cno_such_module\nThing\n.", "No module named 'no_such_module'"),
        (b"", "EOFError"),
        (5, "TypeError"),
        (None, "what it brought back is no outcome"),
        (pickle.dumps(None), "what it brought back is no outcome"),
        (pickle.dumps(5), "what it brought back is no outcome"),
        (Future, "AttributeError"),
        (SystemExit(0), "the executor did not make the call: SystemExit: 0"),
        (KeyboardInterrupt(), "the executor did not make the call: KeyboardInterrupt"),
        (asyncio.CancelledError(), "the process that made the call died: CancelledError"),
    ],
)
def test_whatever_an_executor_brings_back_is_an_outcome(world: World, result: object, words: str) -> None:
    """Never an exception out of the loop, which would lose the others; and nothing without an end."""
    with jobs.sessions(world) as xs:
        outcomes = xs.run(jobs.identity, ["a0", "a1"], executor=StrangeExecutor(result)).collect()
    assert len(outcomes.errors) == 2
    assert words in str(outcomes)


def test_a_source_that_a_process_lacks_is_looked_for_once() -> None:
    """However many calls it is to make (H117)."""
    looked: list[str] = []

    def reach(account: str, *_more: object) -> None:
        looked.append(account)
        raise SourceCredentialsError("there are none", account=account)  # noqa: EM101, TRY003 # short

    made = WorkerJob(Job(print, {}, reach, lambda _session: (), None))  # type: ignore[arg-type]  # it reaches nothing
    outcomes = [
        made.outcome(Ticket(Task(Unit(f"a{number}", None, (number, 0))), f"a{number}", None, None, source))
        for source in ("one", "two")
        for number in range(5)
    ]
    assert looked == ["a0", "a0"]
    assert [outcome.error.account for outcome in outcomes if isinstance(outcome.error, SourceCredentialsError)] == [
        *(f"a{number}" for number in range(5)),
    ] * 2


class SilentExecutor(Recorded):
    """As Ray's: its futures are pending until they are done."""

    __module__ = "xsession.integrations._ray"

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Begins at once."""
        future: Future[Any] = Future()

        def end(done: Future[Any]) -> None:
            if not future.cancelled():
                future.set_result(done.result())

        super().submit(fn, *args, **kwargs).add_done_callback(end)
        return future


@pytest.mark.parametrize("options", [{"total_timeout": 0.3}, {"stop_after": 0.1}])
def test_a_call_that_may_have_begun_is_not_said_to_be_not_called(world: World, options: dict[str, Any]) -> None:
    """Some executors don't say which of their calls have."""
    executor = SilentExecutor()
    with jobs.sessions(world) as xs:
        outcomes = xs.run(begun, executor=executor, max_workers=1, **options).collect()
    called = {name for name, outcome in outcomes.items() if outcome.phase == "call"}
    assert len(executor.sent) < jobs.ACCOUNTS
    assert called == {f"a{number}" for number in range(len(executor.sent))}


def begun(session: Any) -> None:
    """Fails in one account, and takes a while in the others."""
    if session.name == "a0":
        raise LookupError
    time.sleep(0.5)


class Holder:
    """Has something inside.

    Args:
        inside: What.
    """

    def __init__(self, inside: object) -> None:
        self.inside = inside

    def __call__(self, _session: Any, **_more: Any) -> int:
        """Nothing of it."""
        return 1


def test_credentials_do_not_travel_wherever_they_lie(world: World) -> None:
    """In the function, deep in its arguments, or in what it returns."""
    keys: Any = world.source.get_credentials()
    frozen, executor = keys.get_frozen_credentials(), Recorded()
    refused = pytest.raises(ConfigError, match="credentials are not pickled: a pickle would carry the secret")
    with jobs.sessions(world) as xs:
        for func in (functools.partial(jobs.identity, word=frozen), Holder({"x": [keys]})):
            with refused:
                xs.run(func, "a0", executor=executor)
        for value in (Holder(keys), {frozen: 1}):
            with refused:
                xs.run(jobs.identity, "a0", executor=executor, arguments={"word": value})
        outcomes = xs.run(own_credentials, "a0", executor=executor).collect()
    assert "returned a Holder, which can't be sent back: credentials are not pickled" in str(outcomes)


def own_credentials(session: Any) -> Holder:
    """Returns what it should not."""
    return Holder(session.get_credentials().get_frozen_credentials())


def test_accounts_that_change_meanwhile(world: World) -> None:
    """What travels are those of the beginning: one that is not among them is sent itself."""
    with jobs.sessions(world) as xs:
        new = world.session({"new": world.role}).accounts
        run = xs.run(jobs.identity, ["a0", new["new"]], executor=Recorded(), max_workers=1)
        next(run)
        xs.accounts |= new
        assert run.collect().ok


def test_a_session_that_is_closed_sends_nothing_more(world: World) -> None:
    """What is left has an outcome that says so, though the workers have sessions of their own."""
    executor = Recorded()
    with jobs.sessions(world) as xs:
        run = xs.run(jobs.identity, executor=executor, max_workers=1)
        assert next(run).ok
        xs.close()
        sent = len(executor.sent)
        left = run.collect()
    assert len(executor.sent) == sent
    assert {type(error) for error in left.errors.values()} == {SessionClosedError}
    assert len(left.errors) >= jobs.ACCOUNTS - sent


def test_a_session_that_stays_here_is_refused(world: World) -> None:
    """Before the first call."""
    with pytest.raises(ConfigError, match=r"can't have this session: .* session= is not pickled: .*worker_session="):
        world.session().run(jobs.identity, executor=Recorded())
