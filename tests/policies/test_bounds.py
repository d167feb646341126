"""No condition that is taken for a bound is met by two owners."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession._aws import is_like
from xsession.policies._bounds import is_bounded_caller, is_bounded_token, subject_like

GITHUB = "token.actions.githubusercontent.com"


@st.composite
def patterns_of(draw: st.DrawFn, text: str) -> str:
    """Patterns that a text meets: pieces of it, with wildcards for what lies between."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pattern, start = "", 0
    for place, cut in enumerate(cuts):
        pattern += text[start:cut] if place % 2 == 0 else "*" if draw(st.booleans()) else "?" * (cut - start)
        start = cut
    return pattern + text[start:]


@given(st.data())
def test_two_owners_of_repositories_never_meet_a_bound(data: st.DataObject) -> None:
    """Whatever names they choose for themselves, their repositories and their branches."""
    names = st.text("ab-", min_size=1, max_size=3)
    labels, rests = st.sampled_from(["repo", "repository", "job_workflow_ref"]), st.text("ab:/@r", max_size=6)
    subjects = [
        f"{data.draw(labels)}:{owner}/{data.draw(rests)}"
        for owner in data.draw(st.lists(names, min_size=2, max_size=2, unique=True))
    ]
    pattern = data.draw(patterns_of(subjects[0]))
    if is_like(subjects[1], pattern):
        assert not is_bounded_token(GITHUB, f"{GITHUB}:sub", pattern)


@given(st.data(), st.sampled_from(["StringLike", "ArnLike"]))
def test_two_accounts_never_meet_a_bound(data: st.DataObject, operator: str) -> None:
    """Whatever they call their roles; a role's path may hold colons and stars' worth of anything."""
    resources = st.text("role/:iamsts1*x", min_size=1, max_size=30)
    mine = f"arn:aws:iam::111111111111:{data.draw(resources)}"
    other = f"arn:aws:iam::222222222222:{data.draw(st.one_of(resources, st.just(f'role/{mine}')))}"
    pattern = data.draw(patterns_of(mine))
    if is_like(other, pattern) and operator == "StringLike":
        assert not is_bounded_caller(operator, "aws:PrincipalArn", pattern)
    if operator == "ArnLike" and all(map(is_like, other.split(":", 5), pattern.split(":", 5))):
        assert not is_bounded_caller(operator, "aws:PrincipalArn", pattern)


@pytest.mark.parametrize("key", ["aws:PrincipalTag/team", "aws:SourceIp", "aws:SourceVpce", "aws:PrincipalType"])
def test_keys_that_say_nothing_of_who_calls_bound_nobody(key: str) -> None:
    """Anyone can tag a role of its own, and many may come from one network."""
    assert not is_bounded_caller("StringEquals", key, "x")


def test_how_a_subject_begins_is_known_for_shared_issuers() -> None:
    """In whichever case the provider was written."""
    assert subject_like("GitLab.com") == "project_path:<group>/"
    assert subject_like("oidc.eks.eu-west-1.amazonaws.com/id/A1") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:PrincipalAccount", "${AWS:resourceAccount}"),
        ("aws:PrincipalOrgID", "${aws:resourceorgid}"),
        ("aws:PrincipalOrgPaths", "${aws:ResourceOrgId}/*"),
        ("aws:PrincipalArn", "arn:aws:iam::${aws:resourceaccount}:role/x"),
    ],
)
def test_the_account_and_the_organization_of_the_role_are_bounds(key: str, value: str) -> None:
    """Names of condition keys ignore case, in variables too."""
    assert is_bounded_caller("StringLike", key, value)
    assert not is_bounded_caller("StringLike", key, value.lower().replace("resource", "principal"))
