"""Makes trust policies: who may assume a role, and under which conditions."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence

from xsession._aws import iam_arn, is_account_id, oidc_claims
from xsession._base import did_you_mean, hides_frames
from xsession.errors import ConfigError, InvalidPolicyError, shown

from ._document import Conditions, Policy, Statement
from ._findings import PolicyWarning, findings, provider_host
from ._statement_values import SERVICE_PRINCIPAL, checked_conditions
from ._writing import refuse_as_trust_policy, refuse_meaningless

# Providers that IAM knows by their domain; one of them looks like a service.
_WEB_IDENTITY_DOMAINS = frozenset({"accounts.google.com", "cognito-identity.amazonaws.com"})
# Of the claims that are numbers, the operator.
_NUMERIC = {"google/organization_number": "NumericEquals"}
_STS_AUDIENCE = "sts.amazonaws.com"


@hides_frames(ConfigError)
def trust(
    *principals: str,
    external_id: str | Iterable[str] | None = None,
    mfa_required: bool = False,
    organization_id: str | None = None,
    role_session_name: str | Iterable[str] | None = None,
    source_identity: str | Iterable[str] | None = None,
    session_tags: Iterable[str] = (),
    subject: str | Iterable[str] | None = None,
    audience: str | Iterable[str] | None = None,
    claims: Mapping[str, str | Iterable[str]] | None = None,
    conditions: Conditions | None = None,
    third_party: bool = False,
    partition: str = "aws",
) -> Policy:
    """A trust policy: who may assume a role, and under which conditions.

    What auditors flag in it comes as a `PolicyWarning`; `findings` says the same of any policy.

    Args:
        principals: Account ids, ARNs of users, roles, sessions or identity providers, and services; "*" is
            everyone, and no other name has a wildcard.
        external_id: The external id, or ids, of which the caller must send one.
        mfa_required: Whether the caller must have passed MFA.
        organization_id: The AWS Organizations id, "o-...", that the caller's account must belong to.
        role_session_name: Session names of which the caller must send one; * and ? are wildcards.
        source_identity: Source identities of which the caller must send one; * and ? are wildcards.
        session_tags: Keys of the session tags that the caller may send; * and ? are wildcards.
        subject: Subjects of which an OIDC provider's token must have one; * and ? are wildcards. GitHub's are
            "repo:<owner>@<id>/<repository>@<id>:ref:refs/heads/<branch>" and the like, without the ids in repositories
            that are older than June 2026; those of EKS "system:serviceaccount:<namespace>:<name>".
        audience: Audiences of which an OIDC provider's token must have one. None: "sts.amazonaws.com" for GitHub and
            EKS, and for others whatever the provider in IAM lists.
        claims: Further claims of an OIDC provider's token, such as "repository_owner_id", to the values of which it
            must have one; * and ? are wildcards. AWS has keys for some claims of GitHub, GitLab, Buildkite, CircleCI,
            Google and Oracle.
            https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
        conditions: Further conditions of every statement.
        third_party: Whether the accounts belong to another party, such as a vendor, and so need an external id.
        partition: The partition of account ids among the principals.

    Raises:
        InvalidPolicyError: No principal, a value which IAM would refuse, such as a wildcard in a principal, a condition
            without a value, or one that a principal can't meet.
    """
    asked_of_aws = {
        ("StringEquals", "sts:ExternalId"): external_id,
        ("Bool", "aws:MultiFactorAuthPresent"): "true" if mfa_required else None,
        ("StringEquals", "aws:PrincipalOrgID"): organization_id,
    }
    asked_of_all = {
        ("StringLike", "sts:RoleSessionName"): role_session_name,
        ("StringLike", "sts:SourceIdentity"): source_identity,
    }
    tag_keys = _listed("session_tags", session_tags)
    statements: list[Statement] = []
    for action, names in _by_action(principals, partition):
        _check_askable(names, asked_of_aws, {"subject": subject, "audience": audience, "claims": claims or None})
        asked = {**asked_of_aws, **asked_of_all, **_token_conditions(names, subject, audience, claims or {})}
        by_action: dict[str, Conditions] = {action: _merged({} if conditions is None else conditions, asked)}
        if source_identity is not None:
            by_action["sts:SetSourceIdentity"] = {"StringLike": {"sts:SourceIdentity": source_identity}}
        if tag_keys:
            by_action["sts:TagSession"] = {"ForAllValues:StringLike": {"aws:TagKeys": tag_keys}}
        statements += [
            Statement(effect="Allow", principals=names, actions=[allowed], conditions=wanted)
            for allowed, wanted in by_action.items()
        ]
    if not statements:
        msg = "a trust policy names at least one principal"
        raise InvalidPolicyError(msg, hint='pass an account id such as "111111111111", or the ARN of a role')
    policy = Policy(statements)
    refuse_as_trust_policy(policy)
    refuse_meaningless(policy)
    for finding in findings(policy, third_party=third_party):
        # The caller's line: between it and this one is the frame of `hides_frames`.
        warnings.warn(finding.message, PolicyWarning, stacklevel=3)
    return policy


def _by_action(principals: Sequence[str], partition: str) -> list[tuple[str, dict[str, list[str]]]]:
    """The principals that can share a statement, by kind: all but OIDC providers, whose keys bear their names."""
    shared: dict[str, dict[str, list[str]]] = {}
    apart: list[tuple[str, dict[str, list[str]]]] = []
    for principal in principals:
        kind, name, action = _principal(principal, partition)
        if action == "sts:AssumeRoleWithWebIdentity":
            apart.append((action, {kind: [name]}))
        else:
            shared.setdefault(action, {}).setdefault(kind, []).append(name)
    return [*shared.items(), *apart]


def _check_askable(
    names: Mapping[str, Sequence[str]],
    asked_of_aws: Mapping[tuple[str, str], object],
    asked_of_tokens: Mapping[str, object],
) -> None:
    """Refuses conditions on what a principal's requests never have: no caller could assume the role."""
    wrong = [key for (_, key), value in asked_of_aws.items() if value is not None and names.keys() != {"AWS"}]
    if _oidc_provider(names) is None:
        wrong += [name for name, value in asked_of_tokens.items() if value is not None]
    if wrong:
        names_text = ", ".join(name for chosen in names.values() for name in chosen)
        msg = f"requests of {names_text} never have {wrong[0]}"
        hint = "make a trust policy for each kind of principal and add them: trust(...) + trust(...)"
        raise InvalidPolicyError(msg, hint=hint)


