from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xsession._aws import _wildcards
from xsession._aws._wildcards import (
    as_text,
    completed_arn,
    has_wildcards,
    is_like,
    is_literal,
    split_variables,
    variable_of,
)


def by_regex(value: str, pattern: str, *, ignoring_case: bool = False) -> bool:
    """The same by a regular expression, which may take for ever."""
    parts = ({"*": ".*", "?": "."}.get(part) or re.escape(part) for part in re.split("([*?])", pattern))
    flags = re.DOTALL | (re.IGNORECASE if ignoring_case else 0)
    return re.fullmatch("".join(parts), value, flags) is not None


values = st.text(alphabet="abA.\n", max_size=10)
patterns = st.text(alphabet="abA.\n**??", max_size=8)


@given(values, patterns, st.booleans())
@example("aab", "*a?", False)
@example("abab", "*?b", False)
@example("", "**", False)
@example("ab", "a*ab", False)
@example("abcbd", "a*bd*", False)
@example("aXbXbb", "a*?bb", False)
@example("abA", "*a?b*", False)
def test_it_agrees_with_a_regular_expression(value: str, pattern: str, ignoring_case: bool) -> None:
    """On all that is small."""
    assert is_like(value, pattern, ignoring_case=ignoring_case) is by_regex(value, pattern, ignoring_case=ignoring_case)


@given(st.lists(st.tuples(st.text(alphabet="ab*?$\x7b}", max_size=4), st.text(alphabet="ab*?", max_size=4))), values)
def test_text_in_a_pattern_means_itself(pieces: list[tuple[str, str]], value: str) -> None:
    """Beside wildcards that are meant."""
    pattern = "".join(as_text(text) + wild for text, wild in pieces)
    expression = "".join(
        re.escape(text) + re.escape(wild).replace(r"\*", ".*").replace(r"\?", ".") for text, wild in pieces
    )
    assert is_like(value, pattern, escapes=True) is (re.fullmatch(expression, value, re.DOTALL) is not None)
    meant = "".join(text + wild.replace("*", "xy").replace("?", "z") for text, wild in pieces)
    assert is_like(meant, pattern, escapes=True)


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("a*b", "a${*}b", True),
        ("axb", "a${*}b", False),
        ("$?", "${$}${?}", True),
        ("${aws:username}", "${aws:username}", True),
        ("a${x", "a${x", True),
        ("a${*}b", "a${*}b", False),
        ("x*", "?${*}", True),
        ("*xx*", "${*}*${*}", True),
    ],
)
def test_characters_themselves(value: str, pattern: str, *, expected: bool) -> None:
    """As IAM writes them; another variable is left as it is."""
    assert is_like(value, pattern, escapes=True) is expected


def test_without_escapes_they_are_plain_text() -> None:
    """As in policies of 2008, but for the wildcards among them."""
    assert is_like("${x}b", "${*}b")
    assert not is_like("*b", "${*}b")


def test_case_is_ignored_character_by_character() -> None:
    """The lower case of some characters is two, and one question mark stands for one character."""
    assert is_like("\u0130", "?", ignoring_case=True)
    assert is_like("S3:GETOBJECT", "s3:get*", ignoring_case=True)
    assert is_like("\u00c4b", "\u00e4B", ignoring_case=True)
    assert not is_like("S3", "s3")


HOSTILE = [
    ("*a" * 2_000, "a" * 5_000 + "b"),
    ("*a" * 2_000 + "*", "a" * 1_999 + "b" * 3_000),
    ("*?a" * 500 + "*", "a" * 900 + "b"),
    ("*a?a" * 100 + "b*", "a" * 2_000),
    ("*" * 6_000 + "c", "a" * 6_000),
]


