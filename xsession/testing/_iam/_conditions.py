"""The condition engine, for all kinds of policies; what it does not know, it refuses to judge.

There are two evaluators of conditions. This one stands for AWS: it has the whole request, so its answer is yes or no,
and what it can't judge is an error that ends the test, as a guess would make the test worth nothing. The other one,
in `xsession.policies`, predicts what AWS will say to a request of which not everything is known, and has a third
answer for that. Operators are read in each, so that one checks the other: a test compares their verdicts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xsession._aws import COMPARISONS, NEGATED, is_met_by_no_value, number_of, time_of
from xsession._base import frozen
from xsession.policies import Policy, Statement

from ._not_judged import UnknownConditionError
from ._patterns import Context, filled, matches, require_known


def holds(policy: Policy, statement: Statement, context: Context) -> bool:
    """Whether all conditions of a statement are met.

    Args:
        policy: The statement's policy, whose version says whether `${...}` is a variable.
        statement: The statement.
        context: The request's condition keys.

    Raises:
        UnknownConditionError: A key, an operator or a value that is not known here.
    """
    variables = context if policy.version == "2012-10-17" else None
    # All of them are evaluated: an unknown one must not hide behind one that is false.
    held = [
        _is_met(name, key, wanted, context, variables)
        for name, keys in statement.conditions.items()
        for key, wanted in keys.items()
    ]
    return all(held)


@frozen
class _Test:
    # Compares a value of the request with one of the policy, the variables' values at hand.
    compare: Callable[[str, str, Context | None], bool]
    negated: bool = False


def _is_met(name: str, key: str, wanted: Sequence[str], context: Context, variables: Context | None) -> bool:
    present = context.get(require_known(key))
    qualifier, _, bare = name.rpartition(":")
    if not wanted and not is_met_by_no_value(bare):
        msg = f"AWS does not say what {name} {key} means without a value"
        raise UnknownConditionError(msg)
    if bare == "Null":
        return any((present is None) == (value.lower() == "true") for value in wanted)
    test = _TESTS.get(bare.removesuffix("IfExists"))
    if test is None:
        msg = f"condition operator {name} is not known to the local AWS"
        raise UnknownConditionError(msg)
    if present is None:
        for value in wanted:
            test.compare("", value, variables)  # a value that can't be judged is one for every request
        return bare.endswith("IfExists") or qualifier == "ForAllValues" or (test.negated and not qualifier)
    # All are compared, as one of them may be none that can be judged.
    compared = [[test.compare(value, one, variables) for one in wanted] for value in present]
    met = [any(results) != test.negated for results in compared]
    return any(met) if qualifier == "ForAnyValue" else all(met)


def _equal(value: str, wanted: str, variables: Context | None) -> bool:
    return value == (wanted if variables is None else filled(wanted, variables))


def _equal_ignoring_case(value: str, wanted: str, variables: Context | None) -> bool:
    text = wanted if variables is None else filled(wanted, variables)
    return text is not None and value.lower() == text.lower()


def _like(value: str, wanted: str, variables: Context | None) -> bool:
    return matches(value, wanted, variables)


def _arn_like(value: str, wanted: str, variables: Context | None) -> bool:
    if wanted == "*":
        return True
    # A colon within ${...} divides no ARN.
    parts = _outside_variables(wanted) if variables is not None else wanted.split(":", 5)
    if len(parts) != 6:
        msg = f"{wanted!r} is no ARN to compare with: it has {len(parts)} parts of six"
        raise UnknownConditionError(msg)
    values = value.split(":", 5)
    # All of them are compared, since each may hold a variable that is not known.
    met = [matches(part, pattern, variables) for part, pattern in zip(values, parts, strict=False)]
    return len(values) == len(parts) and all(met)


def _outside_variables(arn: str) -> list[str]:
    parts = [""]
    depth = 0
    for position, character in enumerate(arn):
        if arn.startswith("${", position):
            depth += 1
        elif character == "}" and depth:
            depth -= 1
        if character == ":" and not depth and len(parts) < 6:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _compared(read: Callable[[str], Any], compare: Callable[[Any, Any], bool], kind: str) -> _Test:
    def test(value: str, wanted: str, _variables: Context | None) -> bool:
        limit = read(wanted)
        if limit is None:
            msg = f"{wanted!r} is no {kind} to compare with"
            raise UnknownConditionError(msg)
        found = read(value)
        return found is not None and compare(found, limit)

    return _Test(test)


def _network(text: str) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _within(address: Any, network: Any) -> bool:
    return address.version == network.version and bool(address.subnet_of(network))


def _negated(test: _Test) -> _Test:
    return _Test(test.compare, negated=True)


_PLAIN: Mapping[str, _Test] = {
    "StringEquals": _Test(_equal),
    "StringEqualsIgnoreCase": _Test(_equal_ignoring_case),
    "StringLike": _Test(_like),
    "ArnEquals": _Test(_arn_like),
    "ArnLike": _Test(_arn_like),
    "Bool": _Test(_equal_ignoring_case),
    "IpAddress": _compared(_network, _within, "IP address or range"),
    **{f"Numeric{name}": _compared(number_of, compare, "number") for name, compare in COMPARISONS.items()},
    **{f"Date{name}": _compared(time_of, compare, "date") for name, compare in COMPARISONS.items()},
}
_TESTS: Mapping[str, _Test] = {**_PLAIN, **{name: _negated(_PLAIN[other]) for name, other in NEGATED.items()}}
