from __future__ import annotations

import pytest

from xsession._aws import oidc_claims

STANDARD = {"sub", "aud", "oaud", "amr"}


@pytest.mark.parametrize(
    ("issuer", "claim"),
    [
        ("token.actions.githubusercontent.com", "repository_owner_id"),
        ("token.actions.githubusercontent.com/wayne", "job_workflow_ref"),
        ("token.actions.wayne.ghe.com", "repository_id"),
        ("Token.Actions.GitHubUserContent.com", "actor_id"),
        ("gitlab.com", "project_id"),
        ("agent.buildkite.com", "organization_slug"),
        ("oidc.circleci.com/org/0a", "oidc.circleci.com/project-id"),
        ("idcs-0a.identity.oraclecloud.com", "rpst_id"),
        ("accounts.google.com", "google/organization_number"),
    ],
)
def test_some_issuers_have_claims_of_their_own(issuer: str, claim: str) -> None:
    """Beside those that all have; condition keys ignore case."""
    assert {claim, *STANDARD} <= oidc_claims(issuer)


@pytest.mark.parametrize(
    "issuer", ["", "example.com", "evil.gitlab.com", "gitlab.com.evil", "token.actions.githubusercontent.com.evil"]
)
def test_all_others_have_the_standard_ones(issuer: str) -> None:
    """AWS has no condition keys for what else their tokens say."""
    assert oidc_claims(issuer) == STANDARD
