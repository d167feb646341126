"""Which accounts of an organization are meant, and why each of the others is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from fnmatch import fnmatchcase

from xsession._aws import is_account_id
from xsession._base import FrozenMap, did_you_mean, frozen
from xsession.errors import ConfigError, shown
from xsession.escape import for_terminal

from ._organization import ACCOUNT_STATES, ACTIVE, Organization, OrganizationAccount

_WILDCARDS = frozenset("*?[")
_MOST_SHOWN = 3


@frozen
class Selection:
    """Which accounts of an organization are meant: those that everything here fits.

    Args:
        under: OUs, by id ("ou-..."), path of names ("Workloads/Prod") or a name that no other OU has: accounts in them,
            at any depth. Empty: all, those at the root included.
        tags: For each key, a pattern for the tag's value.
        names: Patterns for the name that AWS or xsession has for the account, or 12-digit ids; None: any.
        exclude: OUs as in `under`, ids, and patterns for names: accounts that are not meant, whatever else fits.
        states: States that an account may have.

    Raises:
        ConfigError: A value that can't be meant.
    """

    under: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=FrozenMap)
    names: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    states: tuple[str, ...] = (ACTIVE,)

    def __post_init__(self) -> None:
        for option in ("under", "names", "exclude", "states"):
            object.__setattr__(self, option, _checked_strings(option, getattr(self, option)))
        given: object = self.tags
        if not isinstance(given, Mapping) or not all(isinstance(text, str) for pair in given.items() for text in pair):
            raise ConfigError.invalid(given, "tags", "a mapping of keys to patterns, both strings")
        object.__setattr__(self, "tags", FrozenMap(given))
        for state in self.states:
            if state not in ACCOUNT_STATES:
                raise ConfigError.invalid(state, "states", f"of {', '.join(ACCOUNT_STATES)}")

    def reasons(self, organization: Organization, names: Mapping[str, str]) -> dict[str, tuple[bool, str]]:
        """Whether each account is meant, by its id, and why.

        Args:
            organization: The organization.
            names: What xsession calls each account, by its id.

        Raises:
            ConfigError: An OU that is not there, or a name that several have; or an `exclude` that fits nothing.
        """
        paths, above = organization.paths(), organization.above()
        under = {_unit(organization, paths, each): each for each in self.under}
        out_of, patterns = self._excluded(organization, paths, names)
        found = {}
        for account in organization.accounts:
            upper = above[account.parent_id]
            called = (account.name, names[account.account_id])
            reason = self._out(account, called, {out_of[unit] for unit in upper & out_of.keys()}, patterns)
            place = for_terminal(paths[account.parent_id]) or "the root"
            if reason is None and under and not upper & under.keys():
                reason = f"it is in {place}, which is not in {' or '.join(map(shown, under.values()))}"
            found[account.account_id] = (True, f"{account.state}, in {place}") if reason is None else (False, reason)
        return found

    def _out(
        self, account: OrganizationAccount, called: tuple[str, str], units: set[str], patterns: Iterable[str]
    ) -> str | None:
        if units:
            return f"exclude: it is in {shown(min(units))}"
        hit = next((each for each in patterns if _is_called(account, called, each)), None)
        if hit is not None:
            return f"exclude: {shown(hit)}"
        if account.state not in self.states:
            return f"its state is {account.state}"
        if self.names is not None and not any(_is_called(account, called, each) for each in self.names):
            return f"it is none of {', '.join(map(shown, self.names[:_MOST_SHOWN]))}"
        return next((problem for key in self.tags if (problem := self._tag_problem(account, key))), None)

    def _tag_problem(self, account: OrganizationAccount, key: str) -> str | None:
        if key not in account.tags:
            return f"it has no tag {shown(key)}"
        if not fnmatchcase(account.tags[key], self.tags[key]):
            return f"its tag {shown(key)} is {shown(account.tags[key])}, not {shown(self.tags[key])}"
        return None

    def _excluded(
        self, organization: Organization, paths: Mapping[str, str], names: Mapping[str, str]
    ) -> tuple[dict[str, str], list[str]]:
        """The OUs that are excluded, by their ids, and the patterns for names."""
        units, patterns = {}, []
        for each in self.exclude:
            fits = any(
                _is_called(account, (account.name, names[account.account_id]), each)
                for account in organization.accounts
            )
            # An id may be of an account that has left; a pattern is for what is yet to come.
            may_fit_none = fits or is_account_id(each) or bool(_WILDCARDS & set(each))
            unit = _find_unit(organization, paths, each, none=None if may_fit_none else "exclude")
            if unit is not None:
                units[unit] = each
            patterns.append(each)
        return units, patterns


def _is_called(account: OrganizationAccount, called: tuple[str, str], pattern: str) -> bool:
    return pattern == account.account_id or any(fnmatchcase(name, pattern) for name in called)


def _unit(organization: Organization, paths: Mapping[str, str], wanted: str) -> str:
    found = _find_unit(organization, paths, wanted, none="under")
    assert found is not None  # noqa: S101 # it raises
    return found


def _find_unit(organization: Organization, paths: Mapping[str, str], wanted: str, *, none: str | None) -> str | None:
    """The id of an OU that is named by its id, its path, or a name that no other has.

    Args:
        organization: The organization.
        paths: The path of each OU.
        wanted: What names it.
        none: The option that is wrong where there is none; None: then there is none.
    """
    if wanted in paths:
        return wanted
    path = wanted.strip("/")
    by_path = [unit for unit, each in paths.items() if each == path]
    found = by_path or [unit.id for unit in organization.units if unit.parent_id is not None and unit.name == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        places = " and ".join(f"{for_terminal(paths[unit])} ({unit})" for unit in found)
        msg = f"several OUs of the organization are {shown(wanted)}: {places}"
        raise ConfigError(msg, hint="name it by its whole path, or by its id")
    if none is None:
        return None
    msg = f"{none}: the organization has no OU {shown(wanted)} with accounts in it"
    if none == "exclude":
        msg += " and no account of that name"
    known = map(for_terminal, filter(None, paths.values()))
    hint = did_you_mean(wanted, known, "name an OU by its path, such as Workloads/Prod, or by its id")
    raise ConfigError(msg, hint=hint)


def _checked_strings(option: str, value: object) -> tuple[str, ...] | None:
    if value is None and option == "names":
        return None
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigError.invalid(value, option, "a list of strings")
    listed = tuple(value)
    if not all(isinstance(each, str) and each for each in listed):
        raise ConfigError.invalid(listed, option, "a list of strings, none of them empty")
    return listed
