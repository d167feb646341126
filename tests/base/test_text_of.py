from __future__ import annotations

import pytest

from xsession._base import text_of


class Wordless:
    """Something whose own code fails."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __str__(self) -> str:
        raise self._error


def test_it_says_what_str_does() -> None:
    """As in any message."""
    assert text_of(KeyError("vegeta")) == "'vegeta'"


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(1)])
def test_what_can_not_say_anything_is_told(error: BaseException) -> None:
    """The error's own text may be anything."""
    assert text_of(Wordless(error)) == f"str() raised {type(error).__name__}"


def test_a_program_is_still_interrupted() -> None:
    """Ctrl-C in there is the caller's."""
    with pytest.raises(KeyboardInterrupt):
        text_of(Wordless(KeyboardInterrupt()))
