"""Against the real aiobotocore: `make test-async`, with the newest and with the oldest that is claimed."""

from __future__ import annotations

import asyncio
import gc
import itertools
import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.config import Config

from tests.support.cells import in_threads
from tests.support.reporters import leaks
from tests.support.worlds import BATMAN, BUCKET, VEGETA, World
from xsession import Account, AccountSession, ConfigError, CrossAccountSession, RoleChain, XSessionError
from xsession.testing import FakeClock, Fault, LocalAWS

pytest.importorskip("aiobotocore", reason="aiobotocore is not installed: run make test-async")

pytestmark = pytest.mark.aio

_opened: list[str] | None = None
_looking: int | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: the files that the thread under watch opens, and the folders that it lists."""
    if _opened is not None and event in {"open", "os.listdir"} and threading.get_ident() == _looking:
        _opened.append(str(arguments[0]))


sys.addaudithook(_note)


@contextmanager
def opened_here() -> Iterator[list[str]]:
    """What this thread opens within the block."""
    global _opened, _looking  # noqa: PLW0603 # an audit hook stays for ever
    _opened, _looking = [], threading.get_ident()
    try:
        yield _opened
    finally:
        _opened = None


async def listed(session: AccountSession) -> list[str]:
    """The objects that a client of one call's own sees."""
    async with session.aio().create_client("s3") as s3:
        return [entry["Key"] for entry in (await s3.list_objects_v2(Bucket=BUCKET))["Contents"]]


async def who(session: Any, **options: Any) -> str:
    """The account that an STS client acts in, as the server sees it."""
    async with session.create_client("sts", **options) as sts:
        return str((await sts.get_caller_identity())["Account"])


@pytest.fixture
def vegeta(world: World) -> AccountSession:
    """The account's session; its bucket is there."""
    world.bucket()
    return world.session()["vegeta"]


def test_sync_and_async_code_cost_one_assume_role(world: World, vegeta: AccountSession) -> None:
    """They share the cell, also where they take turns."""
    for _ in range(3):
        objects: Any = vegeta.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
        assert asyncio.run(listed(vegeta)) == [entry["Key"] for entry in objects] == ["scouter.csv"]
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.parametrize("count", [6, 20])
def test_cold_clients_at_once_cost_one_assume_role(world: World, vegeta: AccountSession, count: int) -> None:
    """Each makes a client and calls."""

    async def main() -> None:
        assert await asyncio.gather(*(listed(vegeta) for _ in range(count))) == [["scouter.csv"]] * count

    asyncio.run(main())
    assert world.aws.count("AssumeRole") == 1


def test_fifty_cold_tasks_of_two_chains_cost_one_assume_role_for_each_hop(world: World) -> None:
    """Though both begin with the same role, and all come at once."""
    hub, last = world.chain.roles
    other = world.vegeta.role("Other", trusts=hub.role_arn)
    xs = world.session({"deep": world.chain, "other": RoleChain(hub, other)})

    async def main() -> set[str]:
        return set(await asyncio.gather(*(who(xs[name].aio()) for name in ("deep", "other") * 25)))

    assert asyncio.run(main()) == {VEGETA}
    assert [world.aws.count("AssumeRole", role_arn=arn) for arn in (hub.role_arn, last.role_arn, other)] == [1, 1, 1]


def test_loops_come_and_go(world: World, vegeta: AccountSession) -> None:
    """Three one after the other, as a function's handler has them, and two in threads of their own."""
    for _ in range(3):
        assert asyncio.run(listed(vegeta)) == ["scouter.csv"]
    assert in_threads(2, lambda: asyncio.run(listed(vegeta))) == [["scouter.csv"]] * 2
    assert world.aws.count("AssumeRole") == 1


def test_threads_share_a_cold_session(vegeta: AccountSession) -> None:
    """botocore makes a session's components with the first client, for one thread at a time; ours has them before."""
    assert in_threads(8, lambda: asyncio.run(listed(vegeta))) == [["scouter.csv"]] * 8


