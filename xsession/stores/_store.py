"""Where credentials live between calls: what a store must do, for one process or for all of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeAlias

from xsession._base import public
from xsession.credentials import Credentials

MFA_KEY_PREFIX = "mfa-"
"""What the keys of MFA sessions begin with: a store may be told to keep none of them."""

Moment: TypeAlias = datetime | float
"""A time with a zone, or seconds since the epoch; by the local wall clock, as `Credentials.issued_at` is."""


@public
class Store(Protocol):
    """Keeps credentials by key, for one process or for several; every method may be called from any thread.

    A store that fails raises nothing: it answers None and forgets, since credentials can be obtained again.
    """

    def get(self, key: str) -> Credentials | None:
        """What is kept under the key and has not ended yet."""

    def put(self, key: str, credentials: Credentials) -> None:
        """Keeps credentials until they end."""

    def delete(self, key: str, access_key_id: str | None = None) -> None:
        """Forgets the key; with `access_key_id`, only if those are the credentials kept."""


@public
class SharedStore(Store, Protocol):
    """A store that several processes use at once: one of them refreshes, and what ended is ended for all.

    As with any store, nothing here raises because the store fails, and nothing waits for it longer than was allowed.
    """

    def refreshing(self, key: str, patience: float) -> AbstractContextManager[bool]:
        """The one lock of a key over all processes; whoever refreshes holds it, and readers never wait for it.

        It ends with its holder, however that ends, and a forked child never has it.

        Args:
            key: What is refreshed.
            patience: Seconds to wait for another holder.

        Returns:
            True: the lock is held until the block ends. False: another holder kept it all the while, or locks don't
            work here; the caller goes on without.
        """

    def mark(
        self,
        at: Moment,
        *,
        key: str | None = None,
        role_arn: str | None = None,
        source_identity: str | None = None,
    ) -> None:
        """Ends what was issued at a moment or before it, in every process, whoever still has it or puts it later.

        It is kept for longer than any credentials live. Mark first, then delete.

        Args:
            at: The moment.
            key: Credentials under this key alone.
            role_arn: Credentials of this role alone.
            source_identity: Credentials with this source identity alone.
        """

    def is_marked(self, key: str, role_arn: str | None, source_identity: str | None, issued: Moment | None) -> bool:
        """Whether a mark ends these credentials; quick enough for each refresh, not for each request.

        Args:
            key: What they are kept under.
            role_arn: Their role.
            source_identity: Their source identity.
            issued: When they were issued; None: unknown, and any mark on them counts.
        """

    def put_failure(self, key: str, failure: Mapping[str, object], seconds: float) -> None:
        """Shares a failed refresh, so that those who waited for it don't all try again at once.

        Args:
            key: What was refreshed.
            failure: What went wrong, as JSON has it, without secrets.
            seconds: How long it is shared; credentials that are put end it too.
        """

    def failure(self, key: str) -> Mapping[str, object] | None:
        """The failure that is shared just now."""

    def put_principal(self, descriptor: str, principal: str) -> None:
        """Remembers who a source's credentials belong to.

        Args:
            descriptor: What the source is known by without being asked: the digest of its settings.
            principal: The ARN.
        """

    def principal(self, descriptor: str) -> str | None:
        """Who a source's credentials belong to, where that is known."""

    def clear(self) -> None:
        """Removes everything that is kept, damaged entries too, but marks that others may still need."""
