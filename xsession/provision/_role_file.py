"""Roles in a TOML file: what `RoleSpec` takes, by its own names; policies as documents or by their functions."""

from __future__ import annotations

import inspect
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from xsession import policies
from xsession._base import did_you_mean, hides_frames
from xsession.errors import ConfigError, shown
from xsession.policies import Policy, as_policy

READY_MADE: Mapping[str, Callable[..., Policy]] = {
    function.__name__: function
    for function in (
        policies.allow,
        policies.assume_roles,
        policies.cloudwatch_read,
        policies.deny,
        policies.dynamodb_read,
        policies.ec2_describe,
        policies.ec2_start_stop,
        policies.logs_read,
        policies.s3_read,
        policies.s3_write,
        policies.secrets_read,
        policies.ssm_parameters_read,
    )
}
ROLE_KEYS = frozenset(
    {
        "description",
        "managed_policy_arns",
        "max_session_duration",
        "path",
        "permissions",
        "permissions_boundary",
        "tags",
        "trust",
        "trust_policy_quota",
    }
)
_DOCUMENT = "Statement"


@hides_frames(ConfigError)  # external ids
def read_role(path: str | os.PathLike[str], name: str | None) -> tuple[str, dict[str, Any]]:
    """The name of a role of a file, and the other arguments of its `RoleSpec`.

    Args:
        path: The file.
        name: Which role; None: the only one.

    Raises:
        ConfigError: The file can't be read, or says what is not valid; names the place.
    """
    file = Path(path).expanduser()
    content = _load(file)
    with _At(str(file)):
        _check_keys(content, {"roles"})
        roles = _table(content.get("roles", {}))
        chosen = _chosen(roles, name)
        with _At(f"roles.{chosen}"):
            table = dict(_table(roles[chosen]))
            _check_keys(table, ROLE_KEYS)
            if "trust" not in table:
                msg = "a role needs a trust policy"
                raise ConfigError(msg, hint='add trust = { principals = ["<account id>"] }')
            with _At("trust"):
                table["trust"] = _policy(table["trust"], lambda part: _called(policies.trust, part))
            if "permissions" in table:
                with _At("permissions"):
                    table["permissions"] = _policy(table["permissions"], _ready_made)
    return chosen, table


class _At:
    """A place in the file, which errors within it are told."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, ConfigError):
            error.within(self._place)


def _load(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{file} can't be read: {error.strerror}"
        raise ConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{file} is no TOML: {error}"
        raise ConfigError(msg) from None


def _chosen(roles: Mapping[str, object], name: str | None) -> str:
    if name is None and len(roles) == 1:
        return next(iter(roles))
    if name is not None and name in roles:
        return name
    if not roles:
        msg = "there is no role in it"
        raise ConfigError(msg, hint="add a table [roles.NAME]")
    listed = f"name one of {', '.join(roles)}"
    if name is None:
        msg = f"there are {len(roles)} roles in it"
        raise ConfigError(msg, hint=listed)
    msg = f"there is no role {shown(name)} in it"
    raise ConfigError(msg, hint=did_you_mean(name, roles, listed))


def _policy(value: object, made: Callable[[Mapping[str, Any]], Policy]) -> Policy:
    """A policy: one table or several, each a document of IAM's or what `made` understands."""
    parts = [_table(part) for part in (value if isinstance(value, list) else [value])]
    if not parts:
        msg = "a list of tables needs one at least"
        raise ConfigError(msg)
    return reduce(add, (as_policy(part) if _DOCUMENT in part else made(part) for part in parts))


def _ready_made(part: Mapping[str, Any]) -> Policy:
    _check_keys(part, READY_MADE.keys() | {_DOCUMENT})
    if not part:
        msg = "the table is empty"
        raise ConfigError(msg, hint=f"write a policy, or one of {', '.join(READY_MADE)}")
    made = []
    for name, arguments in part.items():
        with _At(name):
            made.append(_called(READY_MADE[name], _table(arguments)))
    return reduce(add, made)


def _called(function: Callable[..., Policy], arguments: Mapping[str, Any]) -> Policy:
    """What a function of `xsession.policies` makes of arguments by name; its list of names is an array."""
    parameters = inspect.signature(function).parameters
    _check_keys(arguments, parameters)
    positional: Iterable[object] = ()
    named = dict(arguments)
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional = named.pop(name, ())
            if not isinstance(positional, list | tuple):
                raise ConfigError.invalid(positional, name, "an array of strings")
        elif isinstance(parameter.default, bool) and not isinstance(named.get(name, False), bool):
            raise ConfigError.invalid(named[name], name, "true or false")
        elif parameter.default is parameter.empty and name not in named:
            msg = f"{name} is missing"
            raise ConfigError(msg)
    try:
        return function(*positional, **named)
    except (TypeError, AttributeError) as error:
        msg = f"a value has a type that it can't have: {error}"
        raise ConfigError(msg) from None


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        msg = f"a table is needed here, not {shown(value)}"
        raise ConfigError(msg)
    return value


def _check_keys(table: Mapping[str, object], known: Iterable[str]) -> None:
    known = list(known)
    for key in table:
        if key not in known:
            msg = f"unknown key {shown(key)}"
            raise ConfigError(msg, hint=did_you_mean(key, known, f"use one of {', '.join(sorted(known))}"))
