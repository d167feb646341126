"""What is remembered of keys that were rejected, and what to do about the next rejection. No lock, no clock, no I/O.

New keys may not be known everywhere yet, and an endpoint may reject whatever it gets: a region that is off answers
InvalidToken for ever. Neither is a reason to throw away what serves the account's other clients well.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Literal

from xsession._base import frozen

NEW_SECONDS = 10.0
"""Keys that were issued less than this many seconds ago may not be known yet."""

_DELAYS_SECONDS = (0.5, 1.5)
_FIRST_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 600.0
# Two keys say that the endpoint is the reason, and not the key.
_ENOUGH_KEYS = 2
_MAX_ENDPOINTS = 64

Endpoint = tuple[str, ...]
"""What tells one service's endpoint from all others."""


@frozen
class Rejection:
    """One answer that says that the keys are dead.

    Args:
        access_key_id: Whose signature was rejected.
        endpoint: Where.
        earlier: How often the same call was rejected with this very key before.
        says: What the answer says of the keys. "replace": they are known, and others should be used. "unknown": they
            are not known, which is no reason to throw them away. "dead": it may be either.
    """

    access_key_id: str
    endpoint: Endpoint
    earlier: int = 0
    says: Literal["dead", "replace", "unknown"] = "dead"


@frozen
class Verdict:
    """What to do about a rejection.

    Args:
        delay: Seconds until the request is signed again; None: the answer is the caller's.
        replaces: Whether the keys are thrown away first.
    """

    delay: float | None
    replaces: bool = False


@frozen
class RejectionMemory:
    """What is remembered of one set of credentials.

    Args:
        rejected: The keys that each endpoint rejected since it last accepted one.
        replaced_at: The boot clock's reading, in seconds, when a rejection last cost the keys.
        pause: Seconds that must pass after it until the next one does.
    """

    rejected: tuple[tuple[Endpoint, frozenset[str]], ...] = ()
    replaced_at: float = float("-inf")
    pause: float = 0.0

    def keys_of(self, endpoint: Endpoint) -> frozenset[str]:
        """The keys that an endpoint rejected since it last accepted one."""
        return dict(self.rejected).get(endpoint, frozenset())

    def gave_up(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint's rejections are its own business."""
        return len(self.keys_of(endpoint)) >= _ENOUGH_KEYS

    def accepted(self, endpoint: Endpoint) -> RejectionMemory:
        """The memory after a success."""
        return replace(self, rejected=tuple(entry for entry in self.rejected if entry[0] != endpoint))

    def after(
        self, rejection: Rejection, *, held: str | None, age: float, now: float
    ) -> tuple[RejectionMemory, Verdict]:
        """The memory after a rejection, and what to do about it.

        Args:
            rejection: The rejection.
            held: The key id held now; None: none is.
            age: Seconds since that was issued.
            now: The boot clock's reading, in seconds.
        """
        if self.gave_up(rejection.endpoint):
            return self, Verdict(None)
        if rejection.access_key_id != held:
            # A late one: others are held already, or will be at the next signing.
            return self, Verdict(0.0)
        is_new = age < NEW_SECONDS and rejection.says != "replace"
        if is_new and rejection.earlier < len(_DELAYS_SECONDS):
            return self, Verdict(_DELAYS_SECONDS[rejection.earlier])
        if not is_new and rejection.says == "unknown":
            return self, Verdict(None)
        counted = self._counting(rejection)
        if is_new or counted.gave_up(rejection.endpoint) or now - self.replaced_at < self.pause:
            return counted, Verdict(None)
        return replace(counted, replaced_at=now, pause=self._next_pause(now)), Verdict(0.0, replaces=True)

    def _counting(self, rejection: Rejection) -> RejectionMemory:
        endpoint = rejection.endpoint
        keys = self.keys_of(endpoint) | {rejection.access_key_id}
        others = self.accepted(endpoint).rejected
        return replace(self, rejected=(*others, (endpoint, keys))[-_MAX_ENDPOINTS:])

    def _next_pause(self, now: float) -> float:
        if now - self.replaced_at >= 2 * _LONGEST_PAUSE_SECONDS:
            return _FIRST_PAUSE_SECONDS
        return min(2 * self.pause, _LONGEST_PAUSE_SECONDS)


@functools.cache
def no_rejections() -> RejectionMemory:
    """What is remembered where nothing was rejected: one memory for all."""
    return RejectionMemory()
