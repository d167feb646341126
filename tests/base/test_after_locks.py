from __future__ import annotations

import threading
from contextlib import suppress

from xsession._base import after_locks, under_lock


def test_what_needs_no_lock_waits_for_the_outermost_ones_end() -> None:
    """In its order; also where the block ends with an error."""
    called: list[str] = []
    with suppress(KeyError), under_lock():
        after_locks(lambda: called.append("outer"))
        with under_lock():
            after_locks(lambda: called.append("inner"))
        assert called == []
        raise KeyError
    assert called == ["outer", "inner"]


def test_without_a_lock_it_is_called_at_once() -> None:
    """By the thread that has none, whatever others have; also by what another call did."""
    called: list[str] = []
    with under_lock():
        after_locks(lambda: after_locks(lambda: called.append("again")))
        other = threading.Thread(target=after_locks, args=[lambda: called.append("other")])
        other.start()
        other.join()
        assert called == ["other"]
    assert called == ["other", "again"]
