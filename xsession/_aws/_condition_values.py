"""How policies' conditions compare: numbers, times, and operators that negate others.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
"""What stands behind "Numeric" and "Date" in an operator's name."""
NEGATED: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
"""The operators that are met where the other one is not."""


def is_met_by_no_value(operator_name: str) -> bool:
    """Whether an operator, where the policy has no values, is met by no value of a request.

    Of the operators that negate others, and of Null, AWS does not say what they then mean.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html

    Args:
        operator_name: Without "ForAllValues:" and the like.
    """
    return operator_name.removesuffix("IfExists") not in {*NEGATED, "Null"}


def number_of(text: str) -> float | None:
    """A number; None: it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def time_of(text: str) -> float | None:
    """Seconds since 1970; AWS takes ISO 8601 and those seconds. None: it is neither."""
    seconds = number_of(text)
    if seconds is not None:
        return seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
