"""Readers in event loops, on a cell whose STS does what the test tells it."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.cells import Bench, advisory, in_threads, refusal
from xsession._base import Latch
from xsession.errors import AssumeRoleError, ConfigError, CredentialsError, SessionClosedError
from xsession.refresh import ThreadCalls, Workers, read_in_loop
from xsession.refresh._awaiting import until_set


async def key(bench: Bench) -> str:
    """The key id that a reader in an event loop gets now."""
    return (await read_in_loop(bench.cell, bench.workers)).credentials.access_key_id


async def turned(condition: Callable[[], object]) -> None:
    """Lets the loop turn until a condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def test_two_latches_may_wake_one_wait() -> None:
    """The second finds that it is over."""

    async def waits() -> None:
        first, second = Latch(), Latch()
        waiting = asyncio.create_task(until_set(first, second))
        await asyncio.sleep(0)
        first.set()
        second.set()
        await waiting

    asyncio.run(waits())


def test_fifty_cold_readers_cost_one_call() -> None:
    """All wait for one refresh."""
    bench = Bench()

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(key(bench) for _ in range(50)))

    assert asyncio.run(all_of_them()) == ["ASIA1"] * 50
    assert bench.calls == 1


def test_while_sts_hangs_the_loop_turns() -> None:
    """What waits is a future, not the thread."""
    bench = Bench()

    async def main() -> None:
        with bench.hanging():
            reader = asyncio.create_task(key(bench))
            await turned(lambda: bench.calls == 1)
            # Here the loop has turned; the reader has not come through.
            assert not reader.done()
        assert await reader == "ASIA1"

    asyncio.run(main())


def test_in_the_advisory_window_nobody_waits() -> None:
    """As in threads: the old ones are good, and one refresh runs in the background."""
    bench = Bench()
    advisory(bench)

    async def main() -> None:
        with bench.hanging():
            assert await key(bench) == "ASIA1"
            await turned(lambda: bench.calls == 2)
        await turned(lambda: bench.cell.snapshot.generation == 2)
        assert await key(bench) == "ASIA2"

    asyncio.run(main())


def test_who_is_cancelled_only_detaches() -> None:
    """Twenty of forty leave in the middle of it, the first one included; the others get what comes."""
    bench = Bench()

    async def main() -> list[object]:
        with bench.hanging():
            readers = [asyncio.create_task(key(bench)) for _ in range(40)]
            await turned(lambda: bench.calls == 1)
            for reader in readers[::2]:
                reader.cancel()
            await asyncio.sleep(0)
        return list(await asyncio.gather(*readers, return_exceptions=True))

    answers = asyncio.run(main())
    assert answers[1::2] == ["ASIA1"] * 20
    assert {type(answer) for answer in answers[::2]} == {asyncio.CancelledError}
    assert bench.calls == 1


def test_all_share_a_refusal() -> None:
    """One call, and an error of each reader's own with the cause."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)

    async def main() -> list[object]:
        return list(await asyncio.gather(*(key(bench) for _ in range(5)), return_exceptions=True))

    answers = asyncio.run(main())
    assert {getattr(answer, "code", None) for answer in answers} == {"AccessDenied"}
    assert len({id(answer) for answer in answers}) == 5
    assert bench.calls == 1


def test_close_wakes_all() -> None:
    """They are told that the session is closed."""
    bench = Bench()

    async def main() -> list[object]:
        with bench.hanging():
            readers = [asyncio.create_task(key(bench)) for _ in range(10)]
            await turned(lambda: bench.calls == 1)
            bench.cell.close()
            return list(await asyncio.gather(*readers, return_exceptions=True))

    assert {type(answer) for answer in asyncio.run(main())} == {SessionClosedError}


def test_a_loop_that_ended_is_not_called() -> None:
    """Its readers are gone; the refresh goes on for others."""
    bench = Bench()
    with bench.hanging():
        loop = asyncio.new_event_loop()
        reader = key(bench)
        task = loop.create_task(reader)
        loop.run_until_complete(turned(lambda: bench.calls == 1))
        # Without a chance to leave: as a loop that is stopped and closed by a framework.
        loop.close()
    bench.settle()
    assert bench.key() == "ASIA1"
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is pending on purpose
    reader.close()


def test_loops_and_threads_share_a_refresh() -> None:
    """Four loops in threads of their own, and four threads without one."""
    bench = Bench()
    turns = iter(range(8))

    def read() -> str:
        return asyncio.run(key(bench)) if next(turns) % 2 else bench.key()

    assert in_threads(8, read) == ["ASIA1"] * 8
    assert bench.calls == 1


def test_the_loops_executor_is_not_used() -> None:
    """Its one thread is busy, and nobody notices."""
    bench, gate = Bench(), threading.Event()

    async def main() -> str:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, gate.wait)
        try:
            return await key(bench)
        finally:
            gate.set()
            await busy

    assert asyncio.run(main()) == "ASIA1"


def test_waiting_has_an_end() -> None:
    """By the loop's own clock, and the latch forgets who left."""
    latch = Latch()
    asyncio.run(until_set(latch, seconds=0.001))
    assert not latch.is_set()
    assert latch._waiters == []


