from __future__ import annotations

import copy
import gc
import io
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.cells import until
from tests.support.notebooks import printed
from tests.support.worlds import BATMAN, HUB, VEGETA, World, who
from xsession import (
    SOURCE,
    Account,
    Accounts,
    AssumeRoleError,
    ConfigError,
    CredentialsError,
    CrossAccountSession,
    MemoryStore,
    RefreshPolicy,
    RefreshState,
    Role,
    RoleChain,
    SessionClosedError,
    SourceCredentialsError,
    UnknownAccountError,
    WrongAccountError,
    XSessionError,
)
from xsession.events import Event, Invalidated, RefreshSucceeded
from xsession.policies import allow, trust
from xsession.testing import FakeClock, Fault


def test_get_client_reads_another_accounts_bucket_which_the_source_may_not(world: World) -> None:
    """The promise: name the account, get the client."""
    bucket = world.bucket()
    with pytest.raises(ClientError, match="AccessDenied"):
        world.source.client("s3").get_object(Bucket=bucket, Key="scouter.csv")
    s3 = world.session().get_client("s3", account="vegeta")
    assert s3.get_object(Bucket=bucket, Key="scouter.csv")["Body"].read().startswith(b"name,level")


def test_get_client_makes_no_network_call(world: World) -> None:
    """As with boto3, the first request is the first to sign."""
    world.session().get_client("s3", "vegeta")
    assert world.aws.calls == []


def test_one_assume_role_serves_all_services_clients_and_sessions(world: World) -> None:
    """However many share a chain, STS is asked once."""
    xs = world.session()
    for client in (xs.get_client("sts", "vegeta"), xs["vegeta"].client("sts"), xs.session("vegeta").client("sts")):
        assert who(client) == VEGETA
    xs.get_client("iam", "vegeta").list_roles()
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA
    assert world.aws.count("AssumeRole") == 1


def test_a_chain_is_walked_hop_by_hop(world: World) -> None:
    """Each role is assumed with the credentials of the one before."""
    assert who(world.session().get_client("sts", "deep")) == VEGETA
    assumed = [(call.account_id, call.role_arn) for call in world.aws.calls if call.operation == "AssumeRole"]
    assert assumed == [(BATMAN, world.chain.roles[0].role_arn), (HUB, world.chain.last.role_arn)]


def test_a_chain_may_have_many_hops_with_options_of_their_own(world: World) -> None:
    """Here five: external id, duration, tags and source identity each on another one."""
    roles: list[Role] = []
    trusted = BATMAN
    options: list[dict[str, Any]] = [
        {"source_identity": "bruce"},
        {"external_id": "agreed-on"},
        {"duration_seconds": timedelta(minutes=20)},
        {"tags": {"team": "bats"}, "transitive_tag_keys": ["team"]},
        {"role_session_name": "at-last"},
    ]
    for number, given in enumerate(options):
        account = world.aws.account(f"{number + 4}" * 12)
        arn = account.role("Step", trusts=trusted, external_id=given.get("external_id"))
        roles.append(Role(arn, **given))
        trusted = arn
    xs = world.session({"far": RoleChain(*roles)})
    found = xs.get_frozen_credentials("far")
    assert found.arn == "arn:aws:sts::888888888888:assumed-role/Step/at-last"
    assert found.source_identity == "bruce"
    assert world.aws.count("AssumeRole") == 5


def test_chains_that_begin_alike_share_their_first_hop(world: World) -> None:
    """One AssumeRole of the hub for all accounts behind it."""
    hub = world.chain.roles[0].role_arn
    accounts = {}
    for number in range(5):
        arn = world.aws.account(f"90000000000{number}").role("R", trusts=hub)
        accounts[f"a{number}"] = RoleChain(hub, arn)
    assert world.session(accounts).warm().ok
    assert world.aws.count("AssumeRole", role_arn=hub) == 1
    assert world.aws.count("AssumeRole") == 6


def test_hops_with_other_options_are_not_shared(world: World) -> None:
    """The same role with another session policy is another identity."""
    narrow = Role(world.role, policy=allow("s3:GetObject"))
    xs = world.session({"wide": world.role, "narrow": narrow})
    wide, narrowed = (xs.get_frozen_credentials(name).access_key_id for name in ("wide", "narrow"))
    assert wide != narrowed


@pytest.mark.parametrize(("threads", "count"), [(16, 10), pytest.param(64, 50, marks=pytest.mark.slow)])
def test_many_threads_ask_for_many_cold_accounts(world: World, threads: int, count: int) -> None:
    """At most one AssumeRole per hop, and no error."""
    hub = world.chain.roles[0].role_arn
    accounts = {
        f"a{number}": RoleChain(hub, world.aws.account(f"9000000000{number:02}").role("R", trusts=hub))
        for number in range(count)
    }
    barrier = threading.Barrier(threads)

    with world.session(accounts) as xs, ThreadPoolExecutor(threads) as pool:

        def ask(thread: int) -> None:
            barrier.wait()
            for number in range(count):
                name = f"a{(number * 7 + thread) % count}"
                s3: Any = xs.get_client("s3", name)
                credentials = s3._request_signer._credentials.get_frozen_credentials()
                assert xs.get_frozen_credentials(name).access_key_id == credentials.access_key

        list(pool.map(ask, range(threads)))
    per_role = [world.aws.count("AssumeRole", role_arn=chain.last.role_arn) for chain in accounts.values()]
    assert per_role == [1] * count
    assert world.aws.count("AssumeRole", role_arn=hub) == 1


