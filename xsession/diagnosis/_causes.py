"""Why STS refused, from its code and its words; where those leave it open, what is possible, most likely first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from xsession._aws import Denial, hint_for, is_denied, read_denial, same_code
from xsession._base import frozen
from xsession.errors import ConfigError, MfaError, WrongAccountError, XSessionError
from xsession.policies import Policy
from xsession.roles import inherited_key

from . import _remedies as remedies
from ._attempt import Attempt
from ._possible_causes import missing, no_permission, not_trusted, possible_causes
from ._report import Cause
from ._trust_causes import trust_causes


@frozen(kw_only=True)
class InspectedRole:
    """What IAM says of the role that was asked for.

    Args:
        arn: Its ARN; None: there is no role of that name.
        trust: Its trust policy; None: it is in no form that can be judged here.
        max_session_duration: In seconds.
        others: The names of the account's other roles, where they were asked for.
    """

    arn: str | None
    trust: Policy | None = None
    max_session_duration: int = 3_600
    others: Sequence[str] = ()


@frozen(kw_only=True)
class Permission:
    """What IAM's simulation says of one action of the caller.

    Args:
        action: "sts:AssumeRole", ...
        allowed: Whether the caller's own policies allow it.
        explicit: Whether a statement denies it.
        reason: The kind of policy that is the reason, as `Denial.policy`.
        missing: Condition keys that the simulation was not told of.
    """

    action: str
    allowed: bool
    explicit: bool = False
    reason: str = "identity-based"
    missing: Sequence[str] = ()


@frozen(kw_only=True)
class Facts:
    """What was looked at beside STS's answer.

    Args:
        role: What IAM says of the role; None: it was not asked.
        permissions: What it says of the caller's permissions; None: it was not asked.
    """

    role: InspectedRole | None = None
    permissions: Sequence[Permission] | None = None


@frozen
class _Plain:
    # A code that says it all. Without a hint of its own it has that of every error with this code.
    kind: str
    message: str
    hint: str | None = None


_PLAIN: Mapping[str, _Plain] = {
    "RegionDisabled": _Plain(
        "region-off",
        "STS is off in {region} for account {account}",
        "set sts_region_name= of this role to another region, or have the account activate STS in {region}",
    ),
    "ExpiredToken": _Plain("credentials-expired", "{whose} credentials have ended", "{renew}"),
    "InvalidClientTokenId": _Plain(
        "key-unknown",
        "{whose} access key is not known: deleted, or its user or role is gone, or the region {region} must be enabled",
        "{renew}; if the key is good, set sts_region_name= to a region that is enabled",
    ),
    "SignatureDoesNotMatch": _Plain(
        "secret-wrong",
        "{whose} secret access key does not belong to its access key id",
    ),
    "MalformedPolicyDocument": _Plain("policy-malformed", "STS does not take the session policy"),
    "PackedPolicyTooLarge": _Plain(
        "policy-too-large",
        "session policies and tags together are over AWS's packed limit",
    ),
}


def is_about_duration(error: XSessionError) -> bool:
    """Whether STS refused the duration, of which the role has a maximum."""
    return same_code(error.code) == "ValidationError" and "MaxSessionDuration" in error.message


def unseen(attempt: Attempt, facts: Facts) -> Iterator[str]:
    """Which identity would see more, in words.

    Args:
        attempt: The request.
        facts: What was seen.
    """
    if facts.role is None:
        yield f"pass using= an identity that may call iam:GetRole in account {attempt.role.account_id} to know more"
    if facts.permissions is None:
        account_id = attempt.caller.account_id
        yield f"pass using= an identity that may call iam:SimulatePrincipalPolicy in account {account_id} to know more"


def causes_at_source(error: XSessionError, region_name: str) -> tuple[Cause, ...]:
    """Why the source does not work.

    Args:
        error: What came of asking who it is.
        region_name: The region whose STS was asked.
    """
    if isinstance(error, WrongAccountError):
        return (_as_it_says("wrong-account", error),)
    return (_by_code(error, None, region_name) or _as_it_says(_source_kind(error), error),)


def causes_of(error: XSessionError, attempt: Attempt, facts: Facts) -> tuple[Cause, ...]:
    """Why a role was refused: what is certain first, then what is possible, most likely first.

    Args:
        error: What came of it.
        attempt: What was asked.
        facts: What else is known.
    """
    if is_denied(error.code):
        found = _denied(error, attempt, facts)
    elif is_about_duration(error) or "role chaining" in error.message.lower():
        found = [_duration(error, attempt, facts.role)]
    elif "conflicts with a transitive tag key" in error.message:
        found = [_inherited_tag(attempt)]
    else:
        found = [_by_code(error, attempt, attempt.region_name) or _as_it_says(_kind(error), error)]
    return tuple(sorted(dict.fromkeys(found), key=lambda cause: not cause.certain))


def _by_code(error: XSessionError, attempt: Attempt | None, region_name: str) -> Cause | None:
    if error.hint is not None and error.hint.startswith("set the local clock"):
        return Cause(kind="clock", message="the local clock is wrong", hint=error.hint, certain=True)
    plain = _PLAIN.get(same_code(error.code))
    if plain is None:
        return None
    hint = plain.hint or hint_for(error.code) or ""
    first = attempt is None or attempt.hop == 1
    words = {
        "region": region_name,
        "account": "" if attempt is None else attempt.role.account_id,
        "whose": "the source's" if first else "the hop before's",
        "renew": hint_for("ExpiredToken") if first else "try again: the role before was changed meanwhile",
    }
    return Cause(kind=plain.kind, message=plain.message.format(**words), hint=hint.format(**words), certain=True)


def _kind(error: XSessionError) -> str:
    if isinstance(error, WrongAccountError):
        return "wrong-account"
    if isinstance(error, ConfigError | MfaError):
        return "mfa-code"
    return "not-answered" if error.retryable else "other"


def _source_kind(error: XSessionError) -> str:
    if error.hop == 0:
        return "source-credentials"
    return "not-answered" if error.retryable else "other"


def _as_it_says(kind: str, error: XSessionError) -> Cause:
    hint = error.hint or ("try again later" if error.retryable else "see what AWS says")
    return Cause(kind=kind, message=error.message, hint=hint, certain=True)


def _duration(error: XSessionError, attempt: Attempt, role: InspectedRole | None) -> Cause:
    asked = attempt.role.duration_seconds or 3_600
    if "role chaining" in error.message.lower():
        return Cause(
            kind="duration-over-chain-limit",
            message=f"{asked} s were asked for, and a role assumed by a role's session lives 3600 s at most",
            hint="set duration_seconds= of this role to 3600 or less; credentials are refreshed anyway",
            certain=True,
        )
    known = None if role is None or role.arn is None else role.max_session_duration
    limit = "the role's maximum" if known is None else f"the role's maximum of {known} s"
    return Cause(
        kind="duration-over-maximum",
        message=f"{asked} s were asked for, which is over {limit}",
        hint=f"set duration_seconds= of this role to {known or 3_600} or less, or have its MaxSessionDuration raised",
        certain=True,
        arn=attempt.role.role_arn,
    )


def _inherited_tag(attempt: Attempt) -> Cause:
    # Those of a source that is a role's session are not known.
    key = inherited_key(attempt.role.tags, attempt.inherited_tags)
    possible = list(attempt.role.tags) if key is None else [key]
    which = f"the session tag {possible[0]}" if len(possible) == 1 else f"one of the session tags {', '.join(possible)}"
    return Cause(
        kind="tags",
        message=f"{which} is inherited from the session before, where it is transitive, and can't be set again",
        hint="leave it out of tags= of this role; AWS ignores the case of keys",
        certain=True,
    )


def _denied(error: XSessionError, attempt: Attempt, facts: Facts) -> list[Cause]:
    denial = read_denial(error.message)
    if "MultiFactorAuthentication failed" in error.message:
        hint = "give the current code of the device, each only once, and compare mfa_serial= with the device"
        serial = attempt.role.mfa_serial
        return [Cause(kind="mfa-code", message=f"the MFA code of {serial} is wrong", hint=hint, certain=True)]
    if attempt.caller.is_root:
        hint = "use the credentials of a user or a role"
        return [Cause(kind="root-user", message="the root user may not assume roles", hint=hint, certain=True)]
    if denial.action == "sts:SetSourceIdentity" and (conflict := _conflict_of_identities(attempt)):
        return [conflict]
    stated = [_stated(denial, attempt)] if denial.policy is not None or denial.explicit else []
    looked_at = [*_about_role(attempt, facts.role)]
    if not stated:
        # A simulation knows neither session policies nor those of the organization; AWS's words do.
        looked_at += _about_permissions(attempt, facts.permissions)
    certain = [cause for cause in (*stated, *looked_at) if cause.certain]
    if certain:
        kinds = {cause.kind for cause in stated}
        return [*stated, *(cause for cause in looked_at if cause.kind not in kinds)]
    role = facts.role
    possible = possible_causes(
        denial.action or "sts:AssumeRole",
        attempt,
        role_seen=role is not None,
        trust_seen=role is not None and role.trust is not None,
        permissions_seen=facts.permissions is not None,
    )
    return [*looked_at, *possible]


def _conflict_of_identities(attempt: Attempt) -> Cause | None:
    held, wanted = attempt.source_identity, attempt.role.source_identity
    if held is None or wanted in (None, held):
        return None
    return Cause(
        kind="source-identity",
        message=f"the session has the source identity {held} already, which {wanted} can't replace",
        hint=f"leave source_identity= of this role out, or set it to {held}",
        certain=True,
    )


def _stated(denial: Denial, attempt: Attempt) -> Cause:
    """What AWS's words say."""
    principal, action = attempt.caller.principal, denial.action
    policy = denial.policy or ""
    if policy == "identity-based" and not denial.explicit:
        return replace(no_permission(attempt), certain=True)
    what = f"{'denies' if denial.explicit else 'does not allow'} {action} to {principal}"
    kind, owner = {
        "identity-based": ("explicit-deny", f"have the deny changed in {remedies.holder_of_permissions(attempt)}"),
        "session": ("session-policy", f"have the session of {principal} made with a session policy that allows it"),
        "permissions boundary": ("permissions-boundary", f"have the permissions boundary of {principal} changed"),
        "resource-based": ("explicit-deny", f"have it changed in the trust policy of {attempt.role.role_arn}"),
        "service control": ("service-control-policy", f"ask who runs the organization of {attempt.caller.account_id}"),
        "resource control": ("resource-control-policy", f"ask who runs the organization of {attempt.role.account_id}"),
    }.get(policy, ("explicit-deny" if denial.explicit else "other-policy", "have that policy changed"))
    if policy == "resource-based" and not denial.explicit:
        return replace(not_trusted(attempt), certain=True)
    of = policy if policy == "permissions boundary" else f"{policy} policy".strip()
    named = "" if denial.policy_arn is None else f" ({denial.policy_arn})"
    message = f"a {of}{named} {what}".replace("a identity", "an identity")
    return Cause(kind=kind, message=message, hint=owner, certain=True, arn=denial.policy_arn)


def _about_role(attempt: Attempt, role: InspectedRole | None) -> Sequence[Cause]:
    if role is None:
        return ()
    if role.arn is None:
        return (replace(missing(attempt, role.others), certain=True),)
    if role.arn != attempt.role.role_arn:
        message = f"the role is {role.arn}, on another path than {attempt.role.role_arn}"
        return (Cause(kind="role-missing", message=message, hint="correct the role's ARN", certain=True),)
    return () if role.trust is None else trust_causes(role.trust, attempt)


def _about_permissions(attempt: Attempt, permissions: Sequence[Permission] | None) -> Iterator[Cause]:
    for permission in permissions or ():
        if permission.allowed:
            continue
        denial = Denial(permission.action, None, permission.reason, permission.explicit)
        cause = _stated(denial, attempt)
        # What the simulation was not told of may be what the policy asks for.
        yield replace(cause, certain=not permission.missing)
