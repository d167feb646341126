"""Names of accounts that nobody chose for xsession: each valid, and another account's never.

AWS lets two accounts have one name, in any spelling, and keeps the name of a closed account for 90 days.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from xsession._base import frozen

from ._names import MAX_CHARACTERS, valid_name

_ID_CHARACTERS = 12
_ENDS_IN_ID = re.compile(rf"(?:.*-)?([0-9]{{{_ID_CHARACTERS}}})")


@frozen
class NamedAccount:
    """An account as others call it.

    Args:
        account_id: Its 12-digit id.
        name: What they call it.
        is_active: Whether it comes before those of the same name that are not.
    """

    account_id: str
    name: str
    is_active: bool = True


def unique_names(accounts: Iterable[NamedAccount]) -> dict[str, str]:
    """The name of each account, by its id; the order in which they come says nothing.

    What a name can't have becomes a hyphen. Of accounts with one name, whatever its case, all have their id in it, but
    the one that is active where the others are not: so one more never renames a third.

    Args:
        accounts: The accounts, each id once.
    """
    listed = sorted(accounts, key=lambda account: account.account_id)
    known = {account.account_id for account in listed}
    bases = {account.account_id: _base(account) for account in listed}
    counted = Counter(base.lower() for base in bases.values())
    active = Counter(bases[account.account_id].lower() for account in listed if account.is_active)
    found = {}
    for account in listed:
        base = bases[account.account_id]
        key = base.lower()
        alone = counted[key] == 1 or (account.is_active and active[key] == 1)
        # Else it could be what another one becomes.
        ends = _ENDS_IN_ID.fullmatch(base)
        is_others = ends is not None and ends[1] in known - {account.account_id}
        if alone and not is_others and not _is_another_id(base, account.account_id):
            found[account.account_id] = base
        else:
            found[account.account_id] = f"{base[: MAX_CHARACTERS - _ID_CHARACTERS - 1]}-{account.account_id}"
    return found


def _base(account: NamedAccount) -> str:
    """The name alone, as an account may have it, with room for the id where it must be cut."""
    name = valid_name(account.name)
    if name != account.name:
        name = name.rstrip("._-")
    if len(name) > MAX_CHARACTERS:
        # Two long names may differ only at their ends.
        return f"{name[: MAX_CHARACTERS - _ID_CHARACTERS - 1]}-{account.account_id}"
    return name or account.account_id


def _is_another_id(base: str, account_id: str) -> bool:
    return re.fullmatch(f"[0-9]{{{_ID_CHARACTERS}}}", base) is not None and base != account_id
