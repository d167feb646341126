from __future__ import annotations

import getpass
import itertools
import json
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from tests.support.at_once import AtOnce
from tests.support.aws_hosts import AwsHosts, Request, one_host
from tests.support.scripted_sts import refusal
from tests.support.sts_answers import assumed, usual
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import (
    Account,
    AssumeRoleError,
    ConfigError,
    CrossAccountSession,
    InvalidRoleError,
    MemoryStore,
    MfaError,
    Role,
    RoleChain,
    SessionClosedError,
    SourceCredentialsError,
    XSessionError,
)
from xsession._chain import _mfa_prompt
from xsession.events import NeedsAttention, RefreshFailed
from xsession.policies import trust
from xsession.refresh import Reader
from xsession.testing import FakeClock, Fault, LocalAWS

SERIAL = "arn:aws:iam::111111111111:mfa/bruce"


class Device:
    """An MFA device, and the person who reads its codes off.

    Args:
        aws: Where its codes are good.
        serial: Its serial number.
    """

    def __init__(self, aws: LocalAWS, serial: str = SERIAL) -> None:
        self.aws = aws
        self.serial = serial
        self.asked: list[str] = []
        self.threads: list[int] = []
        self.wrong = 0
        self._codes = itertools.count(100_000)

    def __call__(self, serial: str) -> str:
        """The next code; one that STS refuses, as long as some should be `wrong`."""
        self.asked.append(serial)
        self.threads.append(threading.get_ident())
        code = str(next(self._codes))
        if self.wrong:
            self.wrong -= 1
        else:
            self.aws.expect_mfa_code(serial, code)
        return code


@pytest.fixture
def device(world: World) -> Device:
    """Bruce's."""
    return Device(world.aws)


def strict(world: World, name: str = "Strict") -> str:
    """A role of Vegeta's whose trust policy asks for MFA."""
    return world.vegeta.role(name, trusts=trust(BATMAN, mfa_required=True), max_session_duration=43_200)


def test_a_role_that_asks_for_mfa_is_assumed_by_a_session_that_passed_it(world: World, device: Device) -> None:
    """The trust policy sees MFA; the code itself goes to GetSessionToken alone, once."""
    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device)
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    xs.invalidate("vegeta")
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert device.asked == [SERIAL]
    assert world.aws.count("GetSessionToken") == 1
    assert world.aws.count("AssumeRole") == 2


def test_without_mfa_the_role_refuses(world: World) -> None:
    """Or the test above would show nothing."""
    with pytest.raises(AssumeRoleError, match="AccessDenied"):
        world.session({"vegeta": strict(world)}).get_frozen_credentials("vegeta")


def test_sixty_four_threads_ask_for_fifty_accounts_behind_one_device(world: World, device: Device) -> None:
    """The person is asked once."""
    accounts = {
        f"a{number}": Role(
            world.aws.account(f"9000000000{number:02}").role("R", trusts=trust(BATMAN, mfa_required=True)),
            mfa_serial=SERIAL,
        )
        for number in range(50)
    }
    xs = world.session(accounts, mfa_code=device)
    barrier = threading.Barrier(64)

    def ask(thread: int) -> None:
        barrier.wait()
        for number in range(50):
            name = f"a{(number + thread) % 50}"
            assert xs.get_frozen_credentials(name).account_id == xs.accounts[name].account_id

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(ask, range(64)))
    assert device.asked == [SERIAL]
    assert (world.aws.count("GetSessionToken"), world.aws.count("AssumeRole")) == (1, 50)


def test_the_rest_of_the_chain_needs_no_code(world: World, device: Device) -> None:
    """The first hop passes MFA, the next ones are assumed by the one before."""
    hub = world.hub.role("StrictHub", trusts=trust(BATMAN, mfa_required=True))
    chain = RoleChain(Role(hub, mfa_serial=SERIAL), world.vegeta.role("Behind", trusts=hub))
    xs = world.session({"deep": chain, "hub": chain.roles[0]}, mfa_code=device)
    assert who(xs.get_client("sts", "deep")) == VEGETA
    xs.get_frozen_credentials("hub")
    assert len(device.asked) == 1


