"""An AWS organization as it was when it was asked: its accounts, and the tree of its organizational units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime

from xsession._base import FrozenMap, Table, Tabular, frozen

ACCOUNT_STATES = ("PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED")
"""All states of an account.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
"""

ACTIVE = "ACTIVE"


@frozen
class OrganizationalUnit:
    """An organizational unit (OU), or the root of an organization.

    Args:
        id: "ou-..."; of the root, "r-...".
        name: Its name, which is unique only among those of one parent.
        parent_id: The id of the OU or root that it is in; None: it is the root.
    """

    id: str
    name: str
    parent_id: str | None


@frozen
class OrganizationAccount:
    """An account of an organization.

    Args:
        account_id: Its 12-digit id.
        name: What AWS Organizations calls it; others may have the same name.
        state: One of AWS's states: "ACTIVE", "SUSPENDED", ...
        parent_id: The OU or root that it is in.
        tags: Its tags.
    """

    account_id: str
    name: str
    state: str
    parent_id: str
    tags: Mapping[str, str] = field(default_factory=FrozenMap)


@frozen
class Organization(Tabular):
    """An organization, as it was at some time. Prints, and shows in a notebook, as a table.

    Args:
        id: "o-...".
        management_id: The id of its management account.
        partition: Its partition.
        units: Its root and OUs, parents before their children.
        accounts: Its accounts, by their ids.
        read_at: When AWS said so, in seconds since 1970.
        seen_at: When it was asked for, likewise; later where this is a list that was kept.
        has_tags: Whether it was said which tags the accounts have.
        problem: Why AWS could not be asked again; None: it was, or nobody tried.
    """

    id: str
    management_id: str
    partition: str
    units: tuple[OrganizationalUnit, ...] = field(repr=False)
    accounts: tuple[OrganizationAccount, ...] = field(repr=False)
    read_at: float
    seen_at: float
    has_tags: bool = True
    problem: str | None = None

    @property
    def age(self) -> float:
        """How many seconds old it was when it was asked for."""
        return max(0.0, self.seen_at - self.read_at)

    def paths(self) -> dict[str, str]:
        """The path of names of each OU, by its id: "Workloads/Prod"; the root's is ""."""
        found: dict[str, str] = {}
        for unit in self.units:
            above = "" if unit.parent_id is None else found[unit.parent_id]
            found[unit.id] = "" if unit.parent_id is None else f"{above}/{unit.name}".lstrip("/")
        return found

    def above(self) -> dict[str, frozenset[str]]:
        """For each OU, the ids of all that it is in, its own and the root's included."""
        found: dict[str, frozenset[str]] = {}
        for unit in self.units:
            upper: Iterable[str] = () if unit.parent_id is None else found[unit.parent_id]
            found[unit.id] = frozenset((unit.id, *upper))
        return found

    def _table(self) -> Table:
        paths = self.paths()
        rows = [
            (account.account_id, account.name, paths[account.parent_id], account.state, _words(account.tags))
            for account in self.accounts
        ]
        return ("id", "name", "OU", "state", "tags"), rows

    def _above(self) -> Iterable[str]:
        read = datetime.fromtimestamp(self.read_at, UTC)
        return (f"organization {self.id}, as it was on {read:%Y-%m-%d at %H:%M} UTC",)

    def __str__(self) -> str:
        return self._as_text()


def age_in_words(seconds: float) -> str:
    """An age, as people say it: "3 days", "5 hours", "2 minutes"."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def _words(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags.items())