def test_a_latch_that_is_set_is_not_waited_for() -> None:
    """Also where another one of them is not."""
    latch = Latch()
    latch.set()
    asyncio.run(until_set(Latch(), latch))


def test_many_who_come_at_once_take_turns() -> None:
    """Between them the loop does what else it has to do; a loop that ends in the middle holds up no other."""
    bench = Bench()
    cells = [bench.new_cell() for _ in range(50)]

    async def begun_in_one_turn() -> int:
        readers = [asyncio.create_task(read_in_loop(cell, bench.workers)) for cell in cells]
        await asyncio.sleep(0)
        begun = sum(cell._flight is not None for cell in cells)
        for reader in readers:
            reader.cancel()
        return begun

    with bench.hanging():
        assert asyncio.run(begun_in_one_turn()) == 3
        cells = [bench.new_cell() for _ in range(50)]
        assert asyncio.run(begun_in_one_turn()) == 3


def work_in_the_loop(count: int) -> float:
    """Python calls in the loop's thread for each of so many cold readers that come at once."""
    bench = Bench()
    cells = [bench.new_cell() for _ in range(count)]
    calls = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    async def main() -> None:
        readers = [asyncio.create_task(read_in_loop(cell, bench.workers)) for cell in cells]
        sys.setprofile(profile)
        try:
            await asyncio.gather(*readers)
        finally:
            sys.setprofile(None)

    asyncio.run(main())
    return calls / count


def test_the_loops_own_work_for_each_reader_is_little_however_many_come() -> None:
    """200 calls take a tenth of a millisecond at most; who waits for a turn costs nothing while others have theirs."""
    few, many = work_in_the_loop(20), work_in_the_loop(400)
    assert few < 200
    assert many < 1.2 * few


def test_a_loop_that_is_closed_in_the_middle_is_forgotten() -> None:
    """With those who wait for a turn, which hold it."""
    bench = Bench()
    with bench.hanging():
        loop = asyncio.new_event_loop()
        readers = [read_in_loop(bench.new_cell(), bench.workers) for _ in range(50)]
        tasks = [loop.create_task(reader) for reader in readers]
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    for task, reader in zip(tasks, readers, strict=True):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is pending on purpose
        reader.close()
    gone = weakref.ref(loop)
    del loop, task, tasks, reader, readers
    gc.collect()
    assert gone() is None


# What a thread does


def test_who_comes_while_a_thread_is_at_it_shares_the_answer() -> None:
    """And who comes later has it called again."""
    calls: list[str] = []
    gate = threading.Event()

    def work() -> int:
        calls.append(threading.current_thread().name)
        gate.wait(10)
        return len(calls)

    async def main() -> list[int]:
        threads = ThreadCalls(work, Workers(), Latch())
        tasks = [asyncio.create_task(threads.answer()) for _ in range(20)]
        await turned(lambda: calls)
        gate.set()
        return [*await asyncio.gather(*tasks), await threads.answer()]

    assert asyncio.run(main()) == [1] * 20 + [2]
    assert set(calls) == {"xsession-call"}


@pytest.mark.parametrize("kind", [ConfigError, AssumeRoleError])
def test_an_error_in_the_thread_is_the_callers(kind: type[Exception]) -> None:
    """Each gets one of its own."""
    raised = kind("no")

    def work() -> None:
        raise raised

    with pytest.raises(kind, match="no") as caught:
        asyncio.run(ThreadCalls(work, Workers(), Latch()).answer())
    assert caught.value is not raised


def test_a_strangers_error_in_the_thread_is_told_without_its_words() -> None:
    """They may hold a secret."""

    def work() -> None:
        msg = "a secret"
        raise LookupError(msg)

    with pytest.raises(CredentialsError, match="LookupError") as caught:
        asyncio.run(ThreadCalls(work, Workers(), Latch()).answer())
    assert "a secret" not in str(caught.value)


def test_the_end_of_the_session_wakes_who_waits_for_a_thread() -> None:
    """The thread may hang for as long as it likes."""
    gate, ended = threading.Event(), Latch()

    async def main() -> None:
        waiting = asyncio.create_task(ThreadCalls(gate.wait, Workers(), ended).answer())
        await asyncio.sleep(0)
        ended.set()
        await waiting

    with pytest.raises(SessionClosedError):
        asyncio.run(main())
    gate.set()


def test_without_more_threads_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the thread that was to start another one."""
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name == "xsession-call":
            msg = "can't start new thread"
            raise RuntimeError(msg)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert asyncio.run(ThreadCalls(lambda: 1, Workers(), Latch()).answer()) == 1
