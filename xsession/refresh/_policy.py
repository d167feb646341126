"""When credentials are refreshed and how long to wait after a failure: pure decisions, no I/O, no clock.

Seconds everywhere. `remaining` is what is left until the credentials end.
"""

from __future__ import annotations

import enum

from xsession._base import frozen, public
from xsession.errors import ConfigError

MANDATORY_PATIENCE_SECONDS = 5.0
MANDATORY_PATIENCE_AFTER_FAILURE_SECONDS = 1.0
MAX_FLIGHT_SECONDS = 22.0
MAX_TRY_SECONDS = 5.0
MAX_BACKOFF_SECONDS = 300.0
MAX_REFUSAL_SECONDS = 60.0
_MAX_WINDOW_SHARE = 0.4


@public
class RefreshState(enum.Enum):
    """What a reader of credentials meets."""

    EMPTY = "empty"
    """Nothing is held: the reader waits for the first answer."""
    FRESH = "fresh"
    """They are returned as they are."""
    ADVISORY = "advisory"
    """They are returned, and replaced in the background."""
    MANDATORY = "mandatory"
    """The reader waits for new ones for a moment, then gets these."""
    EXPIRED = "expired"
    """They are never returned: the reader waits for new ones."""
    REFUSED = "refused"
    """STS refused, and the reader gets that error again from memory for a while."""
    DEADLINE = "deadline"
    """The deadline of a grant has passed: nothing is returned any more, and nothing refreshed."""

    @property
    def is_usable(self) -> bool:
        """Whether what is held can be signed with."""
        return self in (RefreshState.FRESH, RefreshState.ADVISORY, RefreshState.MANDATORY)


@frozen
class Windows:
    """The three points before the end of one set of credentials at which its treatment changes.

    Args:
        advisory: Seconds before the end from which a refresh is wanted.
        mandatory: Seconds before the end from which a reader waits for one.
        hard: Seconds before the end from which nothing is signed any more: the request must still arrive in time.
    """

    advisory: float
    mandatory: float
    hard: float

    def state(self, remaining: float) -> RefreshState:
        """The state of credentials with `remaining` seconds left."""
        if remaining <= self.hard:
            return RefreshState.EXPIRED
        if remaining <= self.mandatory:
            return RefreshState.MANDATORY
        return RefreshState.ADVISORY if remaining <= self.advisory else RefreshState.FRESH


