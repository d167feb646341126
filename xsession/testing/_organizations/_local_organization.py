"""One organization of a local AWS: its accounts and OUs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xsession._base import public

_JOINED_AT = 1_577_836_800  # 1 January 2020, before whatever clock a test has


@public
class LocalOrganization:
    """An organization of a `LocalAWS`; made by `LocalAWS.organization`.

    Args:
        management_id: The id of its management account, which is in it from the beginning, at the root.
        number: Tells its ids from those of others.
        partition: Its partition.
    """

    def __init__(self, management_id: str, number: int, partition: str = "aws") -> None:
        self.id = f"o-local{number:05}"
        self.management_id = management_id
        self.partition = partition
        self.root_id = f"r-{number:04}"
        self.delegated: set[str] = set()
        """Ids of accounts that may ask as the management account may."""
        self.has_paths = True
        """Whether answers say in which OU an account is, as AWS's do since 2026."""
        self.page_sizes: list[int] = []
        """How many accounts the next pages of ListAccounts have; then, 20."""
        self._units: dict[str, tuple[str, str]] = {}
        self._accounts: dict[str, dict[str, Any]] = {}
        self._parents: dict[str, str] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self.account(management_id, "management")

    def unit(self, path: str) -> str:
        """An organizational unit, made where it is missing, with those above it; returns its id.

        Args:
            path: Its names from the root on: "Workloads/Prod"; "": the root.
        """
        parent = self.root_id
        for name in filter(None, path.split("/")):
            known = next((unit for unit, found in self._units.items() if found == (name, parent)), None)
            if known is None:
                known = f"ou-{self.root_id[2:]}-{len(self._units):08}"
                self._units[known] = (name, parent)
            parent = known
        return parent

    def account(
        self,
        account_id: str,
        name: str,
        *,
        unit: str = "",
        state: str = "ACTIVE",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Puts an account into the organization, or changes what it has there.

        Args:
            account_id: Its id.
            name: What Organizations calls it.
            unit: The path of its OU; "": the root.
            state: Its state.
            tags: Its tags.
        """
        self._accounts[account_id] = {
            "Id": account_id,
            "Arn": self.arn("account", account_id),
            "Email": f"{account_id}@example.com",
            "Name": name,
            "State": state,
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": _JOINED_AT,
        }
        self._parents[account_id] = self.unit(unit)
        self._tags[account_id] = dict(tags or {})

    def remove(self, account_id: str) -> None:
        """Has an account leave the organization."""
        del self._accounts[account_id], self._parents[account_id], self._tags[account_id]

    @property
    def account_ids(self) -> list[str]:
        """The ids of its accounts, in the order in which they came."""
        return list(self._accounts)

    def arn(self, kind: str, name: str) -> str:
        """The ARN of an account, an OU or the root."""
        return f"arn:{self.partition}:organizations::{self.management_id}:{kind}/{self.id}/{name}"

    def may_ask(self, account_id: str) -> bool:
        """Whether an account may ask for all others."""
        return account_id == self.management_id or account_id in self.delegated

    def listed(self, parent_id: str | None = None) -> list[dict[str, Any]]:
        """Its accounts as AWS shows them.

        Args:
            parent_id: Of this OU or root alone; None: all.
        """
        found = []
        for account_id, account in self._accounts.items():
            if parent_id in (None, self._parents[account_id]):
                paths = {"Paths": [f"{self._path(self._parents[account_id])}{account_id}/"]} if self.has_paths else {}
                found.append({**account, **paths})
        return found

    def units_of(self, parent_id: str) -> list[dict[str, str]]:
        """The OUs of an OU or root, as AWS shows them."""
        return [
            {"Id": unit, "Arn": self.arn("ou", unit), "Name": name}
            for unit, (name, parent) in self._units.items()
            if parent == parent_id
        ]

    def has_parent(self, parent_id: object) -> bool:
        """Whether there is such an OU or root."""
        return parent_id == self.root_id or parent_id in self._units

    def tags_of(self, account_id: object) -> dict[str, str] | None:
        """The tags of an account; None: there is no such account."""
        return self._tags.get(account_id) if isinstance(account_id, str) else None

    def _path(self, unit: str) -> str:
        if unit == self.root_id:
            return f"{self.id}/{self.root_id}/"
        return f"{self._path(self._units[unit][1])}{unit}/"
