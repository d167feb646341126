"""An account's credentials, awaited: what a coroutine gets, and what goes on meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.worlds import BATMAN, VEGETA, World
from xsession import (
    Account,
    ConfigError,
    CrossAccountSession,
    MfaError,
    Role,
    RoleChain,
    SessionClosedError,
    SourceCredentialsError,
)
from xsession._chain import AccountCredentials
from xsession.events import RefreshStarted
from xsession.policies import trust
from xsession.testing import Fault

SERIAL = "arn:aws:iam::111111111111:mfa/bruce"


def own(session: CrossAccountSession, account: Any = "vegeta") -> AccountCredentials:
    """The credentials object of an account's clients."""
    credentials: Any = session[account].get_credentials()
    assert isinstance(credentials, AccountCredentials)
    return credentials


def behind_mfa(world: World) -> Role:
    """A role of Vegeta's whose trust policy asks for MFA."""
    return Role(world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True)), mfa_serial=SERIAL)


async def keys(credentials: AccountCredentials, count: int) -> list[str | None]:
    """The key ids that so many coroutines get at once."""
    return [one.access_key for one in await asyncio.gather(*(credentials.awaited() for _ in range(count)))]


def test_coroutines_and_threads_get_the_same(world: World) -> None:
    """One AssumeRole for both."""
    xs = world.session()
    awaited = asyncio.run(keys(own(xs), 1))
    assert awaited == [xs.get_frozen_credentials("vegeta").access_key_id]
    assert world.aws.count("AssumeRole") == 1


def test_chains_share_their_hop(world: World) -> None:
    """Fifty coroutines each over two chains behind one hub: no error, and one AssumeRole for each hop."""
    hub = next(iter(world.chain))
    other = world.vegeta.role("Other", trusts=hub.role_arn)
    xs = world.session({"deep": world.chain, "other": RoleChain(hub, other)})

    async def both() -> None:
        await asyncio.gather(keys(own(xs, "deep"), 50), keys(own(xs, "other"), 50))

    asyncio.run(both())
    assert world.aws.count("AssumeRole") == 3


def test_fifty_cold_accounts_need_no_thread_of_the_loops(world: World) -> None:
    """Its executor has one, which is busy all the while; fresh reads wait for none either."""
    names = [f"a{number:03}" for number in range(50)]
    xs = world.session({name: Role(world.role, role_session_name=name) for name in names})
    gate = threading.Event()

    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, gate.wait)
        try:
            cold = await asyncio.gather(*(own(xs, name).awaited() for name in names))
            assert len({one.access_key for one in cold}) == 50
            seconds = []
            for name in names:
                began = time.perf_counter()
                await own(xs, name).awaited()
                seconds.append(time.perf_counter() - began)
            return statistics.median(seconds)
        finally:
            gate.set()
            await busy

    assert asyncio.run(main()) < 0.01


def test_the_end_of_the_loops_executor_waits_for_no_refresh(world: World) -> None:
    """STS hangs, and asyncio.run ends all the same: https://github.com/The-PR-Agent/pr-agent/pull/3380."""
    world.aws.fail(Fault(operation="AssumeRole", kind="hang", times=None))
    credentials = own(world.session())

    async def main() -> None:
        waiting = asyncio.create_task(credentials.awaited())
        while not world.events.of(RefreshStarted):
            await asyncio.sleep(0.001)
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 1)
        waiting.cancel()

    began = time.perf_counter()
    asyncio.run(main())
    assert time.perf_counter() - began < 2
    world.aws.release()


def test_an_attribute_waits_for_nothing(world: World) -> None:
    """Before the first await it says what to do; after it, it is there, and gone with the session."""
    xs = world.session()
    credentials = own(xs)
    with pytest.raises(ConfigError, match="no credentials are held"):
        _ = credentials.awaited_last
    (key,) = asyncio.run(keys(credentials, 1))
    assert credentials.awaited_last.access_key == key
    xs.close()
    with pytest.raises(ConfigError):
        _ = credentials.awaited_last


def test_errors_name_the_account(world: World) -> None:
    """As in threads."""
    xs = world.session({"vegeta": Role("arn:aws:iam::222222222222:role/Nobody")})
    with pytest.raises(Exception, match="AccessDenied") as caught:
        asyncio.run(keys(own(xs), 1))
    assert getattr(caught.value, "account", None) == "vegeta"


# MFA