@pytest.mark.parametrize(("pattern", "value"), HOSTILE)
def test_a_hostile_pattern_takes_no_more_steps_than_the_product(
    pattern: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a regular expression these would not end in a lifetime."""
    starts: list[int] = []
    real = _wildcards._stands_at

    def counted(text: str, start: int, run: tuple[str, ...]) -> bool:
        starts.append(start)
        return real(text, start, run)

    monkeypatch.setattr(_wildcards, "_stands_at", counted)
    assert not is_like(value, pattern)
    # Never at a place that was passed by: each run is looked for once, from where the one before ended.
    searches = starts[2:]
    assert len(searches) <= len(value)
    assert all(before <= after for before, after in pairwise(searches))


def test_a_hostile_pattern_in_a_conditions_value_ends_too() -> None:
    """With escapes, and with variables that are opened and never closed."""
    assert not is_like("a" * 5_000 + "b", "*a" * 2_000, escapes=True)
    assert split_variables("${" * 100_000) == ["${" * 100_000]


def test_values_of_a_request_are_not_kept() -> None:
    """Patterns of policies are; with values in them, they may be secret."""
    _wildcards._kept_runs.cache_clear()
    is_like("x", as_text("the-external-id") + "*", escapes=True)
    assert _wildcards._kept_runs.cache_info().currsize == 0
    is_like("x", "a*")
    assert _wildcards._kept_runs.cache_info().currsize == 1


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("", [""]),
        ("a*", ["a*"]),
        ("home/${aws:username}/*", ["home/", "aws:username", "/*"]),
        ("${*}${x}", ["", "*", "", "x", ""]),
        ("a${x", ["a${x"]),
        ("}${a${b}c", ["}", "a${b", "c"]),
    ],
)
def test_a_pattern_is_split_at_its_variables(pattern: str, parts: list[str]) -> None:
    """They are at the odd places."""
    assert split_variables(pattern) == parts


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("aws:username", ("aws:username", None)),
        (" aws:username , 'all' ", ("aws:username", "all")),
        ("aws:username,''", ("aws:username", "")),
        ("", None),
        ("aws:username, all", None),
        ("aws:username, 'a' 'b'", None),
        ("aws:username, '", None),
        (", 'a'", None),
        ("aws:PrincipalTag/Cost Center", ("aws:PrincipalTag/Cost Center", None)),
        ("aws:PrincipalTag/Cost Center , 'none at all'", ("aws:PrincipalTag/Cost Center", "none at all")),
    ],
)
def test_a_variable_has_a_key_and_perhaps_a_default(text: str, variable: tuple[str, str | None] | None) -> None:
    """Spaces around them say nothing; within a tag's key they belong to it."""
    assert variable_of(text) == variable


@pytest.mark.parametrize(
    ("arn", "completed"),
    [
        ("*", "*"),
        ("arn:aws:sqs", "arn:aws:sqs:*:*:*"),
        ("arn:aws:cloudfront:*", "arn:aws:cloudfront:*:*:*"),
        ("arn:aws:iam::*", "arn:aws:iam::*:*"),
        ("arn:aws:organizations::*:", "arn:aws:organizations::*:*"),
        ("arn:aws:s3:::levels", "arn:aws:s3:::levels"),
        ("arn:aws:logs:eu-west-1:1:log-group:x:", "arn:aws:logs:eu-west-1:1:log-group:x:"),
        ("arn:aws:s3:::${aws:PrincipalTag/a:b}", "arn:aws:s3:::${aws:PrincipalTag/a:b}"),
        ("arn:aws:ec2:${aws:RequestedRegion}", "arn:aws:ec2:${aws:RequestedRegion}:*:*"),
    ],
)
def test_an_incomplete_arn_is_completed(arn: str, completed: str) -> None:
    """With "*" for each field that it lacks; colons within a variable divide nothing."""
    assert completed_arn(arn) == completed
    assert completed_arn(completed) == completed


def test_what_may_mean_more_than_one_value() -> None:
    """By a wildcard or a variable."""
    assert [has_wildcards(pattern) for pattern in ("a", "a*", "?", "${x}")] == [False, True, True, True]
    assert [is_literal(variable) for variable in ("*", "?", "$", "**", "")] == [True, True, True, False, False]
