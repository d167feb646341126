"""Stores on the disk, what lies in them, and other users who look at them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tools.project import ROOT
from xsession.credentials import Credentials
from xsession.events import StoreProblem
from xsession.stores import FileStore
from xsession.testing import EventCapture, FakeClock

SECRET = "the secret key, which is 40 characters"
STRANGER = 12_345

as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes another user")


def credentials(
    key_id: str = "ASIA1", *, at: float | None = None, lifetime: float | None = 3_600.0, **fields: Any
) -> Credentials:
    """Some of a role in account 222222222222, issued at a moment; None: now."""
    issued = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    values = {
        "account_id": "222222222222",
        "arn": "arn:aws:sts::222222222222:assumed-role/Reader/batman",
        "session_token": "the token",
        "issued_at": issued,
        **fields,
    }
    return Credentials(access_key_id=key_id, secret_access_key=SECRET, lifetime=lifetime, **values)


def watched(path: Path | None, **options: Any) -> tuple[FileStore, EventCapture]:
    """A store, and the events that it sends."""
    events = EventCapture()
    clock = options.pop("clock", None)
    if isinstance(clock, FakeClock):
        options["wall"] = clock.wall
    return FileStore(path, on_event=events, **options), events


def problems(events: EventCapture) -> list[str]:
    """What was said, but where the master key lies, which is true of all stores here."""
    said = [event.problem for event in events.of(StoreProblem)]
    return [problem for problem in said if problem != "the master key is in a file"]


def entries(path: Path, kind: str = "entry") -> list[Path]:
    """The files of a kind in a store."""
    return sorted(path.glob(f"*.{kind}"))


def in_child(work: Callable[[], object], *, uid: int | None = None) -> int:
    """Does something in a forked child, as another user where one is named; returns 0 if it raised nothing."""
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            work()
            failed = 0
        except BaseException:  # noqa: BLE001 # the child must not run the parent's tests
            traceback.print_exc()
        finally:
            os._exit(failed)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def started(code: str, *argv: str, **environ: str) -> subprocess.Popen[str]:
    """A process of its own that runs code; what it prints can be read."""
    command = [sys.executable, "-B", "-W", "ignore", "-c", code, *argv]
    env = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", **environ}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
