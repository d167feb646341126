"""Reads TOML files and those that they include; knows in which line each key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xsession._base import frozen
from xsession.errors import ConfigError

from ._place import FileTrust, Place
from ._toml_text import MAX_FILE_BYTES, NotTomlError, check_values, parse_toml

PROJECT_FILE = "pyproject.toml"
PROJECT_TABLE = ("tool", "xsession")  # in a project's file, all is under this table
MAX_INCLUDE_DEPTH = 8

_KEY = r"(?:[A-Za-z0-9_-]+|\"(?:\\.|[^\"\\])*\"|'[^']*')"
_KEYS = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_LINE = re.compile(
    rf"[ \t]*(?:\[(?P<array>\[)?[ \t]*(?P<table>{_KEYS})[ \t]*\]\]?[ \t\r]*$|(?P<entry>{_KEYS})[ \t]*=)",
)
# What may hold something that looks like a key: strings over several lines, and comments; others are matched so
# that a # or a quote in them is not taken for the beginning of one.
_TEXTS = re.compile(
    r"\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|#[^\n]*",
    re.DOTALL,
)


@frozen
class Document:
    """One file.

    Args:
        place: Its top.
        content: What it says.
        parent: The file that includes it.
    """

    place: Place
    content: Mapping[str, Any]
    parent: Document | None


def documents(file: Path, document: Document) -> Iterator[Document]:
    """A file, then those that it includes, each of them once.

    Args:
        file: The file.
        document: What it says.

    Raises:
        ConfigError: One can't be read, is no TOML, includes itself, or may not include others.
    """
    yield from _walk(file, document, (), set())


def load(file: Path) -> Document:
    """A file that the user named, or an included one.

    Raises:
        ConfigError: It can't be read, is no TOML, or is larger than any that is meant.
    """
    return parsed(file, _read(file), FileTrust.OWN)


def parsed(file: Path, data: bytes, trust: FileTrust, parent: Document | None = None) -> Document:
    """What a file says.

    Args:
        file: The file.
        data: Its bytes.
        trust: What it may do.
        parent: The file that includes it.

    Raises:
        ConfigError: It is no TOML, or larger or deeper than any that is meant.
    """
    try:
        text, whole = parse_toml(data)
        place, content = Place(str(file), lines_of(text), trust), whole
        for key in PROJECT_TABLE if file.name == PROJECT_FILE else ():
            place = place.at(key)
            content = place.table(content.get(key, {}))
        check_values(content)
    except NotTomlError as error:
        msg = f"{file} {error}"
        raise ConfigError(msg) from error
    return Document(place, content, parent)


def _walk(file: Path, document: Document, outer: tuple[Path, ...], read: set[Path]) -> Iterator[Document]:
    yield document
    place = document.place.at("include")
    within = (*outer, file.resolve())
    read.add(within[-1])
    for included in _included(file, document):
        target = included.resolve()
        if target in within:
            loop = [*within[within.index(target) :], target]
            place.refuse(f"files include each other: {' -> '.join(step.name for step in loop)}")
        if len(within) >= MAX_INCLUDE_DEPTH:
            place.refuse(f"files include files more than {MAX_INCLUDE_DEPTH} deep")
        if target not in read:
            yield from _walk(included, _load_included(included, document), within, read)


def _load_included(file: Path, parent: Document) -> Document:
    try:
        data = _read(file)
    except ConfigError as error:
        parent.place.at("include").refuse(error.message)
    return parsed(file, data, FileTrust.OWN, parent)


def _read(file: Path) -> bytes:
    """A file that the user chose, and which may be a pipe."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        msg = f"{file} can't be read: {error.strerror}"
        raise ConfigError(msg) from error


def _included(file: Path, document: Document) -> list[Path]:
    place = document.place.at("include")
    patterns: object = document.content.get("include", [])
    if patterns:
        place.require_own("include")
    listed = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(listed, list) or not all(isinstance(each, str) and each and "\0" not in each for each in listed):
        place.refuse("a list of files is needed here, as strings; * stands for any part of a name")
    found: list[Path] = []
    for pattern in listed:
        # Against the folder of the file that says it, wherever the program runs.
        path = str(Path(pattern).expanduser())
        if set("*?[") & set(path):
            import glob  # noqa: PLC0415 # seldom needed

            # Path.glob would take wildcards in the folder's own name, too.
            names = sorted(glob.glob(path, root_dir=file.parent, recursive=True))  # noqa: PTH207
            found += [other for name in names if (other := file.parent / name).resolve() != file.resolve()]
        else:
            found.append(file.parent / path)
    return found


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """The line in which each key of a TOML document comes first, counted from 1.

    Args:
        text: A valid document.

    Returns:
        The lines by path; the tables of an array of tables are "[0]", "[1]", ... below its name.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    arrays: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(_TEXTS.sub(_blank, text).split("\n"), start=1):
        match = _LINE.match(line)
        if match is None:
            continue
        if match["table"] is not None:
            *above, last = _names(match["table"])
            keys = (*_latest(above, arrays), last)
            if match["array"]:
                arrays[keys] = arrays.get(keys, -1) + 1
            keys = table = _latest(keys[-1:], arrays, keys[:-1])
        else:
            keys = (*table, *_names(match["entry"]))
        for end in range(1, len(keys) + 1):
            lines.setdefault(keys[:end], number)
    return lines


def _latest(names: Iterable[str], arrays: Mapping[tuple[str, ...], int], path: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The path of some names: through an array of tables, it leads to the latest one."""
    for name in names:
        path = (*path, name)
        if path in arrays:
            path = (*path, f"[{arrays[path]}]")
    return path


def _blank(match: re.Match[str]) -> str:
    text = match[0]
    if text.startswith("#"):
        return ""
    return '""' + "\n" * text.count("\n") if text.startswith(('"""', "'''")) else text


def _names(dotted: str) -> tuple[str, ...]:
    if '"' not in dotted and "'" not in dotted:
        return tuple(part.strip() for part in dotted.split("."))
    value: Any = tomllib.loads(f"{dotted} = 0")
    names: list[str] = []
    while isinstance(value, dict):
        ((name, value),) = value.items()
        names.append(name)
    return tuple(names)
