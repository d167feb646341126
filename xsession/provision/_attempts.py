"""What to send to assume a role, by what its trust policy asks for; and what can't be sent.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-sts
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from xsession._base import frozen
from xsession.errors import InvalidPolicyError, InvalidRoleError
from xsession.policies import Statement, acts_on, as_policy
from xsession.roles import MIN_DURATION_SECONDS, Role

if TYPE_CHECKING:
    from ._role_spec import RoleSpec

# The last one counts where a key is in several: it leaves no choice.
_EQUALITIES = ("StringLike", "StringEqualsIgnoreCase", "StringEquals")
_SESSION_NAME = "sts:rolesessionname"
_SENT = frozenset({"sts:externalid", _SESSION_NAME, "sts:sourceidentity"})
_MFA = frozenset({"aws:multifactorauthpresent", "aws:multifactorauthage"})
_TAGS = ("aws:requesttag/", "aws:tagkeys", "sts:transitivetagkeys")
# Services of AWS send these, with the requests that they make themselves.
_OF_SERVICES = (
    *("aws:sourceaccount", "aws:sourcearn", "aws:sourceorg", "aws:principalisawsservice", "aws:viaawsservice"),
    "sts:requestcontext",
)
# Where and when a request is made: whether that is met, no waiting changes.
_SURROUNDINGS = frozenset(
    {
        *("aws:currenttime", "aws:epochtime", "aws:requestedregion", "aws:sourceip", "aws:sourcevpc"),
        *("aws:sourcevpcarn", "aws:sourcevpce", "aws:useragent", "aws:vpceaccount", "aws:vpceorgid"),
        *("aws:vpceorgpaths", "aws:vpcsourceip"),
    }
)
# What these operators say of a key that is not there.
_MEANS_NONE = {"null": "true", "bool": "false"}


@frozen
class RoleAttempt:
    """One way to assume the role.

    Args:
        role: The role, with what one statement of its trust policy asks for.
        surroundings: The condition keys of that statement which depend on where and when the request is made.
    """

    role: Role
    surroundings: tuple[str, ...]


def attempts(spec: RoleSpec, *, may_have_mfa: Callable[[], bool]) -> list[RoleAttempt]:
    """An attempt for each statement of the trust policy that can be met; a wildcard there is filled in.

    Args:
        spec: The role.
        may_have_mfa: Whether the caller's credentials may be of a session that MFA was passed for.

    Raises:
        InvalidPolicyError: There is none.
    """
    allowing = [entry for entry in as_policy(spec.trust).statements if entry.effect == "Allow"]
    statements = [entry for entry in allowing if acts_on(entry, "sts:AssumeRole")]
    if not statements:
        msg = "assume_from can't be used: the trust policy trusts no principal that has AWS credentials"
        raise InvalidPolicyError(msg, hint="leave assume_from out")
    obstacles = [list(_obstacles(statement, may_have_mfa)) for statement in statements]
    open_ones = [statement for statement, found in zip(statements, obstacles, strict=True) if not found]
    if not open_ones:
        missing = "; ".join(dict.fromkeys(obstacle for found in obstacles for obstacle in found))
        msg = f"assume_from can't be used: the trust policy asks for what can't be sent: {missing}"
        raise InvalidPolicyError(msg, hint="leave assume_from out, and try the role with what it asks for")
    try:
        return [RoleAttempt(_role(spec, statement), _surroundings(statement)) for statement in open_ones]
    except InvalidRoleError as error:
        msg = f"assume_from can't be used: of what the trust policy asks for, {error.message}"
        raise InvalidPolicyError(msg) from None


def _role(spec: RoleSpec, statement: Statement) -> Role:
    wanted = _wanted(statement)
    return Role(
        spec.role_arn("0" * 12),
        role_session_name=wanted.get(_SESSION_NAME, "xsession-provision"),
        external_id=wanted.get("sts:externalid"),
        source_identity=wanted.get("sts:sourceidentity"),
        duration_seconds=MIN_DURATION_SECONDS,
    )


def _wanted(statement: Statement) -> dict[str, str]:
    """The condition keys, in lower case, which a statement compares with a string that is known here."""
    return {
        key.lower(): known[0].replace("*", "xsession").replace("?", "x")
        for operator in _EQUALITIES
        for key, values in _compared(statement, operator)
        if (known := [value for value in values if "${" not in value])
    }


def _compared(statement: Statement, operator: str) -> Iterator[tuple[str, Sequence[str]]]:
    # Of the keys that are sent, each request has this one.
    for key, values in statement.conditions.get(f"{operator}IfExists", {}).items():
        if key.lower() == _SESSION_NAME:
            yield key, values
    yield from statement.conditions.get(operator, {}).items()


def _obstacles(statement: Statement, may_have_mfa: Callable[[], bool]) -> Iterator[str]:
    """What a statement demands that is not sent, in words."""
    unknown = _SENT - _wanted(statement).keys()
    for key, values in _demands(statement):
        name = key.lower()
        variables = [value for value in values if "${" in value]
        if name in _MFA and not may_have_mfa():
            yield f"MFA ({key}), which long-term access keys never have"
        elif name.startswith(_TAGS):
            yield f"session tags ({key})"
        elif name.startswith(_OF_SERVICES) or "." in name.partition(":")[0]:
            yield f"what a service of AWS or an identity provider sends ({key})"
        elif name in unknown and (variables or name != _SESSION_NAME):
            yield f"a value that is not known here ({' '.join([key, *variables])})"


def _surroundings(statement: Statement) -> tuple[str, ...]:
    keys = {key for conditions in statement.conditions.values() for key in conditions}
    return tuple(sorted(key for key in keys if key.lower() in _SURROUNDINGS))


def _demands(statement: Statement) -> Iterator[tuple[str, Sequence[str]]]:
    """The keys, with their values, of conditions that a request without the key does not meet."""
    for operator, conditions in statement.conditions.items():
        quantifier, _, plain = operator.lower().rpartition(":")
        if quantifier == "forallvalues" or plain.endswith("ifexists") or "not" in plain:
            continue
        for key, values in conditions.items():
            if not (plain in ("null", "bool") and all(value.lower() == _MEANS_NONE[plain] for value in values)):
                yield key, values
