"""Which regions an account has enabled: asked of the account, and kept.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

from ._base import Clock, RateLimit, renew_after_fork
from ._organizations import ONE_TRY, account_region, patiently
from .errors import ConfigError, OrganizationError, XSessionError

if TYPE_CHECKING:
    import boto3

    from ._kept_lists import KeptLists
    from .accounts import Account

__all__: list[str] = []

KEPT_SECONDS = 86_400.0
_SECONDS_BETWEEN_REQUESTS = 0.2
"""Account Management lists regions five times a second, for all who ask in an account."""
_ENABLED = ["ENABLED", "ENABLED_BY_DEFAULT"]

_Aged: TypeAlias = tuple[tuple[str, ...], float]
"""Regions, and how many seconds ago AWS named them."""


class AccountRegions:
    """The enabled regions of accounts, each asked for once a day by all processes of a user.

    Args:
        session_of: The session of an account.
        clock: Both clocks.
        central: A session of the organization's management account, or of a delegated administrator of Account
            Management, which is asked where an account's own role may not; None: none is.
        kept: What was said before, on disk; None: nothing is kept there.
    """

    def __init__(
        self,
        session_of: Callable[[Account], boto3.Session],
        clock: Clock,
        central: Callable[[], boto3.Session] | None = None,
        kept: KeptLists | None = None,
    ) -> None:
        self._session_of = session_of
        self._clock = clock
        self._central = central
        self._kept = kept
        self._forgotten_at = -inf
        self._limit = RateLimit(clock, _SECONDS_BETWEEN_REQUESTS)
        # Re-entrant, as all locks here are.
        self._lock = threading.RLock()
        self._known: dict[object, tuple[float, tuple[str, ...]]] = {}
        renew_after_fork(self)

    def __call__(self, account: Account) -> tuple[str, ...]:
        """The names of the regions that an account has enabled, sorted.

        Asks ec2:DescribeRegions in the account; where its role may not, account:ListRegions; where that fails too, what
        was said before counts, however old it is, and hooks get a `NeedsAttention`.

        Raises:
            OrganizationError: Neither is allowed or answers, and nothing was kept; or AWS names no region at all.
            CredentialsError: The account could not be reached, and nothing was kept.
        """
        key = account.account_id or account
        now = self._clock.boot()
        with self._lock:
            known = self._known.get(key)
        if known is not None and now - known[0] < KEPT_SECONDS:
            return known[1]
        session = self._session_of(account)
        region = account_region(session, account.chain, account.name)
        client: Any = session.client("ec2", region_name=region, config=ONE_TRY)
        found = self._on_disk(account, str(client.meta.endpoint_url))
        if found is None or found[1] >= min(KEPT_SECONDS, self._clock.wall() - self._forgotten_at):
            found = self._again(account, session, client, found)
        regions, age = found
        with self._lock:
            self._known[key] = (now - age, regions)
        return regions

    def forget(self) -> None:
        """Has all accounts asked again; what is on the disk counts only where they can't be."""
        with self._lock:
            self._known.clear()
            self._forgotten_at = self._clock.wall()

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds, and turns of its own."""
        self._lock = threading.RLock()
        self._limit = RateLimit(self._clock, _SECONDS_BETWEEN_REQUESTS)

    def _again(self, account: Account, session: boto3.Session, client: Any, before: _Aged | None) -> _Aged:
        """What AWS says; where it can't be asked, what it said before, which does not count the next time."""
        try:
            regions = tuple(sorted(self._asked(account, session, client)))
        except ConfigError:
            raise
        except XSessionError as error:
            if before is None or self._kept is None:
                raise
            self._kept.tell_stale(account.name, before[1], error)
            return before[0], inf
        if not regions:
            msg = "AWS names no region that is enabled, and there always is one"
            raise OrganizationError(msg, account=account.name, hint="name the regions: regions=[...]")
        self._keep(account, str(client.meta.endpoint_url), regions)
        return regions, 0.0

    def _on_disk(self, account: Account, endpoint: str) -> _Aged | None:
        if self._kept is None or account.account_id is None:
            return None
        return self._kept.find(account.account_id, endpoint, _regions)

    def _keep(self, account: Account, endpoint: str, regions: tuple[str, ...]) -> None:
        if self._kept is not None and account.account_id is not None:
            self._kept.keep(account.account_id, endpoint, regions, account.name)

    def _asked(self, account: Account, session: boto3.Session, client: Any) -> list[str]:
        try:
            # Without those that the account would have to enable first.
            answer = patiently(client, "describe_regions", self._clock, account=account.name)
            return [region["RegionName"] for region in answer.get("Regions", ())]
        except OrganizationError as refusal:
            if refusal.retryable:
                raise
            return self._listed(account, session, client.meta.region_name, refusal)

    def _listed(self, account: Account, session: boto3.Session, region: str, refusal: OrganizationError) -> list[str]:
        about: dict[str, str] = {}
        if self._central is not None and account.account_id is not None:
            central = self._central()
            if getattr(central, "account_id", None) != account.account_id:  # which asks for itself without its id
                session, about = central, {"AccountId": account.account_id}
        client: Any = session.client("account", region_name=region, config=ONE_TRY)
        found: list[str] = []
        parameters: dict[str, Any] = {"RegionOptStatusContains": _ENABLED, **about}
        try:
            while True:
                page = self._page(client, account, parameters)
                found += [region["RegionName"] for region in page.get("Regions", ())]
                if not page.get("NextToken"):
                    return found
                parameters["NextToken"] = page["NextToken"]
        except OrganizationError as error:
            error.hint = "allow ec2:DescribeRegions or account:ListRegions to the role, or name the regions"
            raise error from refusal

    def _page(self, client: Any, account: Account, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        return patiently(
            client, "list_regions", self._clock, account=account.name, before=self._limit.wait, **parameters
        )


def _regions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise TypeError
    return tuple(value)