def test_people_are_asked_in_the_thread_that_asked(world: World, device: Device) -> None:
    """There Ctrl-C works, and a notebook's page can be reached; `warm` asks before it starts threads."""
    accounts = {name: Role(strict(world, name), mfa_serial=SERIAL) for name in ("one", "two")}
    xs = world.session(accounts, mfa_code=device)
    assert xs.warm().ok
    assert device.threads == [threading.get_ident()]


def test_devices_are_asked_for_one_after_the_other(world: World) -> None:
    """Two questions at once on one terminal would mix."""
    at_once = AtOnce()

    def code(_serial: str) -> str:
        with at_once:
            threading.Event().wait(0.01)
        return "123456"

    roles = {f"r{number}": Role(world.role, mfa_serial=f"{SERIAL}{number}") for number in range(4)}
    for role in roles.values():
        world.aws.expect_mfa_code(str(role.mfa_serial), "123456")
    xs = world.session(roles, mfa_code=code)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(xs.get_frozen_credentials, roles))
    assert at_once.most == 1


# Wrong codes


def test_a_wrong_code_is_asked_for_once_more(world: World, device: Device) -> None:
    """It was mistyped, or the next one came."""
    device.wrong = 1
    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device)
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA
    assert len(device.asked) == 2


def test_after_a_second_wrong_code_all_who_wait_are_told(world: World, device: Device) -> None:
    """A person is not asked 64 times; devices are locked after a few wrong codes."""
    device.wrong = 100
    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device)
    barrier = threading.Barrier(16)

    def ask(_thread: int) -> XSessionError:
        barrier.wait()
        with pytest.raises(MfaError, match="two codes") as caught:
            xs.get_frozen_credentials("vegeta")
        return caught.value

    with ThreadPoolExecutor(16) as pool:
        errors = list(pool.map(ask, range(16)))
    assert len({id(error) for error in errors}) == 16
    assert {(error.account, error.hop, error.code) for error in errors} == {("vegeta", 1, "AccessDenied")}
    assert len(device.asked) == 2
    assert not any(code in str(error) for error in errors for code in ("100000", "100001"))


@pytest.mark.parametrize("duration", [None, 7_200])
def test_a_wrong_code_is_left_nowhere(world: World, device: Device, duration: int | None) -> None:
    """Neither in what is remembered nor in a frame of a traceback, of the error or of what caused it."""
    device.wrong = 2
    role = Role(strict(world), mfa_serial=SERIAL, duration_seconds=duration)
    xs = world.session({"vegeta": role}, mfa_code=device)
    with pytest.raises(MfaError, match="two codes") as caught:
        xs.get_frozen_credentials("vegeta")
    errors: list[BaseException | None] = [caught.value]
    errors += [error for error, _until in xs._chains._mfa_sessions.prompt._failed.values()]
    errors += [cell.failure.error for cell in xs._chains._cells.values() if cell.failure is not None]
    seen: set[int] = set()
    while errors:
        error = errors.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        errors += [error.__cause__, error.__context__]
        for frame, _line in traceback.walk_tb(error.__traceback__):
            assert not [name for name, value in frame.f_locals.items() if value in ("100000", "100001")]
            readers = [value for value in frame.f_locals.values() if isinstance(value, Reader)]
            assert not [reader for reader in readers if reader._mfa_code is not None]
    assert len(seen) >= 4


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "", "123456\n", "\u0661" * 6, None])
def test_a_code_that_is_not_six_digits_is_refused(world: World, code: Any) -> None:
    """Before the network, so that the device is not locked."""
    xs = world.session({"vegeta": Role(world.role, mfa_serial=SERIAL)}, mfa_code=lambda _serial: code)
    with pytest.raises(MfaError, match="six digits") as caught:
        xs.get_frozen_credentials("vegeta")
    assert (caught.value.account, caught.value.hop, caught.value.role_arn) == ("vegeta", 1, world.role)
    assert world.aws.calls == []


