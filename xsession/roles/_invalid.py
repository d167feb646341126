"""The error of an option that STS or IAM would refuse."""

from __future__ import annotations

from xsession.errors import InvalidRoleError


def invalid(role_arn: str | None, name: str, value: object, rule: str, *, secret: bool = False) -> InvalidRoleError:
    """The error; shows the value unless it is a secret."""
    shown = "(not shown)" if secret else _shortened(repr(value))
    return InvalidRoleError(f"{name} {shown} is not valid: {rule}", role_arn=role_arn)


def _shortened(text: str, longest: int = 120) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
