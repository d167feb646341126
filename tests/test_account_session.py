from __future__ import annotations

import asyncio
import inspect
import re
import statistics
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import CredentialResolver

from tests.support.cells import in_threads, until
from tests.support.notebooks import printed
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import SOURCE, AccountSession, ConfigError, CrossAccountSession, SessionClosedError
from xsession.events import RefreshStarted
from xsession.policies import allow
from xsession.testing import FakeClock, Fault


def test_it_is_a_boto3_session(world: World) -> None:
    """Everything that takes one takes it."""
    session = world.session()["vegeta"]
    assert isinstance(session, boto3.Session)
    assert session.region_name == "eu-west-1"
    assert "s3" in session.get_available_services()
    assert "s3" in session.get_available_resources()
    assert "aws" in session.get_available_partitions()
    assert "eu-west-1" in session.get_available_regions("s3")
    assert session.get_partition_for_region("cn-north-1") == "aws-cn"
    assert session.profile_name == world.source.profile_name
    assert session.available_profiles == world.source.available_profiles


def test_it_says_which_account_it_is_for(world: World) -> None:
    """Name, id and chain; and never a secret."""
    xs = world.session()
    session = xs["deep"]
    assert (session.name, session.account_id, session.chain) == ("deep", VEGETA, world.chain)
    shown = r"AccountSession\('deep', account_id='222222222222', region_name='eu-west-1', identity=[0-9a-f]{8}\)"
    assert re.fullmatch(shown, repr(session))
    assert str(session) == repr(session)
    assert xs[SOURCE].chain is None
    assert xs[SOURCE].account_id is None


def test_a_notebook_shows_the_account_and_its_region(world: World) -> None:
    """The region of its clients, which may be the session's; it is not reached for it."""
    session = world.session()["deep"]
    text = printed(session).splitlines()
    assert text[0].split() == ["account", "deep"]
    assert [line.split()[1] for line in text if line.startswith("region")] == ["eu-west-1"]
    assert all(role.role_arn in session._repr_html_() for role in world.chain)
    assert world.aws.calls == []


def test_it_is_made_lazily(world: World) -> None:
    """A client of its own needs no botocore session of its own."""
    session = world.session()["vegeta"]
    assert who(session.client("sts")) == VEGETA
    assert "_made" not in vars(session)
    assert session.events is not None
    assert "_made" in vars(session)


def test_each_client_is_the_callers_own(world: World) -> None:
    """As with boto3, each call makes a new one."""
    session = world.session()["vegeta"]
    assert session.client("sts") is not session.client("sts")
    assert session is not world.session().session("vegeta")


def test_the_session_of_an_account_is_one_object(world: World) -> None:
    """`xs["vegeta"]` in a loop makes nothing new; `session()` does."""
    xs = world.session()
    assert xs["vegeta"] is xs["vegeta"]
    assert xs["vegeta"] is not xs.session("vegeta")
    assert isinstance(xs["vegeta"], AccountSession)


def test_resources_act_in_the_account(world: World) -> None:
    """boto3's own, with upload and download."""
    bucket = world.bucket()
    resource = world.session()["vegeta"].resource("s3")
    assert [item.key for item in resource.Bucket(bucket).objects.all()] == ["scouter.csv"]
    resource.Object(bucket, "new.txt").put(Body=b"over 9000")
    assert resource.Object(bucket, "new.txt").get()["Body"].read() == b"over 9000"


