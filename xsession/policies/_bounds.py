"""Which values of a condition say whose the caller is, and which everybody has: for each condition key its own rule.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from xsession._aws import oidc_claims
from xsession._base import frozen

# A name in a value of a policy: no wildcard and no variable in it.
_NAME = r"[^:/@*?$]+"
_WHOLE = r"[^*?$]+"
_UUID = r"(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_FIRST_WILDCARD = re.compile(r"[*?$]")
_ACCOUNT = r"[0-9]{12}"
# The account that the role is in, and its organization, are as good as a name. Names of keys ignore case.
_OWN_ACCOUNT = r"\$\{(?i:aws:ResourceAccount)\}"
_OWN_ORGANIZATION = r"\$\{(?i:aws:ResourceOrgID)\}"


def _compiled(patterns: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {key.lower(): re.compile(pattern, re.DOTALL) for key, pattern in patterns.items()}


_CALLERS = _compiled(
    {
        "aws:PrincipalAccount": f"{_ACCOUNT}|{_OWN_ACCOUNT}",
        # In a string, * crosses colons, and the path of a role may have some: what precedes the account is fixed.
        "aws:PrincipalArn": f"arn:{_NAME}:(iam|sts)::({_ACCOUNT}|{_OWN_ACCOUNT}):.+",
        "aws:PrincipalOrgID": f"o-[a-z0-9]+|{_OWN_ORGANIZATION}",
        "aws:PrincipalOrgPaths": f"(o-[a-z0-9]+|{_OWN_ORGANIZATION})/.*",
        "aws:userid": r"([A-Z0-9]{16,}|[0-9]{12})(:.*)?",
    }
)
# An ARN's parts are compared one by one.
_CALLERS_ARN = re.compile(f"arn:[^:]*:[^:]*:[^:]*:({_ACCOUNT}|{_OWN_ACCOUNT}):.+", re.DOTALL)


@frozen
class _Issuer:
    """What tells one customer's tokens from all others' at an issuer.

    Args:
        claims: Claims, or whole condition keys, to the values which do so.
        example: How such a subject begins, for those that the issuer's customers share; None: it is one customer's own.
    """

    claims: Mapping[str, re.Pattern[str]]
    example: str | None = None


_GITHUB = {
    "repository": rf"{_NAME}/.*",
    "repository_id": _WHOLE,
    "repository_owner_id": _WHOLE,
    "enterprise_id": _WHOLE,
    "job_workflow_ref": rf"{_NAME}/.*",
    # Whoever owns a repository chooses the claims that its subject is made of, but not the values of these.
    "sub": rf"(repo|repository|job_workflow_ref):{_NAME}([/@].*)?"
    rf"|(repository_owner|repository_owner_id|repository_id|enterprise|enterprise_id):{_NAME}(:.*)?",
}
_OF_ACCOUNT = {"sub": rf"account:{_NAME}(:.*)?"}

# Shared issuers, by their URLs without the scheme.
_ISSUERS: Mapping[str, _Issuer] = {
    url: _Issuer(_compiled(claims), example)
    for url, example, claims in (
        ("token.actions.githubusercontent.com", "repo:<owner>@<id>/", _GITHUB),
        (
            "gitlab.com",
            "project_path:<group>/",
            {"sub": rf"project_path:{_NAME}(/.*)?", "namespace_id": _WHOLE, "project_id": _WHOLE},
        ),
        (
            "agent.buildkite.com",
            "organization:<name>:",
            {
                "sub": rf"organization:{_NAME}(:.*)?|{_UUID}",
                "organization_id": _WHOLE,
                "organization_slug": _WHOLE,
                "pipeline_id": _WHOLE,
                "cluster_id": _WHOLE,
            },
        ),
        ("app.terraform.io", "organization:<name>:", {"sub": rf"organization:{_NAME}(:.*)?"}),
        (
            "api.pulumi.com/oidc",
            "pulumi:deploy:org:<name>:",
            {"sub": rf"pulumi:{_NAME}:org:{_NAME}(:.*)?", "aud": _WHOLE},
        ),
        ("oidc.codefresh.io", "account:<id>:", _OF_ACCOUNT),
        ("scalr.io", "account:<name>:", _OF_ACCOUNT),
        ("proidc.upbound.io", "mcp:<organization>/", {"sub": rf"mcp:{_NAME}(/.*)?"}),
        ("oidc.vercel.com", "owner:<team>:", {"sub": rf"owner:{_NAME}(:.*)?", "aud": _WHOLE}),
        ("sandboxes.cloud", None, {"sub": _WHOLE, "aud": _WHOLE}),
        ("accounts.google.com", "<the id of an account>", {"sub": _WHOLE, "google/organization_number": _WHOLE}),
        ("cognito-identity.amazonaws.com", "<the id of an identity>", {"sub": _WHOLE, "aud": _WHOLE}),
        ("graph.facebook.com", None, {"id": _WHOLE, "app_id": _WHOLE}),
        ("www.amazon.com", None, {"user_id": _WHOLE, "app_id": _WHOLE}),
        (
            "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d",
            None,
            {"sub": _WHOLE, "sts:RoleSessionName": _WHOLE},
        ),
    )
}
# What subjects of issuers begin with before they name anything.
_LABELS = ("repo:", "project_path:", "organization:", "system:serviceaccount:", "org/", "owner:", "account:")
# Whom a token is for, and by which method a login was made, says nothing of who it is.
_IMPERSONAL = frozenset({"aud", "oaud", "amr"})


def is_bounded_caller(operator: str, key: str, value: str) -> bool:
    """Whether a condition on the caller is met by callers of one account or organization alone.

    Args:
        operator: "StringEquals", "ArnLike", ...
        key: The condition key.
        value: One of the policy's values.
    """
    pattern = _CALLERS.get(key.lower())
    if pattern is not None and key.lower() == "aws:principalarn" and operator.startswith("Arn"):
        pattern = _CALLERS_ARN
    return pattern is not None and pattern.fullmatch(value) is not None


def is_bounded_token(issuer: str, key: str, value: str) -> bool:
    """Whether a condition on a token is met by tokens of one customer of the issuer alone.

    Args:
        issuer: Its URL without the scheme.
        key: The condition key.
        value: One of the policy's values.
    """
    claim = key.lower().removeprefix(f"{issuer.lower()}:")
    shared = _ISSUERS.get(issuer.lower())
    if shared is not None:
        pattern = shared.claims.get(claim)
        return pattern is not None and pattern.fullmatch(value) is not None
    # An issuer of one's own signs for nobody else; but all of its identities are not meant by a condition.
    return claim in oidc_claims(issuer) - _IMPERSONAL and not _is_anybody(value)


def subject_like(issuer: str) -> str | None:
    """How a subject begins that says whose token it is; None: the issuer is not one that is known to be shared."""
    shared = _ISSUERS.get(issuer.lower())
    return None if shared is None else shared.example


def _is_anybody(subject: str) -> bool:
    fixed = _FIRST_WILDCARD.split(subject, maxsplit=1)[0]
    return fixed != subject and (not fixed or any(label.startswith(fixed) for label in _LABELS))