# Sources


def test_the_source_may_be_a_profile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name."""
    for name, value in world.aws.environ().items():
        monkeypatch.setenv(name, value)
    key = world.key
    world.aws.write_profiles(
        f"[profile bruce]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"
    )
    assert who(world.session(profile_name="bruce").get_client("sts", "vegeta")) == VEGETA


def test_the_source_may_be_the_environment(world: World) -> None:
    """Where neither a session nor a profile is named, boto3's default chain finds it."""
    with world.aws.applied(world.key):
        assert who(world.session(session=None).get_client("sts", "vegeta")) == VEGETA


def test_the_source_may_be_static_keys(world: World) -> None:
    """In a boto3 session, as boto3 has it."""
    key = world.key
    with world.aws.applied():
        source = boto3.Session(key.access_key_id, key.secret_access_key)
        assert who(world.session(session=source).get_client("sts", "vegeta")) == VEGETA


def test_each_account_may_have_a_source_of_its_own(world: World) -> None:
    """A boto3 session here; with hops and without."""
    joker = world.aws.account("999999999999")
    key = joker.user("joker")
    arn = joker.role("Laugh", trusts="999999999999")
    accounts = [
        Account("vegeta", world.role),
        Account("joker", arn, source=world.aws.session(key)),
        Account("jokers-own", source=world.aws.session(key), account_id="999999999999"),
    ]
    xs = world.session(accounts)
    found = [xs.whoami(name).arn for name in ("vegeta", "joker", "jokers-own")]
    assert [arn.split(":")[4] for arn in found] == [VEGETA, "999999999999", "999999999999"]
    assert found[2].endswith(":user/joker")


