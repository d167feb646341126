from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import BATMAN, HUB, VEGETA, World, who
from xsession import (
    Accounts,
    ConfigError,
    CrossAccountSession,
    SessionClosedError,
    UnknownAccountError,
)


class Reloaded:
    """A session whose file is written by the test."""

    def __init__(self, world: World, path: Path) -> None:
        self.path = path
        self.vegeta = f'role_arn = "{world.role}"\n'
        self.hub = f'role_arn = "{world.chain.roles[0].role_arn}"\n'
        self.write(vegeta=self.vegeta, moving=self.vegeta)
        self.xs = CrossAccountSession.from_config(path, session=world.source)

    def write(self, above: str = "", **accounts: str) -> None:
        """The accounts of the file."""
        self.path.write_text(above + "".join(f"[accounts.{name}]\n{text}" for name, text in accounts.items()))


@pytest.fixture
def reloaded(world: World, tmp_path: Path) -> Any:
    """With two accounts that lead to Vegeta."""
    made = Reloaded(world, tmp_path / "xsession.toml")
    yield made
    made.xs.close()


def test_a_name_that_stands_for_another_account_gives_clients_of_that_one(reloaded: Reloaded) -> None:
    """Each way to ask for it; and by an id as well."""
    xs = reloaded.xs
    before = xs.get_client("sts", "moving")
    assert who(before) == VEGETA
    reloaded.write(moving=reloaded.hub)
    xs.reload()
    assert who(xs.get_client("sts", "moving")) == HUB
    assert who(xs["moving"].client("sts")) == HUB
    assert who(xs.session("moving").client("sts")) == HUB
    assert xs.get_frozen_credentials("moving").account_id == HUB
    assert who(before) == VEGETA
    with pytest.raises(UnknownAccountError):
        xs.get_client("sts", VEGETA)


def test_unchanged_accounts_keep_their_credentials_and_clients(world: World, reloaded: Reloaded) -> None:
    """Though they stand in another line."""
    xs = reloaded.xs
    client, session = xs.get_client("sts", "vegeta"), xs["vegeta"]
    who(client)
    reloaded.write(above="# a comment\n", new=reloaded.hub, vegeta=reloaded.vegeta)
    xs.reload()
    assert xs.get_client("sts", "vegeta") is client
    assert xs["vegeta"] is session
    who(client)
    assert world.aws.count("AssumeRole") == 1
    assert list(xs.accounts) == ["new", "vegeta"]


def test_removed_accounts_are_found_no_more(reloaded: Reloaded) -> None:
    """By no way that found them before."""
    xs = reloaded.xs
    xs.get_client("sts", "moving")
    reloaded.write(vegeta=reloaded.vegeta)
    xs.reload()
    with pytest.raises(UnknownAccountError):
        xs.get_client("sts", "moving")
    with pytest.raises(UnknownAccountError):
        xs["moving"]


@pytest.mark.parametrize("text", ["[accounts", "[accounts.vegeta]\nrole_arn = 5", None])
def test_a_file_that_is_wrong_leaves_the_session_as_it_was(reloaded: Reloaded, text: str | None) -> None:
    """Broken, wrong, or gone: it raises, and clients and accounts stay."""
    xs = reloaded.xs
    client, accounts = xs.get_client("sts", "vegeta"), xs.accounts
    if text is None:
        reloaded.path.unlink()
    else:
        reloaded.path.write_text(text)
    with pytest.raises(ConfigError):
        xs.reload()
    assert xs.accounts is accounts
    assert xs.get_client("sts", "vegeta") is client
    assert who(client) == VEGETA


def test_a_call_under_way_leaves_nothing_behind_that_a_reload_took_away(
    reloaded: Reloaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It found the name before the reload, and is done after it."""
    xs = reloaded.xs
    found, go_on = threading.Event(), threading.Event()
    resolve = xs._resolve

    def slow(account: Any) -> Any:
        found.set()
        assert go_on.wait(10)
        return resolve(account)

    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patch:
        patch.setattr(xs, "_resolve", slow)
        late = pool.submit(xs.get_client, "sts", "moving")
        assert found.wait(10)
        reloaded.write(moving=reloaded.hub)
        xs.reload()
        go_on.set()
        assert who(late.result()) == VEGETA
    assert who(xs.get_client("sts", "moving")) == HUB


def test_while_it_reloads_every_client_is_for_one_of_both(reloaded: Reloaded) -> None:
    """And after the last reload, for the last account, in whatever thread."""
    xs = reloaded.xs
    stop = threading.Event()
    known = {id(xs.get_client("sts", "moving"))}
    reloaded.write(moving=reloaded.hub)
    xs.reload()
    known.add(id(last := xs.get_client("sts", "moving")))

    def ask() -> None:
        while not stop.is_set():
            assert id(xs.get_client("sts", "moving")) in known

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for _ in range(5):
            for role in (reloaded.vegeta, reloaded.hub):
                reloaded.write(moving=role)
                xs.reload()
        assert xs.get_client("sts", "moving") is last
        stop.set()
        for thread in asking:
            thread.result()


def test_a_profile_with_another_identitys_keys_is_another_source(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name stands for another account."""

    def write(account_id: str) -> None:
        key = world.aws.account(account_id).user("bruce")
        (tmp_path / "credentials").write_text(
            f"[a]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
        )

    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.aws.endpoint_url)
    monkeypatch.chdir(tmp_path)
    write(BATMAN)
    with CrossAccountSession.from_config() as xs:
        assert xs.whoami("a").account_id == BATMAN
        write(VEGETA)
        xs.reload()
        assert xs.whoami("a").account_id == VEGETA


