"""The patterns of policies: wildcards, and variables that stand for values of the request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from xsession._aws import as_text, is_like, is_literal, oidc_claims, split_variables, variable_of

from ._not_judged import UnknownConditionError

# Condition keys in lower case to values; a key that the request lacks is absent.
Context: TypeAlias = Mapping[str, Sequence[str]]

_KNOWN_KEYS = re.compile(
    r"aws:(currenttime|epochtime|multifactorauthpresent|multifactorauthage|principalaccount|principalarn|principalorgid"
    r"|principaltype|sourceidentity|sourceip|requestedregion|tokenissuetime|tagkeys|userid|username|viaawsservice"
    r"|principaltag/.+|requesttag/.+)"
    r"|sts:(externalid|rolesessionname|sourceidentity|transitivetagkeys)"
    r"|s3:(prefix|delimiter|max-keys)|ec2:region"
)
# Those of an OIDC provider's token begin with its URL.
_PROVIDER = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[^:]*)?")


def require_known(key: str) -> str:
    """The key as a context has it.

    Raises:
        UnknownConditionError: The local AWS never fills it.
    """
    name = key.lower()
    provider, _, claim = name.partition(":")
    of_token = _PROVIDER.fullmatch(provider) and claim in oidc_claims(provider)
    if not of_token and not _KNOWN_KEYS.fullmatch(name):
        msg = f"condition key {key} is not known to the local AWS"
        raise UnknownConditionError(msg)
    return name


def matches(text: str, pattern: str, context: Context | None = None, *, ignoring_case: bool = False) -> bool:
    """Whether a string is one that a pattern means.

    Args:
        text: Of the request.
        pattern: Of the policy; * and ? are wildcards.
        context: Where `${...}` gets its value from; a variable without one matches nothing. None: it is a plain string.
        ignoring_case: Whether upper and lower case are the same.

    Raises:
        UnknownConditionError: A variable that is not known here.
    """
    if context is None or "${" not in pattern:
        return is_like(text, pattern, ignoring_case=ignoring_case)
    parts = _filled(pattern, context)
    if None in parts:
        return False
    escaped = "".join(as_text(part or "") if number % 2 else part or "" for number, part in enumerate(parts))
    return is_like(text, escaped, escapes=True, ignoring_case=ignoring_case)


def filled(text: str, context: Context) -> str | None:
    """A pattern whose variables have their values, with their wildcards as plain characters; None: one has no value.

    Raises:
        UnknownConditionError: A variable that is not known here.
    """
    parts = _filled(text, context)
    return None if None in parts else "".join(filter(None, parts))


def _filled(pattern: str, context: Context) -> list[str | None]:
    # At odd places what the variables stand for.
    parts = enumerate(split_variables(pattern))
    return [_value(part, context) if number % 2 else part for number, part in parts]


def _value(variable: str, context: Context) -> str | None:
    if is_literal(variable):
        return variable
    named = variable_of(variable)
    if named is None:
        msg = f"policy variable ${{{variable}}} is not valid"
        raise UnknownConditionError(msg)
    values = context.get(require_known(named[0]))
    if values is None:
        return named[1]
    if len(values) != 1:
        msg = f"policy variable ${{{variable}}} has {len(values)} values: only keys with one can be variables"
        raise UnknownConditionError(msg)
    return values[0]
