"""Strings by which an attacker who may choose a name, a tag or a message attacks its reader, and what is seen."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

ATTACKS: dict[str, str] = {
    "clears the screen": "a\x1b[2Jb",
    "changes colours": "\x1b[31mred\x1b[0m",
    "moves the cursor up": "done\x1b[1A\x1b[2Khidden",
    "hides what follows": "\x1b[8mhidden",
    "is a link to elsewhere": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "sets the clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "sets the window's title": "\x1b]0;root@prod\x07",
    "is a device control string": "\x1bP1$r\x1b\\",
    "has an escape of one byte": "a\x9b2Jb\x9d0;title\x9c",
    "overwrites its line": "joker\rbruce",
    "goes back": "joker\b\b\b\b\bbruce",
    "adds a line": "bruce\n2030-01-01T00:00:00Z  joker",
    "adds a line by other means": "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i",
    "rings the bell": "\x07",
    "ends a string in C": "a\x00b",
    "deletes": "a\x7fb",
    "turns the direction": "user\u202egnp.exe",
    "isolates a direction": "\u2066a\u2067b\u2068c\u2069",
    "marks a direction": "a\u200eb\u200fc\u061cd",
    "hides in zero width": "ad\u200bmin\u200c\u200d\u2060\ufeff",
    "hides in tag characters": "a\U000e0041\U000e007f",
    "hides in selectors": "a\ufe0f\U000e0100",
    "looks like nothing": "\u115f\u3164\u2800\u00ad\u034f",
    "looks like a space": "a\u00a0b\u3000c\u2003d",
    "piles up marks": "a" + "\u0301" * 50,
    "is half a pair": "a\ud800b\udfffc",
    "is not a character": "\uffff\U0010ffff",
    "has a script": "<script>alert(1)</script>",
    "ends a script": "</script><script>alert(1)</script>",
    "breaks out of double quotes": '" onmouseover="alert(1)',
    "breaks out of single quotes": "' onmouseover='alert(1)",
    "loads an image": "<img src=x onerror=alert(1)>",
    "is an entity": "&lt;script&gt;",
    "is a comment": "<!-- --!><script>",
    "is CDATA": "]]><script>",
    "is a formula": r"$\href{javascript:alert(1)}{x}$",
    "breaks out of JSON": '","who":"bruce","x":"',
    "escapes the quote's escape": '\\" \\u0022 \\',
    "has another column": "joker  StopInstances  -",
    "is very long": "x" * 100_000,
    "is very long once it is escaped": "\x1b" * 100_000,
}


class Seen(HTMLParser):
    """What a browser makes of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Records an element."""
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        """Records text."""
        self.text += data


def seen(document: str) -> Seen:
    """Parses a document."""
    parser = Seen()
    parser.feed(document)
    parser.close()
    return parser


def harmless(text: str) -> bool:
    """Whether every character is one that a terminal shows and that shows."""
    return all(character == " " or unicodedata.category(character)[0] in "LMNPS" for character in text)