def test_uploads_and_downloads_work(world: World, tmp_path: Any) -> None:
    """boto3's additions to the S3 client are there."""
    bucket = world.bucket()
    s3 = world.session()["vegeta"].client("s3")
    (tmp_path / "up").write_bytes(b"x" * 100_000)
    s3.upload_file(str(tmp_path / "up"), bucket, "big")
    s3.download_file(bucket, "big", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == b"x" * 100_000


@pytest.mark.parametrize("name", ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"])
@pytest.mark.parametrize("method", ["client", "resource"])
def test_keys_are_refused(world: World, method: str, name: str) -> None:
    """A client of account A must never act as another identity."""
    session = world.session()["vegeta"]
    with pytest.raises(ConfigError, match=name) as caught:
        getattr(session, method)("s3", **{name: "AKIAEXAMPLE"})
    assert caught.value.account == "vegeta"


def test_arguments_are_boto3s(world: World) -> None:
    """By position or by name; one that boto3 does not know is a TypeError as there."""
    session: Any = world.session()["vegeta"]
    client = session.client("s3", "us-west-2", None, False)
    assert client.meta.region_name == "us-west-2"
    with pytest.raises(TypeError):
        session.client("s3", colour="red")
    assert inspect.signature(AccountSession.client) == inspect.signature(boto3.Session.client)


def test_handlers_registered_on_the_session_reach_its_later_clients(world: World) -> None:
    """And neither those of other accounts, nor the shared ones."""
    xs = world.session()
    session = xs["vegeta"]
    seen: list[str] = []
    session.events.register("before-call.sts", lambda **_: seen.append("vegeta"))
    who(xs["deep"].client("sts"))
    who(xs.get_client("sts", "vegeta"))
    assert seen == []
    assert who(session.client("sts")) == VEGETA
    assert seen == ["vegeta"]


def test_what_is_set_on_its_botocore_session_reaches_its_later_clients(world: World) -> None:
    """Some libraries do that; other accounts see nothing of it."""
    xs = world.session()
    session: Any = xs["vegeta"]
    session._session.user_agent_extra = "library/1"
    session._session.set_default_client_config(Config(read_timeout=3))
    config = session.client("s3").meta.config
    assert "library/1" in config.user_agent
    assert config.read_timeout == 3
    other: Any = xs["deep"].client("s3")
    assert "library/1" not in other.meta.config.user_agent


def test_its_clients_outlive_it(world: World) -> None:
    """A client holds what it needs."""
    client = world.session().session("vegeta").client("sts")
    assert who(client) == VEGETA


def test_many_threads_may_touch_it_first(world: World) -> None:
    """They all see one botocore session."""
    session: Any = world.session()["vegeta"]
    barrier = threading.Barrier(16)

    def touch(_number: int) -> int:
        barrier.wait()
        return id(session._session)

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(touch, range(16)))) == 1


def test_threads_that_make_a_cold_accounts_clients_at_once_share_one_assume_role(world: World) -> None:
    """In boto3, a session that threads share loses their race for its loader."""
    session = world.session()["vegeta"]
    assert in_threads(64, lambda: who(session.client("sts"))) == [VEGETA] * 64
    assert world.aws.count("AssumeRole") == 1


def test_three_thousand_clients_look_the_source_up_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that makes one for each file asks neither STS nor the instance's metadata again."""
    lookups, load = [], CredentialResolver.load_credentials

    def counted(resolver: Any) -> Any:
        lookups.append(resolver)
        return load(resolver)

    monkeypatch.setattr(CredentialResolver, "load_credentials", counted)
    for name, value in world.aws.environ(world.key).items():
        monkeypatch.setenv(name, value)
    session = world.session(session=boto3.Session())["vegeta"]
    clients: list[Any] = [session.client("s3") for _ in range(3_000)]
    assert {client._request_signer._credentials.get_frozen_credentials().access_key for client in clients} == {
        session.get_credentials().get_frozen_credentials().access_key
    }
    assert world.aws.count("AssumeRole") == 1
    assert len(lookups) == 1


def test_refreshes_keep_the_principal(world: World) -> None:
    """Brokers end a connection whose ARN changes: https://github.com/aws/aws-msk-iam-sasl-signer-js/issues/27."""
    xs = world.session()
    sts, arns = xs.get_client("sts", "vegeta"), set()
    for _ in range(5):
        arns.add(sts.get_caller_identity()["Arn"])
        xs.invalidate("vegeta")
    assert world.aws.count("AssumeRole") == 5
    # Another session, as of another process: the same program has the same name.
    arns.add(world.session().whoami("vegeta").arn)
    assert len(arns) == 1


def test_a_call_in_a_coroutine_takes_no_longer_than_itself(world: World) -> None:
    """While STS hangs, ahead of the end: https://github.com/BerriAI/litellm/issues/40165."""
    clock = FakeClock()
    sts = world.session(clock=clock)["vegeta"].client("sts")

    async def held_up() -> list[float]:
        """The seconds for which the loop does nothing else, in each of some calls."""
        seconds = []
        for _ in range(20):
            began = time.perf_counter()
            who(sts)
            seconds.append(time.perf_counter() - began)
            await asyncio.sleep(0)
        return seconds

    before = statistics.median(asyncio.run(held_up()))
    world.aws.fail(Fault(operation="AssumeRole", kind="hang", times=None))
    clock.advance(3_300)
    seconds = asyncio.run(held_up())
    until(lambda: len(world.events.of(RefreshStarted)) == 2)
    world.aws.release()
    assert statistics.median(seconds) < before + 0.05
    # None of them waited: STS did not answer.
    assert max(seconds) < 1


