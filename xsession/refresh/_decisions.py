"""What a cell decides: pure functions of what is held, what failed last, and the time. No lock, no clock, no I/O.

Seconds everywhere; `now` is a reading of the boot clock, `remaining` is what is left until the credentials held end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from xsession._aws import is_throttling
from xsession.errors import MfaError, XSessionError

from ._failure import Failure
from ._policy import RefreshPolicy, RefreshState
from ._snapshot import Deadline, Snapshot

T = TypeVar("T")

_ASSUMED_LIFETIME_SECONDS = 3_600.0
_STEP_SECONDS = 5.0
_DENIAL_MEMORY_SECONDS = 600.0


def held_state(snapshot: Snapshot[T], remaining: float, deadline: Deadline | None) -> RefreshState:
    """The state of what is held; what outlives the deadline needs no refresh any more."""
    if snapshot.generation == 0:
        return RefreshState.EMPTY
    if deadline is not None and snapshot.outlives(deadline):
        return RefreshState.FRESH
    return snapshot.windows.state(remaining)


def met_state(held: RefreshState, failure: Failure | None, now: float, deadline_left: float | None) -> RefreshState:
    """The state that a reader meets: a deadline ends all, and a refusal is remembered where nothing usable is held.

    Args:
        held: The state of what is held.
        failure: The failed tries since the last success.
        now: The boot clock's reading.
        deadline_left: Seconds until the deadline; None: there is none.
    """
    if deadline_left is not None and deadline_left <= 0:
        return RefreshState.DEADLINE
    if held not in (RefreshState.EMPTY, RefreshState.EXPIRED) or failure is None or failure.error.retryable:
        return held
    return RefreshState.REFUSED if now < failure.next_try else held


def may_start(failure: Failure | None, now: float, *, has_mfa_code: bool = False) -> bool:
    """Whether a refresh may start: the time to wait after a failure is over, or a code is here that it lacked."""
    if failure is None or now >= failure.next_try:
        return True
    return has_mfa_code and isinstance(failure.error, MfaError)


def lifetime_of(snapshot: Snapshot[T]) -> float:
    """Seconds that the next credentials will live, as far as those held show it."""
    return snapshot.lifetime or _ASSUMED_LIFETIME_SECONDS


def delay_after(
    error: XSessionError,
    count: int,
    *,
    policy: RefreshPolicy,
    snapshot: Snapshot[T],
    state: RefreshState,
    remaining: float,
    draw: float,
) -> float:
    """Seconds to wait after a failure before STS is asked again.

    Args:
        error: The failure.
        count: How many tries failed in a row, this one included.
        policy: When to refresh.
        snapshot: What is held.
        state: Its state.
        remaining: Seconds until it ends.
        draw: A random number from 0 to 1.
    """
    if not error.retryable:
        return policy.refusal_memory(count, draw)
    if state in (RefreshState.EMPTY, RefreshState.EXPIRED):
        return policy.retry_delay(count, draw)
    if state is RefreshState.MANDATORY:
        return snapshot.windows.mandatory / 3
    delay = policy.backoff(snapshot.lifetime, count, draw, throttled=is_throttling(error.code))
    return max(0.0, min(delay, remaining - snapshot.windows.mandatory))


def slept_through(left: float, limit: float) -> bool:
    """Whether the machine was suspended or frozen in the middle of a refresh: that says nothing about STS.

    Args:
        left: Seconds until the refresh counts as failed; below 0: since then.
        limit: Seconds that it had.
    """
    return left < -limit


def armed(snapshot: Snapshot[T], deadline: Deadline | None = None) -> Snapshot[T]:
    """The same snapshot, returned without a second look until its advisory window, or the deadline."""
    ahead = snapshot.windows.advisory
    until = Deadline(snapshot.expires_boot - ahead, snapshot.expires_wall - ahead)
    if deadline is not None:
        outlives = snapshot.outlives(deadline)
        until = deadline if outlives else Deadline(min(until.boot, deadline.boot), min(until.wall, deadline.wall))
    return replace(snapshot, fresh_until_boot=until.boot, fresh_until_wall=until.wall)


def is_older(answer: Snapshot[T], held: Snapshot[T], remaining: float) -> bool:
    """Whether an answer ends before what is held, which is still usable: then it is no progress."""
    return answer.expires_boot < held.expires_boot and remaining > held.windows.hard


def refreshes_by_itself(snapshot: Snapshot[T], remaining: float) -> bool:
    """Whether a failed refresh is tried again without a caller: what is held is usable, and was read."""
    return remaining > snapshot.windows.hard and snapshot.armed


def due_next(snapshot: Snapshot[T], state: RefreshState, failure: Failure | None, *, under_way: bool) -> float | None:
    """When the timer looks again, if it began no refresh; None: not by itself."""
    if state is RefreshState.FRESH:
        return snapshot.fresh_until_boot
    if under_way or failure is None or state is RefreshState.EXPIRED:
        return None
    return failure.next_try


def age_of(snapshot: Snapshot[T], now: float) -> float:
    """Seconds since what is held was asked for; without end, where nothing is."""
    return now - (snapshot.expires_boot - snapshot.lifetime)


def clocks_apart(snapshot: Snapshot[T], boot: float, wall: float) -> float:
    """Seconds by which the wall clock has moved against the boot clock since these credentials were asked for."""
    return (snapshot.expires_boot - boot) - (snapshot.expires_wall - wall)


def is_step(moved: float) -> bool:
    """Whether that much is a step of a clock, and not its drift."""
    return abs(moved) > _STEP_SECONDS


def denial_counts(last: float, now: float) -> bool:
    """Whether an explicit deny may cost new credentials: the last one that did is long ago."""
    return now - last >= _DENIAL_MEMORY_SECONDS
