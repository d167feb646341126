"""Messages, docstrings, comments and pages use the words that programmers use."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.project import ROOT

WORDS = {
    r"a text|no text|texts|JSON text|text keys": "string",
    r"called (?:so|as)|called `": "has that name, is named",
    r"be had": "be obtained",
    r"anew": "again",
    r"mend(?:s|ed|ing)?": "fix",
    r"shall": "should",
    r"ask(?:s|ed|ing)? (?:nobody|anybody)": "makes no network call",
    r"tells? (?:whether|which)": "returns whether, says which",
    r"tak(?:es?|ing) note": "record",
    r"s?he|him|his|hers?|himself|herself": "the caller, it",
    r"somebody": "a caller, another identity, another account",
    r"the likely first": "most likely first",
    r"no good": "not valid",
}
"""Patterns of words that are not used, and what to write instead."""

_PATTERNS = {re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE): better for words, better in WORDS.items()}
# From 3.12 on, an f-string is several tokens.
_PROSE = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def wrong_words(prose: str) -> list[str]:
    """The words in it that are not used, also where a line ends within them, and what to write instead."""
    line = " ".join(re.sub(r'["#]', " ", prose).split())
    return [f"{found[0]!r}: {better}" for pattern, better in _PATTERNS.items() for found in pattern.finditer(line)]


def paragraphs(page: Path) -> Iterator[tuple[int, str]]:
    """The paragraphs of a page, each with its first line."""
    content = page.read_text(encoding="utf-8")
    for found in re.finditer(r"(?:.+\n?)+", content):
        yield content.count("\n", 0, found.start()) + 1, found[0]


def strings_and_comments(module: Path) -> Iterator[tuple[int, str]]:
    """The strings and comments of a module, each with its line; those that follow each other as one."""
    start, parts = 0, list[str]()
    with module.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in _PROSE:
                start = start if parts else token.start[0]
                parts.append(token.string)
            elif token.type != tokenize.NL and parts:
                yield start, "\n".join(parts)
                parts = []


def test_words_are_those_that_programmers_use() -> None:
    """In all modules, and in all pages for users and contributors."""
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY"))]
    modules = list((ROOT / "xsession").rglob("*.py"))
    prose = {page: paragraphs(page) for page in pages} | {module: strings_and_comments(module) for module in modules}
    assert len(prose) > 150
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path, places in sorted(prose.items())
        for line, place in places
        for word in wrong_words(place)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("It is no text, and no role is called so.", ["'no text'", "'called so'"]),
        ("Nothing could\nbe had: he shall ask anew.", ["'be had'", "'anew'", "'shall'", "'he'"]),
        (
            "Tells whether somebody mended it; asks nobody.",
            ["'mended'", "'asks nobody'", "'Tells whether'", "'somebody'"],
        ),
        ("The causes, the\n# likely first", ["'the likely first'"]),
        ('It takes "\n    "note of a token that is no good.', ["'takes note'", "'no good'"]),
        ("The string has that name: there she-bangs, a textbook, a marshal and the amended context.", ["'she'"]),
        ("The string of that name could not be obtained.", []),
    ],
)
def test_the_table_finds_its_words(sentence: str, found: list[str]) -> None:
    """Each alone and over the end of a line, but not within other words."""
    assert [word.partition(": ")[0] for word in wrong_words(sentence)] == found


def test_docstrings_messages_and_comments_are_searched(tmp_path: Path) -> None:
    """Over the ends of lines, but not the names of the code."""
    module = tmp_path / "module.py"
    module.write_text(
        '"""Shall."""\nhis = f"mend {1}"\nhers = (\n    "be "\n    "had"\n)\n# no\n# good\n', encoding="utf-8"
    )
    assert [(line, word) for line, place in strings_and_comments(module) for word in wrong_words(place)] == [
        (1, "'Shall': should"),
        (2, "'mend': fix"),
        (4, "'be had': be obtained"),
        (7, "'no good': not valid"),
    ]


def test_paragraphs_of_pages_are_searched(tmp_path: Path) -> None:
    """Each with its first line."""
    page = tmp_path / "page.md"
    page.write_text("# Page\n\nNothing could\nbe had.\n", encoding="utf-8")
    assert list(paragraphs(page)) == [(1, "# Page\n"), (3, "Nothing could\nbe had.\n")]
