"""A store on the disk, which the processes of a user share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xsession._base import frozen, hides_frames, public
from xsession.credentials import Credentials
from xsession.errors import ConfigError

from ._folder import Signature, StoreFolder
from ._form import from_json, to_json
from ._locks import ProcessLocks
from ._marks import LONGEST_LIFETIME_SECONDS, Mark, Marks, microseconds, role_of
from ._master_key import MasterKey
from ._place import check_installed, store_path
from ._reports import StoreReports
from ._sealed import Seal, UnusableEntryError
from ._store import MFA_KEY_PREFIX, Moment

if TYPE_CHECKING:
    from xsession import events

_MAX_HELD = 4_096
_PRINCIPAL_SECONDS = 90 * 86_400.0


@frozen
class _Held:
    """What this process knows of an entry.

    Args:
        signature: The file's, when it was read or written; None: there was none.
        credentials: What is in it, or could not be written; None: nothing that can be used.
    """

    signature: Signature | None
    credentials: Credentials | None


@public
class FileStore:
    """Keeps credentials encrypted in a folder of the user's, for all processes, until they end.

    Nothing is read or written before the first use. Where the folder, its master key or the disk can't be used, it
    keeps them in this process's memory, and an event says so. It may be pickled, as its path.

    Needs the extra: `pip install 'xsession[store]'`.

    Args:
        path: The folder, an absolute path; None: what `XSESSION_STORE` names, else the user's folder for caches.
        store_mfa: Whether MFA sessions lie there too; False: only in this process's memory.
        on_event: Called with a `StoreProblem` for each thing that does not work; None: it is logged.
        wall: Reads the wall clock, seconds since the epoch.
        os_name: As `os.name`.

    Raises:
        ConfigError: The path is relative, or a package of the extra is missing.
    """

    @hides_frames(ConfigError)
    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        store_mfa: bool = True,
        on_event: events.Hook | None = None,
        wall: Callable[[], float] = time.time,
        os_name: str = os.name,
    ) -> None:
        check_installed()
        self._path = None if path is None else os.fspath(path)
        self._store_mfa = store_mfa
        self._on_event = on_event
        self._wall = wall
        self._reports = StoreReports(on_event, wall)
        self._folder = StoreFolder(store_path(path, os.environ), self._reports, wall=wall, os_name=os_name)
        self._locks = ProcessLocks(self._folder, self._reports)
        self._master_key = MasterKey(self._folder, self._locks, self._reports, keyring_only=os_name == "nt")
        self._marks = Marks(self._folder, wall)
        # The oldest first. Each step on it is atomic, so it needs no lock, which a fork could copy while it is held.
        self._held: dict[str, _Held] = {}

    @property
    def path(self) -> Path | None:
        """The folder; None: there is none, since the user has no home."""
        return self._folder.path

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept on the disk: after `clear`, whether all of it could be removed."""
        return self._folder.is_empty

    def get(self, key: str) -> Credentials | None:
        """What is kept under the key, has not ended yet, and no mark ends."""
        credentials = self._look_up(key)
        if credentials is None or self._has_ended(credentials) or self._ends(key, credentials):
            return None
        if credentials.issued_at is not None and credentials.issued_at.timestamp() > self._wall():
            words = "it was issued in the future: the clock was set back"
            self._tell_unusable(key, words)
            return None
        return credentials

    def put(self, key: str, credentials: Credentials) -> None:
        """Keeps credentials until they end, unless a mark has ended them."""
        if self._ends(key, credentials):
            return
        seal = self._seal_for(key, make=True) if _may_lie_on_disk(credentials) else None
        name = None if seal is None else seal.name("entry", key)
        signature = None
        if seal is not None and name is not None:
            data = seal.seal("entry", key, to_json(credentials), credentials.account_id)
            signature = self._folder.write(name, data, _end(credentials) or 0.0)
            self._folder.remove(seal.name("failure", key))
        self._hold(key, _Held(self._signature(name) if signature is None else signature, credentials))

    def delete(self, key: str, access_key_id: str | None = None) -> None:
        """Forgets the key; with `access_key_id`, only if those are the credentials kept."""
        kept = self._look_up(key)
        if access_key_id is not None and (kept is None or kept.access_key_id != access_key_id):
            return
        seal = self._seal_for(key)
        name = None if seal is None else seal.name("entry", key)
        if name is not None:
            self._folder.remove(name)
        # What could not be removed must not be found again either.
        self._hold(key, _Held(self._signature(name), None))

    def refreshing(self, key: str, patience: float) -> AbstractContextManager[bool]:
        """The one lock of a key over all processes of the machine; see `SharedStore`."""
        seal = self._seal_for(key, make=True)
        return self._locks.hold(None if seal is None else seal.name("lock", key), patience)

    def mark(
        self,
        at: Moment,
        *,
        key: str | None = None,
        role_arn: str | None = None,
        source_identity: str | None = None,
    ) -> None:
        """Ends what was issued at a moment or before it, in every process; see `SharedStore`.

        Raises:
            ConfigError: `role_arn` is not the ARN of a role.
        """
        role = role_of(role_arn)
        if role_arn is not None and role is None:
            raise ConfigError.invalid(role_arn, "role_arn", "the ARN of a role")
        self._marks.add(Mark(microseconds(at, up=True), key, role, source_identity))

    def is_marked(self, key: str, role_arn: str | None, source_identity: str | None, issued: Moment | None) -> bool:
        """Whether a mark ends these credentials; one look at a folder's time."""
        return self._marks.end(key, role_arn, source_identity, issued)

    def put_failure(self, key: str, failure: Mapping[str, object], seconds: float) -> None:
        """Shares a failed refresh for so many seconds; see `SharedStore`."""
        began = self._wall()
        self._write("failure", key, [began, seconds, dict(failure)], began + seconds)

    def failure(self, key: str) -> Mapping[str, object] | None:
        """The failure that is shared just now."""
        match self._read("failure", key):
            # From the future: the clock was set back, and a moment must not become hours.
            case [int() | float() as began, int() | float() as seconds, dict() as failure]:
                return failure if 0 <= self._wall() - began < seconds else None
        return None

    def put_principal(self, descriptor: str, principal: str) -> None:
        """Remembers who a source's credentials belong to."""
        self._write("principal", descriptor, principal, self._wall() + _PRINCIPAL_SECONDS)

    def principal(self, descriptor: str) -> str | None:
        """Who a source's credentials belong to, where that is known."""
        found = self._read("principal", descriptor)
        return found if isinstance(found, str) else None

    def clear(self) -> None:
        """Removes everything that is kept, damaged entries too; marks stay, and the master key if it can be used."""
        self._held.clear()
        self._master_key.forget_unusable()
        self._folder.remove_all()

    def __reduce__(self) -> tuple[object, ...]:
        if self._on_event is not None:
            msg = "a FileStore with on_event= is not pickled: it belongs to this process"
            raise TypeError(msg)
        return _unpickled, (type(self), self._path, self._store_mfa)

    def __repr__(self) -> str:
        return f"<FileStore: {self._folder.path}>"

    def _seal_for(self, key: str, *, make: bool = False) -> Seal | None:
        if key.startswith(MFA_KEY_PREFIX) and not self._store_mfa:
            return None
        return self._master_key.seal(make=make)

    def _look_up(self, key: str) -> Credentials | None:
        seal = self._seal_for(key)
        name = None if seal is None else seal.name("entry", key)
        signature, held = self._signature(name), self._held.get(key)
        if held is not None and held.signature == signature:
            return held.credentials
        if seal is None or name is None or signature is None:
            return None
        found = self._folder.read(name)
        credentials = None if found is None else self._opened(seal, name, key, found[0])
        self._hold(key, _Held(signature if found is None else found[1], credentials))
        return credentials

    def _opened(self, seal: Seal, name: str, key: str, entry: bytes) -> Credentials | None:
        try:
            return from_json(seal.open("entry", key, entry))
        except (UnusableEntryError, ValueError, TypeError, AttributeError) as error:
            words = str(error) if isinstance(error, UnusableEntryError) else "it is of another version of xsession"
            self._tell_unusable(key, words, name)
            return None

    def _tell_unusable(self, key: str, words: str, name: str | None = None) -> None:
        seal = self._seal_for(key)
        name = seal.name("entry", key) if name is None and seal is not None else name
        path = None if self._folder.path is None or name is None else self._folder.path / name
        self._reports.tell("an entry can't be used", words, path=path, once_for=name)

    def _signature(self, name: str | None) -> Signature | None:
        return None if name is None else self._folder.signature(name)

    def _hold(self, key: str, held: _Held) -> None:
        self._held.pop(key, None)
        self._held[key] = held
        while len(self._held) > _MAX_HELD:
            with suppress(RuntimeError, StopIteration):  # another thread changes it
                self._held.pop(next(iter(self._held)), None)

    def _has_ended(self, credentials: Credentials) -> bool:
        end = _end(credentials)
        return end is not None and end <= self._wall()

    def _ends(self, key: str, credentials: Credentials) -> bool:
        return self._marks.end(key, credentials.arn, credentials.source_identity, credentials.issued_at)

    def _write(self, kind: str, key: str, value: object, ends: float) -> None:
        seal = self._seal_for(key, make=True)
        if seal is not None:
            self._folder.write(seal.name(kind, key), seal.seal(kind, key, value), ends)

    def _read(self, kind: str, key: str) -> Any:
        seal = self._seal_for(key)
        found = None if seal is None else self._folder.read(seal.name(kind, key))
        if seal is None or found is None:
            return None
        try:
            return seal.open(kind, key, found[0])
        except UnusableEntryError:
            return None


def _may_lie_on_disk(credentials: Credentials) -> bool:
    """Whether they end by themselves, soon enough for a mark to outlive them."""
    lifetime = credentials.lifetime
    return (
        credentials.session_token is not None
        and credentials.issued_at is not None
        and lifetime is not None
        and lifetime <= LONGEST_LIFETIME_SECONDS
    )


def _end(credentials: Credentials) -> float | None:
    end = credentials.local_expiry
    return None if end is None else end.timestamp()


def _unpickled(cls: type[FileStore], path: str | None, store_mfa: bool) -> FileStore:
    return cls(path, store_mfa=store_mfa)
