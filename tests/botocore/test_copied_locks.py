from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.credentials import AssumeRoleCredentialFetcher, Credentials, RefreshableCredentials

from tests.support.forks import exit_code_of_child
from xsession._botocore import SourceSession
from xsession._botocore._copied_locks import renew_locks


def refreshed() -> dict[str, str]:
    """What a process or a login gives."""
    ends = datetime.now(UTC) + timedelta(hours=1)
    return {"access_key": "AKIATWO", "secret_key": "s", "token": "t", "expiry_time": ends.isoformat()}


def ending(refresh_using: Any = refreshed) -> RefreshableCredentials:
    """Credentials that are refreshed before they are used."""
    ends = datetime.now(UTC) + timedelta(seconds=60)
    return RefreshableCredentials("AKIAONE", "s", "t", ends, refresh_using, "custom")


def lock_of(credentials: Any) -> Any:
    """The lock around their refresh."""
    return next(value for value in vars(credentials).values() if isinstance(value, type(threading.Lock())))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
@pytest.mark.parametrize("read_before", [False, True])
def test_a_child_refreshes_a_source_though_a_thread_of_the_parent_did(read_before: bool) -> None:
    """With boto3 alone it hangs."""
    session: Any = boto3.Session("AKIAONE", "s", region_name="us-east-1")
    session._session._credentials = credentials = ending()
    source = SourceSession(session)
    if read_before:
        source._loaded()
    assert exit_code_of_child(source.frozen, lock_of(credentials)) == 0
    assert source.frozen().access_key == "AKIATWO"


def test_those_that_they_are_refreshed_with_have_locks_too() -> None:
    """A profile's role is assumed with the credentials of another one."""
    behind = ending()
    fetcher = AssumeRoleCredentialFetcher(SimpleNamespace(), behind, "arn:aws:iam::222222222222:role/R")  # type: ignore[arg-type]
    credentials = ending(fetcher.fetch_credentials)
    before = [lock_of(credentials), lock_of(behind)]
    renew_locks(credentials)
    assert not {id(lock) for lock in before} & {id(lock_of(credentials)), id(lock_of(behind))}


def test_a_lock_stays_of_its_kind() -> None:
    """A re-entrant one is taken twice."""

    class Own(Credentials):
        lock: Any

    own = Own("AKIAONE", "s")
    own.lock = before = threading.RLock()
    renew_locks(own)
    assert own.lock is not before
    assert type(own.lock) is type(before)


def test_what_is_not_botocores_is_left_alone() -> None:
    """Nor is there anything where no credentials are."""
    lock = threading.Lock()
    renew_locks(SimpleNamespace(lock=lock))
    renew_locks(None)


def test_a_child_that_was_forked_in_the_middle_of_a_refresh_goes_on_with_it() -> None:
    """By the very thread that holds the lock."""
    session: Any = boto3.Session("AKIAONE", "s", region_name="us-east-1")
    session._session._credentials = credentials = ending()
    source = SourceSession(session)
    before = lock_of(credentials)
    source._readers.add(threading.get_ident())
    source.after_fork()
    assert lock_of(credentials) is before
