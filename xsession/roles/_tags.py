"""Tags as STS and IAM take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xsession._base import FrozenMap
from xsession.errors import InvalidRoleError

_TAG_PUNCTUATION = frozenset("_.:/=+-@")


def checked_tags(tags: object, role_arn: str | None = None) -> FrozenMap[str]:
    """Tags as STS and IAM take them.

    Args:
        tags: Keys to values.
        role_arn: The role that they are for, where it has an ARN already.

    Raises:
        InvalidRoleError: They are no such mapping, or too many, or a key or value is not valid.
    """
    if not isinstance(tags, Mapping) or len(tags) > 50:
        raise InvalidRoleError.invalid(tags, "tags", "a mapping of at most 50 keys to values", role_arn=role_arn)
    seen: dict[str, str] = {}
    for key, value in tags.items():
        if not _is_tag_text(key, 1, 128) or key.lower().startswith("aws:"):
            rule = "keys are 1 to 128 letters, digits, spaces and _ . : / = + - @, and do not begin with aws:"
            raise InvalidRoleError.invalid(key, "tags", rule, role_arn=role_arn)
        if not _is_tag_text(value, 0, 256):
            rule = f"the value of {key!r} is up to 256 letters, digits, spaces and _ . : / = + - @"
            raise InvalidRoleError.invalid(value, "tags", rule, role_arn=role_arn)
        if key.casefold() in seen:
            rule = f"keys differ by more than case, and {seen[key.casefold()]!r} is there too"
            raise InvalidRoleError.invalid(key, "tags", rule, role_arn=role_arn)
        seen[key.casefold()] = key
    return FrozenMap(tags)


def inherited_key(tags: Iterable[str], inherited: Iterable[str]) -> str | None:
    """A tag that a session inherits already, so that STS refuses it, whatever its value; None: there is none.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

    Args:
        tags: The keys that are to be set.
        inherited: The keys of the transitive tags of the sessions before, in whatever case.
    """
    taken = {key.casefold() for key in inherited}
    return next((key for key in tags if key.casefold() in taken), None)


def _is_tag_text(value: object, shortest: int, longest: int) -> bool:
    import unicodedata  # noqa: PLC0415 # a shared library of its own, and most roles have no tags

    return (
        isinstance(value, str)
        and shortest <= len(value) <= longest
        and all(char in _TAG_PUNCTUATION or unicodedata.category(char)[0] in "LZN" for char in value)
    )
