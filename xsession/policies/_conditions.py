"""Whether a condition of a policy is met by a request of which not everything is known: yes, no, or it can't be told.

There are two evaluators of conditions. This one predicts what AWS will say, for a diagnosis: the caller's tags,
address or organization may be unknown, and then the verdict is None, never a guess. The other one, of the local AWS
in `xsession.testing`, stands for AWS: it has the whole request, answers yes or no, and what it can't judge is an
error. Operators are read in each, so that one checks the other: a test compares their verdicts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias

from xsession._aws import (
    COMPARISONS,
    NEGATED,
    as_text,
    is_like,
    is_literal,
    is_met_by_no_value,
    number_of,
    split_variables,
    time_of,
    variable_of,
)
from xsession._base import frozen

# What a test says: None where it can't be told.
Verdict: TypeAlias = bool | None
_Compare: TypeAlias = "Callable[[str, str, RequestKeys | None], Verdict]"

_TAG_PREFIX = "aws:requesttag/"


@frozen
class RequestKeys:
    """The condition keys of a request, as far as they are known.

    Args:
        values: Keys in lower case to values; none: the request is known to lack the key.
        all_tags: Whether `aws:RequestTag/...` keys that are not there are known to be lacking.
    """

    values: Mapping[str, Sequence[str]] = field(repr=False)  # an external id may be among them
    all_tags: bool = True

    def get(self, key: str) -> Sequence[str] | None:
        """The values of a key, none where the request lacks it; None: nothing is known of it."""
        name = key.lower()
        lacking = () if self.all_tags and name.startswith(_TAG_PREFIX) else None
        return self.values.get(name, lacking)


def is_met(name: str, key: str, wanted: Sequence[str], keys: RequestKeys, *, variables: bool = True) -> Verdict:
    """Whether a request meets a condition.

    Args:
        name: The operator, such as "StringEquals" or "ForAnyValue:StringLike".
        key: The condition key.
        wanted: The policy's values.
        keys: The request's.
        variables: Whether `${...}` is a variable, as it is not in policies of the older version.

    Returns:
        None where the key, the operator or a value is one that can't be judged here.
    """
    present = keys.get(key)
    if present is None:
        return None
    qualifier, _, bare = name.rpartition(":")
    if not wanted and not is_met_by_no_value(bare):
        return None
    if bare == "Null":
        return any((not present) == (value.lower() == "true") for value in wanted)
    positive = NEGATED.get(bare.removesuffix("IfExists"), bare.removesuffix("IfExists"))
    negated = positive != bare.removesuffix("IfExists")
    compare = _TESTS.get(positive)
    if compare is None:
        return None
    if not present:
        return bare.endswith("IfExists") or qualifier == "ForAllValues" or (negated and not qualifier)
    of_request = keys if variables else None
    met = [_differs(_any(compare(value, one, of_request) for one in wanted), negated) for value in present]
    return _any(met) if qualifier == "ForAnyValue" else _all(met)


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    found = list(verdicts)
    return True if True in found else None if None in found else False


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    found = list(verdicts)
    return False if False in found else None if None in found else True


def _differs(verdict: Verdict, negated: bool) -> Verdict:
    return None if verdict is None else verdict != negated


def _matching(*, wildcards: bool, ignoring_case: bool = False) -> _Compare:
    def compare(value: str, wanted: str, keys: RequestKeys | None) -> Verdict:
        parts = [wanted] if keys is None else split_variables(wanted)
        filled = [_filled(part, keys) if number % 2 else (part,) for number, part in enumerate(parts)]
        if None in filled:
            return None
        if () in filled:
            return False
        values = [found[0] for found in filled if found]
        if not wildcards:
            text = "".join(values)
            return value.lower() == text.lower() if ignoring_case else value == text
        pattern = "".join(as_text(part) if number % 2 else part for number, part in enumerate(values))
        return is_like(value, pattern, escapes=keys is not None)

    return compare


def _filled(variable: str, keys: RequestKeys | None) -> tuple[str, ...] | None:
    """What stands for a variable: nothing where the request lacks it, which then matches nothing; None: not known."""
    if is_literal(variable):
        return (variable,)
    named = variable_of(variable)
    values = keys.get(named[0]) if keys is not None and named is not None else None
    if named is None or values is None or len(values) > 1:
        return None
    if values:
        return (values[0],)
    # The request lacks it: the policy's own value stands in, where there is one.
    return () if named[1] is None else (named[1],)


def _arn_like(value: str, wanted: str, keys: RequestKeys | None) -> Verdict:
    if wanted == "*":
        return True
    if "${" in wanted and keys is not None:
        return None  # a variable may hold colons, and which of them divide the ARN is not for us to say
    patterns, parts = wanted.split(":", 5), value.split(":", 5)
    if len(patterns) != 6:
        return None
    like = _matching(wildcards=True)
    return len(parts) == 6 and _all(like(part, one, None) for part, one in zip(parts, patterns, strict=True))


def _compared(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> _Compare:
    def test(value: str, wanted: str, _keys: RequestKeys | None) -> Verdict:
        found, limit = read(value), read(wanted)
        return None if found is None or limit is None else compare(found, limit)

    return test


_TESTS: Mapping[str, _Compare] = {
    "StringEquals": _matching(wildcards=False),
    "StringEqualsIgnoreCase": _matching(wildcards=False, ignoring_case=True),
    "StringLike": _matching(wildcards=True),
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _matching(wildcards=False, ignoring_case=True),
    **{f"Numeric{name}": _compared(number_of, compare) for name, compare in COMPARISONS.items()},
    **{f"Date{name}": _compared(time_of, compare) for name, compare in COMPARISONS.items()},
}