def test_an_account_with_a_profile_as_source(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with IAM Identity Center: a profile per account and no hop."""
    for name, value in world.aws.environ().items():
        monkeypatch.setenv(name, value)
    key = world.vegeta.user("prince")
    world.aws.write_profiles(
        f"[profile prince]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"
    )
    xs = world.session([Account("vegeta", source="prince", account_id=VEGETA)])
    assert xs.whoami("vegeta").arn == f"arn:aws:iam::{VEGETA}:user/prince"
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert world.aws.count("AssumeRole") == 0


def test_a_profile_that_does_not_exist_is_refused_at_once() -> None:
    """Before the network, and as our own error."""
    with pytest.raises(SourceCredentialsError, match="nobody"):
        CrossAccountSession({}, profile_name="nobody")


def test_a_source_without_credentials_says_so(world: World) -> None:
    """With the account that was asked for, and what to do."""
    xs = world.session(session=world.aws.session(None))
    with pytest.raises(SourceCredentialsError, match="no credentials") as caught:
        xs.get_frozen_credentials("vegeta")
    assert caught.value.account == "vegeta"
    assert caught.value.hop == 0
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)


def test_the_sources_own_refresh_is_respected(world: World) -> None:
    """Its credentials are read again for each AssumeRole."""
    import botocore.credentials  # noqa: PLC0415 # only this test makes such a source
    import botocore.session  # noqa: PLC0415

    first, second = world.key, world.batman.user("wayne")
    keys = iter([first, second])

    def refresh() -> dict[str, str]:
        key = next(keys)
        return {
            "access_key": key.access_key_id,
            "secret_key": key.secret_access_key,
            "token": "",
            "expiry_time": "2000-01-01T00:00:00Z" if key is first else "2999-01-01T00:00:00Z",
        }

    source = world.aws.session(None)
    inner: Any = source._session
    inner._credentials = botocore.credentials.DeferredRefreshableCredentials(refresh, "test")
    xs = world.session(session=source)
    with pytest.raises(CredentialsError):
        xs.whoami(SOURCE)  # botocore refuses what has expired when it is new
    assert xs.whoami(SOURCE).arn.endswith("user/wayne")


@pytest.mark.parametrize(
    ("session", "profile_name"), [(object(), None), (None, ""), (None, 7), (boto3.Session(), "bruce")]
)
def test_a_source_that_can_not_be_one_is_refused(session: Any, profile_name: Any) -> None:
    """Before anything else."""
    with pytest.raises(ConfigError):
        CrossAccountSession({}, session=session, profile_name=profile_name)


# How accounts are asked for


def test_an_account_is_a_name_an_id_a_role_a_chain_an_account_or_the_source(world: World) -> None:
    """Each reaches what it names."""
    xs = world.session()
    refs: list[Any] = ["vegeta", Role(world.role), world.chain, Account("x", world.role), SOURCE]
    assert [xs.whoami(ref).account_id for ref in refs] == [VEGETA] * 4 + [BATMAN]
    assert world.session({"only": world.role}).whoami(VEGETA).account_id == VEGETA


@pytest.mark.parametrize(
    "ref", [None, "", "arn:aws:iam::222222222222:role/Reader", 222222222222, ["vegeta"], b"vegeta"]
)
def test_what_names_no_account_is_refused(world: World, ref: Any) -> None:
    """A string is never an ARN, and there is no silent fallback to the source."""
    xs = world.session()
    for ask in (xs.session, xs.whoami, xs.get_frozen_credentials, xs.__getitem__, xs.invalidate):
        if (ask, ref) == (xs.invalidate, None):
            continue
        with pytest.raises(ConfigError):
            ask(ref)
    with pytest.raises(ConfigError):
        xs.get_client("s3", ref)
    assert world.aws.calls == []


def test_an_unknown_name_is_an_error_with_the_close_matches(world: World) -> None:
    """Never another account."""
    with pytest.raises(UnknownAccountError, match="did you mean vegeta"):
        world.session().get_client("s3", "vegetta")


def test_a_role_passed_to_a_call_takes_no_defaults_but_the_session_name(world: World) -> None:
    """It is not registered, so a default tag or policy is not meant for it."""
    xs = world.session(role_session_name="batman", tags={"team": "bats"}, policy=allow("s3:*"))
    assert xs.get_frozen_credentials(Role(world.role)).packed_policy_size is None
    registered = xs.get_frozen_credentials("vegeta")
    assert registered.packed_policy_size is not None
    assert registered.arn is not None
    assert registered.arn.endswith("/batman")


# The account in the answer


def test_credentials_of_another_account_are_not_handed_out(world: World) -> None:
    """A source that turned out to be someone else's is refused before a request is signed."""
    xs = world.session([Account("vegeta", account_id=VEGETA)])
    with pytest.raises(WrongAccountError, match=BATMAN) as caught:
        xs.get_client("s3", "vegeta").list_buckets()
    assert caught.value.account == "vegeta"
    assert world.aws.count("ListBuckets") == 0


def test_an_account_id_that_the_roles_arn_contradicts_is_refused(world: World) -> None:
    """Before the network."""
    with pytest.raises(ConfigError, match="333333333333"):
        Account("vegeta", world.role, account_id="333333333333")


# Clients


def test_the_same_question_gets_the_same_client(world: World) -> None:
    """By name, by position, by id, with the default region spelt out, and with an equal config."""
    xs = world.session({"only": world.role})
    client = xs.get_client("s3", "only")
    assert client is xs.get_client("s3", account="only")
    assert client is xs.get_client("s3", VEGETA)
    assert client is xs.get_client("s3", "only", region_name="eu-west-1")
    tuned = xs.get_client("s3", "only", config=Config(read_timeout=7))
    assert tuned is xs.get_client("s3", "only", config=Config(read_timeout=7))
    assert tuned is not client


def test_a_config_that_was_changed_says_what_it_says_now(world: World) -> None:
    """It is the same object, and asks for another client."""
    xs, config = world.session(), Config(region_name="eu-west-1")
    before = xs.get_client("sqs", "vegeta", config=config)
    assert xs.get_client("sqs", "vegeta", config=config) is before
    config.region_name = "us-east-1"  # type: ignore[attr-defined]  # the stubs name no option
    assert xs.get_client("sqs", "vegeta", config=config).meta.region_name == "us-east-1"
    assert before.meta.region_name == "eu-west-1"


@pytest.mark.parametrize(
    "other",
    [
        {"region_name": "us-west-2"},
        {"config": Config(read_timeout=9)},
        {"endpoint_url": "http://127.0.0.1:9"},
        {"use_ssl": False},
        {"verify": False},
        {"api_version": "2006-03-01"},
    ],
)
def test_whatever_shapes_a_client_makes_another_one(world: World, other: dict[str, Any]) -> None:
    """And the same twice is one."""
    xs = world.session()
    client = xs.get_client("s3", "vegeta", **other)
    assert client is not xs.get_client("s3", "vegeta")
    assert client is xs.get_client("s3", "vegeta", **other)


def test_clients_of_two_accounts_are_never_one(world: World) -> None:
    """Same service, region and configuration."""
    xs = world.session()
    assert {who(xs.get_client("sts", name)) for name in ("vegeta", SOURCE)} == {VEGETA, BATMAN}


@pytest.mark.parametrize("name", ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"])
def test_keys_are_refused_by_get_client(world: World, name: str) -> None:
    """A client of account A must never act as another identity; the key is not shown."""
    key: dict[str, Any] = {name: "AKIAEXAMPLE"}  # type checkers refuse it too
    with pytest.raises(ConfigError, match=name) as caught:
        world.session().get_client("s3", "vegeta", config=None, **key)
    assert "AKIAEXAMPLE" not in str(caught.value)


def test_a_client_works_after_its_credentials_were_replaced(world: World) -> None:
    """It asks for current ones at each signing."""
    xs = world.session()
    sts = xs.get_client("sts", "vegeta")
    paginator = xs["vegeta"].client("iam").get_paginator("list_roles")
    first = sts.get_caller_identity()["Account"]
    xs.invalidate("vegeta")
    assert sts.get_caller_identity()["Account"] == first == VEGETA
    assert {role["RoleName"] for page in paginator.paginate() for role in page["Roles"]} == {"FromHub", "Reader"}
    assert world.aws.count("AssumeRole") == 2
    assert len({call.access_key_id for call in world.aws.calls if call.operation == "GetCallerIdentity"}) == 2


def test_the_principal_stays_the_same_over_refreshes(world: World) -> None:
    """Brokers and databases end a connection that is authenticated again as somebody else."""
    xs = world.session()
    sts = xs.get_client("sts", "vegeta")
    arns = set()
    for _ in range(5):
        arns.add(sts.get_caller_identity()["Arn"])
        xs.invalidate("vegeta")
    assert world.aws.count("AssumeRole") == 5
    assert len(arns) == 1


def test_a_service_that_rejects_the_credentials_makes_them_be_replaced(world: World) -> None:
    """Someone revoked or deleted them: one retry with new ones, and the caller sees nothing of it."""
    clock = FakeClock()
    xs = world.session(clock=clock)
    sts = xs.get_client("sts", "vegeta")
    sts.get_caller_identity()
    clock.advance(11)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code="ExpiredToken"))
    assert who(sts) == VEGETA
    assert world.aws.count("AssumeRole") == 2
    assert [event.reason for event in world.events.of(Invalidated)] == ["rejected by a service"]


