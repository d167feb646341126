"""What the local AWS does not judge: it raises rather than give a verdict that is worth nothing."""

from __future__ import annotations

from xsession._base import public


@public
class NotJudgedError(NotImplementedError):
    """A request whose verdict the local AWS can't know; raised again when its context ends."""


class UnknownConditionError(NotJudgedError):
    """A policy asks for a condition key, an operator or a value that the local AWS does not know."""


class UnknownRequestError(NotJudgedError):
    """The local AWS does not know which action, or which resource, a request needs permission for."""