def test_a_copy_reloads_the_same_file(world: World, reloaded: Reloaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it runs in another folder; and what was reloaded is what a pickle carries."""
    for name, value in world.aws.environ(world.key).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(reloaded.path.parent)
    with CrossAccountSession.from_config("xsession.toml") as xs:
        reloaded.write(vegeta=reloaded.vegeta)
        xs.reload()
        monkeypatch.chdir("/")
        copy: CrossAccountSession = pickle.loads(pickle.dumps(xs))
        assert list(copy.accounts) == ["vegeta"]
        reloaded.write(new=reloaded.vegeta)
        copy.reload()
        assert list(copy.accounts) == ["new"]
        copy.close()


def test_what_came_from_code_is_not_read_again(world: World, reloaded: Reloaded) -> None:
    """Nor is a closed session's file."""
    with pytest.raises(ConfigError, match="nothing to read again"):
        world.session().reload()
    reloaded.xs.close()
    with pytest.raises(SessionClosedError):
        reloaded.xs.reload()


def test_accounts_in_code_stay(world: World, reloaded: Reloaded) -> None:
    """They come before those of the file, then as now."""
    with CrossAccountSession.from_config(reloaded.path, {"vegeta": world.chain}, session=world.source) as xs:
        xs.reload()
        assert xs.accounts["vegeta"].chain == world.chain


def test_what_was_done_to_accounts_in_code_stays_done(world: World, reloaded: Reloaded) -> None:
    """Added, replaced and taken away by hand; also in a copy, and however often it reloads."""
    xs = reloaded.xs
    client = xs.get_client("sts", "vegeta")
    extra: dict[str, Any] = {"extra": world.role, "vegeta": world.chain}
    xs.accounts = (xs.accounts | Accounts(extra)) - Accounts({"moving": world.role})
    added = xs.get_client("sts", "extra")
    for number in range(2):
        reloaded.write(vegeta=reloaded.vegeta, moving=reloaded.hub, **{f"new{number}": reloaded.hub})
        xs.reload()
        assert set(xs.accounts) == {"vegeta", "extra", f"new{number}"}
        assert xs.accounts["vegeta"].chain == world.chain
        assert xs.get_client("sts", "extra") is added
        assert xs.get_client("sts", "vegeta") is not client


def test_what_the_file_says_counts_again_once_the_change_in_code_is_undone(reloaded: Reloaded) -> None:
    """It is what the session was read as."""
    xs = reloaded.xs
    before = xs.accounts
    xs.accounts = before.where(name="vegeta")
    xs.reload()
    assert list(xs.accounts) == ["vegeta"]
    xs.accounts = before
    reloaded.write(vegeta=reloaded.vegeta, moving=reloaded.hub)
    xs.reload()
    assert who(xs.get_client("sts", "moving")) == HUB


def test_a_copy_keeps_what_was_done_in_code(world: World, reloaded: Reloaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it reads the file itself."""
    for name, value in world.aws.environ(world.key).items():
        monkeypatch.setenv(name, value)
    with CrossAccountSession.from_config(reloaded.path) as xs:
        xs.accounts = xs.accounts | Accounts({"extra": world.role})
        with pickle.loads(pickle.dumps(xs)) as copy:
            copy.reload()
            assert list(copy.accounts) == ["vegeta", "moving", "extra"]


def test_enabled_regions_are_asked_for_again(world: World, reloaded: Reloaded) -> None:
    """An account may have enabled one since."""
    for asked in (1, 1, 2):
        if asked == 2:
            reloaded.xs.reload()
        assert reloaded.xs.enabled_regions("vegeta")
        assert world.aws.count("DescribeRegions") == asked