def test_region_precedence_is_call_account_session_source(world: World) -> None:
    """What is nearest to the call wins; the call's config counts as the call."""
    accounts = [Account("plain", world.role), Account("home", world.role, region_name="eu-central-1")]

    def region(xs: CrossAccountSession, account: str, **call: Any) -> object:
        client = xs.get_client("s3", account, **call)
        own = xs[account].client("s3", **call)
        assert own.meta.region_name == client.meta.region_name
        return client.meta.region_name

    of_source = world.session(accounts)
    of_config = world.session(accounts, config=Config(region_name="ca-central-1"))
    of_session = world.session(accounts, region_name="us-east-2", config=Config(region_name="ca-central-1"))
    assert region(of_source, "plain") == "eu-west-1"
    assert region(of_config, "plain") == "ca-central-1"
    assert region(of_session, "plain") == "us-east-2"
    assert region(of_session, "home") == "eu-central-1"
    assert region(of_session, "home", config=Config(region_name="sa-east-1")) == "sa-east-1"
    assert region(of_session, "home", region_name="us-west-1", config=Config(region_name="sa-east-1")) == "us-west-1"


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-eusc", "eusc-de-east-1")],
)
def test_partitions_come_out_of_the_arn(world: World, partition: str, region: str) -> None:
    """A chain in another partition asks the STS of that partition."""
    account = world.aws.account("777777777777", partition=partition)
    source = world.aws.session(account.user("u"))
    xs = world.session({"there": account.role("R", trusts="777777777777")}, session=source)
    identity = xs.whoami("there")
    assert identity.arn.startswith(f"arn:{partition}:sts::777777777777:assumed-role/R/")
    assert [call.region_name for call in world.aws.calls if call.operation == "AssumeRole"] == [region]


def test_client_defaults_of_the_source_reach_the_accounts_clients(world: World) -> None:
    """Retries, user agent, CA bundle, endpoint: what the source's session says holds for all."""
    world.aws.write_profiles(
        "[profile tuned]\nretry_mode = adaptive\nmax_attempts = 7\nca_bundle = /etc/hosts\n"
        f"services = here\nendpoint_url = {world.aws.endpoint_url}\n"
        "[services here]\ndynamodb =\n  endpoint_url = http://127.0.0.1:1\n"
    )
    with world.aws.applied(world.key):
        del os.environ["AWS_ENDPOINT_URL"]  # it would win over the file
        source = boto3.Session(profile_name="tuned")
        source._session.set_credentials(world.key.access_key_id, world.key.secret_access_key)
        source._session.user_agent_extra = "tests/1"
        source._session.set_default_client_config(Config(read_timeout=11))
        xs = world.session(session=source)
        clients: list[Any] = [xs.get_client("s3", "vegeta"), xs["vegeta"].client("s3")]
        for client in clients:
            assert client.meta.config.retries["mode"] == "adaptive"
            assert client.meta.config.retries["total_max_attempts"] == 7
            assert client.meta.config.read_timeout == 11
            assert "tests/1" in client.meta.config.user_agent
            assert client.meta.endpoint_url == world.aws.endpoint_url
            assert client._endpoint.http_session._verify == "/etc/hosts"
        assert xs.get_client("dynamodb", "vegeta").meta.endpoint_url == "http://127.0.0.1:1"


def test_the_sessions_config_is_laid_over_the_sources(world: World) -> None:
    """And the call's over that."""
    world.source._session.set_default_client_config(Config(read_timeout=11, connect_timeout=12, tcp_keepalive=True))
    xs = world.session(config=Config(connect_timeout=13))
    config: Any = xs.get_client("s3", "vegeta", config=Config(tcp_keepalive=False)).meta.config
    assert (config.read_timeout, config.connect_timeout, config.tcp_keepalive) == (11, 13, False)


