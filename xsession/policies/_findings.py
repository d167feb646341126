"""What auditors flag in trust policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from xsession._aws import is_like, split_variables, variable_of
from xsession._base import frozen, hides_frames, public
from xsession.errors import ConfigError

from ._bounds import is_bounded_caller, is_bounded_token, subject_like
from ._document import Policy, PolicyLike, Statement, as_policy

_EQUALITIES = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "NumericEquals"}
)


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


@hides_frames(ConfigError)
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
    if "*" in aws and not _demands(statement, is_bounded_caller):
        msg = "anyone on AWS is trusted: name the principals, or require aws:PrincipalOrgID"
        yield Finding("anyone", msg, statement)
    if statement.not_principals:
        msg = "NotPrincipal trusts all but a few principals, unknown users and services included: name the principals"
        yield Finding("not-principal", msg, statement)
    if (
        third_party
        and aws
        and acts_on(statement, "sts:AssumeRole")
        and not _demands(statement, _is_said("sts:externalid"))
    ):
        msg = f"a third party ({', '.join(aws)}) needs no external id: others may have it act in their name"
        yield Finding("no-external-id", msg, statement)
    if acts_on(statement, "sts:AssumeRoleWithWebIdentity"):
        for provider in map(provider_host, statement.principals.get("Federated", ())):
            if provider is not None and not _demands(statement, _is_token_of(provider)):
                yield Finding("no-subject", _anybody_at(provider), statement)
    claimed = _is_said("sts:sourceidentity", "aws:sourceidentity")
    if acts_on(statement, "sts:SetSourceIdentity") and not _demands(statement, claimed):
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


def _demands(statement: Statement, bounds: Callable[[str, str, str], bool]) -> bool:
    """Whether a condition holds only for requests with a value that bounds them, by its operator and key."""
    for operator, conditions in statement.conditions.items():
        # "ForAllValues:..." and "...IfExists" hold too where the request does not have the key.
        name = operator.removeprefix("ForAnyValue:")
        if name in _EQUALITIES:
            for key, values in conditions.items():
                if values and all(bounds(name, key, value) for value in values):
                    return True
    return False


def _is_said(*keys: str) -> Callable[[str, str, str], bool]:
    """One of the keys, with a value that not every request has."""
    return lambda _operator, key, value: key.lower() in keys and bool(_without_own(key.lower(), value).strip("*?"))


def _without_own(key: str, value: str) -> str:
    """A value of a condition without the variable of its own key, which each request meets."""
    parts = split_variables(value)
    variables = (variable_of(part) if place % 2 else None for place, part in enumerate(parts))
    return "".join(
        part for part, named in zip(parts, variables, strict=True) if named is None or named[0].lower() != key
    )


def _is_token_of(provider: str) -> Callable[[str, str, str], bool]:
    return lambda _operator, key, value: is_bounded_token(provider, key, value)


def _anybody_at(provider: str) -> str:
    example = subject_like(provider)
    if example is None:
        return f"all identities of {provider} are trusted: require {provider}:sub"
    return f"anyone who has an account at {provider} is trusted: require a {provider}:sub that begins with {example}"
