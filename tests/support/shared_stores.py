"""A store that processes share, as plain as can be: for tests of what is done with any such store."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from xsession import Credentials


class FolderStore:
    """Keeps everything as JSON in a folder, secrets too.

    Args:
        folder: The folder, which is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Credentials | None:
        """What is kept under the key."""
        document = self._read("entry", key)
        if document is None:
            return None
        for name in ("expiry", "issued_at"):
            document[name] = document[name] and datetime.fromisoformat(document[name])
        return Credentials(**document)

    def put(self, key: str, credentials: Credentials) -> None:
        """Keeps credentials."""
        self._write("entry", key, asdict(credentials))

    def delete(self, key: str, access_key_id: str | None = None) -> None:
        """Forgets the key."""
        kept = self._read("entry", key)
        if kept is not None and access_key_id in (None, kept["access_key_id"]):
            self._path("entry", key).unlink(missing_ok=True)

    @contextmanager
    def refreshing(self, key: str, patience: float) -> Iterator[bool]:
        """The lock of a key."""
        file = os.open(self._path("lock", key), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            ends, held = time.monotonic() + patience, False
            while not held:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    held = True
                except BlockingIOError:
                    if time.monotonic() >= ends:
                        break
                    time.sleep(0.005)
            yield held
        finally:
            os.close(file)

    def mark(
        self,
        at: datetime | float,
        *,
        key: str | None = None,
        role_arn: str | None = None,
        source_identity: str | None = None,
    ) -> None:
        """Ends what was issued at a moment or before it."""
        wanted = {"key": key, "role_arn": role_arn, "source_identity": source_identity}
        self._write("mark", f"{time.time_ns()}", {"at": _seconds(at), "wanted": wanted})

    def is_marked(
        self, key: str, role_arn: str | None, source_identity: str | None, issued: datetime | float | None
    ) -> bool:
        """Whether a mark ends these credentials."""
        of = {"key": key, "role_arn": role_arn, "source_identity": source_identity}
        for path in self._folder.glob("mark-*"):
            mark = json.loads(path.read_text())
            fits = all(value in (None, of[name]) for name, value in mark["wanted"].items())
            if fits and (issued is None or _seconds(issued) <= mark["at"]):
                return True
        return False

    def put_failure(self, key: str, failure: Mapping[str, object], seconds: float) -> None:
        """Shares a failed refresh."""
        self._write("failure", key, {"until": time.time() + seconds, "failure": dict(failure)})

    def failure(self, key: str) -> Mapping[str, object] | None:
        """The failure that is shared just now."""
        kept = self._read("failure", key)
        found: Mapping[str, object] | None = kept and kept["failure"]
        return found if kept is not None and time.time() < kept["until"] else None

    def put_principal(self, descriptor: str, principal: str) -> None:
        """Remembers whose a source's credentials are."""
        self._write("principal", descriptor, {"principal": principal})

    def principal(self, descriptor: str) -> str | None:
        """Whose a source's credentials are."""
        kept = self._read("principal", descriptor)
        return None if kept is None else str(kept["principal"])

    def clear(self) -> None:
        """Removes all but marks."""
        for path in self._folder.iterdir():
            if not path.name.startswith("mark-"):
                path.unlink(missing_ok=True)

    def entries(self) -> int:
        """How many credentials there are."""
        return len(list(self._folder.glob("entry-*")))

    def _path(self, kind: str, key: str) -> Path:
        return self._folder / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()}"

    def _read(self, kind: str, key: str) -> Any:
        with suppress(FileNotFoundError):
            return json.loads(self._path(kind, key).read_text())
        return None

    def _write(self, kind: str, key: str, document: Any) -> None:
        path = self._path(kind, key)
        fresh = path.with_name(f"new-{time.monotonic_ns()}-{os.getpid()}-{path.name[-8:]}")
        fresh.write_text(json.dumps(document, default=lambda moment: moment.isoformat()))
        fresh.replace(path)


def _seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else moment
