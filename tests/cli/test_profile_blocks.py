from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.cli._profile_blocks import ProfileEntry, block_of, names_outside, with_block
from xsession.errors import ConfigError

ENTRY = ProfileEntry("vegeta", ("xsession", "credential-process", "vegeta"), "eu-west-1")
OTHER = ProfileEntry("bulma", ("xsession", "credential-process", "bulma"), None)
BLOCK = block_of("/a/xsession.toml", [ENTRY], platform="linux")
BEGIN, *_, END = BLOCK.splitlines()
LINES = st.sampled_from(
    [
        "# a comment\n",
        "[profile x]\n",
        "region=EU\r\n",
        "\n",
        "  S3 =\n",
        "\x0b\n",
        "[default]\n",
        f"# {BEGIN}\n",
        "é\n",
    ]
)
TEXTS = st.builds(lambda lines, end: "".join(lines) + end, st.lists(LINES), st.sampled_from(["", "no end", "\ufeff"]))


@given(TEXTS, TEXTS)
def test_all_outside_of_the_block_stays(before: str, after: str) -> None:
    """To the byte: comments, line ends, the case of keys; when it is written, replaced, and taken away."""
    before = before if before.endswith("\n") or not before else f"{before}\n"
    written = with_block(before, "/a/xsession.toml", BLOCK)
    assert written.startswith(before)
    text = written + after
    changed = with_block(text, "/a/xsession.toml", block_of("/a/xsession.toml", [OTHER], platform="linux"))
    assert changed.startswith(before)
    assert changed.endswith(after)
    assert with_block(changed, "/a/xsession.toml", "") == before + after


@given(TEXTS)
def test_a_second_time_changes_nothing(text: str) -> None:
    """Whatever the file has."""
    once = with_block(text, "/a/xsession.toml", BLOCK)
    assert with_block(once, "/a/xsession.toml", BLOCK) == once


def test_a_block_has_the_line_ends_of_its_file() -> None:
    """Windows' too; a file without a last line end gets one first."""
    text = with_block("[default]\r\nregion = x", "/a/xsession.toml", BLOCK)
    assert text.startswith("[default]\r\nregion = x\r\n# BEGIN")
    assert "\n" not in text.replace("\r\n", "")


def test_a_comment_that_quotes_a_marker_is_none() -> None:
    """A marker is the whole line."""
    text = f"# see: {BEGIN}\n  {END}\n[profile x]\n"
    assert with_block(with_block(text, "/a/xsession.toml", BLOCK), "/a/xsession.toml", "") == text


@pytest.mark.parametrize("text", [f"{BEGIN}\n", f"x\n{END}\n", f"{END}\n{BEGIN}\n", BLOCK + BLOCK])
def test_a_block_that_is_torn_is_refused(text: str) -> None:
    """What it would take away is not known."""
    with pytest.raises(ConfigError, match=r"line \d: the block of /a/xsession.toml must begin once"):
        with_block(text, "/a/xsession.toml", BLOCK)


def test_profiles_outside_are_known_however_they_are_written() -> None:
    """With quotes, blanks and other headers about."""
    text = f'[default]\n[profile "b"]\n [ profile c ] \n[sso-session d]\n[profile "e]\nregion = [profile f]\n{BLOCK}'
    assert names_outside(text, ["/a/xsession.toml"]) == {"default": 1, "b": 2, "c": 3}
    assert names_outside(text, ["/other.toml"]) == {"default": 1, "b": 2, "c": 3, "vegeta": 8}


def test_no_account_makes_no_block() -> None:
    """Not even its markers."""
    assert block_of("/a/xsession.toml", [], platform="linux") == ""
    assert with_block("x\n", "/a/xsession.toml", "") == "x\n"
