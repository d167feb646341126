"""The patterns of policies: wildcards, and variables that stand for values of the request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ._not_judged import UnknownConditionError

# Condition keys in lower case to values; a key that the request lacks is absent.
Context: TypeAlias = Mapping[str, Sequence[str]]

_VARIABLE = re.compile(r"\s*([^\s,]+)\s*(?:,\s*'([^']*)'\s*)?")
_WILDCARDS = {"*": ".*", "?": "."}
_LITERALS = frozenset("*?$")

_KNOWN_KEYS = re.compile(
    r"aws:(currenttime|epochtime|multifactorauthpresent|multifactorauthage|principalaccount|principalarn|principalorgid"
    r"|principaltype|sourceidentity|sourceip|requestedregion|tokenissuetime|tagkeys|userid|username|viaawsservice"
    r"|principaltag/.+|requesttag/.+)"
    r"|sts:(externalid|rolesessionname|sourceidentity|transitivetagkeys)"
    r"|s3:(prefix|delimiter|max-keys)|ec2:region"
    # What IAM takes of an OIDC provider's token, whose host names the key.
    r"|[a-z0-9-]+(\.[a-z0-9-]+)+(/[^:]*)?:(sub|aud|oaud|amr)"
)


def require_known(key: str) -> str:
    """The key as a context has it.

    Raises:
        UnknownConditionError: The local AWS never fills it.
    """
    name = key.lower()
    if not _KNOWN_KEYS.fullmatch(name):
        msg = f"condition key {key} is not known to the local AWS"
        raise UnknownConditionError(msg)
    return name


def matches(text: str, pattern: str, context: Context | None = None, *, ignoring_case: bool = False) -> bool:
    """Whether a text is one that a pattern means.

    Args:
        text: Of the request.
        pattern: Of the policy; * and ? are wildcards.
        context: Where `${...}` gets its value from; a variable without one matches nothing. None: it is plain text.
        ignoring_case: Whether upper and lower case are the same.

    Raises:
        UnknownConditionError: A variable that is not known here.
    """
    if pattern == "*":
        return True
    if context is not None and "${" in pattern:
        expression = _expression(pattern, context)
        flags = re.DOTALL | (re.IGNORECASE if ignoring_case else 0)
        return expression is not None and re.fullmatch(expression, text, flags) is not None
    return _compiled(pattern, ignoring_case).fullmatch(text) is not None


def filled(text: str, context: Context) -> str | None:
    """A text whose variables have their values and whose wildcards are plain text; None: one has no value.

    Raises:
        UnknownConditionError: A variable that is not known here.
    """
    parts = [part if is_text else _value(part, context) for is_text, part in _split(text)]
    return None if None in parts else "".join(filter(None, parts))


@functools.lru_cache(maxsize=16_384)
def _compiled(pattern: str, ignoring_case: bool) -> re.Pattern[str]:
    parts = (_WILDCARDS.get(part) or re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignoring_case else 0))


def _expression(pattern: str, context: Context) -> str | None:
    parts: list[str] = []
    for is_text, part in _split(pattern):
        if is_text:
            parts.append(_compiled(part, False).pattern)
            continue
        value = _value(part, context)
        if value is None:
            return None
        parts.append(re.escape(value))
    return "".join(parts)


def _split(pattern: str) -> list[tuple[bool, str]]:
    parts = re.split(r"\$\{([^}]*)\}", pattern)
    return [(number % 2 == 0, part) for number, part in enumerate(parts)]


def _value(variable: str, context: Context) -> str | None:
    if variable in _LITERALS:
        return variable
    match = _VARIABLE.fullmatch(variable)
    if match is None:
        msg = f"policy variable ${{{variable}}} is not valid"
        raise UnknownConditionError(msg)
    values = context.get(require_known(match[1]))
    if values is None:
        return match[2]
    if len(values) != 1:
        msg = f"policy variable ${{{variable}}} has {len(values)} values: only keys with one can be variables"
        raise UnknownConditionError(msg)
    return values[0]