def test_closing_a_shared_client_leaves_the_others_alive(world: World) -> None:
    """It is dropped from the cache, and its holder may go on using it."""
    xs = world.session()
    client = xs.get_client("sts", "vegeta")
    other = xs.get_client("sts", SOURCE)
    client.close()
    assert xs.get_client("sts", "vegeta") is not client
    assert [who(each) for each in (client, other)] == [VEGETA, BATMAN]


def test_handlers_registered_on_a_private_client_stay_there(world: World) -> None:
    """`xs[...].client` makes one of the caller's own."""
    xs = world.session()
    mine, shared = xs["vegeta"].client("sts"), xs.get_client("sts", "vegeta")
    seen: list[str] = []
    mine.meta.events.register("before-call.sts", lambda **_: seen.append("mine"))
    who(shared)
    assert seen == []
    who(mine)
    assert seen == ["mine"]


# Errors


def test_a_refusal_says_account_hop_role_code_request_id_and_what_to_do(world: World) -> None:
    """All that the person at 3 a.m. needs."""
    stranger = world.aws.account("999999999999").role("Closed", trusts="888888888888")
    xs = world.session({"deep": RoleChain(world.chain.roles[0], stranger)})
    with pytest.raises(AssumeRoleError, match="AccessDenied") as caught:
        xs.get_client("s3", "deep").list_buckets()
    error = caught.value
    assert (error.account, error.hop, error.role_arn, error.code) == ("deep", 2, stranger, "AccessDenied")
    assert not error.retryable
    for part in ("account 'deep'", "hop 2", stranger, "AccessDenied", f"request id {error.request_id}", "trust policy"):
        assert part in str(error)


def test_each_caller_gets_an_error_object_of_its_own(world: World) -> None:
    """One shared by all threads would collect all their tracebacks."""
    xs = world.session({"a": "arn:aws:iam::222222222222:role/Missing", "b": "arn:aws:iam::222222222222:role/Missing"})
    errors = []
    for name in ("a", "b", "a"):
        with pytest.raises(AssumeRoleError) as caught:
            xs.get_frozen_credentials(name)
        errors.append(caught.value)
    assert [error.account for error in errors] == ["a", "b", "a"]
    assert len({id(error) for error in errors}) == 3
    assert world.aws.count("AssumeRole") == 1


def test_whoami_says_so_when_sts_refuses(world: World) -> None:
    """It is no AssumeRole that failed."""
    xs = world.session()
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code="AccessDenied", times=None))
    with pytest.raises(CredentialsError, match="AccessDenied") as caught:
        xs.whoami("vegeta")
    assert type(caught.value) is CredentialsError
    assert caught.value.account == "vegeta"


# Secrets


