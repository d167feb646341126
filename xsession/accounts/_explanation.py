"""Why each account is among some accounts, or is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, overload

from xsession._base import Table, Tabular, frozen, public

if TYPE_CHECKING:
    from ._account import Account

LEFT_OUT = "it was selected, and left out afterwards"


@frozen
class AccountChoice:
    """An account that was considered.

    Args:
        name: Its name in xsession.
        account_id: Its id; None: not known.
        chosen: Whether it is among the accounts.
        reason: Why, or why not.
        aws_name: What AWS calls it; None: nobody asked.
    """

    name: str
    account_id: str | None
    chosen: bool
    reason: str
    aws_name: str | None = None


@public
class Explanation(Tabular, Sequence[AccountChoice]):
    """Why each account was chosen or not, in order. Prints, and shows in a notebook, as a table.

    Args:
        choices: The accounts that were considered.
    """

    def __init__(self, choices: Iterable[AccountChoice]) -> None:
        self._choices = tuple(choices)

    @overload
    def __getitem__(self, index: int) -> AccountChoice: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AccountChoice]: ...
    def __getitem__(self, index: int | slice) -> AccountChoice | Sequence[AccountChoice]:
        return self._choices[index]

    def __len__(self) -> int:
        return len(self._choices)

    def __iter__(self) -> Iterator[AccountChoice]:
        return iter(self._choices)

    def _table(self) -> Table:
        rows = [
            (each.name, each.account_id, each.aws_name, "in" if each.chosen else "out", each.reason)
            for each in self._choices
        ]
        return ("account", "id", "called by AWS", "", "why"), rows

    def __str__(self) -> str:
        return self._as_text()

    def __repr__(self) -> str:
        return f"<Explanation: {sum(each.chosen for each in self)} of {len(self)} accounts>"


def explained(accounts: Mapping[str, Account], considered: Iterable[AccountChoice]) -> Explanation:
    """Why each account is among some, or is not.

    Args:
        accounts: The accounts.
        considered: Those of organizations that were looked at.
    """
    reasons = {choice.name: choice for choice in considered}
    found = []
    for name, account in accounts.items():
        choice = reasons.get(name)
        if choice is None or choice.account_id != account.account_id or account.aws_name is None:
            choice = AccountChoice(name, account.account_id, chosen=True, reason=f"defined in {account.origin}")
        elif not choice.chosen:
            choice = replace(choice, chosen=True, reason="selected by another list")
        found.append(choice)
    for name, choice in reasons.items():
        if name not in accounts:
            found.append(replace(choice, chosen=False, reason=LEFT_OUT) if choice.chosen else choice)
    return Explanation(found)
