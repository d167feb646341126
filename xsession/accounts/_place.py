"""Where something stands in a file or in the accounts of code, for messages; and what a file may do."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn

from xsession._base import did_you_mean
from xsession.errors import ConfigError, shown


class FileTrust(enum.Enum):
    """What a file may do, by how it was found."""

    OWN = "own"
    """Named by the caller, by `XSESSION_CONFIG`, or the user's: it may include files and run commands."""
    FOUND = "found"
    """Lay in the folder of some project: it may list accounts; it includes no file and names no program."""


class Place:
    """A place in a file, or in accounts that code gives as mappings; as a context, it adds itself to errors.

    Args:
        file: The file.
        lines: The lines of its keys.
        trust: What the file may do.
        keys: The path of keys that leads here.
    """

    def __init__(
        self,
        file: str,
        lines: Mapping[tuple[str, ...], int],
        trust: FileTrust = FileTrust.OWN,
        keys: tuple[str, ...] = (),
    ) -> None:
        self._file = file
        self._lines = lines
        self._trust = trust
        self._keys = keys

    def __str__(self) -> str:
        line = next((self._lines[keys] for keys in self._enclosing() if keys in self._lines), None)
        place = self._file if line is None else f"{self._file}:{line}"
        return f"{place}: {'.'.join(self._keys).replace('.[', '[')}" if self._keys else place

    def at(self, *keys: str) -> Place:
        """The place of a key below this one."""
        return Place(self._file, self._lines, self._trust, (*self._keys, *keys))

    def refuse(self, problem: str, hint: str | None = None) -> NoReturn:
        """Says what is wrong here."""
        raise ConfigError(problem, hint=hint).within(str(self))

    def table(self, value: object) -> dict[str, Any]:
        """The value, which must be a table."""
        if not isinstance(value, Mapping):
            self.refuse(f"a table is needed here, not {shown(value)}")
        return dict(value)

    def check(self, table: Mapping[Any, Any], known: Collection[str]) -> None:
        """Refuses keys that are not known."""
        for key in table:
            if not isinstance(key, str):
                self.refuse(f"{shown(key)} is no key: keys are strings")
            if key not in known:
                hint = did_you_mean(key, known, f"use one of the keys {', '.join(sorted(known))}")
                self.at(key).refuse("unknown key", hint)

    def require_own(self, what: str) -> None:
        """Refuses what only a file of one's own may do."""
        if self._trust is not FileTrust.OWN:
            hint = "pass the file's path, name it in XSESSION_CONFIG, or put this into your own file"
            self.refuse(f"{what} is not for a file that happens to lie in a folder", hint)

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, ConfigError):
            error.within(str(self))

    def _enclosing(self) -> Iterator[tuple[str, ...]]:
        return (self._keys[:end] for end in range(len(self._keys), 0, -1))
