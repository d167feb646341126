from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.worlds import VEGETA, World
from xsession import CrossAccountSession, Role, UnknownAccountError
from xsession.stores import FileStore, KeptCredentials, MemoryStore, stored_key


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


@pytest.mark.parametrize("name", ["vegeta", "deep"])
def test_what_a_session_keeps_is_found_without_boto3(world: World, name: str) -> None:
    """By the same key; another process's session finds it too."""
    assert KeptCredentials.find(name).credentials is None
    with CrossAccountSession.from_config() as xs:
        key = xs.get_frozen_credentials(name).access_key_id
    calls = len(world.aws.calls)
    kept = KeptCredentials.find(name)
    assert kept.credentials is not None
    assert (kept.credentials.access_key_id, kept.account.name, "own" in kept.accounts) == (key, name, True)
    assert len(world.aws.calls) == calls
    assert key not in repr(kept.store)


def test_each_hop_is_found() -> None:
    """From the source on: what other accounts behind a hub share with this one, and its own."""
    with CrossAccountSession.from_config() as xs:
        kept = KeptCredentials.find("deep")
        assert KeptCredentials.look_up_hops(kept.account, kept.store) == (None, None)
        last = xs.get_frozen_credentials("deep").access_key_id
        hops = KeptCredentials.look_up_hops(kept.account, kept.store)
    assert [hop is not None for hop in hops] == [True, True]
    assert hops[1] is not None
    assert hops[1].access_key_id == last
    assert KeptCredentials.look_up_hops(kept.account, MemoryStore()) == ()


def test_what_is_not_sure_to_be_the_accounts_is_not_found(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked, from the future, another person's, another endpoint's; or an account without a role."""
    with CrossAccountSession.from_config() as xs:
        xs.get_frozen_credentials("vegeta")
    now = time.time()
    assert KeptCredentials.find("vegeta").credentials is not None
    assert KeptCredentials.find("vegeta", wall=lambda: now - 60).credentials is None
    assert KeptCredentials.find("own").credentials is None
    with monkeypatch.context() as other:
        other.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
        assert KeptCredentials.find("vegeta").credentials is None
    with monkeypatch.context() as other:
        other.setenv("AWS_ACCESS_KEY_ID", "AKIABOB0000000000000")
        assert KeptCredentials.find("vegeta").credentials is None
    with monkeypatch.context() as other:
        other.delenv("AWS_ACCESS_KEY_ID")
        assert KeptCredentials.find("vegeta").credentials is None
    FileStore(machine / "store").mark(time.time(), role_arn=Role(f"arn:aws:iam::{VEGETA}:role/Reader").role_arn)
    assert KeptCredentials.find("vegeta").credentials is None


def test_where_nothing_is_kept_on_the_disk_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment says."""
    monkeypatch.setenv("XSESSION_STORE", "memory")
    kept = KeptCredentials.find("vegeta")
    assert isinstance(kept.store, MemoryStore)
    assert kept.credentials is None
    with pytest.raises(UnknownAccountError):
        KeptCredentials.find("krillin")


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
