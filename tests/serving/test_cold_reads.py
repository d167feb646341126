from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

import pytest

from tests.support.cells import until
from xsession.serving._cold_reads import ColdReads


class Gated:
    """Reads that wait until they are let through."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[Hashable] = []

    def of(self, key: str) -> Callable[[], str]:
        """The read of a key."""

        def read() -> str:
            self.begun.append(key)
            self.gate.wait(10)
            return f"{key}'s"

        return read


def test_what_is_read_is_delivered() -> None:
    """With its key, from a daemon thread that ends then."""
    delivered: list[tuple[Hashable, str, bool]] = []
    reads = ColdReads[str](lambda key, found: delivered.append((key, found, threading.current_thread().daemon)))
    assert reads.begin("a", lambda: "found")
    until(lambda: delivered and not reads._threads)
    assert delivered == [("a", "found", True)]


def test_a_key_is_read_once_at_a_time() -> None:
    """Those who come meanwhile are served by the one under way; the next one reads again."""
    delivered: list[Hashable] = []
    gated = Gated()
    reads = ColdReads[str](lambda key, _found: delivered.append(key))
    for _ in range(10):
        assert reads.begin("a", gated.of("a"))
    gated.gate.set()
    until(lambda: delivered)
    reads.begin("a", gated.of("a"))
    until(lambda: len(delivered) == 2)
    assert gated.begun == ["a", "a"]


def test_who_comes_while_it_is_delivered_is_not_forgotten() -> None:
    """By then the read has answered already, and a request that came later would wait for ever."""
    delivered: list[str] = []
    reads: ColdReads[str]

    def deliver(_key: Hashable, found: str) -> None:
        delivered.append(found)
        if len(delivered) == 1:
            reads.begin("a", lambda: "second")

    reads = ColdReads(deliver)
    reads.begin("a", lambda: "first")
    until(lambda: delivered == ["first", "second"])


def test_threads_are_bounded() -> None:
    """The others wait for their turn, in the order in which they came."""
    delivered: list[Hashable] = []
    gated = Gated()
    reads = ColdReads[str](lambda key, _found: delivered.append(key), max_threads=2)
    for key in "abcd":
        reads.begin(key, gated.of(key))
    until(lambda: len(gated.begun) == 2)
    assert reads._threads == 2
    gated.gate.set()
    until(lambda: len(delivered) == 4)
    assert set(gated.begun[:2]) == {"a", "b"}


def test_what_has_not_begun_can_be_forgotten() -> None:
    """It may be asked for again."""
    delivered: list[Hashable] = []
    gated = Gated()
    reads = ColdReads[str](lambda key, _found: delivered.append(key), max_threads=1)
    for key in "ab":
        reads.begin(key, gated.of(key))
    until(lambda: gated.begun)
    reads.forget()
    gated.gate.set()
    until(lambda: not reads._threads)
    assert delivered == ["a"]
    reads.begin("b", gated.of("b"))
    until(lambda: delivered == ["a", "b"])


def test_without_threads_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none runs that could take it; the next request tries again."""
    delivered: list[Hashable] = []
    reads = ColdReads[str](lambda key, _found: delivered.append(key))

    def start(_thread: Any) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        assert not reads.begin("a", lambda: "found")
    assert reads.begin("a", lambda: "found")
    until(lambda: delivered)


def test_a_thread_that_runs_takes_what_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is only later."""
    delivered: list[Hashable] = []
    gated = Gated()
    reads = ColdReads[str](lambda key, _found: delivered.append(key))
    reads.begin("a", gated.of("a"))

    def start(_thread: Any) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        assert reads.begin("b", gated.of("b"))
    gated.gate.set()
    until(lambda: len(delivered) == 2)
