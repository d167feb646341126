from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from keyring.backends import fail

from tests.support.stores import entries
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import ConfigError, CrossAccountSession, MemoryStore
from xsession.accounts import TrustedFiles
from xsession.events import StoreProblem
from xsession.policies import s3_read
from xsession.stores import FileStore
from xsession.testing import FakeClock, Fault

NOBODY = "arn:aws:iam::222222222222:role/Reader"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user of a machine without a keyring, whose own folders are empty."""
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("XSESSION_STORE", "XSESSION_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


def store_of(xs: CrossAccountSession) -> str:
    """Where a session keeps credentials."""
    store = xs._chains._runtime.store
    return repr(store) if isinstance(store, FileStore) else type(store).__name__


def found(**overrides: object) -> str:
    """Where the session of everything that is found keeps credentials."""
    return store_of(CrossAccountSession.from_config(accounts={"vegeta": NOBODY}, **overrides))  # type: ignore[arg-type]


@pytest.mark.parametrize("store", [None, "memory"])
def test_credentials_are_in_memory_by_default(store: str | None) -> None:
    """Nothing lies on the disk unless it is asked for."""
    assert store_of(CrossAccountSession(store=store)) == "MemoryStore"


def test_file_is_the_users_folder_for_caches(tmp_path: Path) -> None:
    """And a path is another folder."""
    caches = tmp_path / "XDG_CACHE_HOME" / "xsession" / "store"
    assert store_of(CrossAccountSession(store="file")) == f"<FileStore: {caches}>"
    assert store_of(CrossAccountSession(store=str(tmp_path / "mine"))) == f"<FileStore: {tmp_path / 'mine'}>"


@pytest.mark.parametrize("store", ["", "disk", "./store"])
def test_other_strings_are_refused(store: str) -> None:
    """Before anything is obtained."""
    with pytest.raises(ConfigError):
        CrossAccountSession(store=store)


def test_a_second_session_needs_no_sts(world: World, tmp_path: Path) -> None:
    """Nor does one with a store object of its own; what went wrong with the store, hooks are told."""
    path = str(tmp_path / "store")
    first = world.session(store=path).get_frozen_credentials("vegeta")
    assert world.session(store=FileStore(path)).get_frozen_credentials("vegeta") == first
    assert world.aws.count("AssumeRole") == 1
    assert len(entries(Path(path))) == 1
    assert [event.problem for event in world.events.of(StoreProblem)] == ["the master key is in a file"]


def test_accounts_behind_one_source_have_entries_of_their_own(world: World, tmp_path: Path) -> None:
    """With roles of the same name, and sessions of the same name: each process gets each account's."""
    path = str(tmp_path / "store")
    accounts = {account.account_id: account.role("Same", trusts=BATMAN) for account in (world.vegeta, world.hub)}
    for _ in range(2):
        xs = world.session({f"a{account_id}": arn for account_id, arn in accounts.items()}, store=path)
        for account_id in accounts:
            assert xs.get_frozen_credentials(f"a{account_id}").account_id == account_id
    assert world.aws.count("AssumeRole") == 2
    assert len(entries(Path(path))) == 2


def test_stored_credentials_that_aws_rejects_are_replaced_for_all(world: World, tmp_path: Path) -> None:
    """A hub's are dead, and STS says so: the hub is assumed once more, and nobody is served the dead ones."""
    hub = world.chain.roles[0].role_arn
    options: Any = {"store": str(tmp_path / "store"), "clock": FakeClock()}
    accounts = {"hub": hub, "deep": world.chain}
    dead = world.session(accounts, **options).get_frozen_credentials("hub")
    options["clock"].advance(300)  # long enough for AWS to know them everywhere
    second, third = (world.session(accounts, **options) for _ in range(2))
    deep = world.chain.roles[1].role_arn
    world.aws.fail(Fault(operation="AssumeRole", role_arn=deep, status=403, code="InvalidClientTokenId", times=1))
    assert second.get_frozen_credentials("deep").account_id == VEGETA
    alive = third.get_frozen_credentials("hub")
    assert alive.access_key_id != dead.access_key_id
    assert alive == second.get_frozen_credentials("hub")
    assert world.aws.count("AssumeRole", role_arn=hub) == 2


