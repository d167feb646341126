from __future__ import annotations

import os
import signal
import threading

import pytest

from tests.support.cells import in_threads, until
from xsession._base import Latch, held_here, is_held
from xsession._base._locks import Waiter


def test_a_latch_that_is_set_lets_everybody_pass() -> None:
    """Now and later."""
    latch = Latch()
    latch.set()
    latch.set()
    assert (latch.wait(30), latch.is_set()) == (True, True)


@pytest.mark.parametrize("seconds", [0.01, 0, -5])
def test_a_wait_for_a_latch_ends(seconds: float) -> None:
    """Whoever leaves is not woken any more."""
    latch = Latch()
    assert not latch.wait(seconds)
    assert latch._waiters == []


def test_a_latch_wakes_all_that_wait() -> None:
    """However many there are."""
    latch, told = Latch(), list[bool]()
    threads = [threading.Thread(target=lambda: told.append(latch.wait(30)), daemon=True) for _ in range(30)]
    for thread in threads:
        thread.start()
    until(lambda: len(latch._waiters) == 30)
    latch.set()
    for thread in threads:
        thread.join(10)
    assert told == [True] * 30


def test_a_latch_that_is_set_in_the_middle_of_coming_to_wait_lets_pass() -> None:
    """Whoever comes finds that it is set, though nobody wakes it."""

    class Late(list[Waiter]):
        def append(self, waiter: Waiter) -> None:
            latch.set()
            super().append(waiter)

    latch = Latch()
    latch._waiters = Late()
    assert latch.wait(30)


def test_a_latch_that_is_set_wakes_whom_it_is_given_at_once() -> None:
    """However it waits: a lock is released, too."""
    latch, waiter = Latch(), threading.Lock()
    waiter.acquire()
    latch.set()
    latch.wake(waiter)
    assert waiter.acquire(timeout=0)


def test_a_latch_that_is_set_as_a_wait_ends_was_set() -> None:
    """Whoever sets it has taken the waiter by then; two that set it at once are as good as one."""

    class Emptied(list[Waiter]):
        def remove(self, waiter: Waiter) -> None:
            self.clear()
            super().remove(waiter)

        def pop(self, _index: object = -1) -> Waiter:
            self.clear()
            return super().pop()

    latch = Latch()
    latch._waiters = Emptied()
    assert not latch.wait(0)
    latch._waiters.append(threading.Lock())
    latch.set()
    assert latch.wait(0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this platform has no such signals")
def test_a_signal_handler_may_wait_for_the_same_latch() -> None:
    """Whatever the thread was in the middle of; with an Event, it would wait for a lock that it holds."""
    waited: list[bool] = []
    before = signal.signal(signal.SIGALRM, lambda *_: waited.append(latch.wait(0.0001)))
    latch = Latch()
    setting = threading.Timer(0.3, latch.set)
    setting.start()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        while not latch.wait(0.0005):
            os.getpid()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    setting.join()
    assert waited


@pytest.mark.parametrize("lock", [threading.RLock(), threading.Condition(threading.RLock())])
def test_a_lock_is_held_by_its_own_thread(lock: threading.RLock) -> None:
    """Not by any other."""
    assert not held_here(lock)
    with lock:
        assert held_here(lock)
        assert in_threads(1, lambda: held_here(lock)) == [False]


def test_a_lock_is_held_by_any_thread() -> None:
    """By this one, which could take it again, and by others."""
    lock = threading.RLock()
    assert not is_held(lock)
    with lock:
        assert is_held(lock)
        assert in_threads(1, lambda: is_held(lock)) == [True]
    assert in_threads(1, lock.acquire) == [True]
    assert is_held(lock)