def _token_conditions(
    names: Mapping[str, Sequence[str]],
    subject: str | Iterable[str] | None,
    audience: str | Iterable[str] | None,
    claims: Mapping[str, object],
) -> dict[tuple[str, str], object]:
    provider = _oidc_provider(names)
    if provider is None:
        return {}
    known = oidc_claims(provider)
    for claim in claims:
        if claim not in known:
            msg = f"AWS has no condition key for {shown(claim)} of {provider}, so that the condition would never hold"
            raise InvalidPolicyError(
                msg, hint=did_you_mean(str(claim), known, f"use one of {', '.join(sorted(known))}")
            )
    if audience is None and (provider == "token.actions.githubusercontent.com" or provider.startswith("oidc.eks.")):
        audience = _STS_AUDIENCE
    further = {(_NUMERIC.get(claim, "StringLike"), f"{provider}:{claim}"): value for claim, value in claims.items()}
    return {("StringEquals", f"{provider}:aud"): audience, ("StringLike", f"{provider}:sub"): subject, **further}


def _oidc_provider(names: Mapping[str, Sequence[str]]) -> str | None:
    return next(filter(None, map(provider_host, names.get("Federated", ()))), None)


def _merged(conditions: Conditions, asked: Mapping[tuple[str, str], object]) -> dict[str, dict[str, object]]:
    wanted: dict[str, dict[str, object]] = {
        operator: dict(keys) for operator, keys in checked_conditions(conditions).items()
    }
    for (operator, key), value in asked.items():
        if value is not None:
            wanted.setdefault(operator, {})[key] = value
    return wanted


def _listed(name: str, values: object) -> list[object]:
    if isinstance(values, str):
        return [values]
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise InvalidPolicyError.invalid(values, name, "a list")
    return list(values)


def _principal(principal: object, partition: str) -> tuple[str, str, str]:
    if not isinstance(principal, str):
        raise InvalidPolicyError.invalid(principal, "principal", "a string: an account id, an ARN or a service")
    if is_account_id(principal):
        return "AWS", iam_arn(partition, principal, "root"), "sts:AssumeRole"
    if principal in _WEB_IDENTITY_DOMAINS or ":oidc-provider/" in principal:
        return "Federated", principal, "sts:AssumeRoleWithWebIdentity"
    if SERVICE_PRINCIPAL.fullmatch(principal):
        return "Service", principal, "sts:AssumeRole"
    if ":saml-provider/" in principal:
        return "Federated", principal, "sts:AssumeRoleWithSAML"
    return "AWS", principal, "sts:AssumeRole"