def test_grants_are_never_stored(world: World, tmp_path: Path) -> None:
    """They end with the process that made them, and nobody finds them later."""
    path = tmp_path / "store"
    grant = world.session(store=str(path)).grant("vegeta", to="robin", duration=3_600, policy=s3_read("levels"))
    assert grant.environ()["AWS_ACCESS_KEY_ID"]
    assert entries(path) == []


def test_a_fresh_read_touches_no_file(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is asked when something is fetched, and never by a request."""
    xs = world.session(store=str(tmp_path / "store"))
    first = xs.get_frozen_credentials("vegeta")
    with monkeypatch.context() as patched:
        for name in ("open", "stat", "lstat", "scandir"):
            patched.setattr(os, name, None)
        assert xs.get_frozen_credentials("vegeta") == first


def test_a_store_on_the_disk_is_pickled_with_the_session(tmp_path: Path) -> None:
    """As its path, or as what it was asked for by."""
    for store in ("file", str(tmp_path / "mine"), FileStore(tmp_path / "mine")):
        xs = CrossAccountSession({"vegeta": NOBODY}, store=store)
        assert store_of(pickle.loads(pickle.dumps(xs))) == store_of(xs)
    with pytest.raises(TypeError, match="store="):
        pickle.dumps(CrossAccountSession(store=MemoryStore()))
    with pytest.raises(TypeError, match="on_event="):
        pickle.dumps(CrossAccountSession(store=FileStore(tmp_path, on_event=print)))


def test_code_then_the_variable_then_a_file_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with all settings."""
    assert found() == "MemoryStore"
    own = tmp_path / "XDG_CONFIG_HOME" / "xsession"
    own.mkdir(parents=True)
    (own / "xsession.toml").write_text(f'store = "{tmp_path}/file"\n')
    assert found() == f"<FileStore: {tmp_path}/file>"
    monkeypatch.setenv("XSESSION_STORE", str(tmp_path / "variable"))
    assert found() == f"<FileStore: {tmp_path}/variable>"
    assert found(store="memory") == "MemoryStore"
    monkeypatch.setenv("XSESSION_STORE", "memory")
    assert found() == "MemoryStore"
    monkeypatch.setenv("XSESSION_STORE", "relative")
    with pytest.raises(ConfigError, match="XSESSION_STORE must be an absolute path"):
        found()


def test_a_named_file_says_where(tmp_path: Path) -> None:
    """And without a path, the first that says so counts."""
    named = tmp_path / "named.toml"
    named.write_text(f'store = "file"\n[accounts]\nvegeta = "{NOBODY}"\n')
    xs = CrossAccountSession.from_config(named)
    assert store_of(xs).startswith("<FileStore: ")


def test_a_project_names_a_store_only_where_it_is_trusted(tmp_path: Path) -> None:
    """A cloned repository chooses no place for credentials."""
    file = tmp_path / "project" / "xsession.toml"
    file.write_text(f'store = "{tmp_path}/theirs"\n[accounts]\njoker = "{NOBODY}"\n')
    with pytest.raises(ConfigError, match="store is only for a file that you trust"):
        found()
    (trusted,) = TrustedFiles.of_user().trust(file)
    assert dict(trusted.values) == {"store": f"{tmp_path}/theirs"}
    assert found() == f"<FileStore: {tmp_path}/theirs>"


@pytest.mark.parametrize("value", ['""', '"disk"', '"./store"', "1", "true", "[]"])
def test_a_store_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    """With its line."""
    named = tmp_path / "named.toml"
    named.write_text(f"\nstore = {value}\n")
    with pytest.raises(ConfigError, match=r"named.toml:2: store: \"file\", \"memory\" or an absolute path is needed"):
        CrossAccountSession.from_config(named)


def test_an_included_file_names_no_store(tmp_path: Path) -> None:
    """Two files would say two things."""
    (tmp_path / "part.toml").write_text('store = "file"\n')
    named = tmp_path / "named.toml"
    named.write_text('include = "part.toml"\n')
    with pytest.raises(ConfigError, match=r"part.toml:1: store: an included file names no store"):
        CrossAccountSession.from_config(named)
