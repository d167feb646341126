from __future__ import annotations

import enum
import errno
import inspect
import json
import logging
import os
import stat
import subprocess
import sys
import threading
from dataclasses import field, fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.attacks import ATTACKS
from tests.support.worlds import World
from xsession import events
from xsession._base import _own_file as own_file
from xsession._base._value import frozen
from xsession.audit import MAX_LINE_BYTES, MAX_TEXT_CHARACTERS, AuditLog, AuditRecord, to_line
from xsession.credentials import Credentials
from xsession.errors import AuditLogError
from xsession.events import Event, Hooks, NeedsAttention, RefreshFailed, RefreshSucceeded

AT = datetime(2030, 1, 1, 13, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=1)))
ROLE = "arn:aws:iam::222222222222:role/R"
SUCCEEDED = RefreshSucceeded(
    at=AT,
    account="vegeta",
    role_arn=ROLE,
    hop=1,
    duration=0.5,
    access_key_id="ASIAEXAMPLE",
    expiry=datetime(2030, 1, 1, 13, 30, tzinfo=UTC),
    request_id="id-1",
    packed_policy_size=None,
)

posix_only = pytest.mark.skipif(os.name != "posix", reason="modes, owners and links are as in POSIX")


def attention(message: str) -> NeedsAttention:
    """An event with a string."""
    return NeedsAttention(at=AT, account=None, role_arn=None, hop=None, message=message, hint=None)


def records(path: Path) -> list[AuditRecord]:
    """All records of a file."""
    return list(AuditLog.read(path))


class Colour(enum.Enum):
    """A value of one of few."""

    RED = "red"


@frozen(kw_only=True)
class Anything(Event):
    """An event of any form."""

    value: Any
    secret: str = field(default="hunter2", repr=False)


def anything(value: Any) -> Anything:
    """An event with a value."""
    return Anything(at=AT, account=None, role_arn=None, hop=None, value=value)


# The form of a line


def test_a_line_holds_the_version_the_name_and_the_fields() -> None:
    """Times in UTC, with a Z; what is not known as null."""
    line = to_line(SUCCEEDED)
    assert line.endswith(b"}\n")
    assert json.loads(line) == {
        "version": 1,
        "event": "RefreshSucceeded",
        "at": "2030-01-01T12:30:00.250000Z",
        "account": "vegeta",
        "role_arn": ROLE,
        "hop": 1,
        "duration": 0.5,
        "access_key_id": "ASIAEXAMPLE",
        "expiry": "2030-01-01T13:30:00.000000Z",
        "request_id": "id-1",
        "packed_policy_size": None,
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (timedelta(minutes=2), 120.0),
        (Colour.RED, "red"),
        (("a", ["b", None]), ["a", ["b", None]]),
        ({"i-0abc": AT}, {"i-0abc": "2030-01-01T12:30:00.250000Z"}),
        (float("inf"), None),
        ("x" * (MAX_TEXT_CHARACTERS + 1), "x" * (MAX_TEXT_CHARACTERS - 3) + "..."),
    ],
)
def test_values_have_one_form_each(value: object, written: object) -> None:
    """That every JSON reader understands."""
    assert json.loads(to_line(anything(value)))["value"] == written


def test_a_value_without_a_form_is_refused() -> None:
    """Rather than written down as its repr, which may say anything."""
    with pytest.raises(AuditLogError, match="no form for the field value, object"):
        to_line(anything(object()))
    with pytest.raises(AuditLogError, match="a datetime without a time zone"):
        to_line(anything(AT.replace(tzinfo=None)))
    with pytest.raises(AuditLogError, match="no form for the field value, type"):
        to_line(anything(Credentials))
    with pytest.raises(AuditLogError, match="no room for a line"):
        to_line(anything(["x" * 10_000] * 200))


def test_secrets_are_left_out() -> None:
    """What a value keeps out of its repr is not written either."""
    held = Credentials(access_key_id="ASIA1", secret_access_key="hunter2", session_token="hunter2")
    line = to_line(anything(held))
    assert b"hunter2" not in line
    assert json.loads(line)["value"]["access_key_id"] == "ASIA1"


