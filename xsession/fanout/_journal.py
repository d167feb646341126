"""The journal of a run: what came of each unit, in a file, so that the next run does only the rest.

The file is append-only and locked while a run has it; each record is appended by one write. Whatever a crash left of a
record does not count, and that unit is done again.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, NoReturn

from xsession._base import open_own_file, renew_after_fork, shortened
from xsession.errors import ChangedFunctionWarning, ConfigError, JournalError
from xsession.escape import for_terminal

from ._calls import failed
from ._journal_format import (
    MAX_LINE_BYTES,
    Header,
    from_line,
    header_document,
    header_of,
    outcome_document,
    outcome_of,
    to_line,
)
from ._outcomes import Outcome, Outcomes
from ._pickles import held
from ._plan import Plan, Unit

MAX_AGE = timedelta(hours=24)
_MOST_LINES = 10
_BEGIN = b'{"xsession_journal":'

logger = logging.getLogger("xsession")

Key = tuple[str, str | None]


class Journal:
    """A journal that a run writes to.

    Args:
        path: The file; made if it is missing.
        header: What this run is.
        max_age: How old a journal may be that is gone on with; None: of any age.
        retry_failed: Whether units that failed are done again.
        wall: The wall clock, in seconds since the epoch.
        ids: The accounts' ids by their names: what was done in another account of the same name is not done here.

    Raises:
        JournalError: It can't be used, or is of something else.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        header: Header,
        *,
        max_age: timedelta | None,
        retry_failed: bool,
        wall: Callable[[], float],
        ids: Mapping[str, str | None] = MappingProxyType({}),
    ) -> None:
        self._file: int | None = None
        self.path = checked_path(path)
        self._retry_failed = retry_failed
        self._wall = wall
        self._ids = ids
        self._regions: dict[str, tuple[str, ...]] = {}
        # Where each record begins and how long it is: values may be large.
        self._records: dict[Key, tuple[int, int, str]] = {}
        self._file = open_own_file(self.path, partial(_refuse, self.path))
        renew_after_fork(self)
        try:
            _lock(self._file, self.path)
            self._take_up(self._file, header, max_age)
        except BaseException:
            self.close()
            raise

    def check_unfinished(self, plan: Plan) -> None:
        """Refuses a journal in which nothing is left to do.

        Raises:
            JournalError: Nothing is.
        """
        if self._records and all(self._is_done(task.unit, selects=task.selects) for task in plan.tasks()):
            hint = "read it with xsession.fanout.read_journal, or remove the file to begin again"
            _refuse(self.path, f"is finished: all of its {len(self._records)} calls are done", hint=hint)

    def regions(self, account: str) -> tuple[str, ...] | None:
        """The regions that an account was found to have; None: it was not asked yet."""
        return self._regions.get(account)

    def selected(self, account: str, regions: tuple[str, ...]) -> None:
        """Keeps the regions of an account."""
        self._regions[account] = regions
        self._append({"regions_of": account, "account_id": self._ids.get(account), "regions": list(regions)})

    def outcome(self, unit: Unit) -> Outcome[Any] | None:
        """What came of a unit in an earlier run, where it need not be done again."""
        if not self._has(unit.account, unit.region) or self._file is None:
            return None
        begin, length, _ = self._records[unit.account, unit.region]
        os.lseek(self._file, begin, os.SEEK_SET)  # O_APPEND writes at the end all the same
        document = from_line(os.read(self._file, length))
        return None if document is None else outcome_of(document)

    def write(self, unit: Unit, outcome: Outcome[Any]) -> Outcome[Any]:
        """Keeps what came of a unit. One whose value holds credentials becomes a failure.

        Raises:
            JournalError: It can't be written.
        """
        if outcome.ok and (found := held(outcome.value)) is not None:
            msg = f"the function returned {found}, which a journal does not take"
            error = ConfigError(msg, account=unit.account, hint="return what you want to keep of it")
            outcome = failed(unit, error, "call", outcome.seconds)
        self._append({**outcome_document(outcome, self._now()), "account_id": self._ids.get(unit.account)})
        return outcome

    def close(self) -> None:
        """Unlocks the file, also where a forked child still has it, and closes it."""
        file, self._file = self._file, None
        if file is not None:
            _unlock(file)
            os.close(file)

    def __del__(self) -> None:
        self.close()

    def after_fork(self) -> None:
        """Closes the file of a forked child, which would keep it locked when this process is gone."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _take_up(self, file: int, header: Header, max_age: timedelta | None) -> None:
        found, damaged = None, []
        for number, begin, line in _lines(file):
            document = from_line(line)
            if number == 1 and document is not None:
                found = header_of(document)
            elif document is None or not self._index(document, begin, len(line)):
                damaged.append(str(number))
        if found is None:
            self._begin(file, header)
            return
        self._check(found, header, max_age)
        if damaged:
            lines = shortened(damaged, _MOST_LINES)
            logger.warning("journal %s: damaged lines %s; their calls are made again", _shown(self.path), lines)
        if not _ends_with_newline(file):
            self._write(b"\n")

    def _begin(self, file: int, header: Header) -> None:
        size = os.fstat(file).st_size
        os.lseek(file, 0, os.SEEK_SET)
        content = os.read(file, MAX_LINE_BYTES)
        # A crash may have left the beginning of a header, and nothing after it.
        if size and (b"\n" in content or not (content.startswith(_BEGIN) or _BEGIN.startswith(content))):
            _refuse(self.path, "is not a journal, or its first line is damaged", hint="choose another file")
        os.ftruncate(file, 0)
        self._append(header_document(header))
        os.fsync(file)

    def _check(self, found: Header, header: Header, max_age: timedelta | None) -> None:
        if max_age is not None and self._now() - found.started > max_age:
            hint = "remove the file to begin again, or pass journal_max_age=None to go on with it"
            _refuse(self.path, f"is from {found.started:%Y-%m-%d %H:%M:%S} UTC, older than {max_age}", hint=hint)
        for name, old, new in (
            ("principal", found.principal, header.principal),
            ("function", found.function, header.function),
            ("arguments", found.arguments, header.arguments),
        ):
            if old != new:
                words = "other arguments" if name == "arguments" else f"the {name} {old}, not {new}"
                _refuse(self.path, f"is of {words}", hint="choose another file, or remove this one to begin again")
        if found.code != header.code:
            msg = f"{header.function} has changed since journal {_shown(self.path)} was begun"
            warnings.warn(ChangedFunctionWarning(msg), stacklevel=2)

    def _index(self, document: dict[str, Any], begin: int, length: int) -> bool:
        account, names = document.get("regions_of"), document.get("regions")
        if isinstance(account, str) and isinstance(names, list):
            if self._is_same(document, account):
                self._regions[account] = tuple(map(str, names))
            return True
        outcome = outcome_of(document)
        if outcome is not None and self._is_same(document, outcome.account):
            self._records[outcome.account, outcome.region] = begin, length, outcome.status
        return outcome is not None

    def _is_same(self, document: dict[str, Any], account: str) -> bool:
        """Whether a record is of the account that has the name now."""
        return document.get("account_id") == self._ids.get(account)

    def _is_done(self, unit: Unit, *, selects: bool) -> bool:
        if not selects:
            return self._has(unit.account, unit.region)
        regions = self._regions.get(unit.account)
        return regions is not None and all(self._has(unit.account, region) for region in regions)

    def _has(self, account: str, region: str | None) -> bool:
        _, _, status = self._records.get((account, region), (0, 0, ""))
        return status in ("ok", "skipped") or (status == "failed" and not self._retry_failed)

    def _append(self, document: dict[str, Any]) -> None:
        self._write(to_line(document))

    def _write(self, data: bytes) -> None:
        if self._file is None:
            _refuse(self.path, "is closed")
        try:
            written = os.write(self._file, data)
        except OSError as error:
            _refuse(self.path, f"can't be written to: {error.strerror}", cause=error)
        if written < len(data):
            _refuse(self.path, f"took {written} of {len(data)} bytes", hint="check whether the disk is full")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)


def read_journal(path: str | os.PathLike[str]) -> Outcomes[Any]:
    """What a journal holds: of each account and region the newest outcome.

    Args:
        path: The file.

    Raises:
        ConfigError: That is no path.
        JournalError: It can't be read, or is no journal.
    """
    path = checked_path(path)
    # A pipe that nobody writes to is not waited for.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        file = os.open(path, flags)
        try:
            documents = [from_line(line) for _, _, line in _lines(file)]
        finally:
            os.close(file)
    except OSError as error:
        _refuse(path, f"can't be read: {error.strerror or error}", cause=error)
    if not documents or documents[0] is None or header_of(documents[0]) is None:
        _refuse(path, "is not a journal, or its first line is damaged")
    selected = {str(document["regions_of"]) for document in documents if document and "regions_of" in document}
    outcomes = [
        outcome
        for document in documents[1:]
        if document
        and (outcome := outcome_of(document)) is not None
        # That it could not be asked for its regions is over once it was.
        and (outcome.region is not None or outcome.account not in selected)
    ]
    return Outcomes(outcomes, by_region=any(outcome.region is not None for outcome in outcomes))


def _lines(file: int) -> Iterator[tuple[int, int, bytes]]:
    """The lines of a file: number, where it begins, and what it says; b"" where it is too long for a record."""
    with os.fdopen(os.dup(file), "rb") as stream:
        stream.seek(0)
        begin = number = 0
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            size = len(line)
            while not line.endswith(b"\n") and (more := stream.readline(MAX_LINE_BYTES)):
                size += len(more)
                line = b"\n" if more.endswith(b"\n") else b""
            yield number, begin, line if size <= MAX_LINE_BYTES else b""
            begin += size


def _ends_with_newline(file: int) -> bool:
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) == b"\n"


def _lock(file: int, path: str) -> None:
    try:
        import fcntl  # noqa: PLC0415 # not on Windows
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        _refuse(path, "is in use by another run", cause=error, hint="wait for it, or choose another file")


def _unlock(file: int) -> None:
    with suppress(ImportError):
        import fcntl  # noqa: PLC0415 # not on Windows

        fcntl.flock(file, fcntl.LOCK_UN)


def checked_path(path: str | os.PathLike[str]) -> str:
    """A path that the system may have.

    Raises:
        ConfigError: It is none.
    """
    given: object = path
    try:
        name: object = os.fspath(path)
        # As the system has it: a lone surrogate may have no form there.
        if isinstance(name, str) and name and b"\0" not in os.fsencode(name):
            return name
    except (TypeError, UnicodeEncodeError):
        pass
    raise ConfigError.invalid(given, "journal", "the path of a file")


def _shown(path: str | os.PathLike[str]) -> str:
    return for_terminal(os.fspath(path))


def _refuse(
    path: str | os.PathLike[str], problem: str, /, *, cause: OSError | None = None, hint: str | None = None
) -> NoReturn:
    msg = f"the journal {_shown(path)} {problem}"
    raise JournalError(msg, hint=hint) from cause