def test_a_failure_is_told_from_memory_for_a_moment() -> None:
    """So that a loop over all accounts does not ask for each; then people are asked again."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        world, device = World(aws), Device(aws)
        xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device, clock=clock)
        device.wrong = 2
        for _ in range(3):
            with pytest.raises(MfaError):
                xs.get_frozen_credentials("vegeta")
        assert len(device.asked) == 2
        clock.advance(6)
        assert xs.get_frozen_credentials("vegeta").account_id == VEGETA
        world.close()


def test_an_sts_that_fails_does_not_ask_for_another_code(world: World, device: Device) -> None:
    """The code was not the problem."""
    world.aws.fail(Fault(operation="GetSessionToken", code="MalformedPolicyDocument", status=400, times=None))
    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device)
    with pytest.raises(XSessionError, match="MalformedPolicyDocument") as caught:
        xs.get_frozen_credentials("vegeta")
    assert (caught.value.account, caught.value.hop) == ("vegeta", 0)
    assert len(device.asked) == 1


# How long


@pytest.fixture
def clocked() -> Iterator[tuple[World, Device, FakeClock]]:
    """A world, and a clock to turn."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        yield world, Device(aws), clock
        world.close()


@pytest.mark.parametrize(
    ("options", "seconds"), [({}, 43_200), ({"mfa_duration_seconds": timedelta(hours=36)}, 129_600)]
)
def test_a_code_is_good_for_a_days_work(
    clocked: tuple[World, Device, FakeClock], options: dict[str, Any], seconds: int
) -> None:
    """Roles behind it are refreshed every hour without a word; when it ends, people are asked again."""
    world, device, clock = clocked
    role = Role(strict(world), mfa_serial=SERIAL)
    xs = world.session({"vegeta": role}, mfa_code=device, clock=clock, **options)
    assert xs.get_frozen_credentials("vegeta").lifetime == pytest.approx(3_600, abs=1)
    for _ in range(seconds // 3_600 - 1):
        clock.advance(3_598)
        assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert len(device.asked) == 1
    clock.advance(3_700)
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert len(device.asked) == 2


def test_a_role_that_shall_live_longer_takes_a_code_for_itself(world: World, device: Device) -> None:
    """Behind a session AWS would allow an hour: who asks for more for this role gets it."""
    role = Role(strict(world), mfa_serial=SERIAL, duration_seconds=timedelta(hours=8))
    device.wrong = 1
    xs = world.session({"long": role}, mfa_code=device)
    assert xs.get_frozen_credentials("long").lifetime == pytest.approx(28_800, abs=1)
    assert (world.aws.count("GetSessionToken"), len(device.asked)) == (0, 2)
    with ThreadPoolExecutor(8) as pool:
        xs.invalidate("long")
        list(pool.map(xs.get_frozen_credentials, ["long"] * 8))
    assert len(device.asked) == 3


def test_a_default_duration_is_an_hour_behind_mfa(world: World, device: Device) -> None:
    """No more was asked for, for this very role, and a refresh needs no code."""
    xs = world.session(
        {"vegeta": strict(world)}, mfa_code=device, mfa_serial=SERIAL, duration_seconds=timedelta(hours=8)
    )
    assert xs.get_frozen_credentials("vegeta").lifetime == pytest.approx(3_600, abs=1)
    assert world.aws.count("GetSessionToken") == 1


# In the background


@pytest.mark.parametrize("duration", [None, 7_200])
def test_a_refresh_in_the_background_asks_nobody(
    clocked: tuple[World, Device, FakeClock], duration: int | None
) -> None:
    """An event calls for help, once; the credentials held are used to their end; then a caller is asked."""
    world, device, clock = clocked
    role = Role(strict(world), mfa_serial=SERIAL, duration_seconds=duration)
    # The session ends while the role's credentials still live.
    xs = world.session({"vegeta": role}, mfa_code=device, clock=clock, mfa_duration_seconds=900)
    held = xs.get_frozen_credentials("vegeta")
    xs.get_frozen_credentials("vegeta")
    clock.advance((held.lifetime or 0) - 300)
    assert xs.get_frozen_credentials("vegeta") == held
    event = world.events.wait_for(NeedsAttention)
    assert (event.account, event.role_arn, event.hop) == ("vegeta", role.role_arn, 1)
    assert SERIAL in event.message
    assert "warm()" in str(event.hint)
    world.events.wait_for(RefreshFailed)
    clock.advance(70)
    assert xs.get_frozen_credentials("vegeta") == held
    assert len(device.asked) == 1
    clock.advance(300)
    assert xs.get_frozen_credentials("vegeta") != held
    assert len(device.asked) == 2
    assert len(world.events.of(NeedsAttention)) == 1


def test_new_credentials_end_the_call_for_help(clocked: tuple[World, Device, FakeClock]) -> None:
    """The next time, it is called again."""
    world, device, clock = clocked
    role = Role(strict(world), mfa_serial=SERIAL)
    xs = world.session({"vegeta": role}, mfa_code=device, clock=clock, mfa_duration_seconds=900)
    for _ in range(2):
        xs.get_frozen_credentials("vegeta")
        xs.get_frozen_credentials("vegeta")
        world.events.clear()
        clock.advance(3_300)
        xs.get_frozen_credentials("vegeta")
        world.events.wait_for(NeedsAttention)
        clock.advance(300)


# The source


def test_a_source_that_is_a_session_itself_is_refused_before_anybody_is_asked(world: World, device: Device) -> None:
    """It can't pass a code on, and AWS's own answer would not say so."""
    temporary = world.session({"pod": world.batman.role("Run", trusts=BATMAN)})["pod"]
    for duration in (None, 7_200):
        role = Role(strict(world, f"Strict{duration}"), mfa_serial=SERIAL, duration_seconds=duration)
        xs = world.session({"vegeta": role}, session=temporary, mfa_code=device)
        with pytest.raises(InvalidRoleError, match="long-term") as caught:
            xs.get_frozen_credentials("vegeta")
        assert (caught.value.account, caught.value.hop) == ("vegeta", 1)
    assert device.asked == []
    assert world.aws.count("GetSessionToken") == 0


def test_a_source_without_credentials_is_found_before_anybody_is_asked(world: World, device: Device) -> None:
    """The code would be wasted."""
    xs = world.session({"vegeta": Role(world.role, mfa_serial=SERIAL)}, session=world.aws.session(), mfa_code=device)
    with pytest.raises(SourceCredentialsError, match="no credentials"):
        xs.get_frozen_credentials("vegeta")
    assert device.asked == []


def test_a_session_that_sts_rejects_is_thrown_away(world: World, device: Device) -> None:
    """It was revoked; the caller that finds that out is asked for the next code."""
    clock = FakeClock()
    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device, clock=clock)
    xs.get_frozen_credentials("vegeta")
    (assumed,) = [call for call in world.aws.calls if call.operation == "AssumeRole"]
    world.aws.delete_key(assumed.access_key_id)
    xs.invalidate("vegeta")
    clock.advance(10)  # before, STS may only not know it yet
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA
    assert len(device.asked) == 2


