from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.cells import Bench, attempted, until
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import (
    SOURCE,
    AssumeRoleError,
    Credentials,
    CredentialsError,
    MemoryStore,
    RefreshPolicy,
    Role,
    RoleChain,
    SourceCredentialsError,
)
from xsession._chain._hop_fetch import HopSigner
from xsession.events import Invalidated
from xsession.testing import FakeClock, Fault, LocalAWS

# The caller's credentials


@pytest.fixture
def source_file(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Callable[..., None]:
    """Writes the keys of the default profile."""
    path = tmp_path / "credentials"
    for name, value in world.aws.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))

    def write(key: Any) -> None:
        path.write_text(
            f"[default]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
        )

    write(world.key)
    return write


def test_a_dead_source_is_read_again_once(world: World, source_file: Callable[..., None]) -> None:
    """A login or a rotated key is in the files now."""
    xs = world.session(session=None)
    xs.get_frozen_credentials("vegeta")
    world.aws.delete_key(world.key.access_key_id)
    source_file(world.batman.user("wayne"))
    xs.invalidate()
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA
    refused = [call for call in world.aws.calls if call.error_code == "InvalidClientTokenId"]
    assert len(refused) == 1
    assert world.aws.count("AssumeRole") == 3


def test_what_one_person_was_given_is_not_for_the_next_who_logs_in(
    world: World, source_file: Callable[[Any], None]
) -> None:
    """Other keys in the files may be another user's: all that the first ones led to is thrown away."""
    source_file(world.key)
    xs = world.session({"vegeta": world.role, "deep": world.chain}, profile_name="default")
    alice = xs.get_frozen_credentials("vegeta").access_key_id
    bob = world.batman.user("bob")
    source_file(bob)
    world.aws.delete_key(world.key.access_key_id)
    xs.get_frozen_credentials("deep")
    assert world.events.of(Invalidated)[0].access_key_id == alice
    assert xs.get_frozen_credentials("vegeta").access_key_id != alice


@pytest.mark.usefixtures("source_file")
def test_a_source_that_stays_dead_costs_two_calls_at_most(world: World) -> None:
    """Then the caller is told."""
    xs = world.session(session=None, refresh=RefreshPolicy(patience=0.2))
    xs.whoami()  # makes the client of STS, which may take longer than the patience
    world.aws.delete_key(world.key.access_key_id)
    with pytest.raises(SourceCredentialsError) as caught:
        xs.get_frozen_credentials("vegeta")
    assert caught.value.code == "InvalidClientTokenId"
    assert "access key still exists" in str(caught.value)
    assert world.aws.count("AssumeRole") <= 2


def test_a_boto3_sessions_dead_keys_are_not_looked_for_elsewhere(world: World) -> None:
    """A session that was passed is the one that was meant."""
    xs = world.session(refresh=RefreshPolicy(patience=0.5))
    xs.whoami()  # makes the client of STS, which may take longer than the patience
    world.aws.delete_key(world.key.access_key_id)
    with pytest.raises(SourceCredentialsError):
        xs.get_frozen_credentials("vegeta")


def test_a_hop_whose_credentials_died_is_assumed_again(world: World) -> None:
    """The hub's session was revoked: the hop before it is asked again, once."""
    clock = FakeClock()
    xs = world.session(clock=clock)
    hub = world.chain.roles[0].role_arn
    assert xs.get_frozen_credentials(Role(hub)).account_id == "333333333333"
    xs.get_frozen_credentials("deep")
    for call in [call for call in world.aws.calls if call.role_arn == world.chain.last.role_arn]:
        world.aws.delete_key(call.access_key_id)
    xs.invalidate("deep")
    clock.advance(10)  # before, STS may only not know it yet
    assert xs.get_frozen_credentials("deep").account_id == VEGETA
    assert [event.reason for event in world.events.of(Invalidated)].count("rejected by STS") == 1
    # The new ones were accepted.
    assert xs._chains.resolve(xs.accounts.find("deep")).cells[0].rejections.rejected == ()


def test_a_hop_is_not_thrown_away_for_a_role_that_takes_none_of_its_keys() -> None:
    """Two of them say that it is that role's own business, until it takes one; others need them meanwhile."""
    bench = Bench()
    hub: Any = bench.cell
    signer = HopSigner(hub, "arn:aws:iam::222222222222:role/Bad", frozenset)

    def rejected() -> bool:
        key = bench.key()
        bench.clock.advance(65)
        return signer.rejected(key)

    assert [rejected() for _ in range(8)] == [True, *[False] * 7]
    signer.accepted()
    assert [rejected() for _ in range(2)] == [True, False]
    assert bench.calls == 3


# Durations


def test_a_source_that_is_a_session_itself_gets_an_hour(world: World) -> None:
    """Role chaining ends at 3600 seconds, which nothing shows before STS says so; it is remembered."""
    arn = world.vegeta.role("Long", trusts=BATMAN, max_session_duration=43_200)
    source = world.session({"pod": world.batman.role("Run", trusts=BATMAN)})["pod"]
    world.vegeta.set_trust("Long", {"Version": "2012-10-17", "Statement": [_anyone()]})
    xs = world.session({"long": arn}, session=source, duration_seconds=7_200)
    assert xs.get_frozen_credentials("long").lifetime == pytest.approx(3_600, abs=1)
    calls = world.aws.count("AssumeRole", role_arn=arn)
    xs.invalidate("long")
    assert xs.get_frozen_credentials("long").lifetime == pytest.approx(3_600, abs=1)
    assert (calls, world.aws.count("AssumeRole", role_arn=arn)) == (2, 3)