def test_no_field_of_an_event_hides_the_lines_own() -> None:
    """The version and the name."""
    kinds = [kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, Event)]
    assert {item.name for kind in kinds for item in fields(kind)} & {"version", "event"} == set()


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_a_text_stays_in_its_line(text: str, tmp_path: Path) -> None:
    """No matter with which program one looks at the file; and it is read as it was."""
    log = AuditLog(tmp_path / "audit.jsonl")
    log(attention(text))
    log(attention("next"))
    first, *rest = (tmp_path / "audit.jsonl").read_bytes().splitlines()
    assert len(rest) == 1
    assert first.decode().isprintable()
    assert first.isascii()
    message = records(tmp_path / "audit.jsonl")[0].fields["message"]
    if len(text) > MAX_TEXT_CHARACTERS:
        assert message == text[: MAX_TEXT_CHARACTERS - 3] + "..."
    else:
        assert message == text.replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")


# Writing


def test_events_are_appended_in_order(tmp_path: Path) -> None:
    """To what is there already."""
    path = tmp_path / "audit.jsonl"
    AuditLog(path)(SUCCEEDED)
    log = AuditLog(path)
    log.write(attention("two"))
    assert [record.event for record in log] == ["RefreshSucceeded", "NeedsAttention"]
    assert records(path)[0].at == AT
    assert records(path)[0].version == 1
    assert records(path)[0].fields["access_key_id"] == "ASIAEXAMPLE"
    assert repr(log) == f"AuditLog({str(path)!r})"


def test_what_must_be_written_down_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook does not wait for that."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    log = AuditLog(tmp_path / "audit.jsonl")
    log(SUCCEEDED)
    assert len(synced) == 0
    log.write(SUCCEEDED)
    assert len(synced) == 1


def test_a_session_writes_to_it(world: World, tmp_path: Path) -> None:
    """As to any hook."""
    log = AuditLog(tmp_path / "audit.jsonl")
    session = world.session(hooks=[log])
    credentials = session.get_frozen_credentials("vegeta")
    found = [record for record in log if record.event == "RefreshSucceeded"]
    assert [record.fields["access_key_id"] for record in found] == [credentials.access_key_id]
    text = (tmp_path / "audit.jsonl").read_text()
    assert credentials.secret_access_key not in text
    assert str(credentials.session_token) not in text


def test_a_short_write_is_an_error_and_harms_no_other_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the line that a full disk took a part of, nothing can be read; the next one stands for itself."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[:40]))
        with pytest.raises(AuditLogError, match=r"took 40 of \d+ bytes; check whether the disk is full"):
            log.write(SUCCEEDED)
    log(attention("next"))
    assert [record.event for record in log] == ["NeedsAttention"]
    assert path.read_bytes().count(b"\n") == 2


def test_a_failed_write_is_an_error_for_who_must_know_and_a_log_line_for_a_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It never breaks a request."""

    def full(_file: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = AuditLog(tmp_path / "audit.jsonl")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(AuditLogError, match="No space left on device") as caught:
        log.write(SUCCEEDED)
    assert isinstance(caught.value.__cause__, OSError)
    Hooks([log])(SUCCEEDED)
    assert "failed on RefreshSucceeded" in caplog.text


@pytest.mark.parametrize("way", ["moved", "moved and made again", "deleted"])
def test_a_rotated_file_is_left_alone(way: str, tmp_path: Path) -> None:
    """The next event goes to the file of the name."""
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    log = AuditLog(path)
    log(attention("before"))
    path.rename(old)
    if way == "moved and made again":
        path.touch(mode=0o644)
    if way == "deleted":
        old.unlink()
    log(attention("after"))
    assert [record.fields["message"] for record in records(path)] == ["after"]
    if way != "deleted":
        assert [record.fields["message"] for record in records(old)] == ["before"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_line_of_many_processes_and_threads_is_lost_or_torn(tmp_path: Path) -> None:
    """While the file is rotated under them; some lines are longer than what pipes keep whole."""
    path = tmp_path / "audit.jsonl"
    code = """
import sys, threading
from datetime import UTC, datetime
from xsession.audit import AuditLog
from xsession.events import NeedsAttention
path, process = sys.argv[1:]
none = ["account", "role_arn", "hop", "hint"]
log = AuditLog(path)
def write(thread):
    for number in range(60):
        message, nothing = f"{process}-{thread}-{number}" + "x" * (0 if number % 3 else 9_000), dict.fromkeys(none)
        log.write(NeedsAttention(at=datetime.now(UTC), message=message, **nothing))
threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), str(number)]) for number in range(4)]
    rotated = 0
    while any(process.poll() is None for process in running):
        if rotated < 5 and path.exists() and path.stat().st_size > 50_000:
            path.rename(tmp_path / f"audit.jsonl.{rotated}")
            rotated += 1
        threading.Event().wait(0.002)
    assert [process.returncode for process in running] == [0] * 4
    assert rotated > 0
    lines = [line for file in tmp_path.iterdir() for line in file.read_bytes().splitlines() if line]
    messages = sorted(json.loads(line)["message"].rstrip("x") for line in lines)
    assert messages == sorted(f"{p}-{t}-{n}" for p in range(4) for t in range(4) for n in range(60))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork of a process with threads is the point
def test_a_forked_child_goes_on_writing(tmp_path: Path) -> None:
    """Nothing of it is shared with the parent."""
    log = AuditLog(tmp_path / "audit.jsonl")
    child = os.fork()
    if child == 0:
        log(attention("child"))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    log(attention("parent"))
    assert [record.fields["message"] for record in log] == ["child", "parent"]


def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong."""
    opened: list[int] = []
    closed: list[int] = []
    really_open, really_close = os.open, os.close

    def watched_open(*arguments: Any) -> int:
        opened.append(really_open(*arguments))
        return opened[-1]

    def watched_close(file: int) -> None:
        closed.append(file)
        really_close(file)

    monkeypatch.setattr(os, "open", watched_open)
    monkeypatch.setattr(os, "close", watched_close)
    log = AuditLog(tmp_path / "audit.jsonl")
    log(SUCCEEDED)
    monkeypatch.setattr(os, "write", lambda _file, _data: 0)
    with pytest.raises(AuditLogError):
        log(SUCCEEDED)
    monkeypatch.setattr(stat, "S_ISREG", lambda _mode: False)
    with pytest.raises(AuditLogError, match="no regular file"):
        log(SUCCEEDED)
    assert opened == closed


# Who may read it


@posix_only
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_file_is_for_its_owner_alone(umask: int, tmp_path: Path) -> None:
    """Whatever the umask."""
    before = os.umask(umask)
    try:
        AuditLog(tmp_path / "audit.jsonl")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


@posix_only
def test_a_wider_mode_is_narrowed(tmp_path: Path) -> None:
    """At each line."""
    path = tmp_path / "audit.jsonl"
    path.touch()
    path.chmod(0o666)
    log = AuditLog(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    log(SUCCEEDED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix_only
def test_a_mode_that_can_not_be_narrowed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as on a file system without modes."""
    path = tmp_path / "audit.jsonl"
    path.touch()
    path.chmod(0o666)

    def refused(_file: int, _mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refused)
    with pytest.raises(AuditLogError, match="can't be made mode 0600: Operation not permitted"):
        AuditLog(path)


@posix_only
def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That user could write anything into it."""
    path = tmp_path / "audit.jsonl"
    path.touch(mode=0o600)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(AuditLogError, match="belongs to another user"):
        AuditLog(path)


def test_a_platform_without_owners_has_no_such_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows keeps files apart in its own way."""
    monkeypatch.delattr(os, "geteuid", raising=False)
    AuditLog(tmp_path / "audit.jsonl")(SUCCEEDED)
    assert len(records(tmp_path / "audit.jsonl")) == 1


@posix_only
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Another user may have put it there; later too."""
    path, target = tmp_path / "audit.jsonl", tmp_path / "target"
    log = AuditLog(path)
    path.unlink()
    path.symlink_to(target)
    with pytest.raises(AuditLogError, match="a symbolic link is not followed"):
        log.write(SUCCEEDED)
    with pytest.raises(AuditLogError):
        AuditLog(path)
    assert not target.exists()


def test_a_link_is_not_followed_where_the_system_has_no_flag_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is looked at first."""
    path, target = tmp_path / "audit.jsonl", tmp_path / "target"
    path.symlink_to(target)
    monkeypatch.delattr(os, "O_NOFOLLOW", raising=False)
    monkeypatch.setattr(own_file, "_FLAGS", os.O_RDWR | os.O_APPEND | os.O_CREAT)
    with pytest.raises(AuditLogError, match="is a symbolic link; a symbolic link is not followed"):
        AuditLog(path)
    assert not target.exists()


