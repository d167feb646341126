"""From a chain of roles to its hops: which hop takes which default, and under which name it is assumed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xsession._aws import first_region, partition_of_region
from xsession._base import frozen

from ._defaults import Defaults
from ._durations import MAX_CHAINED_DURATION_SECONDS
from ._role import Role
from ._role_chain import RoleChain, check_inherited_tags
from ._session_name import DEFAULT_TEMPLATE, Runner


@frozen
class Hop:
    """One step of a chain, with every option that it takes.

    Args:
        number: Its place, counted from 1.
        role: The role, nothing left to fill.
        duration_is_default: Whether its duration is one that was not chosen for this role, and may be shortened.
    """

    number: int
    role: Role
    duration_is_default: bool

    def behind_session(self) -> Hop:
        """The same step with the credentials of an MFA session: those have passed MFA already."""
        return replace(self, role=self.role.replace(mfa_serial=None))


class HopResolver:
    """Makes the hops of chains: nothing is left open in their roles.

    Args:
        defaults: The session's own.
        runner: Who runs us, for the session names.
    """

    def __init__(self, defaults: Defaults, runner: Runner) -> None:
        self._defaults = defaults
        self._runner = runner
        # Who asks for MFA codes is no option of a role: it counts for roles that are not registered, too.
        self._name_only = Defaults(
            role_session_name=runner.session_name(DEFAULT_TEMPLATE, ""),
            mfa_command=defaults.mfa_command,
            mfa_duration_seconds=defaults.mfa_duration_seconds,
        )
        self._own_defaults = self._name_only | defaults
        # By the defaults of an account's file: merging them validates them again, for each account otherwise.
        self._merged: dict[Defaults, Defaults] = {}

    def defaults(self, of_file: Defaults | None, *, registered: bool) -> Defaults:
        """The defaults that count for an account.

        Args:
            of_file: Those of the file that the account comes from; None: it comes from none.
            registered: Whether the account is a registered one: others take nothing but the session name.
        """
        if not registered:
            return self._name_only
        if of_file is None:
            return self._own_defaults
        merged = self._merged.get(of_file)
        if merged is None:
            merged = self._merged[of_file] = self._name_only | of_file | self._defaults
        return merged

    def hops(self, chain: RoleChain | None, defaults: Defaults, account: str) -> tuple[Hop, ...]:
        """The hops of an account's chain.

        Args:
            chain: The chain; None: the account has none.
            defaults: What `defaults` gave for the account.
            account: The account's name, for the session names.

        Raises:
            InvalidRoleError: A role and a default do not fit together.
        """
        return () if chain is None else tuple(self._named(hop, account) for hop in filled(chain, defaults))

    def _named(self, hop: Hop, account: str) -> Hop:
        template = hop.role.role_session_name or ""
        # Most have no placeholders, and each copy is validated again.
        if "{" not in template:
            return hop
        return replace(hop, role=hop.role.replace(role_session_name=self._runner.session_name(template, account)))


def filled(chain: RoleChain, defaults: Defaults) -> tuple[Hop, ...]:
    """The chain's hops with the defaults where theirs are open.

    Raises:
        InvalidRoleError: A role and a default do not fit together.
    """
    hops = tuple(_filled(number, role, len(chain.roles), defaults) for number, role in enumerate(chain.roles, start=1))
    if defaults.transitive_tag_keys:
        check_inherited_tags([hop.role for hop in hops])
    return hops


def _filled(number: int, role: Role, length: int, defaults: Defaults) -> Hop:
    changes: dict[str, Any] = {}
    open_duration = role.duration_seconds is None
    first_by_role = number == 1 and not role.has_web_identity
    if open_duration and isinstance(defaults.duration_seconds, int):
        # Behind an MFA session, a role is a chained one.
        chained = number > 1 or (first_by_role and (role.mfa_serial or defaults.mfa_serial) is not None)
        longest = MAX_CHAINED_DURATION_SECONDS if chained else defaults.duration_seconds
        changes["duration_seconds"] = min(defaults.duration_seconds, longest)
    single = ["role_session_name"]
    if _fits(defaults.sts_region_name, role):
        single.append("sts_region_name")
    if first_by_role:
        single += ["source_identity", "mfa_serial"]
        if not role.tags:
            changes.update(tags=defaults.tags, transitive_tag_keys=defaults.transitive_tag_keys)
    if number == length and role.policy is None and not role.policy_arns:
        changes.update(policy=defaults.policy, policy_arns=defaults.policy_arns)
    changes.update({name: getattr(defaults, name) for name in single if getattr(role, name) is None})
    # A copy is validated again.
    changes = {name: value for name, value in changes.items() if value != getattr(role, name)}
    return Hop(number, role.replace(**changes) if changes else role, open_duration)


def _fits(region_name: str | None, role: Role) -> bool:
    # A default is for many accounts: STS of another partition knows none of this one's.
    if region_name is None or first_region(role.partition) is None:
        return True
    return partition_of_region(region_name) == role.partition
