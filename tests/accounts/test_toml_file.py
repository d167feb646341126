from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts._toml_file import lines_of


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = 1\nb = 2", {("a",): 1, ("b",): 2}),
        ("[a]\n[a.b] # c\nx=1", {("a",): 1, ("a", "b"): 2, ("a", "b", "x"): 3}),
        ("[ a . \"b c\" ]\r\n'd' = 1", {("a",): 1, ("a", "b c"): 1, ("a", "b c", "d"): 2}),
        ("a.b.c = 1", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1}),
        (
            "[[a]]\nx = 1\n[[a]]\n[a.b]\nx = 2\n[[a.c]]",
            {
                ("a",): 1,
                ("a", "[0]"): 1,
                ("a", "[0]", "x"): 2,
                ("a", "[1]"): 3,
                ("a", "[1]", "b"): 4,
                ("a", "[1]", "b", "x"): 5,
                ("a", "[1]", "c"): 6,
                ("a", "[1]", "c", "[0]"): 6,
            },
        ),
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
    PATHS.map("[[{}]]".format),
    PATHS.map("{} = 1".format),
    PATHS.map('{} = """\n[x]\n"""'.format),
    PATHS.map("{} = [\n  {{ y = 1 }}, # [z]\n]".format),
    st.just("# w = '"),
)


def keys_of(table: dict[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """All paths of keys in a document, but those in lists within a line."""
    found: set[tuple[str, ...]] = set()
    for key, value in table.items():
        found.add((*above, key))
        if isinstance(value, dict):
            found |= keys_of(value, (*above, key))
        elif isinstance(value, list) and value != [{"y": 1}]:
            for number, item in enumerate(value):
                found |= {(*above, key, f"[{number}]")} | keys_of(item, (*above, key, f"[{number}]"))
    return found


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_the_keys_with_lines_are_those_of_the_document(text: str) -> None:
    """As the real parser sees it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines_of(text)) == keys_of(document)