def test_clients_of_its_botocore_session_are_the_accounts(world: World) -> None:
    """Some libraries go past boto3's session."""
    session: Any = world.session()["vegeta"]
    assert who(session._session.create_client("sts")) == VEGETA


def test_what_boto3_has_not_it_has_not_either(world: World) -> None:
    """An AttributeError as ever."""
    session: Any = world.session()["vegeta"]
    with pytest.raises(AttributeError, match="colour"):
        _ = session.colour


def test_credentials_keys_are_read_one_by_one_too(world: World) -> None:
    """Libraries that copy them out of boto3's object get current ones."""
    credentials: Any = world.session()["vegeta"].get_credentials()
    frozen = credentials.get_frozen_credentials()
    assert (credentials.access_key, credentials.secret_key, credentials.token) == tuple(frozen)[:3]
    assert credentials.account_id == VEGETA
    assert credentials.method == "assume-role"


def test_on_a_plain_path_it_works_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where templates are switched off, everything is botocore's own way."""
    monkeypatch.setenv("XSESSION_FAST_CLIENTS", "0")
    xs: CrossAccountSession = world.session()
    bucket = world.bucket()
    assert [item.key for item in xs["vegeta"].resource("s3").Bucket(bucket).objects.all()] == ["scouter.csv"]
    assert {who(xs[name].client("sts")) for name in ("vegeta", SOURCE)} == {VEGETA, BATMAN}


def test_its_shared_client_is_that_of_the_session(world: World) -> None:
    """One client for the account, whichever of the two is asked; another region is another client."""
    xs = world.session()
    sts = xs["vegeta"].get_client("sts")
    assert sts is xs.get_client("sts", account="vegeta")
    assert sts is xs["vegeta"].get_client("sts", region_name="eu-west-1")
    assert who(sts) == VEGETA
    other = xs["vegeta"].get_client("sts", region_name="us-east-1", config=Config(read_timeout=5))
    assert other is not sts
    assert other is xs.get_client("sts", account="vegeta", region_name="us-east-1", config=Config(read_timeout=5))
    assert xs["vegeta"].get_client("sts", use_ssl=False) is not sts


def test_a_narrowed_session_shares_no_client_with_the_broad_one(world: World) -> None:
    """What may do less has clients of its own."""
    xs = world.session()
    narrow = xs.session("vegeta", policy=allow("s3:GetObject"))
    assert narrow.get_client("sts") is narrow.get_client("sts")
    assert narrow.get_client("sts") is not xs.get_client("sts", account="vegeta")


def test_shared_clients_take_no_keys(world: World) -> None:
    """The account says whose credentials are used, and the keys are in no frame of the error."""
    with pytest.raises(ConfigError, match="a client takes no aws_secret_access_key") as caught:
        getattr(world.session()["vegeta"], "get_client")("sts", aws_secret_access_key="hunter2")  # noqa: B009
    frames = [frame for frame, _ in traceback.walk_tb(caught.tb) if "xsession" in frame.f_code.co_filename]
    assert not any("hunter2" in repr(value) for frame in frames for value in frame.f_locals.values())


def test_a_closed_session_shares_nothing_more(world: World) -> None:
    """As its `get_client`."""
    xs = world.session()
    session = xs["vegeta"]
    session.get_client("sts")
    xs.close()
    with pytest.raises(SessionClosedError, match="vegeta"):
        session.get_client("sts")


def test_a_grants_shared_clients_are_its_own(world: World) -> None:
    """They end with it, and the account's own clients are others."""
    xs = world.session()
    grant = xs.grant("vegeta", to="jane", duration=900)
    sts = grant.session.get_client("sts")
    assert sts is grant.session.get_client("sts")
    assert sts is not xs.get_client("sts", account="vegeta")
    assert who(sts) == VEGETA
