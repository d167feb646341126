from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from keyring.backends import fail

from tests.support.cells import until
from tests.support.children import Children, together
from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession import AssumeRoleError, CrossAccountSession, MfaError, Role, RoleChain
from xsession._botocore._credentials_lookup import LookedUp
from xsession.events import Event, NeedsAttention, RefreshFailed, RefreshStarted, StoreProblem
from xsession.policies import trust
from xsession.stores import FileStore
from xsession.testing import FakeClock, Fault
from xsession.testing._iam import AccessKey

PROCESSES = 12
MANY_PROCESSES = 100


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The master key lies in a file, whatever this machine has."""
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "this machine has no keyring")
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The store's folder."""
    return tmp_path / "store"


@pytest.fixture
def three_hops(world: World) -> RoleChain:
    """Batman, the hub, a second role in it, and Vegeta."""
    second = world.hub.role("Second", trusts=world.chain.roles[0].role_arn)
    return RoleChain(world.chain.roles[0], second, world.vegeta.role("Third", trusts=second))


@pytest.fixture
def make(world: World, folder: Path, three_hops: RoleChain) -> Callable[..., CrossAccountSession]:
    """Makes sessions that share the store, each as a process of its own would."""

    def session(**options: Any) -> CrossAccountSession:
        clock = options.get("clock")
        wall = time.time if clock is None else clock.wall
        accounts = {"vegeta": world.role, "deep": world.chain, "deeper": three_hops}
        return world.session(options.pop("accounts", accounts), store=FileStore(folder, wall=wall), **options)

    return session


# Single flight


@pytest.mark.parametrize("count", [PROCESSES, pytest.param(MANY_PROCESSES, marks=pytest.mark.slow)])
def test_cold_processes_assume_each_hop_once(
    world: World, make: Callable[..., CrossAccountSession], count: int
) -> None:
    """However many begin at once, and whoever comes later finds what they got."""

    def read(_number: int) -> str:
        return make().get_frozen_credentials("deeper").access_key_id

    keys = together(count, read)
    assert len(set(keys)) == 1, keys
    assert world.aws.count("AssumeRole") == 3
    assert world.aws.count("GetCallerIdentity") == 1
    world.aws.clear_calls()
    assert make().get_frozen_credentials("deeper").access_key_id == keys[0]
    assert not world.aws.calls


def test_the_hop_before_is_not_asked_for_what_is_kept(world: World, make: Callable[..., CrossAccountSession]) -> None:
    """The last hop's credentials are there: that the hub's are not is nobody's business."""
    first = make()
    key = first.get_frozen_credentials("deep").access_key_id
    first.invalidate(Role(world.chain.roles[0].role_arn))
    world.aws.clear_calls()
    assert make().get_frozen_credentials("deep").access_key_id == key
    assert not world.aws.calls


def test_the_next_process_takes_over_at_once_from_one_that_was_killed(
    world: World, make: Callable[..., CrossAccountSession], tmp_path: Path
) -> None:
    """The operating system ends its lock."""
    hangs = tmp_path / "hangs"
    world.aws.fail(Fault(kind="hang", operation="AssumeRole", times=1))

    def read(number: int) -> float:
        xs = make()
        if number == 1:
            until(hangs.exists)
        began = time.monotonic()
        xs.get_frozen_credentials("vegeta")
        return began

    children = Children(2, read)
    children.begin()
    [(_fault, hits)] = world.aws._faults._armed
    until(lambda: hits[0] == 1)
    hangs.touch()
    time.sleep(0.5)
    assert not children.has_answered(1), children.answers()
    children.kill(0)
    killed = time.monotonic()
    assert children.has_answered(1, 5.0)
    assert time.monotonic() - killed < 2.0
    assert children.answers()[0] is None
    world.aws.release()


