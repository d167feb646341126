"""The claims of OIDC tokens that AWS has condition keys for, `<issuer>:<claim>`.

All issuers have `sub`, `aud`, `oaud` and `amr`; since 2026 some have more.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_STANDARD = frozenset({"sub", "aud", "oaud", "amr"})
_GITHUB = frozenset(
    {
        "actor",
        "actor_id",
        "enterprise_id",
        "environment",
        "job_workflow_ref",
        "ref",
        "repository",
        "repository_id",
        "repository_owner_id",
        "workflow",
    }
)
_GITLAB = frozenset(
    {
        "namespace_id",
        "pipeline_source",
        "project_id",
        "ref_protected",
        "runner_environment",
        "user_access_level",
        "user_email",
        "user_id",
        "user_login",
    }
)
_BUILDKITE = frozenset(
    {
        "build_branch",
        "cluster_id",
        "cluster_name",
        "organization_id",
        "organization_slug",
        "pipeline_id",
        "pipeline_slug",
    }
)
# What the issuer's URL is, without its scheme, to the claims that it has beyond the standard ones.
_CLAIMS: Mapping[re.Pattern[str], frozenset[str]] = {
    re.compile(pattern): claims
    for pattern, claims in {
        r"token\.actions\.githubusercontent\.com(/.+)?": _GITHUB,
        r"token\.actions\.[^/]+\.ghe\.com|github\.com/enterprises/.+": _GITHUB,
        r"gitlab\.com": _GITLAB,
        r"agent\.buildkite\.com|agent\.[^/]+\.buildkite\.(dev|site)": _BUILDKITE,
        r"oidc\.circleci\.com/org/.+": frozenset({"oidc.circleci.com/project-id"}),
        r"idcs-[^/]+\.identity\.oraclecloud\.com": frozenset({"rpst_id"}),
        r"accounts\.google\.com": frozenset({"google/organization_number"}),
        r"graph\.facebook\.com": frozenset({"id", "app_id"}),
        r"www\.amazon\.com": frozenset({"user_id", "app_id"}),
    }.items()
}


def oidc_claims(issuer: str) -> frozenset[str]:
    """The claims of an issuer's tokens that AWS has condition keys for.

    Args:
        issuer: Its URL without the scheme, as condition keys begin.
    """
    found = (claims for pattern, claims in _CLAIMS.items() if pattern.fullmatch(issuer.lower()))
    return _STANDARD.union(*found)
