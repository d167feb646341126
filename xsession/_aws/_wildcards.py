"""The patterns of policies: wildcards, and `${...}`, which stands for a value or for a character itself.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TypeAlias

# The pieces between "?" of what lies between "*": each piece stands one character behind the end of the one before.
_Run: TypeAlias = tuple[str, ...]

_LITERALS = frozenset("*?$")
_AS_TEXT = str.maketrans({character: f"${{{character}}}" for character in _LITERALS})


def is_like(value: str, pattern: str, *, escapes: bool = False, ignoring_case: bool = False) -> bool:
    """Whether a value is one that a pattern means.

    It takes at most as many steps as the value and the pattern have characters, multiplied, no matter who wrote them.

    Args:
        value: Of the request.
        pattern: Of the policy; * stands for any characters and none, ? for one.
        escapes: Whether `${*}`, `${?}` and `${$}` stand for the characters themselves, as `as_text` writes them.
        ignoring_case: Whether upper and lower case are the same.
    """
    if pattern == "*":
        return True
    # Patterns with values in them are not kept: the values are a request's own, and may be secret.
    runs = (
        _kept_runs(pattern, ignoring_case)
        if not escapes
        else tuple(_runs(_lower(pattern) if ignoring_case else pattern))
    )
    return _fits(_lower(value) if ignoring_case else value, runs)


def completed_arn(pattern: str) -> str:
    """A pattern of ARNs, with "*" in place of the fields that it lacks, as IAM completes those of identity policies.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    missing = 5 - sum(part.count(":") for part in split_variables(pattern)[::2])
    if missing > 0:
        return pattern if pattern == "*" else pattern + ":*" * missing
    # A resource that is left empty is one that is missing: AWS's own policies have such ARNs.
    return f"{pattern}*" if missing == 0 and pattern.endswith(":") else pattern


def as_text(text: str) -> str:
    """A string as a pattern that means nothing but this string."""
    return text.translate(_AS_TEXT)


def has_wildcards(pattern: str) -> bool:
    """Whether a pattern may mean more than one value: by a wildcard, or by a variable."""
    return not _LITERALS.isdisjoint(pattern)


def split_variables(pattern: str) -> list[str]:
    """A pattern, split: what is between variables at even places, what is within `${...}` at odd ones."""
    parts, start = [], 0
    while (opened := pattern.find("${", start)) >= 0 and (closed := pattern.find("}", opened)) >= 0:
        parts += [pattern[start:opened], pattern[opened + 2 : closed]]
        start = closed + 1
    return [*parts, pattern[start:]]


def is_literal(variable: str) -> bool:
    """Whether what is within `${...}` is the character itself."""
    return variable in _LITERALS


def variable_of(variable: str) -> tuple[str, str | None] | None:
    """The key within `${...}` and what stands in where a request lacks it; None: it is no variable."""
    # The keys of tags may have spaces.
    key, comma, default = (part.strip() for part in variable.partition(","))
    is_quoted = len(default) > 1 and default[0] == default[-1] == "'" and "'" not in default[1:-1]
    if not key or (comma and not is_quoted):
        return None
    return key, default[1:-1] if comma else None


def _lower(text: str) -> str:
    # Character by character: of some, the lower case is two, and "?" stands for one.
    return text.lower() if text.isascii() else "".join(map(_lower_character, text))


def _lower_character(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character


def _fits(value: str, runs: tuple[_Run, ...]) -> bool:
    first, last = runs[0], runs[-1]
    if len(runs) == 1:
        return len(value) == _length(first) and _stands_at(value, 0, first)
    start, end = _length(first), len(value) - _length(last)
    if end < start or not _stands_at(value, 0, first) or not _stands_at(value, end, last):
        return False
    for run in runs[1:-1]:
        # The first place is the best one: it leaves most of the value to what follows.
        start = _place(value, run, start, end)
        if start < 0:
            return False
        start += _length(run)
    return True


def _place(value: str, run: _Run, start: int, end: int) -> int:
    """Where a run stands first, between two places of a value; -1: nowhere."""
    anchor = max(run, key=len)
    before = sum(len(piece) + 1 for piece in run[: run.index(anchor)])
    last = end - _length(run)
    while start <= last:
        found = value.find(anchor, start + before, last + before + len(anchor))
        if found < 0:
            return -1
        if _stands_at(value, found - before, run):
            return found - before
        start = found - before + 1
    return -1


def _stands_at(value: str, start: int, run: _Run) -> bool:
    for piece in run:
        if not value.startswith(piece, start):
            return False
        start += len(piece) + 1
    return True


def _length(run: _Run) -> int:
    return len(run[0]) if len(run) == 1 else sum(map(len, run)) + len(run) - 1


@functools.lru_cache(maxsize=16_384)
def _kept_runs(pattern: str, ignoring_case: bool) -> tuple[_Run, ...]:
    known = _lower(pattern) if ignoring_case else pattern
    return tuple(tuple(run.split("?")) for run in known.split("*"))


def _runs(pattern: str) -> Iterator[_Run]:
    """What lies between the "*" of a pattern with escapes."""
    run = [""]
    for number, part in enumerate(split_variables(pattern)):
        if number % 2:
            run[-1] += part if is_literal(part) else f"${{{part}}}"
            continue
        ended, *others = (one.split("?") for one in part.split("*"))
        run = [*run[:-1], run[-1] + ended[0], *ended[1:]]
        for other in others:
            yield tuple(run)
            run = other
    yield tuple(run)
