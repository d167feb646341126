"""The credentials object of an account that needs no hop."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from xsession._base import Latch, renew_after_fork
from xsession.credentials import Credentials
from xsession.errors import XSessionError, reaching
from xsession.refresh import SHARED_WORKERS, Endpoint, Rejection, RejectionMemory, Workers, no_rejections

from ._account_credentials import AccountCredentials

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

    from xsession.refresh import ThreadCalls

    from ._source import Source
    from ._source_code import SourceMfa

T = TypeVar("T")


class SourceCredentials(AccountCredentials):
    """Those of an account that needs no hop: the source's own.

    Args:
        account: The account's name, for errors.
        source: Whose they are; its own refresh is respected.
        check: Called with them before they are used for the first time, and whenever the key id changed.
        mfa: The MFA that the source's own profile asks for; None: it asks for none.
        region_name: The region of the account's clients.
        workers: Start what an event loop waits for.
        ended: Set when the session is closed.
    """

    method = "source"

    def __init__(
        self,
        account: str,
        source: Source,
        check: Callable[[ReadOnlyCredentials], None] | None,
        mfa: SourceMfa | None = None,
        region_name: str | None = None,
        *,
        workers: Workers = SHARED_WORKERS,
        ended: Latch | None = None,
    ) -> None:
        super().__init__(account, mfa, region_name, workers=workers, ended=ended)
        self._reading: ThreadCalls[ReadOnlyCredentials] | None = None
        self._last: ReadOnlyCredentials | None = None
        self._source = source
        self._check = check
        self._checked: str | None = None
        self._issue: list[ReadOnlyCredentials | None] = [None]
        self._rejections = no_rejections()
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        renew_after_fork(self)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The source's current credentials, once they are known to be of the right account."""
        # In no variable of this frame: its caller gets errors with it.
        with reaching(self._account):
            self.ask_for_mfa()
            return self._checked_own()

    async def awaited(self) -> ReadOnlyCredentials:
        """As `get_frozen_credentials`, in an event loop: the source is read in a thread, unless it has static keys."""
        if self._last is not None and self._source.session.is_static:
            return self.get_frozen_credentials()
        if self._reading is None:
            self._reading = self._calls(self._read_aside)
        with reaching(self._account):
            self._last = await self._reading.answer()
            return self._last

    @property
    def _in_memory(self) -> ReadOnlyCredentials | None:
        """What an event loop read last; waits for nothing."""
        return None if self._ended.is_set() else self._last

    async def aside(self, work: Callable[[], T]) -> T | None:
        """Calls it in a thread: files, processes and logins may be read again."""
        return await self._calls(work).answer()

    def _read_aside(self) -> ReadOnlyCredentials:
        if self._mfa is not None:
            self._mfa.ask(attended=False)
        return self._checked_own()

    def current(self) -> Credentials:
        """The source's current credentials as our own value; their expiry is the source's business and not known."""
        return self._as_value(self.get_frozen_credentials())

    def unattended(self) -> Credentials:
        """As `current`, but where that takes an MFA code, an error."""
        with reaching(self._account):
            return self._as_value(self._checked_own())

    @property
    def methods(self) -> frozenset[str]:
        """How the source's are obtained, in botocore's words, as far as that is known without a network call."""
        return self._source.session.methods

    def issue(self) -> object:
        """Another object where the source has another key, or what was made of this one was invalidated."""
        frozen = self.get_frozen_credentials()
        issue = self._issue
        if issue[0] != frozen:
            issue = self._issue = [frozen]
        return issue

    def renew(self) -> None:
        """Has `issue` answer with another object from now on."""
        self._issue = [None]

    @property
    def rejections(self) -> RejectionMemory:
        """What is remembered of rejections."""
        return self._rejections

    def rejected(self, rejection: Rejection) -> float | None:
        """Has the source look for other credentials; how old its own are is its business and not known."""
        held = self._source.own().access_key
        with self._lock:
            memory, verdict = self._rejections.after(rejection, held=held, age=math.inf, now=0.0)
            # To look costs no call of STS, and a person may just have logged in.
            self._rejections = replace(memory, pause=0.0)
        try:
            if verdict.replaces and not self._source.rejected(rejection.access_key_id):
                return None
        except XSessionError:
            # It can't be read any more, and AWS's own answer says enough.
            return None
        return verdict.delay

    def accepted(self, endpoint: Endpoint) -> None:
        """Records that an endpoint accepted these, which rejected some before."""
        with self._lock:
            self._rejections = self._rejections.accepted(endpoint)

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        self._lock = threading.RLock()

    def _checked_own(self) -> ReadOnlyCredentials:
        frozen = self._source.own()
        if self._check is not None and self._checked != frozen.access_key:
            self._check(frozen)
            self._checked = frozen.access_key
        return frozen

    def _as_value(self, frozen: ReadOnlyCredentials) -> Credentials:
        return Credentials(
            access_key_id=frozen.access_key or "",
            secret_access_key=frozen.secret_key or "",
            session_token=frozen.token,
            account_id=getattr(frozen, "account_id", None),
            region_name=self._region_name,
        )