def test_an_open_client_outlives_its_credentials() -> None:
    """Over three expiries, one AssumeRole for each lifetime; the server refuses expired keys."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        world.bucket()
        xs = world.session(clock=clock)

        async def main() -> None:
            async with xs["vegeta"].aio().create_client("s3") as s3:
                for seconds in (0, 3_700, 3_700, 3_700):
                    # Not after the last call: what is due then is refreshed ahead, or is not yet.
                    clock.advance(seconds)
                    assert (await s3.head_object(Bucket=BUCKET, Key="scouter.csv"))["ContentLength"]

        asyncio.run(main())
        assert aws.count("AssumeRole") == 4
        world.close()


def test_rejected_credentials_are_replaced_within_the_call() -> None:
    """As in boto3's clients: the request is signed again, with others."""
    clock, ours = FakeClock(), FakeClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        world.bucket()
        xs = world.session(clock=ours)

        async def main() -> None:
            async with xs["vegeta"].aio().create_client("s3") as s3:
                assert (await s3.list_objects_v2(Bucket=BUCKET))["KeyCount"] == 1
                # They are over for the server, and good for us.
                clock.advance(3_700)
                ours.advance(600)
                assert (await s3.list_objects_v2(Bucket=BUCKET))["KeyCount"] == 1

        asyncio.run(main())
        assert aws.count("AssumeRole") == 2
        world.close()


def test_a_rejection_of_a_sources_own_keys_is_told(world: World) -> None:
    """There are no others: the source is looked at in a thread, and what AWS said is the caller's."""
    world.aws.fail(Fault(operation="GetCallerIdentity", code="ExpiredToken", status=403, times=None))
    xs = world.session({"batman": Account("batman")})
    with pytest.raises(Exception, match="ExpiredToken"):
        asyncio.run(who(xs["batman"].aio()))


def test_attributes_of_the_credentials_are_there(vegeta: AccountSession) -> None:
    """After the first await, they raise nothing."""

    async def main() -> None:
        credentials = await vegeta.aio().get_credentials()
        with pytest.raises(ConfigError, match="no credentials are held"):
            _ = credentials.access_key
        frozen = await credentials.get_frozen_credentials()
        assert (credentials.access_key, credentials.secret_key, credentials.token) == frozen[:3]
        assert await credentials.get_access_key() == credentials.access_key
        assert await credentials.get_secret_key() == credentials.secret_key
        assert await credentials.get_token() == credentials.token
        assert await credentials.get_account_id() in {None, VEGETA}
        assert credentials.account_id == await credentials.get_account_id()
        assert str(frozen.secret_key) not in repr(credentials)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(credentials)

    asyncio.run(main())


def test_an_account_without_a_hop(world: World) -> None:
    """Its own keys sign."""
    xs = world.session({"batman": Account("batman", account_id=BATMAN)})
    assert asyncio.run(who(xs["batman"].aio())) == BATMAN


def test_a_busy_executor_holds_up_nobody(vegeta: AccountSession) -> None:
    """Credentials come without it; aiohttp looks host names up by it, but not addresses."""
    gate = threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, gate.wait)
        try:
            credentials = await vegeta.aio().get_credentials()
            assert (await credentials.get_frozen_credentials()).access_key
        finally:
            gate.set()
            await busy

    asyncio.run(main())


def test_a_second_client_opens_no_file(vegeta: AccountSession) -> None:
    """Nor lists a folder: what the first one read is shared, with boto3's clients too."""
    vegeta.get_credentials().get_frozen_credentials()
    asyncio.run(listed(vegeta))

    async def main() -> None:
        assert await listed(vegeta)

    with asyncio.Runner() as runner:
        runner.get_loop()
        with opened_here() as opened:
            runner.run(main())
    assert opened == []


def test_nothing_is_left_open(world: World, vegeta: AccountSession, capfd: pytest.CaptureFixture[str]) -> None:
    """After the client's end and the session's, nobody warns."""
    asyncio.run(listed(vegeta))
    world.close()
    gc.collect()
    assert "Unclosed" not in capfd.readouterr().err


def test_after_close_nothing_is_signed(world: World) -> None:
    """By clients that were made before, too."""
    xs = world.session()

    async def main() -> None:
        async with xs["vegeta"].aio().create_client("sts") as sts:
            await sts.get_caller_identity()
            aio = xs["vegeta"].aio()
            xs.close()
            with pytest.raises(XSessionError, match="closed"):
                await sts.get_caller_identity()
            with pytest.raises(XSessionError, match="closed"):
                await who(aio)

    asyncio.run(main())


