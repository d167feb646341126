"""Locks over the processes of a machine: the operating system's own, which end with their holder."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xsession._base import renew_after_fork, under_lock

from ._folder import StoreFolder
from ._reports import StoreReports

_FIRST_WAIT_SECONDS = 0.005
_LONGEST_WAIT_SECONDS = 0.1
_LEAST_PATIENCE_SECONDS = 0.05
_HANGING_SECONDS = 2.0


class ProcessLocks:
    """Locks by name, each a file in the store's folder.

    Args:
        folder: The store's.
        reports: Takes problems.
    """

    def __init__(self, folder: StoreFolder, reports: StoreReports) -> None:
        self._folder = folder
        self._reports = reports
        self._broken = False
        # One that the operating system had not answered when its caller's patience ended, and may not have since.
        self._unanswered: _LockFile | None = None
        self._held: set[_LockFile] = set()
        renew_after_fork(self)

    @contextmanager
    def hold(self, name: str | None, patience: float) -> Iterator[bool]:
        """Holds a lock for a block, whichever of this machine's threads and processes want it too.

        Args:
            name: That of its file; None: there is no lock.
            patience: Seconds to wait for another holder.

        Returns:
            Whether it is held.
        """
        with under_lock():
            lock = self._acquire(name, patience)
            try:
                yield lock is not None
            finally:
                if lock is not None:
                    self._held.discard(lock)
                    lock.release()

    def after_fork(self) -> None:
        """Has a forked child forget the parent's locks, without releasing them: it has copies of their files."""
        for lock in self._held:
            lock.forget()
        self._held, self._unanswered = set(), None

    def _acquire(self, name: str | None, patience: float) -> _LockFile | None:
        path = self._folder.path
        if self._broken or name is None or path is None or not self._folder.is_usable(make=True):
            return None
        if self._unanswered is not None and self._unanswered.is_hanging:
            self._broken = True
            self._tell(self._unanswered.path, "the operating system does not answer")
            return None
        lock = _LockFile(path / name, self._folder)
        # Known to a fork that comes while it is being taken.
        self._held.add(lock)
        held = False
        try:
            held = lock.wait(max(patience, _LEAST_PATIENCE_SECONDS))
        finally:
            if not held:
                self._held.discard(lock)
        if held:
            return lock
        if lock.is_asking:
            if self._unanswered is None or not self._unanswered.is_asking:
                self._unanswered = lock
        elif lock.problem is not None:
            self._tell(lock.path, lock.problem)
        else:
            self._folder.is_usable()  # which tells what came about while it was waited for
        return None

    def _tell(self, path: Path, problem: str) -> None:
        hint = "processes may refresh at the same time; name a folder on a local disk with XSESSION_STORE"
        self._reports.tell("locks don't work", problem, path=path, hint=hint)


class _LockFile:
    """One attempt at a lock: a thread asks for it, since on some network drives the answer never comes.

    Args:
        path: The file.
        folder: The one it is in.
    """

    def __init__(self, path: Path, folder: StoreFolder) -> None:
        self.path = path
        self.problem: str | None = None
        self._folder = folder
        self._lock: Any = None
        self._asked: float | None = None
        # One entry: which of the two came first, the lock or the end of the caller's patience.
        self._outcome: dict[str, bool] = {}
        self._over = threading.Event()
        self._answered = threading.Event()

    def wait(self, patience: float) -> bool:
        """Waits for the lock; returns whether it is held."""
        import filelock  # noqa: F401, PLC0415 # an extra's, and no reader needs it: not in the time of the lock's own call

        thread = threading.Thread(target=self._ask, name="xsession-lock", daemon=True)
        try:
            thread.start()
            self._answered.wait(patience)
        except RuntimeError as error:  # no thread can be started any more
            self.problem = str(error)
        except BaseException:  # Ctrl-C: a lock that came meanwhile is released, and one that comes later is, too
            if self._decide():
                self.release()
            raise
        return self._decide()

    @property
    def is_asking(self) -> bool:
        """Whether the operating system has yet to answer."""
        return self._asked is not None

    @property
    def is_hanging(self) -> bool:
        """Whether it should have, however busy the machine is."""
        asked = self._asked
        return asked is not None and time.monotonic() - asked >= _HANGING_SECONDS

    def _decide(self) -> bool:
        """Ends the wait; returns whether the lock came in time."""
        self._over.set()
        return self._outcome.setdefault("held", False)

    def release(self) -> None:
        """Lets others have it."""
        with suppress(OSError):
            if self._lock is not None:
                self._lock.release(force=True)

    def forget(self) -> None:
        """Closes a forked child's copy of the file, which must neither keep the lock nor release it."""
        lock, self._lock = self._lock, None
        # Nothing public closes it without releasing it; newer versions of filelock have done so by now.
        context: Any = getattr(lock, "_context", None)
        file = getattr(context, "lock_file_fd", None)
        if file is not None:
            context.lock_file_fd = None
            with suppress(OSError):
                os.close(file)

    def _ask(self) -> None:
        wait = _FIRST_WAIT_SECONDS
        try:
            while self._is_folder_usable() and not self._ask_once() and not self._over.wait(wait):
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        except (OSError, NotImplementedError) as error:
            self.problem = getattr(error, "strerror", None) or str(error)
        finally:
            self._answered.set()

    def _is_folder_usable(self) -> bool:
        # At each attempt: filelock makes a folder that was removed meanwhile, for all users, and follows a link.
        return self._folder.is_usable(make=True, quietly=True)

    def _ask_once(self) -> bool:
        from filelock import Timeout  # noqa: PLC0415 # as above

        self._asked = time.monotonic()
        try:
            if self._lock is None:
                self._lock = _file_lock(self.path)
            with suppress(FileNotFoundError):
                if not self._folder.is_ours(self.path.lstat()):
                    msg = "the lock file belongs to another user, or is no regular file"
                    raise NotImplementedError(msg)
            self._lock.acquire(blocking=False)
            # An old one is cleared away, which one that is held must not be.
            with suppress(OSError):
                os.utime(self.path)
        except (Timeout, FileNotFoundError):  # the second: the folder was removed just now
            return False
        finally:
            self._asked = None
            self._folder.close_to_others()
        if not self._outcome.setdefault("held", True):
            self.release()
        return True


def _file_lock(path: Path) -> Any:
    from filelock import FileLock  # noqa: PLC0415 # as above

    options: dict[str, Any] = {"mode": stat.S_IRUSR | stat.S_IWUSR, "thread_local": False}
    try:
        # A soft lock would outlive its holder.
        return FileLock(path, fallback_to_soft=False, **options)
    except TypeError:
        return FileLock(path, **options)