def test_a_function_gives_codes_in_a_thread_of_its_own(world: World) -> None:
    """Once for all who wait, while the loop turns."""
    asked: list[str] = []
    gate = threading.Event()

    def code(serial: str) -> str:
        asked.append(threading.current_thread().name)
        gate.wait(10)
        world.aws.expect_mfa_code(serial, "123456")
        return "123456"

    credentials = own(world.session({"vegeta": behind_mfa(world)}, mfa_code=code))

    async def main() -> list[str | None]:
        reading = asyncio.create_task(keys(credentials, 10))
        async with asyncio.timeout(10):
            while not asked:
                await asyncio.sleep(0.001)
        assert not reading.done()
        gate.set()
        return await reading

    assert len(set(asyncio.run(main()))) == 1
    assert asked == ["xsession-call"]
    assert world.aws.count("GetSessionToken") == 1


def test_nobody_at_a_terminal_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says to call `warm`, which asks at once: what happened in the loop is not remembered."""
    typed: list[str] = []

    def at_the_terminal(_prompt: str) -> str:
        typed.append("123456")
        world.aws.expect_mfa_code(SERIAL, "123456")
        return "123456"

    kernel = SimpleNamespace(getpass=at_the_terminal)
    monkeypatch.setattr("xsession._chain._mfa_prompt.notebook_kernel", lambda: kernel)
    xs = world.session({"vegeta": behind_mfa(world)})
    with pytest.raises(MfaError, match="event loop") as caught:
        asyncio.run(keys(own(xs), 1))
    assert "warm()" in str(caught.value.hint)
    assert typed == []
    assert xs.warm()["vegeta"].error is None
    assert len(typed) == 1
    assert asyncio.run(keys(own(xs), 1))


def test_close_wakes_who_waits_for_a_code(world: World) -> None:
    """However long the function takes."""
    asked, gate = threading.Event(), threading.Event()

    def code(_serial: str) -> str:
        asked.set()
        gate.wait(10)
        return "123456"

    xs = world.session({"vegeta": behind_mfa(world)}, mfa_code=code)

    async def main() -> None:
        reading = asyncio.create_task(own(xs).awaited())
        async with asyncio.timeout(10):
            while not asked.is_set():
                await asyncio.sleep(0.001)
        xs.close()
        await reading

    with pytest.raises(SessionClosedError) as caught:
        asyncio.run(main())
    gate.set()
    assert caught.value.account == "vegeta"


# Accounts without a hop


def test_static_keys_are_read_where_they_are(world: World) -> None:
    """From the second time on, by no thread."""
    credentials = own(world.session({"batman": Account("batman", account_id=BATMAN)}), "batman")
    assert asyncio.run(keys(credentials, 1)) == [world.key.access_key_id]
    running = threading.active_count()
    assert asyncio.run(keys(credentials, 50)) == [world.key.access_key_id] * 50
    assert threading.active_count() <= running


def test_a_process_is_run_once_for_all_who_wait(
    world: World, aws_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred cold coroutines; in a thread, while the loop turns."""
    runs, program = aws_folder / "runs", aws_folder / "program.py"
    answer = {
        "Version": 1,
        "AccessKeyId": world.key.access_key_id,
        "SecretAccessKey": world.key.secret_access_key,
    }
    program.write_text(f"import json\nopen({str(runs)!r}, 'a').write('.')\nprint(json.dumps({answer!r}))\n")
    line = f"[profile team]\nregion = eu-west-1\ncredential_process = {sys.executable} {program}\n"
    (aws_folder / "config").write_text(line)
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.aws.endpoint_url)
    xs = world.session({"vegeta": world.role}, profile_name="team")
    assert len(set(asyncio.run(keys(own(xs), 200)))) == 1
    assert (runs.read_text(), world.aws.count("AssumeRole")) == (".", 1)


def test_a_source_without_credentials_is_told(aws_folder: Path) -> None:
    """With the account's name."""
    (aws_folder / "config").write_text("[profile team]\nregion = eu-west-1\ncredential_process = false\n")
    with CrossAccountSession({"batman": Account("batman", account_id=BATMAN)}, profile_name="team") as xs:
        with pytest.raises(SourceCredentialsError) as caught:
            asyncio.run(keys(own(xs, "batman"), 1))
        assert caught.value.account == "batman"


def test_the_account_in_the_answer_is_compared(world: World) -> None:
    """An account's credentials are those of that account, or none."""
    xs = world.session({"vegeta": Account("vegeta", account_id=VEGETA)})
    with pytest.raises(Exception, match="111111111111"):
        asyncio.run(keys(own(xs), 1))