def test_what_one_persons_code_opened_is_not_for_the_next_who_logs_in(
    world: World, device: Device, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Other keys in the files may be another user's: a code is asked for again."""
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))

    def write(key: Any) -> None:
        path.write_text(
            f"[default]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
        )

    write(world.key)
    with world.aws.applied():
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
        xs = world.session(
            [
                Account("vegeta", Role(strict(world), mfa_serial=SERIAL)),
                Account("plain", world.role),
                Account(
                    "bobs", Role(world.role, mfa_serial=SERIAL), source=world.aws.session(world.batman.user("bob"))
                ),
            ],
            session=None,
            mfa_code=device,
        )
        xs.get_frozen_credentials("vegeta")
        xs.get_frozen_credentials("bobs")
        write(world.batman.user("wayne"))
        world.aws.delete_key(world.key.access_key_id)
        xs.get_frozen_credentials("plain")
        xs.get_frozen_credentials("vegeta")
        xs.invalidate("bobs")
        xs.get_frozen_credentials("bobs")
    assert len(device.asked) == 3


def test_a_rotated_key_is_found_before_the_code_is_spent(
    world: World, device: Device, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The same code is good for the new key: STS refused the first before it looked at it."""
    path = tmp_path / "credentials"
    keys = [world.key, world.batman.user("wayne")]
    with world.aws.applied():
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
        write = "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n"
        path.write_text(write.format(keys[0].access_key_id, keys[0].secret_access_key))
        xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, session=None, mfa_code=device)
        xs.get_frozen_credentials("vegeta")
        world.aws.delete_key(keys[0].access_key_id)
        path.write_text(write.format(keys[1].access_key_id, keys[1].secret_access_key))
        xs._chains._mfa_sessions.close()
        xs.invalidate()
        assert xs.get_frozen_credentials("vegeta").account_id == VEGETA
    assert len(device.asked) == 2


# Where else it is kept, and its end


def test_a_store_keeps_the_session_too(world: World, device: Device) -> None:
    """The next program of the same user need not ask."""
    store = MemoryStore()
    for name in ("One", "Two"):
        xs = world.session({"vegeta": Role(strict(world, name), mfa_serial=SERIAL)}, mfa_code=device, store=store)
        xs.get_frozen_credentials("vegeta")
    assert len(device.asked) == 1


def test_what_a_store_gives_is_not_believed_blindly(world: World, device: Device) -> None:
    """A session whose end is not known is none."""
    store = MemoryStore()
    role = Role(strict(world), mfa_serial=SERIAL)
    world.session({"vegeta": role}, mfa_code=device, store=store).get_frozen_credentials("vegeta")
    xs = world.session({"vegeta": Role(strict(world, "Other"), mfa_serial=SERIAL)}, mfa_code=device, store=store)
    key = xs._chains._mfa_sessions.of(SERIAL, xs._resolve(xs.accounts.find("vegeta")).source).key
    kept = store.get(key)
    assert kept is not None
    store.put(key, replace(kept, lifetime=None, expiry=None))
    xs.get_frozen_credentials("vegeta")
    assert len(device.asked) == 2


def test_a_store_outlives_the_session_that_closes(world: World, device: Device) -> None:
    """What was given for a day's work is there for the next program."""
    store = MemoryStore()
    for name in ("One", "Two"):
        with world.session(
            {"vegeta": Role(strict(world, name), mfa_serial=SERIAL)}, mfa_code=device, store=store
        ) as xs:
            xs.get_frozen_credentials("vegeta")
    assert len(device.asked) == 1


@pytest.mark.parametrize("hops", [1, 2])
def test_nobody_is_asked_where_a_store_has_the_roles_own_credentials(world: World, device: Device, hops: int) -> None:
    """Also of a role that takes a code for itself, and of a later hop."""
    store = MemoryStore()
    first = Role(strict(world), mfa_serial=SERIAL, duration_seconds=7_200)
    chain = RoleChain(first, *[world.hub.role("Next", trusts=first.role_arn)][: hops - 1])
    held = [world.session({"far": chain}, mfa_code=device, store=store).get_frozen_credentials("far") for _ in range(2)]
    assert held[0] == held[1]
    assert len(device.asked) == 1


def test_a_session_of_another_device_is_another_one(world: World, device: Device) -> None:
    """One cell for each source and device."""
    serials = [SERIAL, f"{SERIAL}-2"]
    roles = {f"r{number}": Role(world.role, mfa_serial=serial) for number, serial in enumerate(serials)}
    assert world.session(roles, mfa_code=device).warm().ok
    assert device.asked == serials


def test_after_close_nobody_is_asked(world: World, device: Device) -> None:
    """A client made before says that the session is closed."""
    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device)
    client = xs.get_client("sts", "vegeta")
    who(client)
    xs.close()
    with pytest.raises(SessionClosedError):
        who(client)
    assert len(device.asked) == 1