def test_settings_of_the_session_reach_its_clients(world: World) -> None:
    """Region, user agent, timeouts, and what a call lays over them."""
    config = Config(read_timeout=7, user_agent_extra="story")
    xs = world.session({"vegeta": Account("vegeta", world.role, region_name="eu-north-1")}, config=config)

    async def main() -> None:
        aio = xs["vegeta"].aio()
        async with aio.create_client("s3") as s3, aio.create_client("sqs", region_name="us-west-2") as sqs:
            assert (s3.meta.region_name, sqs.meta.region_name) == ("eu-north-1", "us-west-2")
            assert s3.meta.config.read_timeout == 7
            assert "story" in s3.meta.config.user_agent or "story" in str(vars(s3.meta.config))
            assert s3.meta.endpoint_url == world.aws.endpoint_url
        async with aio.create_client("s3", config=Config(read_timeout=9)) as s3:
            assert (s3.meta.config.read_timeout, s3.meta.config.max_pool_connections) == (9, 64)

    asyncio.run(main())


def test_keys_are_refused(vegeta: AccountSession) -> None:
    """The account says whose credentials are used; None is what libraries pass that have none."""
    aio = vegeta.aio()
    by_name = {"aws_secret_access_key": "a secret"}
    by_position = ["s3", None, None, True, None, None, "AKIA", "a secret"]
    for positional, named in ((["s3"], by_name), (by_position, {})):
        with pytest.raises(ConfigError, match="a client takes no aws_") as caught:
            aio.create_client(*positional, **named)
        assert leaks(caught.value, {"a key": "a secret"}, __file__) == []
    with pytest.raises(ConfigError, match="aws_access_key_id"):
        aio.set_credentials("AKIA", "a secret")
    assert asyncio.run(who(aio, aws_access_key_id=None, aws_secret_access_key=None)) == VEGETA


def test_it_is_one_object_with_a_name_of_its_own(world: World, vegeta: AccountSession) -> None:
    """Libraries cache by what it prints as: a narrowed session, and another session's, print as something else."""
    xs = world.session()
    aio = xs["vegeta"].aio()
    assert xs["vegeta"].aio() is aio
    assert repr(xs.session("vegeta").aio()) == repr(aio)
    others = [xs.session("vegeta", duration_seconds=900).aio(), vegeta.aio(), xs["deep"].aio()]
    for one, other in itertools.pairwise([aio, *others]):
        assert repr(one) != repr(other)
        assert one.__dask_tokenize__() != other.__dask_tokenize__()
    assert repr(aio).startswith("AioAccountSession('vegeta', account_id='222222222222', region_name=")


def test_it_is_pickled_by_its_account(vegeta: AccountSession) -> None:
    """What travels is the account's session, where that may travel."""
    make, (owner,) = vegeta.aio().__reduce__()
    assert owner is vegeta
    assert make(owner) is vegeta.aio()


def test_aioboto3_takes_it(world: World, vegeta: AccountSession) -> None:
    """It is a botocore session for it."""
    aioboto3 = pytest.importorskip("aioboto3", reason="aioboto3 pins an older aiobotocore than is installed here")
    session = aioboto3.Session(botocore_session=vegeta.aio())

    async def main() -> None:
        async with session.client("s3") as s3:
            assert (await s3.list_objects_v2(Bucket=BUCKET))["KeyCount"] == 1
        async with session.resource("s3") as s3:
            bucket = await s3.Bucket(BUCKET)
            assert [entry.key async for entry in bucket.objects.all()] == ["scouter.csv"]

    asyncio.run(main())
    assert world.aws.count("AssumeRole") == 1


def test_two_hundred_cold_accounts(world: World) -> None:
    """One AssumeRole each, all at once."""
    role = world.role
    accounts = {f"a{number:03}": {"role_arn": role, "role_session_name": f"a{number:03}"} for number in range(200)}
    xs: CrossAccountSession = world.session(accounts)

    async def main() -> None:
        credentials = [await xs[name].aio().get_credentials() for name in xs]
        frozen = await asyncio.gather(*(one.get_frozen_credentials() for one in credentials))
        assert len({one.access_key for one in frozen}) == 200

    asyncio.run(main())
    assert world.aws.count("AssumeRole") == 200
