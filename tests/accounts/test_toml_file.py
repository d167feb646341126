from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts._toml_file import Place, lines_of


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = 1\nb = 2", {("a",): 1, ("b",): 2}),
        ("[a]\n[a.b] # c\nx=1", {("a",): 1, ("a", "b"): 2, ("a", "b", "x"): 3}),
        ("[ a . \"b c\" ]\r\n'd' = 1", {("a",): 1, ("a", "b c"): 1, ("a", "b c", "d"): 2}),
        ("a.b.c = 1", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1}),
        ("[[a]]\nx = 1\n[[a]]\nx = 2", {("a",): 1, ("a", "x"): 2}),
        ('"a.b" = 1', {("a.b",): 1}),
        ('a = """\n[b]\nc = 1\n"""\nd = 1', {("a",): 1, ("d",): 5}),
        ("a = '''\n[b]\n'''\nd = 1", {("a",): 1, ("d",): 4}),
        ('a = """x\\""" #"""\nd = 1', {("a",): 1, ("d",): 2}),
        ("# [b]\n#'''\na = 1", {("a",): 3}),
        ('a = "#"\nb = \'"""\'\nc = 1', {("a",): 1, ("b",): 2, ("c",): 3}),
        ('a = [\n  "[b]",\n  { c = 1 },\n]\nd = 1', {("a",): 1, ("d",): 5}),
        ("", {}),
    ],
)
def test_each_key_has_its_first_line(text: str, lines: dict[tuple[str, ...], int]) -> None:
    """Whatever strings and comments hold that looks like one."""
    tomllib.loads(text)
    assert lines_of(text) == lines


NAMES = st.sampled_from(["a", "b-c", '"d e"', "'f.g'", '"\\""', "1"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
LINES = st.one_of(
    PATHS.map("[{}]".format),
    PATHS.map("{} = 1".format),
    PATHS.map('{} = """\n[x]\n"""'.format),
    PATHS.map("{} = [\n  {{ y = 1 }}, # [z]\n]".format),
    st.just("# w = '"),
)


def keys_of(table: dict[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """All paths of keys in a document, but those in lists."""
    found: set[tuple[str, ...]] = set()
    for key, value in table.items():
        found.add((*above, key))
        if isinstance(value, dict):
            found |= keys_of(value, (*above, key))
    return found


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_the_keys_with_lines_are_those_of_the_document(text: str) -> None:
    """As the real parser sees it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines_of(text)) == keys_of(document)


def test_a_place_without_a_line_of_its_own_has_that_of_what_encloses_it() -> None:
    """A list's item, that of the list; and the file alone, none."""
    place = Place("f.toml", {("a",): 3})
    assert str(place.at("a", "[0]")) == "f.toml:3: a[0]"
    assert str(place.at("z")) == "f.toml: z"
    assert str(place) == "f.toml"
