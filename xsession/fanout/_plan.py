"""What a run is to do: units of work, and how each is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from xsession._base import frozen
from xsession.errors import ConfigError

if TYPE_CHECKING:
    from xsession.accounts import Account

ENABLED = "enabled"
"""Each account's own regions."""

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+")


@frozen
class Unit:
    """One call of the function.

    Args:
        account: The account's name.
        region: The region; None: the account's own, or not known yet.
        place: Where it stands among all: the account's number, and the region's among those of the account.
    """

    account: str
    region: str | None
    place: tuple[int, int]


@frozen
class Task:
    """A unit that is under way.

    Args:
        unit: The unit.
        attempt: Which attempt at the unit this is, counted from 1.
        selects: Whether the account is asked for its regions, and the function not called yet.
    """

    unit: Unit
    attempt: int = 1
    selects: bool = False


@frozen
class Plan:
    """What a run is to do.

    Args:
        accounts: The names of the accounts.
        regions: The regions in each; "enabled": each account's own; None: no region is said.
    """

    accounts: Sequence[str]
    regions: Sequence[str] | str | None = None

    @property
    def by_region(self) -> bool:
        """Whether an outcome is of an account and a region."""
        return self.regions is not None

    @property
    def asks(self) -> bool:
        """Whether accounts are to be asked for their regions."""
        return isinstance(self.regions, str)

    @property
    def total(self) -> int:
        """How many outcomes there will be; where accounts are yet to be asked for their regions, as if each had one."""
        regions = (None,) if self.regions is None or isinstance(self.regions, str) else self.regions
        return len(self.accounts) * len(regions)

    def tasks(self) -> Iterator[Task]:
        """All that is known to do from the beginning, one account after the other."""
        for number, account in enumerate(self.accounts):
            if isinstance(self.regions, str):
                yield Task(Unit(account, None, (number, 0)), selects=True)
            else:
                yield from self.in_account(Unit(account, None, (number, 0)), self.regions or (None,))

    @staticmethod
    def in_account(selected: Unit, regions: Iterable[str | None]) -> Iterator[Task]:
        """What is to do in one account.

        Args:
            selected: The account.
            regions: Its regions.
        """
        for number, region in enumerate(regions):
            yield Task(Unit(selected.account, region, (selected.place[0], number)))


def checked_regions(regions: str | Iterable[str] | None) -> Sequence[str] | str | None:
    """The regions that a caller means, each once.

    Raises:
        ConfigError: None at all, or one that can't be a region's name.
    """
    if regions is None or regions == ENABLED:
        return ENABLED if regions == ENABLED else None
    rule = 'names of regions, such as "eu-west-1", or "enabled"'
    given: object = regions
    names: list[object] = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else []
    if not names:
        raise ConfigError.invalid(given, "regions", rule)
    for name in names:
        if not isinstance(name, str) or not _REGION.fullmatch(name):
            raise ConfigError.invalid(name, "regions", rule)
    return tuple(dict.fromkeys(map(str, names)))


def by_distinct_names(accounts: Iterable[Account]) -> dict[str, Account]:
    """Accounts by name, each once; of those that are not registered, several may have one name, and get a number."""
    by_name: dict[str, Account] = {}
    for account in dict.fromkeys(accounts):
        name, number = account.name, 1
        while name in by_name:
            number += 1
            name = f"{account.name}-{number}"
        by_name[name] = account
    return by_name