def test_a_program_gives_the_code(world: World) -> None:
    """Named by the session's defaults; its text is split, and no shell sees it."""
    world.aws.expect_mfa_code(SERIAL, "123456")
    command = f"{sys.executable} -c \"import sys; print('123456' if sys.argv[1] == '{SERIAL}' else 'no')\" {{serial}}"
    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_command=command)
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA


def test_the_program_serves_roles_that_are_not_registered_too(world: World) -> None:
    """They inherit no option of a role, and this is none."""
    world.aws.expect_mfa_code(SERIAL, "123456")
    xs = world.session({}, mfa_command=[sys.executable, "-c", "print(123456)"], mfa_duration_seconds=900)
    assert xs.get_frozen_credentials(Role(strict(world), mfa_serial=SERIAL)).account_id == VEGETA


def test_a_file_of_the_folder_may_not_name_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may write there must not run programs as the user that works there."""
    (tmp_path / "xsession.toml").write_text('[defaults]\nmfa_command = "rm -rf"\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="mfa_command"):
        CrossAccountSession.from_config()


def test_a_file_that_is_named_may_name_a_program(world: World, tmp_path: Path) -> None:
    """For the accounts in it."""
    world.aws.expect_mfa_code(SERIAL, "123456")
    command = json.dumps([sys.executable, "-c", "print(123456)"])
    (tmp_path / "own.toml").write_text(
        f'[defaults]\nmfa_serial = "{SERIAL}"\nmfa_command = {command}\n'
        f'[accounts.vegeta]\nrole_arn = "{strict(world)}"\n'
    )
    with CrossAccountSession.from_config(tmp_path / "own.toml", session=world.source) as xs:
        assert xs.get_frozen_credentials("vegeta").account_id == VEGETA


def test_the_function_comes_before_the_program(world: World, device: Device) -> None:
    """Code comes before configuration."""
    xs = world.session(
        {"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device, mfa_command=["no-such-program"]
    )
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA


def test_a_child_is_not_held_up_by_the_parents_question(world: World) -> None:
    """The lock of a prompt that was open at the fork is free in the child."""
    xs: CrossAccountSession = world.session({"vegeta": Role(world.role, mfa_serial=SERIAL)}, mfa_code=lambda _: "")
    prompt = xs._chains._mfa_sessions.prompt
    prompt._turn.acquire()
    prompt.after_fork()
    with pytest.raises(MfaError):
        xs.get_frozen_credentials("vegeta")


def test_a_question_that_is_broken_off_leaves_no_lock(world: World, device: Device) -> None:
    """Ctrl-C reaches the caller, and the next one is asked."""
    broken = [True]

    def ask(serial: str) -> str:
        if broken.pop():
            raise KeyboardInterrupt
        return device(serial)

    xs = world.session({"vegeta": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=ask)
    with pytest.raises(KeyboardInterrupt):
        xs.get_frozen_credentials("vegeta")
    broken.append(False)
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA


def test_a_boto3_client_asks_too(world: World, device: Device) -> None:
    """At its first signing; what it raises is ours."""
    session: boto3.Session = world.session({"v": Role(strict(world), mfa_serial=SERIAL)}, mfa_code=device)["v"]
    client = session.client("sts")
    assert device.asked == []
    assert who(client) == VEGETA
    assert device.asked == [SERIAL]


# A source whose own profile asks for MFA


HUB_PROFILE = f"""[profile prod]
role_arn = arn:aws:iam::333333333333:role/Hub
source_profile = keys
mfa_serial = {SERIAL}
[profile keys]
region = us-east-1
aws_access_key_id = AKIALONG
aws_secret_access_key = example
"""


class Prompted:
    """A person who is asked for codes.

    Args:
        codes: What is answered, one after the other; then the last one.
    """

    def __init__(self, *codes: str) -> None:
        self._codes = list(codes or ("123456",))
        self.threads: list[threading.Thread] = []
        self.serials: list[str] = []

    def __call__(self, serial: str) -> str:
        """One code."""
        self.threads.append(threading.current_thread())
        self.serials.append(serial)
        return self._codes.pop(0) if len(self._codes) > 1 else self._codes[0]


def behind_mfa(request: Request) -> tuple[int, str]:
    """The hub takes a good code of the long-term key."""
    if request.key_id == "AKIALONG" and request.action == "AssumeRole":
        if request.form.get("TokenCode") != "123456":
            message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
            return 403, refusal("AccessDenied", message)
        return 200, assumed(request)
    return usual(request)


@pytest.fixture
def strict_sts(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsHosts]:
    """An STS whose hub asks for MFA, and the profile that is behind it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    (aws_folder / "config").write_text(HUB_PROFILE)
    with one_host(behind_mfa) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        yield sts


