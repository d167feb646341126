"""One refresh at a time over all processes of a machine: looked for in the store, else under the lock of its key.

The lock is held around the refresh alone, and a hop's before that of the hop before it: always from the end of a chain
towards its source, so that chains which share hops can't wait for each other in a circle.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from xsession._aws import account_of, is_dead_caller
from xsession._base import Clock
from xsession.credentials import Credentials
from xsession.errors import AssumeRoleError, CredentialsError, STSUnavailableError
from xsession.refresh import Issued, Label, Lane, RefreshPolicy, is_given_up
from xsession.stores import NoStore

from ._hop_fetch import HopFetch, HopRequest, issued_earlier
from ._stored_chains import StoredHop

# For how long a failure is everybody's; then the next one may try.
_REFUSAL_SECONDS = 2.0
_FAILURE_SECONDS = 0.5
# STS's own answers: what a source, a device or this process lacks, others may have.
_SHARED_ERRORS = {kind.__name__: kind for kind in (AssumeRoleError, STSUnavailableError)}


class SharedHopFetch(HopFetch):
    """Fetches one hop's credentials for all processes that share a store.

    Args:
        label: What events and errors call the hop.
        account_id: The account that the credentials must be of.
        request: Requests them, in turn with other processes.
        options: As `HopFetch` takes them.
    """

    may_be_kept = True

    def __init__(self, label: Label, account_id: str, request: SharedRequest, **options: Any) -> None:
        # All that is kept goes by way of the request, which has the key.
        super().__init__(label, account_id, request, store=NoStore(), key="", **options)
        self._in_turn = request

    def forget(self, access_key_id: str | None) -> None:
        """Has all processes forget them: those with that key id, else whatever was issued up to now."""
        self._in_turn.forget(access_key_id)

    @property
    def is_kept(self) -> bool:
        """Whether the store has credentials for a cell that holds none."""
        return self._in_turn.is_kept


class SharedRequest:
    """Requests one hop's credentials from STS, unless another process does, or did.

    Args:
        request: Requests them from STS.
        hop: Where they lie.
        label: What errors call the hop.
        policy: When they are refreshed.
        clock: Both clocks.
    """

    def __init__(
        self, request: HopRequest, hop: StoredHop, *, label: Label, policy: RefreshPolicy, clock: Clock
    ) -> None:
        self._request = request
        self._hop = hop
        self._label = label
        self._account_id = account_of(label.role_arn)
        self._policy = policy
        self._clock = clock
        self._shared = hop.chains.store
        self._last: Credentials | None = None
        self._forgotten: str | None = None
        self._holder: int | None = None

    def __call__(self, try_limit: float, mfa_code: str | None, /) -> Issued:
        """New credentials; as `HopRequest`."""
        key = self._hop.key() or self._hop.confirmed()
        issued = None if key is None else self._found(key)
        if issued is None:
            issued = self._request(try_limit, mfa_code) if key is None else self._refreshed(key, try_limit, mfa_code)
        self._last = issued.credentials
        return issued

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return self._request.awaits_source

    @property
    def lane(self) -> Lane:
        """Where its calls wait while STS throttles."""
        return self._request.lane

    def forget(self, access_key_id: str | None) -> None:
        """Has all processes forget them: those with that key id, else whatever was issued up to now."""
        self._forgotten = access_key_id or (None if self._last is None else self._last.access_key_id)
        self._last = None
        key = self._hop.key()
        if key is not None and access_key_id is None:
            self._hop.chains.end(key)
        elif key is not None:
            self._shared.delete(key, access_key_id)

    @property
    def is_kept(self) -> bool:
        """Whether the store has credentials for a cell that holds none."""
        key = self._hop.key()
        return key is not None and self._found(key) is not None

    def _refreshed(self, key: str, try_limit: float, mfa_code: str | None) -> Issued:
        # One that waited for longer, and then as long as three tries take, would itself be given up as hanging.
        with self._turn(key, try_limit):
            found = self._found(key)
            if found is not None:
                return found
            confirmed = self._hop.confirmed()
            if confirmed is None:
                return self._request(try_limit, mfa_code)
            if confirmed != key:
                # Another person's login by now: that is where to look.
                found = self._found(confirmed)
            return self._assumed(confirmed, try_limit, mfa_code) if found is None else found

    def _assumed(self, key: str, try_limit: float, mfa_code: str | None) -> Issued:
        if mfa_code is None:
            self._check_failure(key)
        try:
            issued = self._request(try_limit, mfa_code)
            if self._is_ended(key, issued.credentials):
                # Revoked or invalidated by another process while STS was at it.
                issued = self._request(try_limit, None)
        except CredentialsError as error:
            self._share(key, error)
            raise
        # Where STS refused the source's key, another one may have been read, and another person's.
        if self._hop.confirmed() == key and not self._is_ended(key, issued.credentials):
            self._shared.put(key, issued.credentials)
            if is_given_up():
                # Thrown away here meanwhile: whoever did so may have looked into the store before.
                self._shared.delete(key, issued.credentials.access_key_id)
        return issued

    def _found(self, key: str) -> Issued | None:
        """What another process, or an earlier one, was issued; None: it is not better than what is held."""
        kept = self._shared.get(key)
        issued = issued_earlier(kept, self._account_id, self._clock)
        if kept is None or issued is None or kept.lifetime is None or kept.issued_at is None:
            return None
        if kept.access_key_id == self._forgotten or self._is_ended(key, kept):
            return None
        last, windows = self._last, self._policy.windows(kept.lifetime, 0.0)
        if last is not None and (last.local_expiry is None or _end(kept) <= last.local_expiry.timestamp()):
            return None
        enough = windows.mandatory if last is None else windows.advisory
        return issued if _end(kept) - self._clock.wall() > enough else None

    def _is_ended(self, key: str, credentials: Credentials) -> bool:
        issued_at = credentials.issued_at
        return self._shared.is_marked(key, self._hop.role_arn, credentials.source_identity, issued_at)

    def _share(self, key: str, error: CredentialsError) -> None:
        # That of a hop before is shared under its own key; others may have another session of that hop.
        is_ours = error.hop in (None, self._label.hop) and not is_dead_caller(error.code)
        if type(error).__name__ in _SHARED_ERRORS and is_ours:
            words = {name: getattr(error, name) for name in ("message", "code", "request_id", "retryable", "hint")}
            seconds = _FAILURE_SECONDS if error.retryable else _REFUSAL_SECONDS
            self._shared.put_failure(key, {"type": type(error).__name__, "caller": self._hop.caller, **words}, seconds)

    def _check_failure(self, key: str) -> None:
        failure = self._shared.failure(key)
        kind = None if failure is None else _SHARED_ERRORS.get(str(failure.get("type")))
        # Another key of the same person may be allowed what this one is not, such as that of a newer session.
        if failure is not None and kind is not None and failure.get("caller") == self._hop.caller:
            msg = f"{failure.get('message')}, as another refresh was told a moment ago"
            raise kind(
                msg,
                code=_text(failure, "code"),
                request_id=_text(failure, "request_id"),
                retryable=failure.get("retryable") is True,
                hint=_text(failure, "hint"),
            )

    @contextmanager
    def _turn(self, key: str, patience: float) -> Iterator[None]:
        here = threading.get_ident()
        if self._holder == here:
            # A signal handler came in while this very thread held it.
            yield
            return
        began = self._clock.boot()
        with self._shared.refreshing(key, patience) as held:
            if not held and self._clock.boot() - began >= patience / 2:
                self._hop.chains.waited_in_vain(patience)
            self._holder = here
            try:
                yield
            finally:
                self._holder = None


def _end(credentials: Credentials) -> float:
    expiry = credentials.local_expiry
    return float("inf") if expiry is None else expiry.timestamp()


def _text(failure: Mapping[str, object], name: str) -> str | None:
    value = failure.get(name)
    return value if isinstance(value, str) else None
