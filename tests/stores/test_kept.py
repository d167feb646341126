from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import VEGETA, World
from xsession import Account, Accounts, Credentials, CredentialsError, CrossAccountSession, Role
from xsession.stores import FileStore, KeptCredentials, MemoryStore, _kept, stored_key


@pytest.fixture(autouse=True)
def machine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Accounts in a file, Batman's key in the environment, and a store."""
    hub, last = world.chain.roles
    file = tmp_path / "xsession.toml"
    file.write_text(
        f"""
        [accounts.vegeta]
        role_arn = "{world.role}"
        [accounts.deep]
        chain = ["{hub.role_arn}", "{last.role_arn}"]
        [accounts.own]
        source = "default"
        """
    )
    with world.aws.applied(world.key):
        monkeypatch.setenv("XSESSION_CONFIG", str(file))
        monkeypatch.setenv("XSESSION_STORE", str(tmp_path / "store"))
        yield tmp_path


def found(name: str, **options: Any) -> Credentials | None:
    """What is kept of an account."""
    kept = KeptCredentials.of_machine(**options)
    return kept.of(kept.accounts.find(name))


def hops(name: str) -> list[bool]:
    """Of which of its hops anything is kept."""
    kept = KeptCredentials.of_machine()
    return [hop.credentials is not None for hop in kept.hops_of(kept.accounts.find(name))]


@pytest.mark.parametrize("name", ["vegeta", "deep"])
def test_what_a_session_keeps_is_found_without_boto3(world: World, name: str) -> None:
    """By the same key; another process's session finds it too."""
    assert found(name) is None
    with CrossAccountSession.from_config() as xs:
        key = xs.get_frozen_credentials(name).access_key_id
    calls = len(world.aws.calls)
    kept = found(name)
    assert kept is not None
    assert kept.access_key_id == key
    assert len(world.aws.calls) == calls


def test_each_hop_is_found() -> None:
    """From the source on: what other accounts behind a hub share with this one, and its own."""
    assert hops("deep") == [False, False]
    with CrossAccountSession.from_config() as xs:
        xs.get_frozen_credentials("deep")
    assert hops("deep") == [True, True]
    assert hops("vegeta") == [False]
    assert hops("own") == []


