"""What may be the reason of a denial that AWS's words leave open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from xsession._base import did_you_mean

from . import _remedies as remedies
from ._attempt import Attempt
from ._report import Cause


def possible_causes(
    action: str, attempt: Attempt, *, role_seen: bool, trust_seen: bool, permissions_seen: bool
) -> Iterator[Cause]:
    """What it may be, most likely first, but for what was looked at and found to be as it should be.

    Args:
        action: What was denied: "sts:AssumeRole", "sts:TagSession" or "sts:SetSourceIdentity".
        attempt: The request.
        role_seen: Whether the role is known to be there.
        trust_seen: Whether its trust policy was judged.
        permissions_seen: Whether the caller's permissions were.
    """
    of_trust = (
        [] if trust_seen else [cause for make in _OF_TRUST.get(action, _OF_ASSUME_ROLE) if (cause := make(attempt))]
    )
    yield from of_trust[:1]
    if not permissions_seen:
        yield no_permission(attempt)
    yield from of_trust[1:]
    yield _denied_elsewhere(attempt)
    if not role_seen and action == "sts:AssumeRole":
        yield missing(attempt, ())
    if trust_seen:
        yield Cause(
            kind="not-in-force-yet",
            message="a policy that was changed some seconds ago is not in force everywhere yet",
            hint="try again in a minute",
        )


def not_trusted(attempt: Attempt) -> Cause:
    """The trust policy lacks the caller."""
    return Cause(
        kind="not-trusted",
        message=f"the role's trust policy does not name {attempt.caller.principal}",
        hint=remedies.where_to_trust(attempt),
        policy=remedies.trust_for(attempt),
        arn=attempt.role.role_arn,
    )


def no_permission(attempt: Attempt) -> Cause:
    """The caller's own policies lack the role."""
    return Cause(
        kind="identity-policy",
        message=f"no policy of {attempt.caller.principal} allows {' and '.join(attempt.actions)} on the role",
        hint=f"allow it in {remedies.holder_of_permissions(attempt)}",
        policy=remedies.permission_for(attempt),
        arn=attempt.caller.principal,
    )


def missing(attempt: Attempt, others: Sequence[str]) -> Cause:
    """There is no such role.

    Args:
        attempt: The request.
        others: The names of the account's roles.
    """
    role = attempt.role
    hint = did_you_mean(role.name, others, "compare the role's ARN with that in the account", most=3, alike=0.75)
    return Cause(
        kind="role-missing",
        message=f"account {role.account_id} has no role {role.name}",
        hint=hint,
    )


def _external_id(attempt: Attempt) -> Cause:
    if attempt.role.external_id is None:
        return Cause(
            kind="external-id-missing",
            message="the role's trust policy asks for an external id, and none is sent",
            hint="set external_id= of this role to what its owner agreed with you",
        )
    return Cause(
        kind="external-id-wrong",
        message="the role's trust policy asks for another external id than the one that is sent",
        hint="compare external_id= of this role with what its owner agreed with you",
    )


def _mfa(attempt: Attempt) -> Cause | None:
    if attempt.role.mfa_serial is not None:
        return None
    return Cause(
        kind="mfa-missing",
        message="the role's trust policy asks for MFA, and none was passed",
        hint=remedies.mfa_hint(attempt),
    )


def _session_name(attempt: Attempt) -> Cause:
    return Cause(
        kind="session-name",
        message=f"the role's trust policy asks for another session name than {attempt.role.role_session_name}",
        hint="set role_session_name= of this role to one that the trust policy takes",
    )


def _source_identity(attempt: Attempt) -> Cause:
    what = "a source identity" if attempt.identity is None else f"another source identity than {attempt.identity}"
    return Cause(
        kind="source-identity",
        message=f"the role's trust policy asks for {what}",
        hint="set source_identity= of the first role to one that the trust policy takes",
    )


def _tags(attempt: Attempt) -> Cause:
    what = "other session tags" if attempt.tags else "session tags"
    return Cause(
        kind="tags",
        message=f"the role's trust policy asks for {what}",
        hint="set tags= of this role to those that the trust policy takes",
    )


def _may_not_tag(attempt: Attempt) -> Cause:
    return _action_not_allowed(attempt, "sts:TagSession", "tags", "session tags, own or inherited ones")


def _may_not_set_identity(attempt: Attempt) -> Cause:
    return _action_not_allowed(attempt, "sts:SetSourceIdentity", "source-identity", "a source identity")


def _action_not_allowed(attempt: Attempt, action: str, kind: str, what: str) -> Cause:
    return Cause(
        kind=kind,
        message=f"the role's trust policy does not allow {what} ({action})",
        hint=f"allow {action} in the trust policy of {attempt.role.role_arn}, or send none",
        policy=remedies.trust_for_action(attempt, action),
        arn=attempt.role.role_arn,
    )


def _denied_elsewhere(attempt: Attempt) -> Cause:
    return Cause(
        kind="explicit-deny",
        message="an explicit deny, a session policy, or a policy of the organization or of a VPC endpoint refuses it",
        hint=f"ask who runs the organizations of {attempt.caller.account_id} and {attempt.role.account_id}",
    )


_Make = Callable[[Attempt], Cause | None]
_OF_ASSUME_ROLE: Sequence[_Make] = (not_trusted, _external_id, _mfa, _session_name, _source_identity, _tags)
_OF_TRUST: Mapping[str, Sequence[_Make]] = {
    "sts:TagSession": (_may_not_tag,),
    "sts:SetSourceIdentity": (_may_not_set_identity,),
}
