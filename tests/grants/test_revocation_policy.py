from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession import ConfigError
from xsession.grants._revocation_policy import (
    MAX_GRANT,
    Scope,
    check_before,
    check_revocable,
    cutoff_for,
    is_spent,
    size_of,
    until_of,
)
from xsession.policies import Policy, allow, deny

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROLE_ID = "AROAEXAMPLEEXAMPLE123"


WHOSE = {"StringEquals": {"aws:SourceIdentity": "jane"}}


@pytest.mark.parametrize(("person", "whose"), [(None, {}), ("jane", WHOSE)])
def test_older_sessions_and_older_grants_are_denied_everything(person: str | None, whose: dict[str, object]) -> None:
    """A session by when it was issued, a grant by when it was made: its sessions may be younger."""
    by_name, timed = Scope(before=NOW, source_identity=person).policy(ROLE_ID).to_dict()["Statement"]
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    condition = by_name.pop("Condition")
    assert by_name == {**denied, "Sid": "Until20300108T121500Z"}
    assert condition.keys() == {"StringLike", *whose}
    assert condition["StringLike"]["aws:userid"][-1] == "*:g-70dc813*"
    assert timed == {**denied, "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2030-01-01T12:00:00Z"}, **whose}}


@pytest.mark.parametrize(("person", "whose"), [(None, None), ("jane", WHOSE)])
def test_a_block_denies_everything_whenever_it_was_issued(person: str | None, whose: object) -> None:
    """One statement; that of the whole role has no condition at all."""
    (statement,) = Scope(before=None, source_identity=person).policy(ROLE_ID).to_dict()["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert statement.get("Condition") == whose


@pytest.mark.parametrize("until", [None, NOW])
def test_a_grant_is_denied_by_name_and_by_tag_whenever_a_session_is_issued(until: datetime | None) -> None:
    """Either will do: not every role permits the tag."""
    by_name, by_tag = Scope(before=None, grant_id="1a", until=until).policy(ROLE_ID).to_dict()["Statement"]
    assert by_name.pop("Sid", None) == (until and "Until20300101T120000Z")
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    assert by_name == {**denied, "Condition": {"StringLike": {"aws:userid": f"{ROLE_ID}:g-1a-*"}}}
    assert by_tag == {**denied, "Condition": {"StringEquals": {"aws:PrincipalTag/xsession:grant": "1a"}}}


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 # the strategy adds the zone
def test_what_was_written_is_read_back(moment: datetime) -> None:
    """In whole seconds, as text and as what botocore makes of it."""
    policy = Scope(before=moment, source_identity="jane").policy(ROLE_ID)
    for document in (policy.to_json(), policy.to_dict(), policy):
        assert until_of(document) == moment.replace(microsecond=0) + MAX_GRANT


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 # the strategy adds the zone
def test_until_when_a_grants_revocation_stays_is_read_back(moment: datetime) -> None:
    """In whole seconds; it is spent after that moment."""
    document = Scope(before=None, grant_id="1a", until=moment).policy(ROLE_ID).to_json()
    until = moment.replace(microsecond=0)
    assert until_of(document) == until
    assert [is_spent(document, now) for now in (until, until + timedelta(seconds=1))] == [False, True]


@pytest.mark.parametrize(
    "document",
    [
        Scope(before=None, grant_id="1a").policy(ROLE_ID),
        allow("s3:*", sid="Until20200101T000000Z"),
        Scope(before=None, grant_id="1a", until=NOW).policy(ROLE_ID) + deny("s3:*"),
        deny("*", sid="Until20200101T000000Z", conditions={"StringLike": {"aws:username": "frieza"}})
        + deny("*", conditions={"StringEquals": {"aws:PrincipalTag/xsession:grant": "1a"}}),
    ],
    ids=["without a moment", "another", "with more", "of somebody"],
)
def test_what_may_still_deny_somebody_says_no_moment(document: Policy) -> None:
    """And so is never cleared away."""
    assert until_of(document) is None
    assert not is_spent(document, NOW + timedelta(days=10_000))


@pytest.mark.parametrize(
    "document",
    [
        None,
        "",
        "[]",
        "{",
        allow("*").to_json(),
        Scope(before=None).policy(ROLE_ID).to_json(),
        (Scope(before=NOW).policy(ROLE_ID) + allow("*")).to_json(),
        Scope(before=NOW).policy(ROLE_ID).to_json().replace("2030-01-01T12:00:00Z", "soon"),
        Scope(before=NOW).policy(ROLE_ID).to_json().replace("2030-01-01T12:00:00Z", "2030-01-01T12:00:00"),
    ],
)
def test_what_is_no_timed_revocation_never_counts_as_spent(document: object) -> None:
    """It stays: a block, or what others gave that name."""
    assert until_of(document) is None
    assert not is_spent(document, NOW + timedelta(days=1_000))


def test_a_revocation_is_spent_after_the_longest_grant() -> None:
    """No session of another kind lives as long."""
    document = Scope(before=NOW).policy(ROLE_ID).to_json()
    assert not is_spent(document, NOW + MAX_GRANT)
    assert is_spent(document, NOW + MAX_GRANT + timedelta(seconds=1))


def test_iam_counts_no_white_space() -> None:
    """Two forms of a policy are of one size."""
    policy = Scope(before=NOW).policy(ROLE_ID)
    assert (
        size_of(policy.to_json(indent=4))
        == size_of(policy.to_json())
        == len(json.dumps(policy.to_dict()).replace(" ", ""))
    )


@pytest.mark.parametrize(
    ("role", "problem"),
    [
        ("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", "linked to a service"),
        ("AWSServiceRoleForECS", "linked to a service"),
        ("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef", "Identity Center"),
        ("AWSReservedSSO_Admin_0123456789abcdef", "Identity Center"),
    ],
)
def test_roles_that_only_aws_changes_are_refused(role: str, problem: str) -> None:
    """Before the network: IAM would say UnmodifiableEntity."""
    with pytest.raises(ConfigError, match=problem):
        check_revocable(f"arn:aws:iam::222222222222:role/{role}")
    check_revocable("arn:aws:iam::222222222222:role/team/Reader")


def test_before_has_a_zone_and_does_not_lie_ahead() -> None:
    """A local clock may be some minutes off."""
    check_before(None, NOW)
    check_before(NOW - HOUR, NOW)
    check_before(NOW + timedelta(minutes=4), NOW)
    with pytest.raises(ConfigError, match="lies ahead"):
        check_before(NOW + HOUR, NOW)
    for value in (NOW.replace(tzinfo=None), "2030-01-01", 7):
        with pytest.raises(ConfigError, match="a datetime with a time zone"):
            check_before(value, NOW)


def test_the_cutoff_is_awss_now() -> None:
    """Or the moment that was asked for, if it is earlier."""
    assert cutoff_for(None, NOW) == NOW
    assert cutoff_for(NOW - HOUR, NOW) == NOW - HOUR
    assert cutoff_for(NOW + HOUR, NOW) == NOW
