from __future__ import annotations

from contextvars import ContextVar

from tests.support.cells import Bench

caller: ContextVar[str] = ContextVar("caller", default="nobody")


def test_a_refresh_runs_in_the_context_of_the_caller_that_began_it() -> None:
    """Whatever thread runs it: tracing finds the caller's span. What it sets there is its own."""
    bench, seen = Bench(), []

    def look() -> None:
        seen.append(caller.get())
        caller.set("the refresh")

    bench.fetch.before = look
    caller.set("batman")
    bench.key()
    assert (seen, caller.get()) == (["batman"], "batman")
