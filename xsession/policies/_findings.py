"""What auditors flag in trust policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from xsession._aws import is_like
from xsession._base import frozen, public

from ._document import Policy, PolicyLike, Statement, as_policy

_EQUALITIES = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"})
_CALLER_KEYS = ("aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths")
# The claims that tell one identity, or one app, of a provider from the others; `sub` where nothing is said here.
_SUBJECT_CLAIMS = {
    "cognito-identity.amazonaws.com": ("sub", "aud"),
    "graph.facebook.com": ("id", "app_id"),
    "www.amazon.com": ("user_id", "app_id"),
}
# What subjects of GitHub and of GitLab begin with; then comes the owner, and a slash.
_OWNED = ("repo:", "project_path:")


@public
class PolicyWarning(UserWarning):
    """Something in a policy that auditors flag; turn it into an error, or off, with Python's `warnings`."""


@frozen
class Finding:
    """Something in a trust policy that auditors flag.

    Args:
        code: "anyone", "not-principal", "no-external-id", "no-subject" or "any-source-identity".
        message: What is wrong and what to do, in words.
        statement: Where.
    """

    code: str
    message: str
    statement: Statement


def findings(policy: PolicyLike, *, third_party: bool = False) -> tuple[Finding, ...]:
    """What auditors flag in a trust policy.

    Args:
        policy: A `Policy`, a mapping of IAM's own form or JSON.
        third_party: Whether the accounts that it names belong to another party, such as a vendor.

    Returns:
        Principal "*" without a condition on who calls; NotPrincipal that allows; a third party without an external id;
        an OIDC provider without a condition on the subject; a source identity that callers may choose freely.

    Raises:
        InvalidPolicyError: It is no policy.
    """
    allowed = [statement for statement in as_policy(policy).statements if statement.effect == "Allow"]
    return tuple(finding for statement in allowed for finding in _of(statement, third_party=third_party))


def allows_action(policy: Policy, action: str) -> bool:
    """Whether a statement allows an action, to any principal and under any condition."""
    return any(statement.effect == "Allow" and acts_on(statement, action) for statement in policy.statements)


def acts_on(statement: Statement, action: str) -> bool:
    """Whether a statement is about an action."""
    if statement.not_actions:
        return not _any_covers(statement.not_actions, action)
    return _any_covers(statement.actions, action)


def _of(statement: Statement, *, third_party: bool) -> Iterator[Finding]:
    aws = statement.principals.get("AWS", ())
    if "*" in aws and not _demands(statement, _CALLER_KEYS):
        msg = "anyone on AWS is trusted: name the principals, or require aws:PrincipalOrgID"
        yield Finding("anyone", msg, statement)
    if statement.not_principals:
        msg = "NotPrincipal trusts all but a few principals, unknown users and services included: name the principals"
        yield Finding("not-principal", msg, statement)
    if third_party and aws and acts_on(statement, "sts:AssumeRole") and not _demands(statement, ["sts:externalid"]):
        msg = f"a third party ({', '.join(aws)}) needs no external id: others may have it act in their name"
        yield Finding("no-external-id", msg, statement)
    if acts_on(statement, "sts:AssumeRoleWithWebIdentity"):
        for provider in map(provider_host, statement.principals.get("Federated", ())):
            if provider is not None and not _demands_subject(statement, provider):
                msg = f"all identities of {provider} are trusted: require {provider}:sub"
                yield Finding("no-subject", msg, statement)
    if acts_on(statement, "sts:SetSourceIdentity") and not _demands(
        statement, ["sts:sourceidentity", "aws:sourceidentity"]
    ):
        msg = "callers choose any source identity, which then proves nothing: require sts:SourceIdentity"
        yield Finding("any-source-identity", msg, statement)


def provider_host(principal: str) -> str | None:
    """The URL of an OIDC provider, without its scheme, which its condition keys begin with; None: it is none.

    Args:
        principal: The ARN of a provider, or the domain of one that needs no ARN.
    """
    if ":saml-provider/" in principal:
        return None
    return principal.partition(":oidc-provider/")[2] or principal


def _any_covers(patterns: Iterable[str], action: str) -> bool:
    return any(is_like(action, pattern, ignoring_case=True) for pattern in patterns)


def _demands(statement: Statement, keys: Collection[str]) -> bool:
    """Whether a condition asks one of the keys for a value that not every request has."""
    return any(all(value.strip("*?") for value in values) for values in _demanded(statement, keys))


def _demands_subject(statement: Statement, provider: str) -> bool:
    keys = [f"{provider}:{claim}".lower() for claim in _SUBJECT_CLAIMS.get(provider, ("sub",))]
    return any(not any(map(_is_anybody, values)) for values in _demanded(statement, keys))


def _is_anybody(subject: str) -> bool:
    """Whether a subject leaves open whose it is: "repo:wayne*" is also the repositories of one "wayne-evil"."""
    fixed = re.split(r"[*?]", subject, maxsplit=1)[0]
    owned = any(subject.startswith(prefix) for prefix in _OWNED) and "/" not in fixed
    return fixed != subject and (owned or any(prefix.startswith(fixed) for prefix in _OWNED))


def _demanded(statement: Statement, keys: Collection[str]) -> Iterator[Collection[str]]:
    for operator, conditions in statement.conditions.items():
        # "ForAllValues:..." and "...IfExists" hold too where the request does not have the key.
        if operator.removeprefix("ForAnyValue:") in _EQUALITIES:
            yield from (values for key, values in conditions.items() if key.lower() in keys)