def ended_session() -> boto3.Session:
    """One that asked for a code by itself; what it got has ended."""
    session: Any = boto3.Session(profile_name="prod")
    provider = session._session.get_component("credential_provider").get_provider("assume-role")
    provider._prompter = lambda _prompt: "123456"
    session.get_credentials().get_frozen_credentials()
    session.get_credentials()._expiry_time = datetime.now(UTC)
    provider._prompter = getpass.getpass
    return cast("boto3.Session", session)


@pytest.mark.parametrize("how", ["profile_name", "session", "source", "no role"])
def test_a_source_behind_mfa_is_asked_for_in_the_callers_thread(strict_sts: AwsHosts, how: str) -> None:
    """Once for all accounts of the source, before anything is asked of STS."""
    code = Prompted()
    role = "arn:aws:iam::222222222222:role/"
    source = "prod" if how in ("source", "no role") else None
    accounts = [Account(name, None if how == "no role" else f"{role}{name}", source=source) for name in ("a", "b")]
    options: dict[str, Any] = {"profile_name": "prod"} if how == "profile_name" else {}
    if how == "session":
        options["session"] = boto3.Session(profile_name="prod")
    xs = CrossAccountSession(accounts, mfa_code=code, **options)
    for name in ("a", "b"):
        assert xs.get_client("sts", name).get_caller_identity()
    assert code.serials == [SERIAL]
    assert code.threads == [threading.current_thread()]
    assert [request.key_id for request in strict_sts.seen].count("AKIALONG") == 1