def test_a_file_with_another_name_is_refused(tmp_path: Path) -> None:
    """A hard link may be to anything of ours: it is neither written to nor given another mode; later too."""
    path, target = tmp_path / "audit.jsonl", tmp_path / "authorized_keys"
    target.write_text("ours")
    target.chmod(0o644)
    log = AuditLog(path)
    path.unlink()
    path.hardlink_to(target)
    mode = target.stat().st_mode
    with pytest.raises(AuditLogError, match="has 2 names; remove the hard links"):
        log.write(SUCCEEDED)
    with pytest.raises(AuditLogError, match="has 2 names"):
        AuditLog(path)
    assert (target.read_text(), target.stat().st_mode) == ("ours", mode)
    target.unlink()
    log.write(SUCCEEDED)


@posix_only
def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """Without waiting for the other end of a pipe."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AuditLogError, match="no regular file"):
        AuditLog(tmp_path / "pipe")
    with pytest.raises(AuditLogError, match="Is a directory"):
        AuditLog(tmp_path)


def test_no_folder_is_made(tmp_path: Path) -> None:
    """Its mode would be a guess; the error says what to do, when the log is set up."""
    with pytest.raises(AuditLogError, match="make its folder first"):
        AuditLog(tmp_path / "missing" / "audit.jsonl")
    assert list(tmp_path.iterdir()) == []


# Reading


@pytest.mark.parametrize(
    "line",
    [
        b'{"version":1,"event":"RefreshSucc',
        b"\x00" * 100,
        b"\xff\xfe",
        b"null",
        b"[1]",
        b'"text"',
        b"{}",
        b'{"version":1}',
        b'{"version":true,"event":"E"}',
        b'{"version":"1","event":"E"}',
        b'{"version":1,"event":["E"]}',
        b"[" * 100_000,
        b'{"version":1,"event":"E","n":' + b"9" * 10_000 + b"}",
        b'{"version":1,"event":"E","x":"' + b"x" * (MAX_LINE_BYTES * 2) + b'"}',
    ],
    ids=lambda line: line[:30].decode("latin-1").encode("unicode_escape").decode(),
)
def test_a_line_that_is_no_record_is_skipped(line: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With a warning that says where; its neighbours are read."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(to_line(SUCCEEDED) + line + b"\n\n" + to_line(SUCCEEDED) + line)
    with caplog.at_level(logging.WARNING, "xsession"):
        assert [record.event for record in records(path)] == ["RefreshSucceeded"] * 2
    assert [record.getMessage().split(" of ")[0] for record in caplog.records] == ["line 2", "line 5"]


@pytest.mark.parametrize(
    ("at", "read"),
    [
        ("2030-01-01T12:30:00.250000Z", AT),
        ("2030-01-01T12:30:00.250000", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (12, None),
        (None, None),
    ],
)
def test_what_others_wrote_is_given_back_as_it_is(at: object, read: datetime | None, tmp_path: Path) -> None:
    """Unknown events, versions and fields too; a time that is none is None."""
    path = tmp_path / "audit.jsonl"
    path.write_text(json.dumps({"version": 7, "event": "Unheard", "at": at, "more": {"a": [1]}}) + "\n")
    assert records(path) == [AuditRecord(7, "Unheard", read, {"more": {"a": [1]}})]


def test_a_file_that_is_not_there_can_not_be_read(tmp_path: Path) -> None:
    """In words; a path may hold anything."""
    with pytest.raises(AuditLogError, match=r"a\\nb can't be read: No such file"):
        records(tmp_path / "a\nb")


def test_failures_are_events_too(tmp_path: Path) -> None:
    """With AWS's code and words."""
    event = RefreshFailed(
        at=AT,
        account="vegeta",
        role_arn=ROLE,
        hop=1,
        code="AccessDenied",
        message="no",
        retryable=False,
        next_try=30.0,
        remaining=0.0,
    )
    AuditLog(tmp_path / "audit.jsonl")(event)
    assert records(tmp_path / "audit.jsonl")[0].fields["code"] == "AccessDenied"
