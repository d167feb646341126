from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import VEGETA, World
from xsession import Account, Accounts, Credentials, CrossAccountSession, Role
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

    def describe(source: object, _environ: object) -> None:
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
