"""Who may take a thread: pure decisions, so that one account or region that hangs leaves threads to all others.

The threads of a pool are shared by lanes, each of which is one account that calls one region's STS. A lane begins with
half of what the others leave. Each call that ends within a second lets it have one thread more, until few are left for
the others; as soon as a call takes longer, it is back at half. So the first lane that hangs holds 32 of 64 threads, the
second 16, and so on; and the last ones are there for whoever comes then. All lanes of one account together, and all to
one region, hold no more than one that has earned all: where a region hangs, it does so for every account.
"""

from __future__ import annotations

ANSWER_SECONDS = 1.0
"""How long a call may take for its lane to have more than half of what is free."""
_RESERVED_SHARE = 8


def may_take(size: int, *, busy: int, held: int, more: int) -> bool:
    """Whether a lane may take one more thread.

    Args:
        size: How many threads there may be.
        busy: How many have work, those of the lane included.
        held: How many of them the lane has.
        more: How many it has earned beyond half of what is free.
    """
    return busy < size and held < limit(size, others=busy - held, more=more)


def limit(size: int, *, others: int, more: int) -> int:
    """How many threads a lane may hold, at least one.

    Args:
        size: How many there may be.
        others: How many other lanes hold.
        more: How many the lane has earned beyond half of what is free.
    """
    free = size - others
    half = max(1, free // 2)
    return min(half + more, max(half, free - size // _RESERVED_SHARE))


def earned(more: int, *, seconds: float, size: int) -> int:
    """What a lane has earned after one more call.

    Args:
        more: What it had earned before.
        seconds: How long the call took.
        size: How many threads there may be.
    """
    return min(more + 1, size) if seconds < ANSWER_SECONDS else 0
