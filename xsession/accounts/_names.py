"""Makes valid names of accounts of what others call them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xsession.errors import ConfigError, shown

MAX_CHARACTERS = 128

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def valid_name(name: str) -> str:
    """A name with hyphens in the place of what names of accounts can't have; "" where nothing is left of it."""
    return _NOT_IN_NAMES.sub("-", name).lstrip("._-")


def valid_names(names: Iterable[str]) -> dict[str, str]:
    """What names from a spreadsheet, an inventory or AWS Organizations become as names of accounts.

    Whatever a name can't have becomes a hyphen: "Team Prod" is "Team-Prod". Valid names stay as they are.

    Args:
        names: The names, each of another account.

    Returns:
        For each of them, in order, the valid name.

    Raises:
        ConfigError: Two of them are or become the same, nothing is left of one, or it is longer than 128 characters.
    """
    given: object = names
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ConfigError.invalid(given, "names", "an iterable of strings")
    became: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in given:
        if not isinstance(name, str):
            raise ConfigError.invalid(name, "account name", "a string")
        valid = valid_name(name)
        if not valid or len(valid) > MAX_CHARACTERS:
            rule = f"1 to {MAX_CHARACTERS} of the characters that names have must be left of it"
            raise ConfigError.invalid(name, "account name", rule, hint="give this account another name")
        if valid in taken:
            msg = f"{shown(taken[valid])} and {shown(name)} would both be the account {valid!r}"
            raise ConfigError(msg, hint="give one of them another name")
        taken[valid] = name
        became[name] = valid
    return became