def test_what_is_not_sure_to_be_the_accounts_is_not_found(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked, from the future, another person's, another endpoint's; or an account without a role."""
    with CrossAccountSession.from_config() as xs:
        xs.get_frozen_credentials("vegeta")
    now = time.time()
    assert found("vegeta") is not None
    assert found("vegeta", wall=lambda: now - 60) is None
    assert found("own") is None
    with monkeypatch.context() as other:
        other.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
        assert found("vegeta") is None
    with monkeypatch.context() as other:
        other.setenv("AWS_ACCESS_KEY_ID", "AKIABOB0000000000000")
        assert found("vegeta") is None
    with monkeypatch.context() as other:
        other.delenv("AWS_ACCESS_KEY_ID")
        assert found("vegeta") is None
    FileStore(machine / "store").mark(time.time(), role_arn=Role(f"arn:aws:iam::{VEGETA}:role/Reader").role_arn)
    assert found("vegeta") is None


def test_where_nothing_is_kept_on_the_disk_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment says."""
    monkeypatch.setenv("XSESSION_STORE", "memory")
    assert isinstance(KeptCredentials.of_machine().store, MemoryStore)
    assert found("vegeta") is None
    assert hops("vegeta") == [False]


def test_the_files_of_aws_are_read_once_for_all_accounts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for each of thousands, which took seconds; profiles of their own are other sources."""
    asked: list[object] = []

    def describe(source: object, _environ: object, _read: object) -> None:
        asked.append(source)

    monkeypatch.setattr(_kept, "describe_source", describe)
    numbers = {f"n{number}": world.role for number in range(50)}
    accounts = Accounts([*Accounts(numbers).values(), Account("team", world.role, source="team")])
    kept = KeptCredentials(accounts, FileStore("/nowhere"))
    assert [kept.of(account) for account in accounts.values()] == [None] * 51
    assert asked == [None, "team"]


def test_a_session_of_its_own_is_known_to_its_process_alone(world: World, tmp_path: Path) -> None:
    """Not by the credentials of the environment, which are others."""
    own = Account("vegeta", world.role, source=world.source)
    with CrossAccountSession.from_config() as xs:
        xs.get_frozen_credentials("vegeta")
    kept = KeptCredentials(Accounts([own]), FileStore(tmp_path / "store"))
    assert kept.of(own) is None


def test_a_web_identity_is_known_by_what_its_token_says(tmp_path: Path) -> None:
    """But when it was issued: tokens are replaced every hour. Another subject is another identity."""
    file = tmp_path / "token"
    role = Role(f"arn:aws:iam::{VEGETA}:role/Pod", role_session_name="pod", web_identity_token_file=file)

    def key(claims: object) -> str | None:
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        file.write_text(f"e30.{body}.signature")
        return stored_key(role, None, None)

    first = key({"sub": "pod-a", "exp": 1})
    assert first is not None
    assert key({"sub": "pod-a", "exp": 2, "iat": 3}) == first
    assert key({"sub": "pod-b", "exp": 1}) not in (None, first)
    assert key(["no", "claims"]) is None
    file.write_text("no token")
    assert stored_key(role, None, None) is None
    file.unlink()
    assert stored_key(role, None, None) is None


def or_obtained(obtain: Callable[[], Credentials], name: str = "vegeta", **options: Any) -> Credentials:
    """What is kept of an account's, else what is obtained; each time as a process of its own would."""
    kept = KeptCredentials.of_machine()
    wanted = {"is_enough": lambda _credentials: True, **options}
    return kept.or_obtained(kept.accounts.find(name), obtain, **wanted)


def obtained() -> Credentials:
    """A session's, which the store has then."""
    with CrossAccountSession.from_config() as xs:
        return xs.get_frozen_credentials("vegeta")


def held_up(begun: threading.Event, may_end: threading.Event) -> Callable[[], Credentials]:
    """As `obtained`, which says that it has begun, and ends once it may."""

    def obtain() -> Credentials:
        begun.set()
        assert may_end.wait(10)
        return obtained()

    return obtain


def never() -> Credentials:
    """Nobody asks for it."""
    pytest.fail("it was obtained twice")


def test_one_obtains_what_several_want_at_once() -> None:
    """The others wait for it, though nobody knew whose the source was when they began."""
    begun, may_end = threading.Event(), threading.Event()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(or_obtained, held_up(begun, may_end))
        assert begun.wait(10)
        others = [pool.submit(or_obtained, never) for _ in range(2)]
        may_end.set()
        keys = {each.result(30).access_key_id for each in (first, *others)}
    assert len(keys) == 1
    assert or_obtained(never).access_key_id in keys
    assert or_obtained(obtained, is_enough=lambda _credentials: False).access_key_id in keys


@pytest.mark.parametrize("fails", [True, False], ids=["it fails", "the store can't keep it"])
def test_where_others_wait_in_vain_they_try_at_once(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one after the other."""
    begun, may_end, both = threading.Event(), threading.Event(), threading.Barrier(2)

    def first() -> Credentials:
        begun.set()
        assert may_end.wait(10)
        if not fails:
            return given
        msg = "refused"
        raise CredentialsError(msg)

    def together() -> Credentials:
        both.wait(2)
        return given

    given = obtained()
    monkeypatch.setattr(FileStore, "get", lambda _store, _key: None)
    with ThreadPoolExecutor(3) as pool:
        one = pool.submit(or_obtained, first)
        assert begun.wait(10)
        others = [pool.submit(or_obtained, together) for _ in range(2)]
        may_end.set()
        assert [each.result(30) for each in others] == [given, given]
        assert isinstance(one.exception(30), CredentialsError if fails else type(None))


@pytest.mark.parametrize("name", ["nobody", "own"])
def test_nobody_waits_for_what_no_store_can_have(machine: Path, name: str) -> None:
    """As where a program gives the source's key: whose it is is seen nowhere. Else many would queue up in vain."""
    with (machine / "xsession.toml").open("a") as file:
        file.write(f'[accounts.nobody]\nrole_arn = "arn:aws:iam::{VEGETA}:role/Reader"\nsource = "opaque"\n')
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("[profile opaque]\ncredential_process = true\n")
    given, both = obtained(), threading.Barrier(2)

    def together() -> Credentials:
        both.wait(2)
        return given

    with ThreadPoolExecutor(2) as pool:
        assert [each.result(30) for each in [pool.submit(or_obtained, together, name) for _ in range(2)]] == [given] * 2


def test_what_is_obtained_with_a_renewed_login_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another source then, and those who wait have read the one before."""
    kept = KeptCredentials.of_machine()
    account = kept.accounts.find("vegeta")
    with monkeypatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "AKIABEFORE")
        assert kept.of(account) is None
    given = obtained()
    assert kept.or_obtained(account, never, is_enough=lambda _credentials: True) == given


def test_those_of_another_source_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where two terminals have the keys of two persons: what one obtains is not the other's."""
    given = obtained()

    def of_another() -> Credentials:
        with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patched:
            patched.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
            return pool.submit(or_obtained, lambda: given).result(5)

    assert or_obtained(of_another, is_enough=lambda _credentials: False) is given


def test_no_frame_of_an_error_has_what_was_kept() -> None:
    """It is good for a few minutes more, and programs send the locals of a traceback elsewhere."""
    key = obtained().access_key_id

    def fails() -> Credentials:
        msg = "refused"
        raise CredentialsError(msg)

    with pytest.raises(CredentialsError, match="refused") as raised:
        or_obtained(fails, is_enough=lambda credentials: credentials.access_key_id != key)
    values = [value for entry in raised.traceback for value in entry.frame.f_locals.values()]
    assert not [value for value in values if isinstance(value, Credentials)]


def test_one_that_hangs_is_not_waited_for_for_ever() -> None:
    """Nor is anybody where the store is one process's own."""
    begun, may_end = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(or_obtained, held_up(begun, may_end))
        assert begun.wait(10)
        key = or_obtained(obtained, patience=0.1).access_key_id
        may_end.set()
        assert first.result(30).access_key_id == key
    account = Account("vegeta", f"arn:aws:iam::{VEGETA}:role/Reader")
    alone = KeptCredentials(Accounts([account]), MemoryStore())
    assert alone.or_obtained(account, obtained, is_enough=lambda _credentials: True).access_key_id == key
