"""Errors without what they were raised in."""

from __future__ import annotations

import pytest

from xsession._base import without_frames


def failing(secret: str) -> None:
    """Raises an error that has a context, and a cause that has one."""
    try:
        try:
            raise LookupError(secret)  # noqa: TRY301 # it is what becomes a context
        except LookupError:
            raise OSError from None
    except OSError as error:
        raise ValueError from error


def test_no_frame_and_no_context_is_left() -> None:
    """Neither of the error nor of its causes."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 # of any text
        failing("hidden")
    caught = raised.value
    assert without_frames(caught) is caught
    cause = caught.__cause__
    assert isinstance(cause, OSError)
    assert caught.__traceback__ is None
    assert caught.__context__ is None
    assert cause.__traceback__ is None
    assert cause.__context__ is None


def test_errors_that_are_their_own_cause_have_an_end() -> None:
    """Python allows them."""
    error, other = ValueError(), OSError()
    error.__cause__, other.__cause__ = other, error
    assert without_frames(error) is error
