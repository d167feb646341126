"""Errors without what they were raised in."""

from __future__ import annotations

import traceback

import pytest

from xsession._base import hides_frames, without_frames, without_text


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


@hides_frames(LookupError)
def looked_up(secret: str, *, index: int) -> str:
    """Has a secret as its argument, and as a variable."""
    parts = [secret]
    if index < 0:
        raise TypeError
    return parts[index]


def test_a_function_hides_its_frame_and_its_arguments() -> None:
    """Where it fails; else it is as it was."""
    assert looked_up("hidden", index=0) == "hidden"
    assert looked_up.__name__ == "looked_up"
    with pytest.raises(IndexError) as raised:
        looked_up("hidden", index=1)
    variables = [frame.f_locals for frame, _ in traceback.walk_tb(raised.value.__traceback__)]
    assert len(variables) == 2
    assert "hidden" not in str(variables[1:])


def test_errors_of_other_kinds_keep_their_frames() -> None:
    """They are faults of a program, and somebody has to find them."""
    with pytest.raises(TypeError) as raised:
        looked_up("hidden", index=-1)
    assert [frame.f_code.co_name for frame, _ in traceback.walk_tb(raised.value.__traceback__)][-1] == "looked_up"


def test_what_is_said_without_its_text_is_the_class_and_the_line() -> None:
    """The innermost one; an error that was never raised has none."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 # of any text
        failing("hidden")
    said = without_text(raised.value)
    assert said.startswith("ValueError (test_frames.py:")
    assert said.endswith(", in failing)")
    assert without_text(KeyError("hidden")) == "KeyError"