def test_a_source_behind_mfa_is_asked_again_after_its_hour(
    strict_sts: AwsHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session can't be renewed without a code; botocore itself gives up."""
    clock, code = FakeClock(datetime.now(UTC).timestamp()), Prompted()
    xs = CrossAccountSession({"v": "arn:aws:iam::222222222222:role/R"}, profile_name="prod", mfa_code=code, clock=clock)
    first = xs.get_frozen_credentials("v")
    clock.advance(3_700)
    monkeypatch.setattr("tests.support.sts_answers.now", lambda: datetime.fromtimestamp(clock.wall(), UTC))
    second = xs.get_frozen_credentials("v")
    assert first.access_key_id != second.access_key_id
    assert len(code.serials) == [request.key_id for request in strict_sts.seen].count("AKIALONG") == 2


@pytest.mark.parametrize("how", ["a role behind it", "no role", "it asked by itself before"])
def test_a_diagnosis_asks_for_the_code_of_a_source(strict_sts: AwsHosts, how: str) -> None:
    """In the caller's thread, and once: the source keeps what it got, as for clients."""
    code = Prompted()
    options: dict[str, Any] = {"profile_name": "prod"}
    if how == "it asked by itself before":
        options = {"session": ended_session()}
    account = Account("a", None if how == "no role" else "arn:aws:iam::222222222222:role/a")
    xs = CrossAccountSession([account], mfa_code=code, **options)
    assert [hop.state.value for hop in xs.diagnose("a").hops] == ["ok"] * (1 if how == "no role" else 2)
    assert code.threads == [threading.current_thread()]
    assert xs.diagnose("a").ok
    assert xs.get_frozen_credentials("a").access_key_id
    assert code.serials == [SERIAL]
    assert strict_sts.seen


def test_a_diagnosis_says_that_a_source_needs_a_code(strict_sts: AwsHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can give one, or nobody gives the right one."""
    monkeypatch.setattr(_mfa_prompt, "TERMINAL", "/dev/no-terminal")
    account = Account("a", "arn:aws:iam::222222222222:role/a")
    for code, words in ((None, "no way to ask"), (Prompted("000000"), "two codes")):
        diagnosis = CrossAccountSession([account], mfa_code=code, profile_name="prod").diagnose("a")
        assert [hop.state.value for hop in diagnosis.hops] == ["refused", "not tried"]
        assert words in str(diagnosis)
    assert len(strict_sts.seen) == 2


def test_a_wrong_code_for_a_source_is_asked_for_once_more(strict_sts: AwsHosts) -> None:
    """And two wrong ones are an error."""
    role = "arn:aws:iam::222222222222:role/R"
    xs = CrossAccountSession({"v": role}, profile_name="prod", mfa_code=Prompted("000000", "123456"))
    assert xs.get_frozen_credentials("v").access_key_id
    xs = CrossAccountSession({"v": role}, profile_name="prod", mfa_code=Prompted("000000"))
    with pytest.raises(MfaError, match="two codes") as caught:
        xs.get_frozen_credentials("v")
    assert "000000" not in "".join(traceback.format_exception(caught.value))
    assert len(strict_sts.seen) == 5


def test_a_session_that_asked_by_itself_is_asked_for_by_us_after_its_hour(strict_sts: AwsHosts) -> None:
    """botocore's credentials take one code in their life."""
    code = Prompted()
    xs = CrossAccountSession({"v": "arn:aws:iam::222222222222:role/R"}, session=ended_session(), mfa_code=code)
    assert xs.get_frozen_credentials("v").access_key_id
    assert len(code.serials) == 1
    assert [request.key_id for request in strict_sts.seen].count("AKIALONG") == 2


def test_a_session_with_a_prompt_of_its_own_keeps_it(strict_sts: AwsHosts) -> None:
    """Whoever set it knows how to ask."""
    session: Any = boto3.Session(profile_name="prod")
    asked: list[str] = []

    def prompter(prompt: str) -> str:
        asked.append(prompt)
        return "123456"

    session._session.get_component("credential_provider").get_provider("assume-role")._prompter = prompter
    xs = CrossAccountSession({"v": "arn:aws:iam::222222222222:role/R"}, session=session, mfa_code=Prompted())
    assert xs.get_frozen_credentials("v").access_key_id
    assert len(asked) == 1
    assert strict_sts.seen


def test_keys_in_the_environment_come_before_a_profile_behind_mfa(
    strict_sts: AwsHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no profile was asked for by name, as with boto3: nobody is asked."""
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    code = Prompted()
    assert CrossAccountSession(mfa_code=code).whoami().arn.endswith("AKIAENV")
    assert code.serials == []
    assert strict_sts.seen