def test_a_failure_is_told_to_all_that_waited_for_it(world: World, make: Callable[..., CrossAccountSession]) -> None:
    """In their own words, and without a second AssumeRole."""
    world.aws.fail(Fault(status=403, code="AccessDenied", operation="AssumeRole", times=None))

    def read(number: int) -> dict[str, Any]:
        xs = make(accounts={f"vegeta-{number}": world.role})
        try:
            xs.get_frozen_credentials(f"vegeta-{number}")
        except AssumeRoleError as error:
            return {"account": error.account, "code": error.code, "hop": error.hop, "role": error.role_arn}
        return {}

    answers = together(6, read)
    assert [answer["account"] for answer in answers] == [f"vegeta-{number}" for number in range(6)]
    assert {(answer["code"], answer["hop"], answer["role"]) for answer in answers} == {("AccessDenied", 1, world.role)}
    assert world.aws.count("AssumeRole") <= 2


def test_long_lived_processes_share_each_refresh(world: World, make: Callable[..., CrossAccountSession]) -> None:
    """The one whose window comes first refreshes; the others find what it got."""
    clock = FakeClock()
    sessions = [make(clock=clock) for _ in range(5)]
    for xs in sessions:
        xs.get_frozen_credentials("vegeta")
    for lifetime in range(1, 4):
        clock.advance(3_000)
        for xs in sessions:
            xs.get_frozen_credentials("vegeta")
            until(partial(_has_refreshed, xs, lifetime + 1))
    assert world.aws.count("AssumeRole") == 4


# What ends credentials


def test_what_one_process_invalidates_is_found_by_none(make: Callable[..., CrossAccountSession]) -> None:
    """Nor does a process bring it back that had it when it was invalidated."""
    first, second = make(), make()
    key = first.get_frozen_credentials("vegeta").access_key_id
    assert second.get_frozen_credentials("vegeta").access_key_id == key
    second.invalidate("vegeta")
    assert make().get_frozen_credentials("vegeta").access_key_id != key
    # What it holds is good: AWS was not told.
    assert first.get_frozen_credentials("vegeta").access_key_id == key


def test_what_was_invalidated_under_way_is_assumed_again(
    world: World, make: Callable[..., CrossAccountSession], folder: Path
) -> None:
    """STS issued it before the mark, and its answer came after it."""
    clock = FakeClock()
    xs, other = make(clock=clock), FileStore(folder, wall=clock.wall)
    issue = world.aws.calls

    def mark_meanwhile(event: object) -> None:
        if isinstance(event, RefreshStarted) and not issue:
            other.mark(clock.wall() + 1, role_arn=world.role)
            clock.advance(1)

    with make(clock=clock, hooks=[mark_meanwhile]) as marked:
        clock.step_wall(-1)  # it is sent at the very moment of the mark
        marked.get_frozen_credentials("vegeta")
    xs.get_frozen_credentials("vegeta")
    assert world.aws.count("AssumeRole") >= 2


def test_a_revoked_role_is_found_by_no_process(world: World, make: Callable[..., CrossAccountSession]) -> None:
    """AWS refuses those sessions from now on."""
    xs = make()
    key = xs.get_frozen_credentials("vegeta").access_key_id
    xs._chains.invalidate_role(world.role)
    assert make().get_frozen_credentials("vegeta").access_key_id != key


def test_close_clears_nothing(make: Callable[..., CrossAccountSession]) -> None:
    """Others, and later ones, go on with what is kept."""
    with make() as xs:
        key = xs.get_frozen_credentials("vegeta").access_key_id
    assert make().get_frozen_credentials("vegeta").access_key_id == key