def test_a_duration_of_the_roles_own_is_not_shortened(world: World) -> None:
    """Who asked for it is told."""
    arn = world.vegeta.role("Long", trusts=BATMAN, max_session_duration=43_200)
    world.vegeta.set_trust("Long", {"Version": "2012-10-17", "Statement": [_anyone()]})
    source = world.session({"pod": world.batman.role("Run", trusts=BATMAN)})["pod"]
    xs = world.session({"long": Role(arn, duration_seconds=timedelta(hours=2))}, session=source)
    with pytest.raises(AssumeRoleError, match="role chaining"):
        xs.get_frozen_credentials("long")


def test_a_default_duration_is_cut_to_an_hour_on_later_hops(world: World) -> None:
    """Where the first hop may live longer."""
    hub = world.hub.role("LongHub", trusts=BATMAN, max_session_duration=43_200)
    last = world.vegeta.role("Last", trusts=hub, max_session_duration=43_200)
    xs = world.session({"hub": hub, "deep": RoleChain(hub, last)}, duration_seconds=7_200)
    assert [xs.get_frozen_credentials(name).lifetime for name in ("hub", "deep")] == pytest.approx(
        [7_200, 3_600], abs=1
    )


def _anyone() -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


# The store


class KeptElsewhere:
    """A store that outlives sessions, as a file does."""

    def __init__(self) -> None:
        self.kept: dict[str, Credentials] = {}

    def get(self, key: str) -> Credentials | None:
        """What is kept."""
        return self.kept.get(key)

    def put(self, key: str, credentials: Credentials) -> None:
        """Keeps it."""
        self.kept[key] = credentials

    def delete(self, key: str, access_key_id: str | None = None) -> None:
        """Forgets it."""
        if access_key_id in (None, self.kept[key].access_key_id):
            del self.kept[key]


def _session(world: World, store: Any, **options: Any) -> Any:
    xs = world.session(store=store, **options)
    # Two sessions never share a source's identity, so the key of one is made the other's.
    xs._chains._sources.of(xs.accounts.find(SOURCE)).session.identity = "source:test"
    return xs


def test_what_a_store_keeps_is_used_and_told_of_what_is_new(world: World) -> None:
    """One AssumeRole for two sessions in a row; invalidate reaches the store as well."""
    store = KeptElsewhere()
    first = _session(world, store).get_frozen_credentials("vegeta")
    xs = _session(world, store)
    assert xs.get_frozen_credentials("vegeta").access_key_id == first.access_key_id
    assert world.aws.count("AssumeRole") == 1
    xs.invalidate("vegeta")
    assert store.kept == {}
    assert xs.get_frozen_credentials("vegeta").access_key_id != first.access_key_id


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": "999999999999"},
        {"issued_at": None},
        {"lifetime": 0.0},
    ],
)
def test_what_a_store_gives_is_not_believed_blindly(world: World, changes: dict[str, Any]) -> None:
    """Of another account, from nowhere, or ended: STS is asked."""
    store = KeptElsewhere()
    _session(world, store).get_frozen_credentials("vegeta")
    (key,) = store.kept
    store.kept[key] = replace(store.kept[key], **changes)
    assert _session(world, store).get_frozen_credentials("vegeta").account_id == VEGETA
    assert world.aws.count("AssumeRole") == 2


def test_credentials_from_the_future_are_not_believed() -> None:
    """The wall clock was set back since, and nothing says when they really end."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        store = KeptElsewhere()
        _session(world, store, clock=clock).get_frozen_credentials("vegeta")
        clock.step_wall(-7_200)
        _session(world, store, clock=clock).get_frozen_credentials("vegeta")
        world.close()
        assert aws.count("AssumeRole") == 2


@pytest.mark.parametrize("end", ["close", "invalidate"])
def test_what_is_thrown_away_on_its_way_is_not_kept(world: World, end: str) -> None:
    """Another session that looks into the store would use it."""

    class Overtaken(MemoryStore):
        """Once STS has answered, the session is quicker than the store."""

        kept: list[str] = []  # noqa: RUF012 # of the one that is made

        def put(self, key: str, credentials: Credentials) -> None:
            if not self.kept:
                getattr(xs, end)()
                super().put(key, credentials)
                self.kept.append(credentials.access_key_id)

    store = Overtaken()
    xs = world.session(store=store)
    attempted(lambda: xs.get_frozen_credentials("vegeta"))
    until(lambda: store.kept and not store._items)


def test_two_sources_never_share_what_is_stored(world: World) -> None:
    """The key holds the source's identity: Bob never gets Alice's session; nor do two sources that refresh."""
    store = MemoryStore()
    bob = world.aws.session(world.batman.user("bob"))
    held = [
        world.session(store=store, session=source).get_frozen_credentials("vegeta") for source in (world.source, bob)
    ]
    assert len({credentials.access_key_id for credentials in held}) == 2


def test_the_same_static_keys_are_one_source(world: World) -> None:
    """Two sessions of one process that share a store share what one of them was given."""
    store = MemoryStore()
    key_ids = {world.session(store=store).get_frozen_credentials("vegeta").access_key_id for _ in range(2)}
    assert (len(key_ids), world.aws.count("AssumeRole")) == (1, 1)


def test_an_outage_of_the_first_hop_is_told_to_callers_of_the_last(world: World) -> None:
    """With the hop at which it failed."""
    hub = world.chain.roles[0].role_arn
    world.aws.fail(Fault(operation="AssumeRole", role_arn=hub, times=None, status=400))
    xs = world.session(refresh=RefreshPolicy(patience=1))
    with pytest.raises(CredentialsError) as caught:
        xs.get_frozen_credentials("deep")
    assert (caught.value.account, caught.value.role_arn, caught.value.hop) == ("deep", hub, 1)
