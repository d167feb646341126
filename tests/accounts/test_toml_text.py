from __future__ import annotations

import re
import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts._toml_text import MAX_DEPTH, MAX_FILE_BYTES, NotTomlError, check_values, parse_toml

# Each would take seconds, memory without bounds or the stack if it were parsed; none of them is.
HOSTILE = {
    "brackets": (b"a = " + b"[" * 100_000, "nests values more than 32 deep"),
    "brackets that are closed": (b"a = " + b"[" * 100_000 + b"]" * 100_000, "nests values more than 32 deep"),
    "inline tables": (b"a = " + b"{a=" * 50_000, "nests values more than 32 deep"),
    "a dotted key": (b"a" + b".a" * 10_000 + b" = 1", "has a key of more than 32 parts"),
    "a dotted key in quotes": (b'"a"' + b" . 'a'" * 10_000 + b" = 1", "has a key of more than 32 parts"),
    "a dotted table": (b"[a" + b".a" * 10_000 + b"]", "has a key of more than 32 parts"),
    "many keys": (b"a=1\n" * 500_000, "has more keys and values than are read"),
    "a long list": (b"a = [" + b"1," * 1_000_000 + b"]", "has more keys and values than are read"),
    "a large file": (b"#" * (MAX_FILE_BYTES + 1), "has more than 2097152 bytes"),
    "strings that do not end": (b'"""\n\\' * 400_000, "is not valid TOML"),
    "literals that do not end": (b"'''\n'" * 400_000, "is not valid TOML"),
    "quotes": (b"'" * 2_000_000, "is not valid TOML"),
    "blanks": (b"a" + b" " * 2_000_000 + b"b", "is not valid TOML"),
    "returns": (b"\r" * 2_000_000, "is not valid TOML"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_strangers_write_costs_no_time(kind: str) -> None:
    """It is refused, in milliseconds; the bound here is that of a busy machine."""
    data, words = HOSTILE[kind]
    begin = time.process_time()
    with pytest.raises(NotTomlError, match=re.escape(words)):
        parse_toml(data)
    assert time.process_time() - begin < 1


def test_the_bounds_are_far_from_what_people_write() -> None:
    """Ten thousand accounts, keys and values as deep as allowed, brackets and dots in strings and comments."""
    accounts = "".join(
        f'[accounts.a{number:05}]\naccount_id = "222222222222"\nrole_name = "Auditor"\ntags = {{ env = "prod" }}\n'
        for number in range(10_000)
    )
    assert len(parse_toml(accounts.encode())[1]["accounts"]) == 10_000
    deep = ".".join(["a"] * MAX_DEPTH) + " = " + "[" * MAX_DEPTH + "]" * MAX_DEPTH
    text = "# [[[ . . ' \"\n" * 100 + "a = '" + "[." * 100 + '\'\nb = "\\"' + "{." * 100 + '"\n'
    text += "c = '''\n" + "'[." * 100 + "''''\n" + 'd = """\n' + '\\"""[.' * 100 + '"""\n[e]\n'
    assert parse_toml(f"{text}{deep}".encode())[1].keys() == {"a", "b", "c", "d", "e"}


@given(st.text("ab.=\"'\\[]{},# \n1", max_size=60))
def test_nothing_that_is_toml_is_refused(text: str) -> None:
    """What the parser reads is read, and to the same values."""
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(NotTomlError, match="is not valid TOML"):
            parse_toml(text.encode())
        return
    assert parse_toml(text.encode()) == (text, expected)


def test_a_byte_order_mark_is_read() -> None:
    """That of UTF-8."""
    assert parse_toml("a = 'ü'".encode("utf-8-sig")) == ("a = 'ü'", {"a": "ü"})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_another_encoding_is_named(encoding: str) -> None:
    """With and without its mark; and what to do."""
    with pytest.raises(NotTomlError, match=r"in UTF-16 or UTF-32, and TOML is in UTF-8; save it as UTF-8"):
        parse_toml("a = 1".encode(encoding))


def test_what_is_no_text_is_refused_without_the_text() -> None:
    """It may hold a secret."""
    with pytest.raises(NotTomlError, match=r"byte 9 is not UTF-8") as caught:
        parse_toml(b"a = 'word\xff'")
    assert caught.value.__context__ is None


def test_values_are_bounded() -> None:
    """Wherever they stand."""
    check_values({"a" * 1_024: [{"b": 2**63 - 1}, True, 1.5, "x" * 10_000]})
    with pytest.raises(NotTomlError, match="a key of more than 1024 characters"):
        check_values({"a": [{"b" * 1_025: 1}]})
    with pytest.raises(NotTomlError, match="a number of more than 64 bits"):
        check_values({"a": {"b": [2**64]}})