def test_dead_credentials_are_served_to_nobody_again(world: World, make: Callable[..., CrossAccountSession]) -> None:
    """AWS says InvalidClientTokenId of the hub's: they are assumed once more, for all processes."""
    clock = FakeClock()
    hub = Role(world.chain.roles[0].role_arn)
    dead = make(clock=clock).get_frozen_credentials(hub).access_key_id
    world.aws.delete_key(dead)
    clock.advance(30)
    assert make(clock=clock).get_frozen_credentials("deep").account_id == VEGETA
    assert make(clock=clock).get_frozen_credentials(hub).access_key_id != dead
    assert world.aws.count("AssumeRole", role_arn=hub.role_arn) == 2


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_wrong_clock_costs_one_assume_role_and_not_one_for_each_process(
    world: World, make: Callable[..., CrossAccountSession], hours: int
) -> None:
    """Behind, entries are from the future; ahead, they have ended."""
    make().get_frozen_credentials("vegeta")
    wrong = FakeClock(wall=time.time() // 1 + hours * 3_600)
    keys = {make(clock=wrong).get_frozen_credentials("vegeta").access_key_id for _ in range(3)}
    assert len(keys) == 1
    assert world.aws.count("AssumeRole") == 2


# Whose they are


def test_two_people_never_share_an_entry(world: World, make: Callable[..., CrossAccountSession]) -> None:
    """The same role with the same name: but another key, and another principal."""
    own = make().get_frozen_credentials("vegeta").access_key_id
    other = world.aws.session(world.batman.user("alfred"))
    assert make(session=other).get_frozen_credentials("vegeta").access_key_id != own


def test_another_key_of_the_same_person_finds_what_the_first_one_got(
    world: World, make: Callable[..., CrossAccountSession]
) -> None:
    """Keys are rotated, and sessions of roles live on."""
    own = make().get_frozen_credentials("vegeta").access_key_id
    rotated = world.aws.session(world.batman.user("bruce"))
    assert make(session=rotated).get_frozen_credentials("vegeta").access_key_id == own


def test_what_one_key_is_refused_is_not_told_to_another_one_of_the_same_person(
    world: World, make: Callable[..., CrossAccountSession]
) -> None:
    """Policies may refuse what was issued before a moment; other processes with the same one are told all the same."""
    world.aws.fail(Fault(status=403, code="AccessDenied", operation="AssumeRole", times=1))
    for _ in range(2):
        with pytest.raises(AssumeRoleError, match="AccessDenied"):
            make().get_frozen_credentials("vegeta")
    rotated = world.aws.session(world.batman.user("bruce"))
    assert make(session=rotated).get_frozen_credentials("vegeta").account_id == VEGETA


def test_a_refused_session_of_the_hop_before_is_not_told_to_others(
    world: World, make: Callable[..., CrossAccountSession]
) -> None:
    """They may have another one by then, as this process has when it tries again."""
    role_arn = world.chain.roles[1].role_arn
    world.aws.fail(Fault(status=403, code="ExpiredToken", operation="AssumeRole", role_arn=role_arn, times=1))
    assert make().get_frozen_credentials("deep").account_id == VEGETA
    assert len(world.events.of(RefreshFailed)) == 1


@pytest.mark.parametrize("source", ["key", "program", "role behind MFA"])
def test_an_event_of_the_store_is_told_under_no_lock(
    world: World, folder: Path, profile: Callable[..., None], device: Callable[[str], str], source: str
) -> None:
    """What takes it may wait for a thread that uses the same source."""
    ended: list[bool] = []

    def take(event: Event) -> None:
        if isinstance(event, StoreProblem) and not ended:
            ended.append(False)
            thread = threading.Thread(target=xs.get_frozen_credentials, args=["other"])
            thread.start()
            thread.join(20)
            ended[0] = not thread.is_alive()

    accounts = {name: world.vegeta.role(name, trusts=[BATMAN, HUB]) for name in ("vegeta", "other")}
    options: dict[str, Any] = {"store": FileStore(folder, on_event=take)}
    if source == "program":
        key = {"Version": 1, "AccessKeyId": world.key.access_key_id, "SecretAccessKey": world.key.secret_access_key}
        profile(world.role, world.key)
        with Path(os.environ["AWS_CONFIG_FILE"]).open("a") as file:
            file.write(f"[profile program]\ncredential_process = echo '{json.dumps(key)}'\n")
        options["profile_name"] = "program"
    elif source == "role behind MFA":
        profile(world.hub.role("Strict", trusts=trust(BATMAN, mfa_required=True)), world.key, mfa_serial=SERIAL)
        options |= {"profile_name": "through", "mfa_code": device}
    xs = world.session(accounts, **options)
    xs.get_frozen_credentials("vegeta")
    assert ended == [True]


@pytest.fixture
def profile(world: World, aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a profile whose role begins chains, and whose key begins that."""
    for name, value in world.aws.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(aws_folder / "config"))

    def write(role_arn: str, key: AccessKey, **settings: str) -> None:
        lines = [f"{name} = {value}" for name, value in {"role_arn": role_arn, **settings}.items()]
        (aws_folder / "config").write_text(
            f"""
[profile through]
source_profile = base
{chr(10).join(lines)}
[profile base]
aws_access_key_id = {key.access_key_id}
aws_secret_access_key = {key.secret_access_key}
"""
        )

    return write


def test_two_people_in_one_role_never_share_an_entry(
    world: World, make: Callable[..., CrossAccountSession], profile: Callable[..., None]
) -> None:
    """The role of their profiles is the same: but whoever began its session is written down, and carried on."""
    hub, target = world.chain.roles
    keys = []
    for key in (world.key, world.batman.user("alfred"), world.key):
        profile(hub.role_arn, key)
        xs = make(session=None, profile_name="through", accounts={"vegeta": target})
        keys.append(xs.get_frozen_credentials("vegeta").access_key_id)
    assert keys[0] == keys[2] != keys[1]


def test_two_people_who_log_in_with_one_role_are_two(
    world: World, make: Callable[..., CrossAccountSession], aws_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of a login's session is the person, and each login has a token of its own."""
    hub, target = world.chain.roles
    monkeypatch.setenv("HOME", str(aws_folder))
    for name, value in world.aws.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(aws_folder / "config"))
    (aws_folder / "config").write_text("[profile console]\nlogin_session = arn:aws:iam::111111111111:user/me\n")
    token = aws_folder / ".aws/login/cache" / f"{sha256(b'arn:aws:iam::111111111111:user/me').hexdigest()}.json"
    token.parent.mkdir(parents=True)
    keys: list[str] = []
    for person in ("alice", "bob", "alice"):
        token.write_text(f"{person} {len(keys)}")
        begun = world.session({"hub": Role(hub.role_arn, role_session_name=person)}).get_frozen_credentials("hub")
        held = Credentials(begun.access_key_id, begun.secret_access_key, begun.session_token)
        found = LookedUp(held, frozenset({"login"}), None)
        with monkeypatch.context() as patched:
            patched.setattr("xsession._botocore._source_session.look_up", lambda *_, found=found, **__: found)
            xs = make(session=None, profile_name="console", accounts={"vegeta": target})
            keys.append(xs.get_frozen_credentials("vegeta").access_key_id)
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize("behind_mfa", [False, True])
def test_settings_that_changed_since_a_source_was_opened_name_none_of_its_credentials(
    world: World, make: Callable[..., CrossAccountSession], profile: Callable[..., None], behind_mfa: bool
) -> None:
    """It goes on with the role that it read; who reads the new one finds nothing of that."""
    hub = world.chain.roles[0].role_arn
    other = world.hub.role("Other", trusts=BATMAN)
    target = world.vegeta.role("FromBoth", trusts=HUB)
    settings = {"mfa_serial": SERIAL} if behind_mfa else {}
    codes = ["123456", "234567"]
    for code in codes:
        world.aws.expect_mfa_code(SERIAL, code)
    options: dict[str, Any] = {"session": None, "profile_name": "through", "mfa_code": lambda _serial: codes.pop()}
    profile(hub, world.key, **settings)
    before = make(accounts={"vegeta": target}, **options)
    profile(other, world.key, **settings)
    own = before.get_frozen_credentials("vegeta").access_key_id
    after = make(accounts={"vegeta": target}, **options)
    assert after.get_frozen_credentials("vegeta").access_key_id != own


def test_a_source_of_unknown_making_is_not_kept_and_an_event_says_so(
    world: World, make: Callable[..., CrossAccountSession], folder: Path
) -> None:
    """Its credentials are refreshed by code of the caller's: no other process could know whose they are."""
    source = world.session({"run": world.batman.role("Run", trusts=BATMAN)})["run"]
    world.vegeta.set_trust("Reader", {"Version": "2012-10-17", "Statement": [_anyone()]})
    make(session=source).get_frozen_credentials("vegeta")
    told = [event.message for event in world.events.of(NeedsAttention)]
    assert len(told) == 1
    assert "not kept" in told[0]
    assert not list(folder.glob("*.entry"))


def test_grants_lie_nowhere(make: Callable[..., CrossAccountSession], folder: Path) -> None:
    """They end at a deadline, and should be found by nobody after it."""
    xs = make()
    grant = xs.grant("vegeta", to="a contractor", duration=900)
    grant.environ()
    assert not list(folder.glob("*.entry"))


# MFA

SERIAL = "arn:aws:iam::111111111111:mfa/bruce"


@pytest.fixture
def device(world: World, tmp_path: Path) -> Callable[[str], str]:
    """A device that shows one code, which AWS takes once, as in one period of thirty seconds; and notes who asks."""
    world.aws.expect_mfa_code(SERIAL, "123456")

    def read(serial: str) -> str:
        with (tmp_path / "asked").open("a") as file:
            file.write(f"{serial}\n")
        return "123456"

    return read


def test_ten_processes_ask_once_for_ten_accounts_behind_one_device(
    world: World, make: Callable[..., CrossAccountSession], device: Callable[[str], str], tmp_path: Path
) -> None:
    """No code is sent twice: the session that one process gets with it is everybody's."""
    roles = [strict_role(world, number) for number in range(10)]

    def read(number: int) -> str | None:
        xs = make(accounts={"vegeta": Role(roles[number], mfa_serial=SERIAL)}, mfa_code=device)
        return xs.get_frozen_credentials("vegeta").account_id

    assert together(10, read) == [role.split(":")[4] for role in roles]
    assert (tmp_path / "asked").read_text().count("\n") == 1
    assert world.aws.count("GetSessionToken") == 1
    assert world.aws.count("AssumeRole") == 10


def test_ten_processes_ask_once_where_a_profiles_role_asks_for_the_device(
    world: World,
    make: Callable[..., CrossAccountSession],
    profile: Callable[..., None],
    device: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """It is botocore that assumes that role; who comes later finds it too."""
    hub = world.hub.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    roles = [world.vegeta.role(f"R{number}", trusts=HUB) for number in range(10)]
    profile(hub, world.key, mfa_serial=SERIAL)

    def read(number: int) -> str | None:
        xs = make(session=None, profile_name="through", accounts={"vegeta": roles[number]}, mfa_code=device)
        return xs.get_frozen_credentials("vegeta").account_id

    assert together(10, read) == [VEGETA] * 10
    assert (tmp_path / "asked").read_text().count("\n") == 1
    assert world.aws.count("AssumeRole") == 11


def test_a_profiles_role_that_was_revoked_asks_again(
    world: World, make: Callable[..., CrossAccountSession], profile: Callable[..., None], folder: Path
) -> None:
    """Nobody finds what a mark has ended; nor what another key, or other settings, had got."""
    hub = world.hub.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    targets = [world.vegeta.role(f"R{number}", trusts=HUB) for number in range(4)]
    used = iter(["123456", "234567", "345678"])

    def code(serial: str) -> str:
        now = next(used)
        world.aws.expect_mfa_code(serial, now)
        return now

    def read(number: int) -> None:
        accounts = {"vegeta": targets[number]}
        make(session=None, profile_name="through", accounts=accounts, mfa_code=code).get_frozen_credentials("vegeta")

    profile(hub, world.key, mfa_serial=SERIAL)
    read(0)
    read(1)
    FileStore(folder).mark(time.time(), role_arn=hub)
    read(2)
    profile(hub, world.batman.user("alfred"), mfa_serial=SERIAL)
    read(3)
    assert next(used, None) is None


def test_a_code_that_another_process_sent_is_not_sent_again(
    world: World, make: Callable[..., CrossAccountSession], device: Callable[[str], str]
) -> None:
    """Roles that live longer than an hour take a code each, and the device still shows the same one."""
    roles = [Role(strict_role(world, number), mfa_serial=SERIAL, duration_seconds=7_200) for number in range(2)]
    make(accounts={"vegeta": roles[0]}, mfa_code=device).get_frozen_credentials("vegeta")
    with pytest.raises(MfaError, match="sent to AWS already"):
        make(accounts={"vegeta": roles[1]}, mfa_code=device).get_frozen_credentials("vegeta")
    assert not [call for call in world.aws.calls if call.error_code is not None]


def test_codes_that_aws_refused_are_not_asked_for_by_every_process(
    world: World, make: Callable[..., CrossAccountSession]
) -> None:
    """A device locks after a few wrong ones."""
    codes = itertools.count(100_000)
    vegeta = {"vegeta": Role(strict_role(world, 0), mfa_serial=SERIAL)}
    for _ in range(3):
        with pytest.raises(MfaError, match="two codes of the MFA device"):
            make(accounts=vegeta, mfa_code=lambda _serial: str(next(codes))).get_frozen_credentials("vegeta")
    assert world.aws.count("GetSessionToken") == 2


def test_a_refused_code_that_comes_again_is_said_to_be_wrong(
    world: World, make: Callable[..., CrossAccountSession]
) -> None:
    """As of a program with another secret, which prints one code for half a minute; no other process runs it, too."""
    asked: list[str] = []

    def device(serial: str) -> str:
        asked.append(serial)
        return "999999"

    vegeta = {"vegeta": Role(strict_role(world, 0), mfa_serial=SERIAL)}
    for _ in range(3):
        with pytest.raises(MfaError, match=f"the code of the MFA device {SERIAL} was wrong") as caught:
            make(accounts=vegeta, mfa_code=device).get_frozen_credentials("vegeta")
        assert caught.value.code == "AccessDenied"
    assert (len(asked), world.aws.count("GetSessionToken")) == (2, 1)


def test_mfa_sessions_can_be_kept_out(world: World, folder: Path, device: Callable[[str], str]) -> None:
    """Then each process asks for a code; what the session led to is found."""
    vegeta = {"vegeta": Role(strict_role(world, 0), mfa_serial=SERIAL)}
    first = world.session(vegeta, mfa_code=device, store=FileStore(folder, store_mfa=False))
    key = first.get_frozen_credentials("vegeta").access_key_id
    second = world.session(vegeta, store=FileStore(folder, store_mfa=False))
    assert second.get_frozen_credentials("vegeta").access_key_id == key
    second.invalidate("vegeta")
    with pytest.raises(MfaError):
        second.get_frozen_credentials("vegeta")


# Sources


def test_a_source_that_runs_a_program_is_read_by_one_process_at_a_time(
    world: World, make: Callable[..., CrossAccountSession], aws_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tokens may rotate: two that refresh one refresh token at once lose the login."""
    for name, value in world.aws.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(aws_folder / "config"))
    program = aws_folder / "program.py"
    program.write_text(
        f"""
import json, os, time
lock = {str(aws_folder / "running")!r}
os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
time.sleep(0.05)
os.unlink(lock)
print(json.dumps({{"Version": 1, "AccessKeyId": {world.key.access_key_id!r},
    "SecretAccessKey": {world.key.secret_access_key!r}}}))
"""
    )
    (aws_folder / "config").write_text(f"[profile login]\ncredential_process = {sys.executable} -S {program}\n")

    def read(_number: int) -> str | None:
        return make(session=None, profile_name="login").get_frozen_credentials("vegeta").account_id

    assert together(5, read) == [VEGETA] * 5
    assert world.aws.count("AssumeRole") == 1


def strict_role(world: World, number: int) -> str:
    """A role that asks for MFA, in an account of its own."""
    account = world.aws.account(f"9000000000{number:02}")
    return account.role("R", trusts=trust(BATMAN, mfa_required=True), max_session_duration=43_200)


# Helpers


def _has_refreshed(xs: CrossAccountSession, times: int) -> bool:
    return xs._chains.resolve(xs.accounts.find("vegeta")).cells[0].snapshot.generation == times


def _anyone() -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
