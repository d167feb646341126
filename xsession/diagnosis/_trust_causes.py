"""Why a trust policy does not let a request in, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xsession.policies import Condition, Policy, TrustDecision, TrustVerdict, is_unique_id, judge_trust

from . import _remedies as remedies
from ._attempt import Attempt
from ._report import Cause

_ACTION_OF_KIND = {"sts:TagSession": "tags", "sts:SetSourceIdentity": "source-identity"}
_KINDS: Mapping[str, str] = {
    "aws:multifactorauthpresent": "mfa-missing",
    "aws:multifactorauthage": "mfa-missing",
    "sts:rolesessionname": "session-name",
    "sts:sourceidentity": "source-identity",
    "aws:sourceidentity": "source-identity",
    "aws:tagkeys": "tags",
    "sts:transitivetagkeys": "tags",
    "aws:principalarn": "not-trusted",
    "aws:principalaccount": "not-trusted",
    "aws:principaltype": "not-trusted",
    "aws:userid": "not-trusted",
    "aws:username": "not-trusted",
    "aws:requestedregion": "region",
    "aws:currenttime": "time",
    "aws:epochtime": "time",
}
_HINTS: Mapping[str, str] = {
    "external-id-missing": "set external_id= of this role to what its owner agreed with you",
    "external-id-wrong": "compare external_id= of this role with what its owner agreed with you",
    "session-name": "set role_session_name= of this role to one that the trust policy takes",
    "source-identity": "set source_identity= of the first role to one that the trust policy takes",
    "tags": "set tags= of this role to those that the trust policy takes",
    "region": "set sts_region_name= of this role to a region that the trust policy takes",
    "time": "have the role's owner change the times of the trust",
    "not-trusted": "have the role's owner change that condition, or call as an identity that it means",
    "condition": "meet that condition, or have the role's owner change it",
}


def trust_causes(policy: Policy, attempt: Attempt) -> tuple[Cause, ...]:
    """Why a trust policy does not let a request in.

    Args:
        policy: The trust policy.
        attempt: The request.

    Returns:
        None of them where it does let it in.
    """
    keys = attempt.keys()
    verdicts = {action: judge_trust(policy, attempt.caller, action, keys) for action in attempt.actions}
    first = verdicts.pop("sts:AssumeRole")
    if first.says is TrustDecision.NOTHING and first.statement is None:
        # What is to be added for this covers the other actions too.
        return (_not_named(policy, attempt),)
    causes = [*_causes_of("sts:AssumeRole", first, attempt)]
    for action, verdict in verdicts.items():
        causes += _causes_of(action, verdict, attempt)
    return tuple(dict.fromkeys(causes))


def _causes_of(action: str, verdict: TrustVerdict, attempt: Attempt) -> Iterator[Cause]:
    arn = attempt.role.role_arn
    if verdict.says is TrustDecision.DENIED:
        sid = verdict.statement.sid if verdict.statement is not None else None
        named = f"statement {sid!r}" if sid else "a statement"
        yield Cause(
            kind="explicit-deny",
            message=f"{named} of the role's trust policy denies {action} to {attempt.caller.arn}",
            hint=f"have that statement changed in the trust policy of {arn}",
            certain=True,
            arn=arn,
        )
    elif verdict.says is TrustDecision.UNKNOWN:
        conditions = "; ".join(map(str, verdict.unjudged))
        yield Cause(
            kind="not-judged",
            message=f"the role's trust policy asks for what can't be judged here: {conditions}",
            hint="compare that condition with what you are and send",
            arn=arn,
        )
    elif verdict.says is TrustDecision.NOTHING and verdict.statement is None:
        yield _action_missing(action, attempt)
    elif verdict.says is TrustDecision.NOTHING:
        for condition in verdict.unmet:
            yield _unmet(action, condition, attempt)


def _not_named(policy: Policy, attempt: Attempt) -> Cause:
    names = [name for statement in policy.statements for name in statement.principals.get("AWS", ())]
    deleted = [name for name in names if is_unique_id(name)]
    also = f"; {deleted[0]} in it is a user or role that was deleted" if deleted else ""
    return Cause(
        kind="not-trusted",
        message=f"the role's trust policy does not name {attempt.caller.principal}{also}",
        hint=remedies.where_to_trust(attempt),
        certain=True,
        policy=remedies.trust_for(attempt),
        arn=attempt.role.role_arn,
    )


def _action_missing(action: str, attempt: Attempt) -> Cause:
    what = "session tags" if action == "sts:TagSession" else "a source identity"
    return Cause(
        kind=_ACTION_OF_KIND[action],
        message=f"the role's trust policy lets {attempt.caller.principal} in, but does not allow {what} ({action})",
        hint=f"allow {action} in the trust policy of {attempt.role.role_arn}, or send none",
        certain=True,
        policy=remedies.trust_for_action(attempt, action),
        arn=attempt.role.role_arn,
    )


def _unmet(action: str, condition: Condition, attempt: Attempt) -> Cause:
    kind = _kind(condition, attempt)
    hint = remedies.mfa_hint(attempt) if kind == "mfa-missing" else _HINTS[kind]
    return Cause(
        kind=kind,
        message=f"the role's trust policy asks, for {action}, for {condition}; {_sent(condition, attempt)}",
        hint=hint,
        certain=True,
        arn=attempt.role.role_arn,
    )


def _kind(condition: Condition, attempt: Attempt) -> str:
    key = condition.key.lower()
    if key == "sts:externalid":
        return "external-id-missing" if attempt.role.external_id is None else "external-id-wrong"
    return "tags" if key.startswith("aws:requesttag/") else _KINDS.get(key, "condition")


def _sent(condition: Condition, attempt: Attempt) -> str:
    values: Sequence[str] = attempt.keys().get(condition.key) or ()
    if not values:
        return "the request has none"
    if condition.key.lower() == "sts:externalid":
        return "another one is sent"
    return f"the request has {', '.join(values)}"
