"""The blocks of profiles that `aws-config` writes into an AWS config file: pure, from text to text.

Each `xsession.toml` has a block of its own, between two lines that name it; whatever stands outside is its owner's.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence

from xsession._base import frozen
from xsession.errors import ConfigError

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+")


@frozen
class ProfileEntry:
    """One profile of a block.

    Args:
        name: The profile's name, which is the account's.
        command: What prints its credentials, by words.
        region_name: The account's region; None: it has none.
    """

    name: str
    command: tuple[str, ...]
    region_name: str | None


def quoted(words: Sequence[str], platform: str) -> str:
    """A command as one line, for readers that split it as botocore does.

    Args:
        words: The program and its arguments.
        platform: As `sys.platform`.

    Raises:
        ConfigError: A word has a character that ends a line, or does not show.
    """
    for word in words:
        if not _PRINTABLE.fullmatch(word):
            raise ConfigError.invalid(word, "path", "no control characters, which no config file can hold")
    return subprocess.list2cmdline(words) if platform == "win32" else shlex.join(words)


def block_of(source: str, entries: Iterable[ProfileEntry], *, platform: str) -> str:
    """The block of one file; "" where it has no profile.

    Args:
        source: The file whose accounts these are.
        entries: Its profiles.
        platform: As `sys.platform`.

    Raises:
        ConfigError: A path that no config file can hold.
    """
    lines = []
    for entry in entries:
        lines += [f"[profile {entry.name}]", f"credential_process = {quoted(entry.command, platform)}"]
        lines += [f"region = {entry.region_name}"] if entry.region_name else []
        lines.append("")
    if not lines:
        return ""
    quoted([source], platform)
    return "\n".join([_begin(source), *lines[:-1], _end(source), ""])


def with_block(text: str, source: str, block: str) -> str:
    """A config file with a block in the place of the one that the same source has there, else at its end.

    Everything else stays as it is, to the byte; the block gets the line ends that the file has.

    Args:
        text: The file.
        source: The file whose accounts the block has.
        block: The block; "": none is wanted.

    Raises:
        ConfigError: A block in it does not end.
    """
    lines = _LINES.findall(text)
    if "\r\n" in text:
        block = block.replace("\n", "\r\n")
    place = _place(lines, source)
    if place is not None:
        return "".join([*lines[: place.start], block, *lines[place.stop :]])
    if not block:
        return text
    between = "" if not text or text.endswith("\n") else "\r\n" if "\r\n" in text else "\n"
    return text + between + block


def names_outside(text: str, sources: Iterable[str]) -> dict[str, int]:
    """The profiles of a config file that are not in the blocks of some sources, and in which line each one begins.

    Args:
        text: The file.
        sources: The files whose blocks do not count.

    Raises:
        ConfigError: A block in it does not end.
    """
    lines = _LINES.findall(text)
    own = {number for source in sources for number in _place(lines, source) or ()}
    names: dict[str, int] = {}
    for number, line in enumerate(lines):
        name = _name_in(line)
        if name is not None and number not in own:
            names.setdefault(name, number + 1)
    return names


def _place(lines: Sequence[str], source: str) -> range | None:
    """The lines of a source's block, its two markers included."""
    marks: Mapping[str, list[int]] = {_begin(source): [], _end(source): []}
    for number, line in enumerate(lines):
        found = marks.get(line.rstrip("\r\n"))
        if found is not None:
            found.append(number)
    begins, ends = marks.values()
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        first = min(begins + ends) + 1
        msg = f"line {first}: the block of {source} must begin once and end once"
        raise ConfigError(msg, hint="remove the lines that begin and end it, and what is between them")
    return range(begins[0], ends[0] + 1)


def _begin(source: str) -> str:
    return f"# BEGIN xsession aws-config {source}: changes up to END are lost when it is written again"


def _end(source: str) -> str:
    return f"# END xsession aws-config {source}"


def _name_in(line: str) -> str | None:
    """The name of the profile that a line begins; None: it begins none."""
    match = re.match(r"\s*\[(?P<header>.+)\]", line)
    if match is None:
        return None
    try:
        words = shlex.split(match["header"])
    except ValueError:  # a quote that does not end
        return None
    return words[1] if len(words) == 2 and words[0] == "profile" else words[0] if words == ["default"] else None