@frozen(kw_only=True)
class RefreshPolicy:
    """When to refresh, and how patient to be.

    The defaults follow the lifetime: five minutes ahead for sessions up to 20 minutes, a quarter of an hour for those
    under 90 minutes, an hour for longer ones, never more than 0.4 of the lifetime.

    Args:
        advisory: Seconds before the end from which a background refresh is wanted; None: by the lifetime.
        mandatory: Seconds before the end from which a caller waits for a refresh; None: at most the last minute.
        jitter: Each refresh begins at a random point between this share and all of the advisory window, so that many
            processes started together don't refresh together; above 0, at most 1 (no jitter).
        patience: Seconds that a caller without usable credentials waits for them.
        reassume_on_explicit_deny: Whether an AccessDenied of a service that says "explicit deny" makes the role be
            assumed again, once in ten minutes: so that a revocation of older sessions does not leave programs that may
            have new ones with dead ones.

    Raises:
        ConfigError: A value out of its range.
    """

    advisory: float | None = None
    mandatory: float | None = None
    jitter: float = 0.75
    patience: float = 30.0
    reassume_on_explicit_deny: bool = False

    def __post_init__(self) -> None:
        for name in ("advisory", "mandatory"):
            value = getattr(self, name)
            if value is not None:
                _check(name, value, 0.0, 43_200.0)
        _check("jitter", self.jitter, 0.0, 1.0)
        _check("patience", self.patience, 0.0, 3_600.0)
        flag: object = self.reassume_on_explicit_deny
        if not isinstance(flag, bool):
            raise ConfigError.invalid(flag, "reassume_on_explicit_deny", "True or False")
        if self.advisory is not None and self.mandatory is not None and self.mandatory > self.advisory:
            msg = f"mandatory {self.mandatory!r} is longer than advisory {self.advisory!r}"
            raise ConfigError(msg, hint="shorten mandatory: the background refresh must come first")

    def windows(self, lifetime: float, draw: float) -> Windows:
        """The windows of credentials with that lifetime.

        Args:
            lifetime: Seconds from issue to end.
            draw: A random number from 0 to 1, drawn once for these credentials.
        """
        whole = self._advisory(lifetime)
        mandatory = min(60.0, whole / 4) if self.mandatory is None else min(self.mandatory, whole)
        advisory = max(whole * (self.jitter + (1.0 - self.jitter) * draw), mandatory)
        return Windows(advisory, mandatory, min(5.0, mandatory / 4))

    def flight_limit(self, lifetime: float, hops: int) -> float:
        """Seconds after which a refresh over `hops` hops counts as failed."""
        return hops * min(MAX_FLIGHT_SECONDS, max(1.0, self._advisory(lifetime) / 3))

    def try_limit(self, lifetime: float) -> float:
        """Seconds that STS has for an answer to one of the three tries of a call; in steps, since each has a client."""
        # A window that the user chose makes no network faster.
        limit = min(MAX_FLIGHT_SECONDS, max(1.0, _advisory_by_lifetime(lifetime) / 3))
        return min(MAX_TRY_SECONDS, round(limit / 3, 1))

    def backoff(self, lifetime: float, failures: int, draw: float, *, throttled: bool) -> float:
        """Seconds to the next try while valid credentials are held.

        Args:
            lifetime: Seconds that the credentials held live.
            failures: How many tries failed in a row, this one included.
            draw: A random number from 0 to 1.
            throttled: Whether STS said that it gets too many requests.
        """
        base = min(15.0 if throttled else 5.0, self._advisory(lifetime) / 16)
        return _spread(min(MAX_BACKOFF_SECONDS, _doubled(base, failures)), draw)

    def retry_delay(self, failures: int, draw: float) -> float:
        """Seconds to the next try while callers wait with nothing usable held."""
        return _spread(min(4.0, _doubled(0.25, failures)), draw)

    def refusal_memory(self, refusals: int, draw: float) -> float:
        """Seconds for which a refusal that won't go away by itself is answered from memory."""
        return min(MAX_REFUSAL_SECONDS, _doubled(1.0 + 4.0 * draw, refusals))

    def mandatory_patience(self, remaining: float, hard: float, *, failed: bool) -> float:
        """Seconds that a reader in the mandatory window waits before it takes what is held."""
        longest = MANDATORY_PATIENCE_AFTER_FAILURE_SECONDS if failed else MANDATORY_PATIENCE_SECONDS
        return max(0.0, min(remaining - hard, longest))

    def _advisory(self, lifetime: float) -> float:
        if self.advisory is None:
            return _advisory_by_lifetime(lifetime)
        return min(self.advisory, _MAX_WINDOW_SHARE * lifetime)


def _advisory_by_lifetime(lifetime: float) -> float:
    wanted = 300.0 if lifetime <= 1_200 else 900.0 if lifetime < 5_400 else 3_600.0
    return min(wanted, _MAX_WINDOW_SHARE * lifetime)


def _doubled(base: float, times: int) -> float:
    # Bounded, since 2.0 ** 1100 overflows after a long outage.
    return base * 2.0 ** min(times - 1, 32)


def _spread(seconds: float, draw: float) -> float:
    return seconds * (0.5 + 0.5 * draw)


def _check(name: str, value: object, low: float, high: float) -> None:
    # A comparison with NaN is false, so that it is refused too.
    if isinstance(value, int | float) and not isinstance(value, bool) and low < value <= high:
        return
    raise ConfigError.invalid(value, name, f"a number over {low:g}, at most {high:g}")
