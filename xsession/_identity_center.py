"""Asks IAM Identity Center which accounts and permission sets a login has: within its 20 calls a second.

https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_ListAccounts.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ._aws import is_account_id
from ._base import Clock, RateLimit, hides_frames
from ._botocore import SsoLogin, SsoProfile
from ._organizations import patiently
from .accounts import IdentityCenterAccount
from .errors import OrganizationError, XSessionError

if TYPE_CHECKING:
    from ._kept_lists import KeptLists

__all__: list[str] = []

_SECONDS_BETWEEN_REQUESTS = 0.05
_PAGE_SIZE = 100


@hides_frames(XSessionError)  # requests have the token
def identity_center_accounts(
    profile_name: str | None, clock: Clock, kept: KeptLists
) -> tuple[IdentityCenterAccount, ...]:
    """The accounts of a login, each with its permission sets: a call for each 100 accounts, and one for each account.

    Where it can't be asked, or nobody is logged in, what was said before counts.

    Args:
        profile_name: The profile that names the login; None: the environment's.
        clock: Tells the time, and waits.
        kept: What was said before.

    Raises:
        ConfigError: The profile names no login.
        SourceCredentialsError: There is no such profile; or nobody is logged in, and nothing was kept.
        OrganizationError: Identity Center refused or could not be asked, and nothing was kept.
    """
    profile = SsoProfile(profile_name)
    portal = profile.portal
    name = sha256(portal.encode()).hexdigest()[:32]
    try:
        accounts = _asked(profile.login(), profile_name, clock)
    except XSessionError as error:
        before = kept.find(name, portal, _accounts)
        if before is None:
            raise
        kept.tell_stale(None, before[1], error)
        return before[0]
    kept.keep(name, portal, [[each.account_id, each.name, each.role_names] for each in accounts], None)
    return accounts


def _accounts(value: Any) -> tuple[IdentityCenterAccount, ...]:
    accounts = tuple(IdentityCenterAccount(one, name, tuple(roles)) for one, name, roles in value)
    for each in accounts:
        if not is_account_id(each.account_id) or not all(
            isinstance(word, str) for word in (each.name, *each.role_names)
        ):
            raise TypeError
    return accounts


def _asked(login: SsoLogin, profile_name: str | None, clock: Clock) -> tuple[IdentityCenterAccount, ...]:
    portal = _Portal(login, RateLimit(clock, _SECONDS_BETWEEN_REQUESTS), clock, profile_name)
    return tuple(
        IdentityCenterAccount(
            account["accountId"],
            account.get("accountName", ""),
            tuple(
                sorted(
                    role["roleName"] for role in portal.listed("list_account_roles", "roleList", account["accountId"])
                )
            ),
        )
        for account in sorted(portal.listed("list_accounts", "accountList"), key=lambda each: str(each["accountId"]))
    )


class _Portal:
    def __init__(self, login: SsoLogin, limit: RateLimit, clock: Clock, profile_name: str | None) -> None:
        self._login = login
        self._limit = limit
        self._clock = clock
        self._profile_name = profile_name

    def listed(self, method: str, key: str, account_id: str | None = None) -> Iterator[Mapping[str, Any]]:
        """All items of all pages."""
        parameters: dict[str, Any] = {"accessToken": self._login.token, "maxResults": _PAGE_SIZE}
        if account_id is not None:
            parameters["accountId"] = account_id
        while True:
            page = self._page(method, parameters)
            yield from page.get(key, ())
            if not page.get("nextToken"):
                return
            parameters["nextToken"] = page["nextToken"]

    def _page(self, method: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return patiently(
                self._login.client, method, self._clock, account=None, before=self._limit.wait, **parameters
            )
        except OrganizationError as error:
            if error.code == "UnauthorizedException":
                profile = "" if self._profile_name is None else f" --profile {self._profile_name}"
                error.hint = f"run: aws sso login{profile}"
            raise
