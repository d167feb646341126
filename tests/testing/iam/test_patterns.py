from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.testing._iam._not_judged import UnknownConditionError
from xsession.testing._iam._patterns import filled, matches, require_known

CONTEXT = {
    "aws:username": ("bruce",),
    "aws:principaltag/team": ("b*ts",),
    "aws:tagkeys": ("a", "b"),
    "aws:principaltag/cost center": ("7",),
}


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("s3:GetObject", "*", True),
        ("s3:GetObject", "s3:*", True),
        ("s3:GetObject", "s3:Get*ct", True),
        ("s3:GetObject", "s3:Get?bject", True),
        ("s3:GetObject", "s3:Get", False),
        ("s3:GetObject", "s3:getobject", False),
        ("a[b]", "a[b]", True),
        ("ab", "a[b]", False),
        ("a.b", "a.b", True),
        ("axb", "a.b", False),
        ("arn:aws:s3:::b/x/y", "arn:aws:s3:::b/*", True),
        ("line\nline", "line*", True),
    ],
)
def test_only_stars_and_question_marks_are_wildcards(text: str, pattern: str, *, expected: bool) -> None:
    """A star goes over slashes and colons."""
    assert matches(text, pattern) is expected


def test_case_can_be_ignored() -> None:
    """As in the names of actions."""
    assert matches("s3:GetObject", "S3:getobject", ignoring_case=True)


@given(st.text(), st.text(alphabet="ab*?[].", max_size=8))
def test_a_pattern_means_itself_and_whatever_stars_stand_for(inserted: str, pattern: str) -> None:
    """For any text."""
    literal = pattern.replace("?", "x")
    assert matches(literal.replace("*", inserted), pattern)


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("home/bruce/x", "home/${aws:username}/*", True),
        ("home/clark/x", "home/${aws:username}/*", False),
        ("home/BRUCE", "home/${AWS:UserName}", False),
        ("b*ts", "${aws:PrincipalTag/team}", True),
        ("bats", "${aws:PrincipalTag/team}", False),
        ("all", "${aws:SourceIdentity, 'all'}", True),
        ("7", "${aws:PrincipalTag/Cost Center}", True),
        ("8", "${aws:PrincipalTag/Cost Center}", False),
        ("bruce", "${aws:username, 'all'}", True),
        ("", "${aws:SourceIdentity}", False),
        ("a*b", "a${*}b", True),
        ("axb", "a${*}b", False),
        ("$?", "${$}${?}", True),
    ],
)
def test_variables_stand_for_values_of_the_request(text: str, pattern: str, *, expected: bool) -> None:
    """In which wildcards are plain text; without a value the pattern matches nothing."""
    assert matches(text, pattern, CONTEXT) is expected


def test_a_hostile_pattern_is_judged_too() -> None:
    """With variables and without."""
    assert not matches("a" * 5_000 + "b", "*a" * 2_000)
    assert not matches("a" * 5_000 + "b", "${aws:SourceIdentity, ''}" + "*a" * 2_000, CONTEXT)


def test_without_a_context_a_variable_is_plain_text() -> None:
    """As in policies of 2008."""
    assert matches("${aws:username}", "${aws:username}")
    assert not matches("bruce", "${aws:username}")


def test_a_pattern_is_filled() -> None:
    """Or is none, where a value is missing."""
    assert filled("${aws:username}*", CONTEXT) == "bruce*"
    assert filled("x${aws:SourceIdentity}", CONTEXT) is None


@pytest.mark.parametrize("pattern", ["${aws:Moon}", "${}", "${aws:username,all}", "${aws:TagKeys}"])
def test_a_variable_that_is_not_known_is_not_judged(pattern: str) -> None:
    """Nor is one of many values."""
    with pytest.raises(UnknownConditionError):
        matches("x", pattern, CONTEXT)


@pytest.mark.parametrize("key", ["aws:Moon", "sts:ExternalIds", "aws:RequestTag/", "s3:x", "example.com:email"])
def test_a_key_that_no_request_has_is_not_known(key: str) -> None:
    """Whereas the claims of a provider are."""
    with pytest.raises(UnknownConditionError, match=key):
        require_known(key)
    assert require_known("Token.CI.example.com:Sub") == "token.ci.example.com:sub"
