"""Finds the accounts that a machine has, and which of two with one name counts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from xsession._base import FrozenMap, frozen, hides_frames
from xsession.errors import ConfigError

from ._account import Account
from ._accounts import Accounts
from ._files import of_document, of_profiles, profile_names, trusted_document
from ._found_file import FILE_NAME, FoundFile, current_folder, found_files
from ._toml import store_in
from ._toml_file import load
from ._trusted_files import TrustedFiles
from ._user_file import home_folder, user_file

if TYPE_CHECKING:
    from ._kept_organizations import KeptOrganizations
    from ._organization import Organization

VARIABLE = "XSESSION_CONFIG"


@frozen
class Discovered:
    """What a machine has.

    Args:
        accounts: All accounts.
        store: Where the first file that says so has credentials kept; None: none says so.
    """

    accounts: Accounts
    store: str | None


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
        cls,
        path: str | os.PathLike[str] | None,
        accounts: Accounts,
        *,
        combine: bool | None,
        folder: Path | None = None,
    ) -> Discovery:
        """Where to look, for a path that counts from a folder.

        Args:
            path: The file; None: those that are found.
            accounts: Those in code.
            combine: As for the class; None: where no path is given.
            folder: The folder; None: the current one, where it is needed.

        Raises:
            ConfigError: The path is "", or the current folder is needed and was removed.
        """
        if path is not None and not os.fspath(path):
            msg = "the path of the configuration is empty"
            raise ConfigError(msg, hint="pass a file's path, or None to look for one")
        named = None if path is None else Path(path).expanduser()
        combine = named is None if combine is None else combine
        if folder is None:
            # Of a program that goes on in a folder which was removed, credential-process is started there, too.
            folder = current_folder() if named is None or combine or not named.is_absolute() else named.parent
        return cls(None if named is None else folder / named, accounts, combine, folder)

    @hides_frames(ConfigError)
    def read(self, environ: Mapping[str, str], now: float, fresh: Mapping[str, Organization] = FrozenMap()) -> Accounts:
        """All accounts, as `discover` finds them.

        Args:
            environ: The process's environment variables.
            now: Seconds since 1970.
            fresh: What organizations have just said, by the account that was asked.

        Raises:
            ConfigError: As `discover`.
        """
        return self.discover(environ, now, fresh).accounts

    @hides_frames(ConfigError)
    def discover(
        self, environ: Mapping[str, str], now: float, fresh: Mapping[str, Organization] = FrozenMap()
    ) -> Discovered:
        """All accounts, and what else the files say; each is read once, for it may be a pipe.

        Those of an organization are as they are kept on disk.

        Args:
            environ: The process's environment variables.
            now: Seconds since 1970.
            fresh: What organizations have just said, by the account that was asked.

        Raises:
            ConfigError: A file is missing or wrong; there is none; or a project's file has a name of the user's.
        """
        files = list(self._files(environ))
        counted = files if self.combine else files[:1]
        reader = _FileReader(TrustedFiles.named_by(environ), environ, fresh, now)
        read = [(file, *reader.read(file)) for file in counted]
        layers = [(file, accounts) for file, accounts, _ in read]
        found = [accounts for file, accounts in layers if file.found is not None]
        if found:
            _protect_names(found, _names_of_the_user(files, layers, environ, reader))
        everything = [self.accounts, *(accounts for _, accounts in layers)]
        if self.combine:
            profiles, unusable = of_profiles(None, environ)
            everything.append(Accounts(profiles, unusable=unusable))
        if found:
            _protect_ids(found, [accounts for accounts in everything if not any(accounts is each for each in found)])
        combined = Accounts()
        for accounts in everything:
            # A profile's name, say, is not for whoever renames an account of the organization.
            combined |= accounts - Accounts(accounts.shadowing(*everything)) - combined
        if not files and not combined and not combined.unusable:
            msg = "there are no accounts"
            hint = f"write {self.folder / FILE_NAME}, set {VARIABLE}, or pass a file's path"
            raise ConfigError(msg, hint=hint)
        return Discovered(combined, next((store for _, _, store in read if store is not None), None))

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
            yield _File(self.path, must_exist=True)
            if not self.combine:
                return
        if environ.get(VARIABLE):
            yield _File(self.folder / Path(environ[VARIABLE]).expanduser(), must_exist=True)
        own = user_file(environ, sys.platform)
        for file in found_files(self.folder, home_folder(environ, sys.platform)):
            if own is None or file.real != Path(own).resolve():  # found in one's own folder, it is one's own
                yield _File(file.path, found=file)
        if own is not None:
            yield _File(Path(own), is_users=True)


def with_changes(found: Accounts, before: Accounts, now: Accounts) -> Accounts:
    """What was found, changed as a caller has changed what had been found before: added, replaced, taken away.

    Args:
        found: What the files say.
        before: What they said.
        now: What the caller has made of that.
    """
    own = [account for name, account in now.items() if before.get(name) != account]
    unusable = {name: error for name, error in now.unusable.items() if name not in before.unusable}
    considered = [choice for choice in now.considered if choice not in before.considered]
    return (found - (before - now)) | Accounts(own, unusable=unusable, considered=considered)


@frozen
class _File:
    """One file with accounts.

    Args:
        path: Where it is.
        found: What was found there; None: it is the user's own, or was named by the caller.
        must_exist: Whether the caller named it.
        is_users: Whether it is the user's own.
    """

    path: Path
    found: FoundFile | None = None
    must_exist: bool = False
    is_users: bool = False


@frozen
class _FileReader:
    """Reads files.

    Args:
        trusted: The found files that the user trusts.
        environ: The process's environment variables.
        fresh: What organizations have just said, by the account that was asked.
        now: Seconds since 1970.
    """

    trusted: TrustedFiles | None
    environ: Mapping[str, str]
    fresh: Mapping[str, Organization]
    now: float

    def read(self, file: _File) -> tuple[Accounts, str | None]:
        """Its accounts, and where it has credentials kept."""
        document = load(file.path) if file.found is None else trusted_document(file.found, self.trusted)
        read = of_document(file.path, document, self._kept, self.now)
        return Accounts(read.accounts, considered=read.considered, asks=read.asks), store_in(document)

    def _kept(self) -> KeptOrganizations:
        """What organizations have said."""
        from ._kept_organizations import KeptOrganizations  # noqa: PLC0415 # few files have one, and it takes long

        return KeptOrganizations.named_by(self.environ, self.fresh)


def _names_of_the_user(
    files: Iterable[_File], layers: Iterable[tuple[_File, Accounts]], environ: Mapping[str, str], reader: _FileReader
) -> dict[str, str]:
    """The names in the user's own file and of the profiles, each with its place; whether or not these count here."""
    read = dict(layers)
    names = profile_names(environ, {file.found.real for file in read if file.found is not None})
    for file in files:
        if file.is_users:
            accounts = read[file] if file in read else reader.read(file)[0]
            names |= {name: str(account.origin) for name, account in accounts.items()}
    return names


def _protect_names(found: Iterable[Accounts], names: Mapping[str, str]) -> None:
    """Refuses a project's account that has the name of one of the user's.

    Whoever can write into the project's folder could have the user work in another account than is meant.
    """
    for accounts in found:
        for name, account in accounts.items():
            if name in names:
                _refuse(account, f"the user's own file has this name, at {names[name]}")


def _protect_ids(found: Iterable[Accounts], others: Iterable[Accounts]) -> None:
    """Refuses a project's account whose name is the id of one that is not the project's, and so stands for that one."""
    known = [account for accounts in others for account in accounts.values()]
    # One of that very name comes before the project's anyway.
    standing_for = {account.account_id: account for account in known} | {account.name: account for account in known}
    for accounts in found:
        for name, account in accounts.items():
            meant = standing_for.get(name)
            if meant is not None and meant.name != name:
                _refuse(account, f"this name is the id of the user's account {meant.name!r}, at {meant.origin}")


def _refuse(account: Account, problem: str) -> NoReturn:
    hint = "rename the project's account, or pass its file"
    raise ConfigError(problem, account=account.name, hint=hint).within(str(account.origin))