def test_no_secret_appears_anywhere_at_debug(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Logs at DEBUG, events, reprs, errors, tracebacks: neither key, token, code nor external id."""
    arn = world.vegeta.role("Careful", trusts=BATMAN, external_id="agreed-on-secret")
    world.aws.expect_mfa_code("arn:aws:iam::111111111111:mfa/bruce", "123456")
    role = Role(arn, external_id="agreed-on-secret", mfa_serial="arn:aws:iam::111111111111:mfa/bruce")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    root.addHandler(handler)
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("botocore"):
            caplog.set_level(logging.DEBUG, name)
    codes = iter(["123456", "654321"])
    refresh = RefreshPolicy(patience=0.5)
    xs = world.session({"careful": role, "deep": world.chain}, mfa_code=lambda _serial: next(codes), refresh=refresh)
    shown: list[object] = [xs, xs["careful"], xs.accounts, role]
    secrets = []
    try:
        assert xs.warm().ok
        for name in ("careful", "deep"):
            credentials = xs.get_frozen_credentials(name)
            frozen = xs[name].get_credentials().get_frozen_credentials()
            secrets += [credentials.secret_access_key, credentials.session_token, frozen.secret_key]
            shown += [credentials, frozen, xs[name].get_credentials(), vars(xs), xs.whoami(name)]
        world.aws.fail(Fault(kind="garbage", operation="AssumeRole", times=None))
        xs.invalidate()
        for name in ("careful", "deep"):
            with pytest.raises(XSessionError) as caught:
                xs.get_frozen_credentials(name)
            shown.append("".join(traceback.format_exception(caught.value)))
    finally:
        root.removeHandler(handler)
    shown += [written.getvalue(), caplog.text, *world.events.events]
    text = "\n".join(map(repr, shown)) + "\n".join(map(str, shown))
    assert len(text) > 5_000
    for secret in [*secrets, world.key.secret_access_key, "123456", "654321", "agreed-on-secret"]:
        assert secret
        assert secret not in text


def test_events_tell_what_happened_and_hooks_can_not_break_it(world: World) -> None:
    """A hook that raises is logged and changes nothing."""

    def broken(event: Event) -> None:
        raise RuntimeError(type(event).__name__)

    xs = world.session(hooks=[broken, world.events])
    xs.get_frozen_credentials("vegeta")
    succeeded = world.events.of(RefreshSucceeded)
    assert [(event.account, event.role_arn, event.hop) for event in succeeded] == [("vegeta", world.role, 1)]


def test_a_session_is_a_container_of_names(world: World) -> None:
    """As what has xs["name"] should be; of what is not there, it says so and does not raise."""
    xs = world.session()
    assert "vegeta" in xs
    assert "nappa" not in xs
    assert list(xs) == ["vegeta", "deep"]
    assert len(xs) == 2


def test_a_session_without_accounts_is_true(world: World) -> None:
    """It still reaches its source, and roles that are not registered."""
    xs = world.session({})
    assert len(xs) == 0
    assert xs


def test_roles_with_one_name_are_each_verified(world: World) -> None:
    """They differ in their options; the second one's name gets a number."""
    one, other = Role(world.role), Role(world.role, role_session_name="other")
    outcomes = world.session().verify([one, other, one])
    names = [f"{VEGETA}-Reader", f"{VEGETA}-Reader-2"]
    assert [*outcomes] == names
    assert outcomes.results[names[1]].arn.endswith("/other")


def test_names_are_completed(world: World) -> None:
    """In notebooks and shells, by `xs["<tab>`; no account is reached for it."""
    xs = world.session()
    assert xs._ipython_key_completions_() == ["vegeta", "deep"]
    assert world.aws.calls == []


def test_five_thousand_names_are_completed_while_one_types() -> None:
    """Before any account was reached; less than 50 ms."""
    xs = CrossAccountSession({f"a{number}": "arn:aws:iam::222222222222:role/R" for number in range(5_000)})
    began = time.perf_counter()
    assert len(xs._ipython_key_completions_()) == 5_000
    assert time.perf_counter() - began < 0.05


def test_credentials_for_another_program_have_the_accounts_region(world: World) -> None:
    """Accounts with one chain share its credentials, but not their regions."""
    xs = world.session(
        [Account("eu", world.role, region_name="eu-central-1"), Account("us", world.role), Account("own", source="x")],
        region_name="us-west-2",
    )
    variables = {name: xs.get_frozen_credentials(name).environ() for name in ("eu", "us")}
    assert variables["eu"]["AWS_REGION"] == variables["eu"]["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert variables["us"]["AWS_REGION"] == variables["us"]["AWS_DEFAULT_REGION"] == "us-west-2"
    assert xs.get_frozen_credentials(SOURCE).environ()["AWS_REGION"] == "us-west-2"
    assert xs.get_frozen_credentials("eu") is xs.get_frozen_credentials("eu")
    assert world.aws.count("AssumeRole") == 1


# verify, warm, map


def test_verify_compares_with_the_account_that_was_expected(world: World) -> None:
    """Accounts that are fine have an identity, the others an error."""
    source = world.aws.session(world.hub.user("clerk"))
    xs = world.session([Account("vegeta", world.role), Account("wrong", source=source, account_id=VEGETA)])
    outcomes = xs.verify()
    assert not outcomes.ok
    assert outcomes.results["vegeta"].account_id == VEGETA
    assert isinstance(outcomes.errors["wrong"], WrongAccountError)


@pytest.mark.parametrize("ref", ["vegeta", VEGETA, Role("arn:aws:iam::222222222222:role/Reader")])
def test_one_account_needs_no_list(world: World, ref: str | Role) -> None:
    """A string is one name, not its letters."""
    xs = world.session({"vegeta": world.role})
    assert [outcome.ok for outcome in xs.verify(ref).values()] == [True]
    assert [outcome.ok for outcome in xs.warm(ref).values()] == [True]


@pytest.mark.parametrize("ref", [b"vegeta", "", 5])
def test_what_names_no_account_is_no_list_of_them(world: World, ref: Any) -> None:
    """Bytes are iterable too, and hold numbers."""
    with pytest.raises(ConfigError, match="names no account"):
        world.session().verify(ref)


def test_outcomes_are_seen_as_they_come(world: World) -> None:
    """In the caller's thread, each once; the answer keeps the order of the accounts."""
    seen: list[tuple[str, int]] = []
    outcomes = world.session().verify(progress=lambda outcome: seen.append((outcome.account, threading.get_ident())))
    assert sorted(seen) == [("deep", threading.get_ident()), ("vegeta", threading.get_ident())]
    assert list(outcomes) == ["vegeta", "deep"]


def test_roles_that_are_refused_alike_are_told_together(world: World) -> None:
    """Which ones, and why: each has a name, an account and a request of its own."""
    arns = {f"a{number}": world.aws.account(f"90000000000{number}").role("R", trusts=HUB) for number in range(3)}
    outcomes = world.session({"vegeta": world.role, **arns}).warm()
    (group,) = outcomes.failures
    assert group.accounts == ("a0", "a1", "a2")
    assert str(outcomes) == f"3 of 4 accounts failed:\n  a0, a1, a2: {outcomes.errors['a0']}"


def test_warm_assumes_ahead_of_time(world: World) -> None:
    """Afterwards nothing has to wait; one account's failure is its own."""
    xs = world.session({"vegeta": world.role, "gone": "arn:aws:iam::222222222222:role/Gone"})
    outcomes = xs.warm()
    assert set(outcomes.errors) == {"gone"}
    assert outcomes.results["vegeta"].account_id == VEGETA
    assert xs.warm(["vegeta"]).ok
    assert world.aws.count("AssumeRole", role_arn=world.role) == 1


# The end


def test_after_close_nothing_is_signed_any_more(world: World) -> None:
    """Neither by clients made before, nor are there new ones."""
    with world.session() as xs:
        clients = [xs.get_client("sts", "vegeta"), xs.get_client("sts", SOURCE)]
        own = xs["vegeta"]
    world.aws.clear_calls()
    for client in clients:
        with pytest.raises(SessionClosedError):
            who(client)
    for ask in (lambda: xs.get_client("sts", "vegeta"), lambda: xs["vegeta"], lambda: who(own.client("sts"))):
        with pytest.raises(SessionClosedError):
            ask()
    assert world.aws.calls == []


def test_status_tells_how_every_hop_stands(world: World) -> None:
    """Of the accounts used so far; hops that accounts share are in each one's rows."""
    xs = world.session({"vegeta": world.role, "deep": world.chain, "unused": world.role})
    assert list(xs.status()) == []
    xs.get_frozen_credentials("vegeta")
    world.vegeta.set_trust("FromHub", trust(VEGETA))
    with pytest.raises(AssumeRoleError):
        xs.get_frozen_credentials("deep")
    rows = [(hop.account, hop.hop, hop.state, hop.ok) for hop in xs.status()]
    assert rows == [
        ("vegeta", 1, RefreshState.FRESH, True),
        ("deep", 1, RefreshState.FRESH, True),
        ("deep", 2, RefreshState.REFUSED, False),
    ]
    assert "AccessDenied" in str(xs.status().of("deep")[1].last_error)


def test_close_may_be_called_twice(world: World) -> None:
    """The second time does nothing."""
    xs = world.session()
    xs.close()
    xs.close()


def test_close_leaves_no_thread(world: World) -> None:
    """Neither the workers', nor the timer that waits to refresh, nor those of warm()."""
    with world.session() as xs:
        assert xs.warm().ok
        assert who(xs.get_client("sts", "vegeta")) == VEGETA
        assert any(thread.name.startswith("xsession-") for thread in threading.enumerate())
    until(lambda: not any(thread.name.startswith("xsession-") for thread in threading.enumerate()))


def test_a_process_ends_while_refreshes_are_under_way(world: World, tmp_path: Path) -> None:
    """Threads that wait for STS do not keep the program: neither a caller's nor one of the background."""
    script = tmp_path / "ends.py"
    script.write_text(
        f"""
import sys, threading
from xsession import CrossAccountSession
xs = CrossAccountSession({{"vegeta": {world.role!r}}})
threading.Thread(target=xs.get_frozen_credentials, args=("vegeta",), daemon=True).start()
sys.stdin.readline()
sys.exit(3)
"""
    )
    world.aws.fail(Fault(operation="AssumeRole", kind="hang", times=None))
    environ = {**os.environ, **world.aws.environ(world.key)}
    [(_, hits)] = world.aws._faults._armed
    command, pipe = [sys.executable, str(script)], subprocess.PIPE
    with subprocess.Popen(command, env=environ, text=True, stdin=pipe, stderr=pipe) as process:
        until(lambda: hits[0] == 1, 30)
        _, written = process.communicate("\n", timeout=60)
    world.aws.release()
    assert process.returncode == 3, written
    # A process that waited for its threads would have seen all three tries of the call through.
    assert hits[0] < 3


def test_sessions_that_are_not_held_are_collected(world: World) -> None:
    """Neither fork handling nor the shared workers keep one alive."""

    def living() -> int:
        gc.collect()
        return sum(type(item) is CrossAccountSession for item in gc.get_objects())

    before = living()
    xs = world.session()
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    del xs
    world.forget()
    assert living() == before


# invalidate


def test_invalidate_leaves_the_hops_that_others_use(world: World) -> None:
    """Only the account's last hop is thrown away, and those that it has for itself."""
    hub = world.chain.roles[0].role_arn
    other = world.vegeta.role("Other", trusts=hub)
    xs = world.session({"deep": world.chain, "other": RoleChain(hub, other)})
    xs.warm()
    xs.invalidate("deep")
    xs.get_frozen_credentials("deep")
    assert world.aws.count("AssumeRole", role_arn=hub) == 1
    xs.invalidate()
    xs.get_frozen_credentials("other")
    assert world.aws.count("AssumeRole", role_arn=hub) == 2


# Pickling


def test_a_session_may_be_pickled_without_secrets(world: World) -> None:
    """The copy reads its own credentials, and has the same accounts."""
    with world.aws.applied(world.key):
        xs = world.session(session=None, hooks=(), region_name="eu-central-1", refresh=RefreshPolicy(patience=7))
        secret = xs.get_frozen_credentials("vegeta").secret_access_key
        pickled = pickle.dumps(xs)
        assert secret.encode() not in pickled
        assert world.key.secret_access_key.encode() not in pickled
        with pickle.loads(pickled) as copied:
            assert copied.accounts == xs.accounts
            assert copied.get_client("s3", "vegeta").meta.region_name == "eu-central-1"
            assert copied.whoami("vegeta").account_id == VEGETA


def test_a_copy_with_another_source_refuses_to_work(world: World) -> None:
    """The accounts were meant for the identity that pickled it."""
    with world.aws.applied(world.key):
        pickled = pickle.dumps(world.session(session=None, hooks=()))
    joker = world.batman.user("joker")
    with world.aws.applied(joker):
        copied = pickle.loads(pickled)
        for account in ("vegeta", SOURCE):
            with pytest.raises(SourceCredentialsError, match="joker"):
                copied.get_frozen_credentials(account)
    assert world.aws.count("AssumeRole") == 0


@pytest.mark.parametrize(
    "option",
    [
        {"hooks": [print]},
        {"mfa_code": lambda _serial: "123456"},
        {"store": MemoryStore()},
        {"session": boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="s" * 40)},
    ],
)
def test_what_belongs_to_this_process_is_not_pickled(option: dict[str, Any]) -> None:
    """Static keys and callables refuse, and say so."""
    xs = CrossAccountSession({}, **option)
    with pytest.raises(TypeError, match=next(iter(option))):
        pickle.dumps(xs)


def test_an_accounts_boto3_session_is_not_pickled() -> None:
    """It may hold static keys."""
    xs = CrossAccountSession([Account("vegeta", source=boto3.Session())])
    with pytest.raises(TypeError, match="vegeta"):
        pickle.dumps(xs)


def test_credentials_objects_are_not_pickled_or_copied(world: World) -> None:
    """A pickle would carry the secret."""
    xs = world.session()
    frozen = xs["vegeta"].get_credentials().get_frozen_credentials()
    for thing in (xs.get_frozen_credentials("vegeta"), frozen, xs["vegeta"].get_credentials(), xs["vegeta"]):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(thing)
        with pytest.raises(TypeError, match="not pickled"):
            copy.copy(thing)


# Files


def test_from_config_reads_the_file_that_is_named_or_found(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its path, by XSESSION_CONFIG, or in this folder; overrides win over the file's defaults."""
    text = f"""
        [defaults]
        role_session_name = "of-the-file"
        region_name = "eu-north-1"
        [accounts.vegeta]
        account_id = "{VEGETA}"
        role_name = "Reader"
        tags = {{ env = "prod" }}
    """
    (tmp_path / "xsession.toml").write_text(text)
    (tmp_path / "other.toml").write_text(text.replace("vegeta", "other"))
    monkeypatch.chdir(tmp_path)
    found = CrossAccountSession.from_config(session=world.source)
    assert found.get_frozen_credentials("vegeta").arn == f"arn:aws:sts::{VEGETA}:assumed-role/Reader/of-the-file"
    assert found["vegeta"].region_name == "eu-north-1"
    assert list(found.accounts.where(env="prod")) == ["vegeta"]
    monkeypatch.setenv("XSESSION_CONFIG", str(tmp_path / "other.toml"))
    named = CrossAccountSession.from_config(session=world.source, role_session_name="of-the-call")
    arn = named.get_frozen_credentials("other").arn
    assert arn is not None
    assert arn.endswith("/of-the-call")
    assert list(CrossAccountSession.from_config(tmp_path / "xsession.toml").accounts) == ["vegeta"]


def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path) -> None:
    """Path and key, before the network."""
    file = tmp_path / "xsession.toml"
    file.write_text('[accounts.vegeta]\nrole_arm = "arn:aws:iam::222222222222:role/R"\n')
    with pytest.raises(ConfigError, match=r"role_arn") as caught:
        CrossAccountSession.from_config(file)
    assert str(file) in str(caught.value)


def test_repr_tells_how_many_accounts_there_are(world: World) -> None:
    """And nothing that must not be seen."""
    xs = world.session()
    assert repr(xs) == str(xs) == "<CrossAccountSession: 2 accounts>"


def test_a_notebook_shows_a_sessions_accounts(world: World) -> None:
    """And reaches none for it."""
    xs = world.session()
    assert printed(xs) == f"{xs!r}\n{xs.accounts}"
    assert xs.accounts._repr_html_() in xs._repr_html_()
    assert world.aws.calls == []


def test_accounts_may_be_given_as_accounts(world: World) -> None:
    """They are taken as they are."""
    accounts = Accounts({"vegeta": world.role})
    assert world.session(accounts).accounts is accounts


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_forked_child_goes_on_with_connections_of_its_own(world: World) -> None:
    """Same clients, same credentials, no second AssumeRole, and answers reach the right process."""
    xs = world.session()
    sts = xs.get_client("sts", "vegeta")
    who(sts)
    child = os.fork()
    if not child:
        status = 1
        try:
            fresh = xs.get_client("sts", "vegeta")
            same = xs.get_client("sts", "vegeta") is fresh
            status = 0 if who(sts) == who(fresh) == VEGETA and same else 2
        finally:
            os._exit(status)
    assert who(sts) == VEGETA
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert world.aws.count("AssumeRole") == 1
