"""Which found files the user trusts: by path and content, as direnv does, in a folder of the user's own.

Each has a record there, named by its path: the digest of its content, and one of each value, to say later which keys
have changed. No value is in it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xsession._base import frozen, hides_frames, public, sha256, shortened
from xsession.errors import ConfigError, shown

from ._found_file import NAME_IT, FoundFile, current_folder, found_files, read_found
from ._own_files import OwnFiles
from ._toml import keys_to_trust, read_document
from ._toml_file import PROJECT_FILE, Document
from ._user_file import home_folder, user_file

FOLDER_NAME = "trusted"
_MAX_RECORD_BYTES = 16 * 1024 * 1024
_MAX_KEYS_SHOWN = 5
_BARE = r"[A-Za-z0-9_\[\]-]+"


@frozen
class TrustedFile:
    """A file that was trusted.

    Args:
        path: Where it is.
        values: What it may do by that: the keys that need trust, each with its value.
    """

    path: str
    values: Mapping[str, object]


@frozen
class _Record:
    """What was trusted.

    Args:
        path: The file.
        digest: That of its content.
        keys: Its keys, each with a digest of its value.
    """

    path: str
    digest: str
    keys: Mapping[str, str]


@public
class TrustedFiles:
    """The project's files that this user trusts to name profiles, token files and MFA devices.

    Args:
        folder: Where that is kept; only this user may write there.
        os_name: As `os.name`.
    """

    def __init__(self, folder: Path, os_name: str = os.name) -> None:
        self._files = OwnFiles(folder, _MAX_RECORD_BYTES, os_name)

    @classmethod
    def of_user(cls) -> TrustedFiles:
        """This user's.

        Raises:
            ConfigError: The user has no home.
        """
        trusted = cls.named_by(os.environ)
        if trusted is None:
            msg = "there is no folder to keep trust in: the user has no home"
            raise ConfigError(msg, hint="set HOME or XDG_CONFIG_HOME")
        return trusted

    @classmethod
    def named_by(cls, environ: Mapping[str, str]) -> TrustedFiles | None:
        """Those of the user whom an environment names; None: it names no home."""
        own = user_file(environ, sys.platform)
        return None if own is None else cls(Path(own).parent / FOLDER_NAME)

    @hides_frames(ConfigError)
    def trust(self, path: str | os.PathLike[str] | None = None) -> list[TrustedFile]:
        """Trusts a file as it is now.

        Args:
            path: The file; None: those that are found from the current folder on.

        Returns:
            Each file; one without values needs no trust, and none was noted down.

        Raises:
            ConfigError: There is no such file, others can write it, it is no valid file of accounts, or the user's
                folder can't be written to.
        """
        if path is None:
            files = list(found_files(current_folder(), home_folder(os.environ, sys.platform)))
            if not files:
                msg = "there is no file to trust: none is found from this folder on"
                raise ConfigError(msg, hint="pass the file's path")
        else:
            files = [read_found(current_folder() / Path(path).expanduser())]
        return [self._trust(file) for file in files]

    def remove(self, path: str | os.PathLike[str]) -> bool:
        """Trusts a file no more; returns whether it was trusted.

        Args:
            path: The file, which need not be there.

        Raises:
            ConfigError: The user's folder can't be written to.
        """
        return self._files.remove(_name((current_folder() / Path(path).expanduser()).resolve()))

    def __iter__(self) -> Iterator[str]:
        """The paths of all files that were trusted, whatever has become of them."""
        records = map(self._record_at, self._files.names())
        return iter(sorted(record.path for record in records if record is not None))

    def problem(self, file: FoundFile, document: Document) -> str | None:
        """Why a file is not trusted; None: it is.

        Args:
            file: The file.
            document: What it says.
        """
        record = self._record_at(_name(file.real))
        if record is None or record.path != str(file.real):
            return "is not trusted"
        if record.digest == _digest(file, document):
            return None
        changes = list(_changes(record.keys, _key_digests(document.content)))
        listed = shortened(changes, _MAX_KEYS_SHOWN) if changes else "only comments or the layout"
        return f"has changed since it was trusted: {listed}"

    def _trust(self, file: FoundFile) -> TrustedFile:
        document = file.document()
        read_document(file.path, document)
        values = {_joined(keys): _value(document.content, keys) for keys in keys_to_trust(document.content)}
        if values:
            self._write(_Record(str(file.real), _digest(file, document), _key_digests(document.content)))
        return TrustedFile(str(file.real), values)

    def _record_at(self, name: str) -> _Record | None:
        """A record; None: there is none that this user has written."""
        try:
            value = json.loads(self._files.read(name) or b"")
            return _Record(str(value["path"]), str(value["sha256"]), dict(value["keys"]))
        except (ValueError, LookupError, TypeError, RecursionError):
            return None

    def _write(self, record: _Record) -> None:
        text = json.dumps({"path": record.path, "sha256": record.digest, "keys": dict(record.keys)}, indent=1)
        self._files.write(_name(Path(record.path)), text.encode())


def require_trust(file: FoundFile, document: Document, trusted: TrustedFiles | None) -> None:
    """Refuses a file that says what only a trusted one may, and is none.

    Args:
        file: The file.
        document: What it says.
        trusted: What the user trusts; None: the user has no folder for that.

    Raises:
        ConfigError: It is not trusted, or has changed; says which keys need trust, or have changed.
    """
    keys = list(keys_to_trust(document.content))
    if not keys:
        return
    problem = "is not trusted" if trusted is None else trusted.problem(file, document)
    if problem is None:
        return
    if len(keys) > 1:
        problem += f" (as it would be for {shortened([_joined(each) for each in keys[1:]], _MAX_KEYS_SHOWN)})"
    where = f"look at it, then run: xsession trust {shlex.quote(str(file.path))}"
    msg = f"{keys[0][-1]} is only for a file that you trust, and this one {problem}"
    raise ConfigError(msg, hint=f"{where}; in CI, {NAME_IT}").within(str(document.place.at(*keys[0])))


def _name(real: Path) -> str:
    return f"{sha256(os.fsencode(real)).hexdigest()}.json"


def _digest(file: FoundFile, document: Document) -> str:
    # The rest of a pyproject.toml is about other programs, and changes day by day.
    data = _canonical(document.content) if file.path.name == PROJECT_FILE else file.data
    return sha256(data).hexdigest()


def _key_digests(content: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    pending: list[tuple[tuple[str, ...], Any]] = [((), content)]
    while pending:
        keys, value = pending.pop()
        if isinstance(value, dict) and value:
            pending += [((*keys, key), below) for key, below in value.items()]
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            pending += [((*keys, f"[{number}]"), item) for number, item in enumerate(value)]
        else:
            found[_joined(keys)] = sha256(_canonical(value)).hexdigest()[:32]
    return found


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, default=lambda other: f"{type(other).__name__} {other}").encode()


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for key in sorted({*before, *now}):
        if key not in before:
            yield f"{key} is new"
        elif key not in now:
            yield f"{key} is gone"
        elif before[key] != now[key]:
            yield f"{key} has another value"


def _joined(keys: tuple[str, ...]) -> str:
    return ".".join(key if re.fullmatch(_BARE, key) else shown(key) for key in keys).replace(".[", "[")


def _value(content: Mapping[str, Any], keys: tuple[str, ...]) -> object:
    value: Any = content
    for key in keys:
        value = value[int(key[1:-1])] if isinstance(value, list) else value[key]
    return value
