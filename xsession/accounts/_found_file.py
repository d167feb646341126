"""Finds the files of accounts that lie in a project's folder, and refuses those that other users can write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePath

from xsession._base import frozen, read_regular_file
from xsession.errors import ConfigError

from ._place import FileTrust
from ._toml_file import PROJECT_FILE, PROJECT_TABLE, Document, parsed
from ._toml_text import MAX_FILE_BYTES, NotTomlError, parse_toml

FILE_NAME = "xsession.toml"
NAME_IT = "name it in XSESSION_CONFIG or pass from_config(path)"


@frozen
class FoundFile:
    """A file that lay somewhere, as it was when it was read.

    Args:
        path: Where it was found.
        real: Where it is: without symbolic links.
        data: Its bytes.
        problem: Why others may have written it; None: they can't.
    """

    path: Path
    real: Path
    data: bytes
    problem: str | None

    def document(self) -> Document:
        """What it says.

        Raises:
            ConfigError: Others may have written it; or it is no TOML.
        """
        if self.problem is not None:
            msg = f"{self.path} is not used: {self.problem}"
            raise ConfigError(msg, hint=f"where you trust it all the same, {NAME_IT}")
        return parsed(self.path, self.data, FileTrust.FOUND)


def current_folder() -> Path:
    """The process's current folder.

    Raises:
        ConfigError: It was removed, or may not be looked for.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        msg = "the current folder was removed"
        raise ConfigError(msg, hint="change to one that exists") from None
    except OSError as error:  # as on macOS, below a folder that may not be read
        msg = f"the current folder can't be found: {error.strerror}"
        raise ConfigError(msg, hint="change to another one") from None


def found_files(folder: Path, home: PurePath | None) -> Iterator[FoundFile]:
    """The xsession.toml of a folder, and the nearest pyproject.toml where it speaks of us.

    Args:
        folder: Where to look.
        home: The user's home folder, above which nothing is looked for.

    Raises:
        ConfigError: An xsession.toml can't be read.
    """
    path = folder / FILE_NAME
    if os.path.isfile(path):  # noqa: PTH113 # of a folder that may not be entered, Path.is_file raises
        yield read_found(path)
    for parent in searched_folders(folder, home):
        path = parent / PROJECT_FILE
        if os.path.isfile(path):  # noqa: PTH113 # likewise
            yield from _if_it_speaks_of_us(path)
            return


def searched_folders(folder: Path, home: PurePath | None) -> list[Path]:
    """A folder and those above it up to the repository's root or home; outside of both, the folder alone.

    Args:
        folder: Where the search begins.
        home: The user's home folder.
    """
    resolved = None if home is None else Path(home).resolve()
    found = []
    for parent in (folder, *folder.parents):
        found.append(parent)
        if os.path.lexists(parent / ".git") or parent.resolve() == resolved:
            return found
    return [folder]


def read_found(path: Path, os_name: str = os.name) -> FoundFile:
    """Reads a file once; who can write it is asked of the very file that was read.

    Args:
        path: The file.
        os_name: As `os.name`.

    Raises:
        ConfigError: It can't be read, or is no regular file.
    """
    try:
        real = path.resolve()
        data, status = read_regular_file(real, MAX_FILE_BYTES, follow_symlinks=False)
        if os_name == "nt":  # where these numbers say nothing
            return FoundFile(path, real, data, None)
        uid = os.geteuid()
        problems = [problem_of(status, real.parent.stat(), uid)]
        if path != real:  # whoever can change the link chooses the file
            problems.append(problem_of(path.lstat(), path.parent.stat(), uid))
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise ConfigError(msg) from error
    return FoundFile(path, real, data, next(filter(None, problems), None))


def problem_of(file: os.stat_result, folder: os.stat_result, uid: int) -> str | None:
    """Why another user may have written a file; None: none can but root, and the group that it is shared with.

    Args:
        file: The status of the file or link.
        folder: The status of its folder.
        uid: This user's number.
    """
    if file.st_uid not in (uid, 0):
        return f"it belongs to another user, number {file.st_uid}"
    if file.st_mode & stat.S_IWOTH and not stat.S_ISLNK(file.st_mode):
        return "everybody can write it"
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        return "everybody can replace it: its folder is writable for all, without the sticky bit"
    return None


def _if_it_speaks_of_us(path: Path) -> Iterator[FoundFile]:
    try:
        file = read_found(path)
        if PROJECT_TABLE[1].encode() not in file.data:  # most don't, and to parse a large one takes long
            return
        _, content = parse_toml(file.data)
    except (ConfigError, NotTomlError):  # whose file that is will hear of it from others
        return
    tools = content.get(PROJECT_TABLE[0])
    if isinstance(tools, dict) and PROJECT_TABLE[1] in tools:
        yield file
