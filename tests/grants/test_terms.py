from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession import ConfigError, InvalidPolicyError, Role
from xsession.grants._terms import (
    MAX_GRANT_SECONDS,
    OUTLIVING,
    check_size,
    checked_duration,
    checked_id,
    checked_reason,
    checked_to,
    ids_before,
    make_grant_id,
    make_id,
    narrowed,
    session_name,
    source_identity_of,
)
from xsession.policies import Policy, allow, deny

DEADLINE = datetime(2030, 1, 1, 12, tzinfo=UTC)
ENDS = {
    "Effect": "Deny",
    "Action": "*",
    "Resource": "*",
    "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T12:00:00Z"}},
}
OUTLIVES = {"Effect": "Deny", "Action": sorted(OUTLIVING), "Resource": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READ = allow("s3:GetObject")


def statements(policy: Policy) -> list[Any]:
    """As AWS gets them."""
    return list(json.loads(policy.to_json())["Statement"])


@given(st.binary(min_size=1, max_size=32))
def test_an_id_is_letters_and_digits(random: bytes) -> None:
    """So that it ends where the session's name goes on."""
    made = make_id(random)
    assert checked_id(made) == made
    assert len(made) == len(random)


@given(st.binary(min_size=12, max_size=12), st.text(min_size=1, max_size=256))
def test_whoever_it_is_for_sts_takes_the_names(random: bytes, to: str) -> None:
    """The session's name and the source identity; the first begins with what a revocation looks for."""
    grant_id = make_id(random)
    name, identity = session_name(grant_id, to), source_identity_of(to)
    Role("arn:aws:iam::222222222222:role/R", role_session_name=name, source_identity=identity)
    assert name.startswith(f"g-{grant_id}-")


def test_names_are_as_close_to_the_person_as_sts_allows() -> None:
    """An e-mail address is its own name."""
    assert session_name("1a", "jane@contractor.example") == "g-1a-jane@contractor.example"
    assert session_name("1a", "Jane Doe") == "g-1a-Jane-Doe"
    assert source_identity_of("jane@contractor.example") == "jane@contractor.example"


@given(st.from_regex(r"[A-Za-z0-9_+=,.@-]{2,256}", fullmatch=True))
def test_what_sts_takes_is_never_rewritten(to: str) -> None:
    """It may be somebody's identity, given by another program: a revocation of that person must name it."""
    assert source_identity_of(to) == to


def test_two_people_never_share_a_source_identity() -> None:
    """Or to revoke one's sessions would revoke the other's."""
    long = "Jane " + "x" * 80
    named = {source_identity_of(to) for to in ("Jane Doe", "Jane/Doe", "Jane-Doe", long, long + "y", "é", "è")}
    assert len(named) == 7
    assert all(re.fullmatch(r"[\w+=,.@-]{2,64}", identity, re.ASCII) for identity in named)


@pytest.mark.parametrize("value", [None, 7, "", "g-1a-jane", "1a*", "x" * 33])
def test_what_is_no_id_is_refused(value: object) -> None:
    """It would end up in a pattern of a policy."""
    with pytest.raises(ConfigError, match=r"^grant .* is not valid: an id of letters and digits"):
        checked_id(value)


@pytest.mark.parametrize("value", [None, 7, "", " \t", "a\nb", "a\x1b[2J", "a\u202eb", "a\u2028b", "\ud800", "x" * 257])
def test_to_is_one_line_of_plain_text(value: object) -> None:
    """It is shown in tables and logs, and names a person."""
    with pytest.raises(ConfigError, match=r"^to "):
        checked_to(value)


def test_a_reason_is_one_line_or_none() -> None:
    """It is kept as it was given, but for white space around it."""
    assert checked_reason(None) is None
    assert checked_reason(" TICKET-42: café ") == "TICKET-42: café"
    with pytest.raises(ConfigError, match=r"^reason .* is not valid: 1024 characters at most, and these are 1025"):
        checked_reason("x" * 1_025)


@pytest.mark.parametrize(
    "value", [None, True, "2h", 0, -1, 0.5, float("nan"), float("inf"), timedelta(0), timedelta(days=7, seconds=1)]
)
def test_a_duration_is_between_a_second_and_seven_days(value: object) -> None:
    """Nothing that never ends, or has ended."""
    with pytest.raises(ConfigError, match=r"duration .* is not valid"):
        checked_duration(value)


def test_a_duration_is_a_timedelta_or_seconds() -> None:
    """Shorter than STS's shortest session too."""
    assert checked_duration(timedelta(hours=2)) == 7_200
    assert checked_duration(1) == 1
    assert checked_duration(timedelta(days=7)) == 604_800


@pytest.mark.parametrize(
    ("policy", "has_policy_arns", "expected"),
    [
        (None, False, [EVERYTHING, ENDS, OUTLIVES]),
        (None, True, [ENDS, OUTLIVES]),
        (READ, False, [*statements(READ), ENDS, OUTLIVES]),
        (READ, True, [*statements(READ), ENDS, OUTLIVES]),
        (deny("s3:*"), True, [*statements(deny("s3:*")), ENDS, OUTLIVES]),
    ],
)
def test_the_session_policy_allows_what_was_asked_until_the_deadline(
    policy: Policy | None, has_policy_arns: bool, expected: list[Any]
) -> None:
    """Beside ARNs the denies stand alone: an allow of everything would add to what the ARNs allow."""
    assert statements(narrowed(policy, deadline=DEADLINE, has_policy_arns=has_policy_arns)) == expected


def test_the_deadline_is_in_utc() -> None:
    """Whatever zone it was given in."""
    local = DEADLINE.astimezone(datetime.fromisoformat("2030-01-01T00:00:00+05:30").tzinfo)
    assert statements(narrowed(READ, deadline=local))[1] == ENDS


def test_chaining_may_be_allowed() -> None:
    """Then only the deadline is denied."""
    assert statements(narrowed(READ, deadline=DEADLINE, allow_chaining=True)) == [*statements(READ), ENDS]


def test_the_grant_takes_a_third_of_the_room_at_most() -> None:
    """Of the 2,048 characters that STS has for session policies."""
    assert narrowed(READ, deadline=DEADLINE).size - READ.size < 600


def test_a_policy_keeps_its_version() -> None:
    """In the older one, ${...} is no variable."""
    old = Policy(READ.statements, version="2008-10-17")
    assert narrowed(old, deadline=DEADLINE).version == "2008-10-17"


def test_a_policy_that_only_denies_is_refused() -> None:
    """It permits nothing, which is hardly what was meant."""
    with pytest.raises(InvalidPolicyError, match="allows nothing"):
        narrowed(deny("ec2:TerminateInstances"), deadline=DEADLINE)


def test_a_policy_that_is_too_long_is_refused_with_its_size() -> None:
    """And with what the grant itself takes of it."""
    own = allow(*(f"s3:GetObject{number:03}" for number in range(100)))
    ours = narrowed(own, deadline=DEADLINE)
    with pytest.raises(InvalidPolicyError, match=f"{ours.size + 31} characters .* and {ours.size - own.size} of them"):
        check_size(ours, own, ("arn:aws:iam::aws:policy/ReadIt1",))
    check_size(narrowed(None, deadline=DEADLINE), None, ())


MOMENTS = st.integers(0x6000_0000, 0xFFFF_FFFF)


@given(MOMENTS, st.integers(-2, MAX_GRANT_SECONDS + 900))
def test_ids_say_which_grants_are_older(second: int, age: int) -> None:
    """Each that may still be there, and none of the same second or of a later one."""
    moment = datetime.fromtimestamp(second, UTC)
    made = make_grant_id(moment - timedelta(seconds=age), b"random")
    assert checked_id(made) == made
    patterns = ids_before(moment)
    assert any(fnmatchcase(made, pattern) for pattern in patterns) is (age > 0)
    assert len(patterns) <= 76
