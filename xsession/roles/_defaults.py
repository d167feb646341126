"""What roles take where they leave an option open."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from xsession._aws import Arn, iam_arn, is_account_id
from xsession._base import FrozenMap, did_you_mean, frozen
from xsession.errors import ConfigError, InvalidRoleError, shown

from ._durations import whole_seconds
from ._role import Role

if TYPE_CHECKING:
    from xsession.policies import PolicyLike

MIN_MFA_DURATION_SECONDS = 900
MAX_MFA_DURATION_SECONDS = 129_600

# These are not options of roles.
_NO_ROLES = ("mfa_command", "mfa_duration_seconds", "region_name")


@frozen(kw_only=True)
class Defaults:
    """Options for what the roles of registered accounts leave open.

    `role_session_name`, `sts_region_name` and `duration_seconds` go to every hop, `source_identity`, `tags`,
    `transitive_tag_keys` and `mfa_serial` to the first, `policy` and `policy_arns` to the last: on a hub they would
    forbid the next hop. An external id belongs to one role and has no default. A first hop with a web identity takes
    neither `source_identity`, `tags` nor `mfa_serial`, since STS takes none there.

    Args:
        role_session_name: As `Role.role_session_name`.
        duration_seconds: As `Role.duration_seconds`; later hops take 3600 at most.
        policy: As `Role.policy`; for roles which have neither a policy nor policy ARNs of their own.
        policy_arns: As `Role.policy_arns`; likewise.
        tags: As `Role.tags`; for roles which have no tags of their own.
        transitive_tag_keys: As `Role.transitive_tag_keys`; likewise.
        source_identity: As `Role.source_identity`.
        mfa_serial: As `Role.mfa_serial`.
        mfa_command: The program that prints the code of an MFA device, with its arguments: a list, or a string that
            is split as a shell would, but run without one; `{serial}` in it stands for the device.
        mfa_duration_seconds: How long a person who gave a code is not asked again: 900 to 129600 seconds, or a
            timedelta; None: 12 hours.
        sts_region_name: As `Role.sts_region_name`.
        region_name: The region of clients where neither the call, the account nor the session names one.

    Raises:
        InvalidRoleError: A value which STS would refuse.
        ConfigError: `mfa_command` is no command.
    """

    role_session_name: str | None = None
    duration_seconds: int | timedelta | None = None
    policy: PolicyLike | None = field(default=None, hash=False)
    policy_arns: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=FrozenMap, hash=False)
    transitive_tag_keys: Sequence[str] = ()
    source_identity: str | None = None
    mfa_serial: str | None = None
    mfa_command: str | Sequence[str] | None = field(default=None, repr=False)
    mfa_duration_seconds: int | timedelta | None = None
    sts_region_name: str | None = None
    region_name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mfa_command", _checked_command(self.mfa_command))
        object.__setattr__(self, "mfa_duration_seconds", _checked_mfa_duration(self.mfa_duration_seconds))
        options = {option.name: getattr(self, option.name) for option in fields(self) if option.name not in _NO_ROLES}
        region = self.region_name
        try:
            # A role of any account will do: it checks the options and brings them into their final form.
            checked = Role(iam_arn("aws", self._policy_account(), "role/defaults"), **options)
            if region is not None:
                self._check_region(checked, region)
        except ConfigError as error:
            error.role_arn = None
            raise
        for name in options:
            object.__setattr__(self, name, getattr(checked, name))

    def __or__(self, other: Defaults) -> Defaults:
        """These, except where `other` says something."""
        names = [option.name for option in fields(self)]
        changes = {name: value for name in names if (value := getattr(other, name))}
        # Session policies add up, and transitive keys are keys of their tags: halves of two pairs are no pair.
        for pair in (("policy", "policy_arns"), ("tags", "transitive_tag_keys")):
            if changes.keys() & set(pair):
                changes.update({name: getattr(other, name) for name in pair})
        return replace(self, **changes)

    def _check_region(self, role: Role, region: object) -> None:
        try:
            role.replace(sts_region_name=region)
        except ConfigError as error:
            error.option = "region_name"
            raise

    def _policy_account(self) -> str:
        arns: object = self.policy_arns
        for arn in arns if isinstance(arns, list | tuple) else ():
            policy = Arn.of(arn) if isinstance(arn, str) else None
            if policy is not None and is_account_id(policy.account_id):
                return policy.account_id
        return "000000000000"


def _checked_command(command: object) -> tuple[str, ...] | None:
    try:
        parts = shlex.split(command) if isinstance(command, str) else command
    except ValueError as error:
        raise _invalid_command(command, str(error)) from None
    if parts is None:
        return None
    if (
        not isinstance(parts, list | tuple)
        or not parts
        or not all(isinstance(part, str) and "\0" not in part for part in parts)
        or not parts[0]
    ):
        raise _invalid_command(command, "a program and its arguments, as a list of strings or one string")
    return tuple(parts)


def _invalid_command(command: object, rule: str) -> ConfigError:
    # Not shown: some programs take the device's secret as an argument.
    return ConfigError.invalid(command, "mfa_command", rule, secret=True)


def _checked_mfa_duration(value: object) -> int | None:
    seconds = whole_seconds(value, MIN_MFA_DURATION_SECONDS, MAX_MFA_DURATION_SECONDS)
    if value is not None and seconds is None:
        raise InvalidRoleError.invalid(value, "mfa_duration_seconds", "900 to 129600 whole seconds")
    return seconds


DEFAULT_OPTIONS = frozenset(option.name for option in fields(Defaults))
"""The names of all defaults."""

COMMAND_OPTIONS = frozenset({"mfa_command"})
"""The defaults that are programs to run: a file that others may write must not set them."""


def as_defaults(options: Mapping[str, Any]) -> Defaults:
    """The defaults that a mapping of options holds.

    Raises:
        ConfigError: There is no default of that name.
        InvalidRoleError: A value which STS would refuse.
    """
    for name in options:
        if name == "external_id":
            msg = "external_id has no default: it is agreed on for one role"
            raise ConfigError(msg, hint="give it to the Role")
        if name not in DEFAULT_OPTIONS:
            msg = f"there is no default {shown(name)}"
            raise ConfigError(
                msg, hint=did_you_mean(name, DEFAULT_OPTIONS, f"use one of {', '.join(sorted(DEFAULT_OPTIONS))}")
            )
    return Defaults(**options)
