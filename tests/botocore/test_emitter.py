from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from botocore.hooks import EventAliaser, HierarchicalEmitter
from hypothesis import given
from hypothesis import strategies as st

from xsession._botocore._emitter import SharedHandlers

PARTS = st.sampled_from(["a", "b", "c", "*"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map(".".join)
EVENTS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(".".join)
REGISTRATIONS = st.lists(st.tuples(PATTERNS, st.sampled_from(["first", "", "last"])), max_size=12)


class Handler:
    """Notes its number when it is called."""

    def __init__(self, number: int, calls: list[int]) -> None:
        self.number = number
        self.calls = calls

    def __call__(self, **_kwargs: Any) -> Any:
        """One call."""
        self.calls.append(self.number)
        return self.number


def aliaser() -> Any:
    """An emitter as botocore's sessions have it."""
    return EventAliaser(HierarchicalEmitter())


def register(emitter: Any, event_name: str, how: str, handler: Handler) -> None:
    """Registers first, in the middle, or last."""
    name = f"register_{how}" if how else "register"
    getattr(emitter, name)(event_name, handler)


@given(
    shared=REGISTRATIONS, own=REGISTRATIONS, removed=st.sets(st.integers(0, 23), max_size=6), events=st.lists(EVENTS)
)
def test_it_calls_what_botocore_calls_in_the_same_order(
    shared: list[tuple[str, str]], own: list[tuple[str, str]], removed: set[int], events: list[str]
) -> None:
    """Whatever is registered before and after the overlay, and removed again; results and all."""
    calls: list[int] = []
    handlers = [Handler(number, calls) for number in range(len(shared) + len(own))]
    base = aliaser()
    for (pattern, how), handler in zip(shared, handlers, strict=False):
        register(base, pattern, how, handler)
    theirs, ours = copy.copy(base), SharedHandlers(base).emitter()
    for emitter in (theirs, ours):
        for (pattern, how), handler in zip(own, handlers[len(shared) :], strict=True):
            register(emitter, pattern, how, handler)
        for number in sorted(removed):
            if number < len(handlers):
                emitter.unregister([*shared, *own][number][0], handlers[number])
    copied = copy.copy(ours)
    for event in events:
        answers = []
        for emitter in (theirs, ours, copied):
            calls.clear()
            results = [result for _, result in emitter.emit(event)]
            answers.append((list(calls), results))
        assert answers[0] == answers[1] == answers[2]


def test_a_handler_may_be_registered_while_another_thread_looks_for_some() -> None:
    """A client's callers share it, and boto3 itself registers handlers at its first upload."""
    emitter: Any = SharedHandlers(aliaser()).emitter()
    calls: list[int] = []
    emitter.register("before-call.s3", Handler(1, calls))
    overlaid = emitter._emitter._handlers

    class Own(list[Any]):
        """One more comes while another thread goes through them."""

        def __iter__(self) -> Iterator[Any]:
            yield from list(super().__iter__())
            self.append((f"before-call.late{len(self)}", Handler(2, calls), 1))

    overlaid.own = Own(overlaid.own)
    for event in ("before-call.s3.One", "before-call.s3.Two"):
        assert len(overlaid.prefix_search(event)) == 1


def test_handlers_of_ever_new_events_do_not_pile_up() -> None:
    """Where they stand is kept for all clients, and each request may have an event of its own."""
    shared = SharedHandlers(aliaser())
    places = shared.places("before-call.s3.ListBuckets")
    for number in range(5_000):
        assert places[f"before-call.s3.{number}"] is None
    assert places["before-call.*"] == (0, 1)
    assert len(places) < 1_000


def test_what_one_registers_no_other_sees() -> None:
    """Neither another of the same handlers, nor a copy, nor what they were made from."""
    calls: list[int] = []
    base = aliaser()
    shared = SharedHandlers(base)
    mine, other = shared.emitter(), shared.emitter()
    before = copy.copy(mine)
    mine.register("a", Handler(1, calls))
    for emitter in (other, before, base, shared.emitter()):
        emitter.emit("a")
    assert calls == []
    mine.emit("a")
    assert calls == [1]


def test_what_one_removes_others_keep() -> None:
    """A handler that all have is removed for one emitter only."""
    calls: list[int] = []
    base, handler = aliaser(), Handler(1, calls)
    base.register("a.b", handler)
    shared = SharedHandlers(base)
    mine, other = shared.emitter(), shared.emitter()
    mine.register("a", Handler(2, calls))
    mine.unregister("a.b", handler)
    mine.register("a", Handler(3, calls))
    mine.emit("a.b")
    assert calls == [2, 3]
    other.emit("a.b")
    assert calls == [2, 3, 1]


def test_removing_what_is_not_there_changes_nothing() -> None:
    """As with botocore."""
    emitter: Any = SharedHandlers(aliaser()).emitter()
    emitter.unregister("a.b", print)
    assert emitter._emitter._handlers.untouched


def test_an_id_registers_a_handler_once() -> None:
    """botocore counts them by that, per client."""
    calls: list[int] = []
    base = aliaser()
    base.register("a", Handler(1, calls), unique_id="one")
    emitter: Any = SharedHandlers(base).emitter()
    emitter.register("a", Handler(2, calls), unique_id="one")
    emitter.emit("a")
    assert calls == [1]


def test_events_that_were_renamed_are_heard_under_both_names() -> None:
    """botocore's aliases hold."""
    calls: list[int] = []
    emitter: Any = SharedHandlers(aliaser()).emitter()
    emitter.register("before-call.autoscaling", Handler(1, calls))
    emitter.emit("before-call.auto-scaling.CreateLaunchConfiguration")
    assert calls == [1]
