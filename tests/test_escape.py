from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.attacks import ATTACKS, harmless, seen
from xsession.escape import for_html, for_json, for_terminal

EVIL = pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@EVIL
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Nor anything that does not show; what is harmless stays readable."""
    shown = for_terminal(text)
    assert harmless(shown)
    assert not set(shown) & set("\u115f\u3164\u2800\u034f\ufe0f\U000e0100")
    assert for_terminal(shown) == shown


@EVIL
def test_html_holds_text_alone(text: str) -> None:
    """In an element as in an attribute."""
    escaped = for_html(text, 300)
    in_element = seen(f"<p>{escaped}</p>")
    assert in_element.tags == [("p", [])]
    assert in_element.text == for_terminal(text, 300)
    for quote in "\"'":
        in_attribute = seen(f"<p title={quote}{escaped}{quote}>x</p>")
        assert in_attribute.tags == [("p", [("title", for_terminal(text, 300))])]


@EVIL
def test_json_is_one_line_of_ascii_that_says_the_same(text: str) -> None:
    """But for halves of pairs; and it can stand in a page's script."""
    line = for_json({"text": text, text: [text, (1, None)]})
    assert line.isascii()
    assert line.isprintable()
    assert not set("<>&") & set(line)
    whole = "a\ufffdb\ufffdc" if text == ATTACKS["is half a pair"] else text
    assert json.loads(line) == {"text": whole, whole: [whole, [1, None]]}


@given(ANY_TEXT, st.none() | st.integers(0, 40))
def test_any_text_becomes_harmless(text: str, limit: int | None) -> None:
    """Whatever is in it, and within the limit."""
    shown = for_terminal(text, limit)
    assert harmless(shown)
    assert limit is None or len(shown) <= max(limit, len("..."))


@given(st.recursive(ANY_TEXT | st.none() | st.booleans() | st.integers() | st.floats(), st.lists, max_leaves=5))
def test_any_value_becomes_strict_json(value: Any) -> None:
    """Which other programs read too."""
    line = for_json(value)
    assert line.isascii()
    json.loads(line, parse_constant=pytest.fail)


@pytest.mark.parametrize("text", ["Müller", "東京", "naïve e\u0301", "i-0abc", "a b", "", "😀", "C:\\x1b"])
def test_what_people_write_is_left_alone(text: str) -> None:
    """Whatever their script."""
    assert for_terminal(text) == text


def test_what_is_written_out_can_be_told() -> None:
    """In the spelling of Python's literals."""
    assert for_terminal("a\x1b[2J\n\u202e\U000e0041\ud800") == "a\\x1b[2J\\n\\u202e\\U000e0041\\ud800"


def test_a_long_text_is_cut() -> None:
    """And says so."""
    assert for_terminal("x" * 20, 10) == "xxxxxxx..."
    assert for_terminal("x" * 10, 10) == "x" * 10
    assert for_terminal("\x1b" * 5, 10) == "\\x1b\\x1..."


def test_numbers_that_json_lacks_are_null() -> None:
    """Other programs could not read them."""
    assert for_json([float("nan"), float("inf"), 1.5]) == "[null,null,1.5]"


def test_both_halves_of_a_pair_are_one_character() -> None:
    """As other languages keep them."""
    assert json.loads(for_json("\ud83d\ude00")) == "😀"
