from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import xsession
from tests.support.programs import run_python
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import ConfigError, CrossAccountSession, UnknownAccountError
from xsession.testing import LocalAWS


@pytest.fixture
def machine(local_aws: LocalAWS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A machine whose files name "vegeta", and no default session before and after the test."""
    world = World(local_aws)
    (tmp_path / "xsession.toml").write_text(f'[accounts.vegeta]\nrole_arn = "{world.role}"\n')
    with local_aws.applied(world.key):
        monkeypatch.setenv("XSESSION_CONFIG", str(tmp_path / "xsession.toml"))
        xsession.reset_default_session()
        yield world
        xsession.reset_default_session()
    world.close()


@pytest.mark.usefixtures("machine")
def test_a_script_names_the_account_and_gets_the_client() -> None:
    """One line beside the import; the accounts are those of the machine's files."""
    assert who(xsession.get_client("sts", account="vegeta")) == VEGETA
    assert xsession.get_client("sts", "vegeta") is xsession.default_session().get_client("sts", "vegeta")


@pytest.mark.usefixtures("machine")
def test_client_options_are_handed_on() -> None:
    """As the session's own `get_client` takes them; an unknown account is its error."""
    assert xsession.get_client("s3", "vegeta", region_name="eu-north-1").meta.region_name == "eu-north-1"
    with pytest.raises(ConfigError, match="aws_access_key_id"):
        xsession.get_client("s3", "vegeta", aws_access_key_id="AKIA")  # type: ignore[call-overload]  # refused by types too
    with pytest.raises(UnknownAccountError, match="vegeta"):
        xsession.get_client("s3", "vegata")


@pytest.mark.usefixtures("machine")
def test_all_threads_get_one_session() -> None:
    """However many make it at once."""
    start = threading.Barrier(16)

    def ask(_number: int) -> CrossAccountSession:
        start.wait(10)
        return xsession.default_session()

    with ThreadPoolExecutor(16) as pool:
        assert len(set(map(id, pool.map(ask, range(16))))) == 1


def test_a_new_default_is_used_and_old_clients_stay_valid(machine: World) -> None:
    """The identity of before is not cached: https://github.com/boto/boto3/issues/1574."""
    before = xsession.get_client("sts", "vegeta")
    other = machine.session({"vegeta": machine.role, "batman": machine.batman.role("Other", trusts=BATMAN)})
    assert xsession.default_session(other) is other
    assert who(xsession.get_client("sts", "batman")) == BATMAN
    assert xsession.get_client("sts", "vegeta") is not before
    assert who(before) == VEGETA


@pytest.mark.usefixtures("machine")
def test_a_reset_reads_the_files_again() -> None:
    """Clients of before stay valid, and the next use makes a new session."""
    before, client = xsession.default_session(), xsession.get_client("sts", "vegeta")
    xsession.reset_default_session()
    assert xsession.default_session() is not before
    assert who(client) == VEGETA


def test_a_scoped_session_ends_with_its_block(machine: World) -> None:
    """Also where the block raises; blocks may be nested."""
    usual, first, second = xsession.default_session(), machine.session(), machine.session()
    with xsession.use_session(first):
        with xsession.use_session(second):
            assert xsession.default_session() is second
        with pytest.raises(ZeroDivisionError), xsession.use_session(second):
            raise ZeroDivisionError
        assert xsession.default_session() is first
    assert xsession.default_session() is usual


def test_a_scoped_session_is_not_seen_by_other_threads(machine: World) -> None:
    """Nor by tasks that began before it; those that it starts see it."""
    usual, other = xsession.default_session(), machine.session()
    seen: list[CrossAccountSession] = []

    async def look(begun: asyncio.Event) -> CrossAccountSession:
        await begun.wait()
        return xsession.default_session()

    async def main() -> tuple[CrossAccountSession, CrossAccountSession]:
        begun = asyncio.Event()
        earlier = asyncio.create_task(look(begun))
        await asyncio.sleep(0)
        with xsession.use_session(other):
            begun.set()
            return await earlier, await asyncio.create_task(look(begun))

    with xsession.use_session(other):
        thread = threading.Thread(target=lambda: seen.append(xsession.default_session()))
        thread.start()
        thread.join()
    assert seen == [usual]
    assert asyncio.run(main()) == (usual, other)


@pytest.mark.usefixtures("machine")
def test_a_forked_child_goes_on_with_it() -> None:
    """And may replace it without a trace in the parent."""
    usual = xsession.default_session()
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            same = xsession.default_session() is usual and who(xsession.get_client("sts", "vegeta")) == VEGETA
            xsession.reset_default_session()
            failed = not (same and xsession.default_session() is not usual)
        finally:
            os._exit(failed)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert xsession.default_session() is usual


@pytest.mark.parametrize("session", ["vegeta", object(), CrossAccountSession])
def test_what_is_no_session_is_refused(session: CrossAccountSession) -> None:
    """At once, and not at the first `get_client`."""
    with pytest.raises(ConfigError, match="CrossAccountSession"):
        xsession.default_session(session)
    with pytest.raises(ConfigError, match="CrossAccountSession"), xsession.use_session(session):
        pass


def test_importing_it_makes_no_session() -> None:
    """A library built on us reads no file by being imported; a session that is set afterwards is honoured."""
    code = """
import sys
import boto3, botocore.httpsession
def hook(event, args):
    if watching and event == "open" and "xsession.toml" in str(args[0]) or event.startswith("socket."):
        print(event, args)
watching = True
sys.addaudithook(hook)
from xsession import CrossAccountSession, default_session, get_client
own = CrossAccountSession({"vegeta": "arn:aws:iam::222222222222:role/Reader"})
print(default_session(own) is own, default_session() is own)
"""
    assert run_python(code) == "True True\n"
