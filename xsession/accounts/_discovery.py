"""Finds the accounts that a machine has, and which of two with one name counts."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from xsession._base import frozen
from xsession.errors import ConfigError

from ._accounts import Accounts
from ._files import of_file, of_profiles
from ._toml_file import PROJECT_FILE, PROJECT_TABLE, FileTrust

FILE_NAME = "xsession.toml"
VARIABLE = "XSESSION_CONFIG"


@frozen
class Discovery:
    """Where accounts are looked for; may be asked again, and pickled.

    Args:
        path: The file that the caller named.
        accounts: Those in code, which come before all others.
        combine: Whether everything that is found counts, or the first file alone.
        folder: Where the project's files are looked for.
    """

    path: Path | None
    accounts: Accounts
    combine: bool
    folder: Path

    @classmethod
    def of(
        cls, path: str | os.PathLike[str] | None, accounts: Accounts, *, combine: bool | None, folder: Path
    ) -> Discovery:
        """Where to look, for a path that counts from a folder.

        Raises:
            ConfigError: The path is "".
        """
        if path is not None and not os.fspath(path):
            msg = "the path of the configuration is empty"
            raise ConfigError(msg, hint="pass a file's path, or None to look for one")
        named = None if path is None else folder / Path(path).expanduser()
        return cls(named, accounts, named is None if combine is None else combine, folder)

    def read(self, environ: Mapping[str, str]) -> Accounts:
        """All accounts.

        Args:
            environ: The process's environment variables.

        Raises:
            ConfigError: A file is missing or wrong; there is none; or a project's file has a name of the user's.
        """
        files = list(self._files(environ))
        if not self.combine:
            files = files[:1]
        layers = [(file, file.read()) for file in files]
        _protect_names(layers)
        everything = [self.accounts, *(found for _, found in layers)]
        if self.combine:
            profiles, unusable = of_profiles(None, environ)
            everything.append(Accounts(profiles, unusable=unusable))
        combined = Accounts()
        for found in everything:
            combined |= found - combined
        if not files and not combined and not combined.unusable:
            msg = "there are no accounts"
            hint = f"write {self.folder / FILE_NAME}, set {VARIABLE}, or pass a file's path"
            raise ConfigError(msg, hint=hint)
        return combined

    def _files(self, environ: Mapping[str, str]) -> Iterator[_File]:
        """The files that are there, the strongest first, each once."""
        seen: set[Path] = set()
        for file in self._candidates(environ):
            path = file.path.resolve()
            if path not in seen and (file.must_exist or file.path.is_file()):
                seen.add(path)
                yield file

    def _candidates(self, environ: Mapping[str, str]) -> Iterator[_File]:
        if self.path is not None:
            yield _File(self.path, FileTrust.OWN, must_exist=True)
            if not self.combine:
                return
        if environ.get(VARIABLE):
            yield _File(self.folder / Path(environ[VARIABLE]).expanduser(), FileTrust.OWN, must_exist=True)
        own = user_file(environ, sys.platform)
        project = self.folder / FILE_NAME
        if own is None or project.resolve() != Path(own).resolve():  # found in one's own folder, it is one's own
            yield _File(project, FileTrust.FOUND)
        yield from _nearest_pyproject(self.folder)
        if own is not None:
            yield _File(Path(own), FileTrust.OWN, is_users=True)


@frozen
class _File:
    """One file with accounts.

    Args:
        path: Where it is.
        trust: What it may do.
        must_exist: Whether somebody named it.
        is_users: Whether it is the user's own.
    """

    path: Path
    trust: FileTrust
    must_exist: bool = False
    is_users: bool = False

    def read(self) -> Accounts:
        """Its accounts."""
        return Accounts(of_file(self.path, self.trust))


def user_file(environ: Mapping[str, str], platform: str) -> PurePath | None:
    """The user's own file, whether it is there or not; None: there is no home.

    Args:
        environ: The process's environment variables.
        platform: As `sys.platform`.
    """
    kind: type[PurePath] = PureWindowsPath if platform == "win32" else PurePosixPath
    folder = kind(environ.get("APPDATA" if platform == "win32" else "XDG_CONFIG_HOME", ""))
    if not folder.is_absolute():  # which the specification of XDG_CONFIG_HOME says to ignore
        home = environ.get("USERPROFILE" if platform == "win32" else "HOME")
        if not home:
            return None
        below = {"win32": "AppData/Roaming", "darwin": "Library/Application Support"}.get(platform, ".config")
        folder = kind(home) / below
    return folder / "xsession" / FILE_NAME


def _nearest_pyproject(folder: Path) -> Iterator[_File]:
    """The nearest pyproject.toml, where it speaks of us."""
    for parent in (folder, *folder.parents):
        path = parent / PROJECT_FILE
        if path.is_file():
            if _speaks_of_us(path):
                yield _File(path, FileTrust.FOUND)
            return


def _speaks_of_us(path: Path) -> bool:
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get(PROJECT_TABLE[0])
    except (OSError, ValueError):  # it is no TOML; whose file that is will hear of it from others
        return False
    return isinstance(tools, dict) and PROJECT_TABLE[1] in tools


def _protect_names(layers: list[tuple[_File, Accounts]]) -> None:
    """Refuses a project's account that has the name of one of the user's.

    Whoever can write into the project's folder could have the user work in another account than he means.
    """
    users = next((accounts for file, accounts in layers if file.is_users), Accounts())
    for file, accounts in layers:
        if file.trust is FileTrust.FOUND and (shared := accounts & users):
            account = next(iter(shared.values()))
            msg = f"the user's own file has this name, at {users[account.name].origin}"
            error = ConfigError(msg, account=account.name, hint="rename the project's account, or pass its file")
            raise error.within(str(account.origin))
