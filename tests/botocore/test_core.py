"""What holds for clients of both paths, the fast one and botocore's own."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import Stubber

from tests.worlds import BATMAN, BUCKET, VEGETA, World, who
from xsession._botocore.core import ClientCore
from xsession.testing.keys import Key


class Bench:
    """A core over a source that has no credentials of its own, with the keys of two accounts."""

    def __init__(self, world: World, *, fast: bool, config: Config | None = None) -> None:
        self.world = world
        self.core = ClientCore(world.aws.session(None), config, fast=fast)
        self.keys = {BATMAN: world.key, VEGETA: world.vegeta.user("prince")}

    def credentials(self, account_id: str = VEGETA) -> Credentials:
        """An account's, as botocore's object."""
        return as_credentials(self.keys[account_id])

    def client(self, service_name: str, account_id: str = VEGETA, **arguments: Any) -> Any:
        """A client of an account."""
        region = arguments.pop("region_name", "eu-west-1")
        return self.core.client(service_name, self.credentials(account_id), region, **arguments)


def as_credentials(key: Key) -> Credentials:
    """A key as botocore's object."""
    return Credentials(key.access_key_id, key.secret_access_key, key.session_token)


Make = Callable[..., Bench]


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def make(request: pytest.FixtureRequest, world: World) -> Make:
    """Makes benches of one path."""
    return lambda **options: Bench(world, fast=request.param, **options)


@pytest.fixture
def bench(make: Make) -> Bench:
    """One of each path."""
    return make()


def test_the_path_is_the_one_that_was_asked_for(bench: Bench, request: pytest.FixtureRequest) -> None:
    """The installed botocore has the shape that the fast one needs; nothing is reported."""
    bench.client("s3")
    fast = "fast" in request.node.name
    assert len(bench.core._templates) == int(fast)
    assert bench.core.take_problem() is None


def test_a_client_is_botocores(bench: Bench) -> None:
    """By type, with its exceptions, paginators and waiters."""
    bench.world.bucket()
    s3 = bench.client("s3")
    base: Any = botocore.client.BaseClient
    assert isinstance(s3, base)
    assert type(s3).__name__ == "S3"
    assert s3.meta.service_model.service_name == "s3"
    assert s3.can_paginate("list_objects_v2")
    assert "bucket_exists" in s3.waiter_names
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="missing")


def test_each_client_signs_with_its_own_accounts_key(bench: Bench) -> None:
    """Made before or after another's, and used in turn."""
    clients = [(account_id, bench.client("sts", account_id)) for account_id in (BATMAN, VEGETA) * 3]
    assert [who(client) for _, client in clients * 2] == [account_id for account_id, _ in clients * 2]


def test_many_threads_make_and_use_clients_at_once(bench: Bench) -> None:
    """From the first template on."""
    barrier = threading.Barrier(16)

    def work(number: int) -> bool:
        account_id = (BATMAN, VEGETA)[number % 2]
        barrier.wait()
        return all(who(bench.client("sts", account_id)) == account_id for _ in range(5))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))


def test_pagination_waiting_and_presigning_work(bench: Bench) -> None:
    """All that boto3 users do with S3."""
    bench.world.bucket()
    s3 = bench.client("s3")
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"k{number}", Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
    assert sum(page["KeyCount"] for page in pages) == 6
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="k0")
    url = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "k0"})
    assert bench.keys[VEGETA].access_key_id in url


def test_handlers_stay_on_their_client(bench: Bench) -> None:
    """Those before and those after."""
    one, other = bench.client("sts"), bench.client("sts")
    seen: list[str] = []
    one.meta.events.register("before-send.sts.GetCallerIdentity", lambda **_: seen.append("one"))
    who(other)
    who(bench.client("sts"))
    assert seen == []
    who(one)
    assert seen == ["one"]


def test_a_handler_may_change_a_request(bench: Bench) -> None:
    """Before it is signed; OpenTelemetry's and X-Ray's instrumentations do that."""
    sts = bench.client("sts")
    headers: list[Any] = []

    def add(request: Any, **_kwargs: Any) -> None:
        request.headers["X-Trace"] = "1"

    sts.meta.events.register_first("before-sign.sts.GetCallerIdentity", add)
    sts.meta.events.register("before-send.sts.GetCallerIdentity", lambda request, **_: headers.append(request.headers))
    assert who(sts) == VEGETA
    assert "x-trace" in str(headers[0]["Authorization"])


def test_closing_one_client_leaves_the_others_alive(bench: Bench) -> None:
    """And it goes on itself, as botocore's own do."""
    one, other = bench.client("sts", VEGETA), bench.client("sts", BATMAN)
    who(one)
    one.close()
    assert [who(one), who(other)] == [VEGETA, BATMAN]


def test_configuration_of_the_call_is_laid_over_the_sessions(make: Make) -> None:
    """Value by value."""
    bench = make(config=Config(read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}))
    plain, tuned = bench.client("s3"), bench.client("s3", config=Config(read_timeout=6))
    assert (plain.meta.config.read_timeout, tuned.meta.config.read_timeout) == (5, 6)
    assert tuned.meta.config.retries["total_max_attempts"] == 2


def test_a_clients_configuration_is_a_copy(world: World) -> None:
    """What somebody changes on one client is not changed on the next."""
    bench = Bench(world, fast=True, config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
    bench.client("s3").meta.config.retries["total_max_attempts"] = 99
    assert bench.client("s3").meta.config.retries["total_max_attempts"] == 2


def test_each_clients_retries_are_its_own(make: Make) -> None:
    """One that runs out of its quota leaves the others theirs."""
    bench = make(config=Config(retries={"mode": "standard"}))

    def quota(client: Any) -> object:
        handlers = client.meta.events._emitter._handlers.prefix_search("after-call.sts.GetCallerIdentity")
        owners = [getattr(handler, "__self__", None) for handler in handlers]
        (found,) = [owner for owner in owners if type(owner).__name__ == "RetryQuotaChecker"]
        return found

    assert quota(bench.client("sts")) is not quota(bench.client("sts"))


def test_pools_hold_as_many_connections_as_threads_share_them(bench: Bench) -> None:
    """botocore's ten would make them wait."""
    http = bench.client("s3")._endpoint.http_session
    assert http._max_pool_connections == 64
    tuned = bench.client("s3", config=Config(max_pool_connections=3))._endpoint.http_session
    assert tuned._max_pool_connections == 3


def test_other_connection_settings_are_another_pool(make: Make) -> None:
    """Timeouts and certificates of one client are not another's."""
    bench = make()
    sessions = {
        id(bench.client("s3", **arguments)._endpoint.http_session)
        for arguments in ({}, {"verify": False}, {"config": Config(read_timeout=9)}, {"config": Config(proxies={})})
    }
    assert len(sessions) >= 3


@pytest.mark.parametrize("wrong", [{"Bucket": "b", "MaxKeys": "many"}, {"Bukket": "b"}, {}])
def test_parameters_are_validated(bench: Bench, wrong: dict[str, Any]) -> None:
    """As with boto3."""
    with pytest.raises(ParamValidationError):
        bench.client("s3").list_objects_v2(**wrong)


def test_validation_can_be_switched_off(make: Make) -> None:
    """By configuration."""
    bench = make(config=Config(parameter_validation=False))
    with pytest.raises(ClientError):
        bench.client("iam").get_role()


def test_endpoints_are_the_calls_or_the_environments(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As boto3 has it."""
    bench = make()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1")
    assert bench.client("sqs").meta.endpoint_url == "http://127.0.0.1:1"
    assert bench.client("s3", endpoint_url="http://127.0.0.1:2").meta.endpoint_url == "http://127.0.0.1:2"


@pytest.mark.parametrize(
    ("service_name", "config", "expected"),
    [
        ("s3", Config(use_fips_endpoint=True), "https://s3-fips.us-west-2.amazonaws.com"),
        ("s3", Config(use_dualstack_endpoint=True), "https://s3.dualstack.us-west-2.amazonaws.com"),
        ("ec2", Config(use_fips_endpoint=True), "https://ec2-fips.us-west-2.amazonaws.com"),
        ("iam", None, "https://iam.amazonaws.com"),
        ("dynamodb", None, "https://dynamodb.us-west-2.amazonaws.com"),
    ],
)
def test_endpoints_follow_the_rules_of_the_service(service_name: str, config: Config | None, expected: str) -> None:
    """FIPS, dual stack, global services; no network is needed for that."""
    for fast in (True, False):
        core = ClientCore(boto3.Session(), fast=fast)
        client = core.client(service_name, Credentials("AKIAEXAMPLE", "s"), "us-west-2", config=config)
        assert client.meta.endpoint_url == expected


def test_account_based_endpoints_are_each_accounts_own() -> None:
    """DynamoDB's hosts hold the account's id: a resolver shared by accounts would mix them up."""
    hosts: list[str] = []

    def send(request: Any, **_kwargs: Any) -> _Ok:
        hosts.append(request.url)
        return _Ok()

    for fast in (True, False):
        core = ClientCore(boto3.Session(), Config(account_id_endpoint_mode="required"), fast=fast)
        for account_id in (BATMAN, VEGETA, BATMAN):
            credentials = Credentials("AKIAEXAMPLE", "s", None, account_id=account_id)
            dynamodb = core.client("dynamodb", credentials, "us-west-2")
            dynamodb.meta.events.register("before-send", send)
            dynamodb.list_tables()
    assert [host.partition(".")[0] for host in hosts] == [f"https://{name}" for name in (BATMAN, VEGETA, BATMAN)] * 2


class _Ok:
    """Stands for an answer, so that nothing is sent."""

    status_code = 200
    headers: dict[str, str] = {}  # noqa: RUF012 # never changed
    content = b"{}"
    text = "{}"


def test_botocores_stubber_works(bench: Bench) -> None:
    """Users' tests rely on it."""
    sts = bench.client("sts")
    with Stubber(sts) as stub:
        stub.add_response("get_caller_identity", {"Account": "999999999999"})
        assert sts.get_caller_identity()["Account"] == "999999999999"
    assert who(sts) == VEGETA


def test_handlers_that_are_added_to_botocore_later_reach_later_clients(bench: Bench) -> None:
    """moto adds its own when it is imported, and what it mocks must be mocked here too."""
    from botocore.handlers import BUILTIN_HANDLERS  # noqa: PLC0415 # only here

    who(bench.client("sts"))
    seen: list[str] = []
    added = ("before-send", lambda **_: seen.append("sent"))
    BUILTIN_HANDLERS.append(added)
    try:
        who(bench.client("sts"))
    finally:
        BUILTIN_HANDLERS.remove(added)
    assert seen == ["sent"]


def test_a_template_keeps_no_account_alive(bench: Bench) -> None:
    """It was made with nobody's credentials."""
    credentials = bench.credentials()
    held = weakref.ref(credentials)
    assert who(bench.core.client("sts", credentials, "eu-west-1")) == VEGETA
    del credentials
    gc.collect()
    assert held() is None


def test_clients_with_arguments_that_no_template_has_are_made_plainly(bench: Bench) -> None:
    """Whatever boto3 takes."""
    client = bench.client("sts", aws_account_id=None) if _takes_account_id() else bench.client("sts")
    assert who(client) == VEGETA


def _takes_account_id() -> bool:
    return "aws_account_id" in boto3.Session.client.__code__.co_varnames


def test_a_botocore_that_is_made_otherwise_is_used_in_its_own_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One report, no error, and clients that work."""
    original = botocore.client.BaseClient.__init__

    def changed(self: Any, *args: Any, colour: str | None = None, **kwargs: Any) -> None:
        assert colour is None
        original(self, *args, **kwargs)

    monkeypatch.setattr(botocore.client.BaseClient, "__init__", changed)
    bench = Bench(world, fast=True)
    assert who(bench.client("sts")) == VEGETA
    problem = bench.core.take_problem()
    assert problem is not None
    assert bench.core.take_problem() is None
    assert who(bench.client("sts", BATMAN)) == BATMAN


def test_an_emitter_that_is_made_otherwise_is_used_in_its_own_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, one layer below."""
    monkeypatch.setattr("xsession._botocore.core.SharedHandlers", lambda _events: 1 / 0)
    bench = Bench(world, fast=True)
    assert who(bench.client("sts")) == VEGETA
    assert bench.core.take_problem() == "ZeroDivisionError: division by zero"
    assert who(bench.core.boto3_session(bench.credentials(BATMAN), "eu-west-1").client("sts")) == BATMAN


def test_the_environment_switches_templates_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For whoever suspects them."""
    monkeypatch.setenv("XSESSION_FAST_CLIENTS", "0")
    core = ClientCore(world.aws.session(None))
    assert who(core.client("sts", as_credentials(world.key), "eu-west-1")) == BATMAN
    assert len(core._templates) == 0


def test_a_session_is_the_accounts_own(bench: Bench) -> None:
    """Its region and handlers are no other's; boto3's S3 additions are there once."""
    one = bench.core.boto3_session(bench.credentials(VEGETA), "eu-west-1")
    other = bench.core.boto3_session(bench.credentials(BATMAN), "us-west-2")
    assert (one.region_name, other.region_name) == ("eu-west-1", "us-west-2")
    assert [who(session.client("sts")) for session in (one, other)] == [VEGETA, BATMAN]
    assert hasattr(one.client("s3"), "upload_file")
    assert [fresh.untouched for fresh in (one, other)] == [bench.core._shared is not None] * 2


def test_bearer_tokens_of_the_source_are_not_used(bench: Bench) -> None:
    """They would act in the source's account."""
    session: Any = bench.core.boto3_session(bench.credentials(), "eu-west-1")
    assert session._session.get_auth_token() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_hard_21_a_forked_child_shares_no_connection(bench: Bench) -> None:
    """Parent and child use the same clients at the same time, and each gets its own answers."""
    clients = {account_id: bench.client("sts", account_id) for account_id in (BATMAN, VEGETA)}
    for client in clients.values():
        who(client)
    children = []
    for account_id in (BATMAN, VEGETA):
        child = os.fork()
        if not child:
            status = 1
            try:
                right = all(who(clients[account_id]) == account_id for _ in range(20))
                status = 0 if right and who(bench.client("sts", account_id)) == account_id else 2
            finally:
                os._exit(status)
        children.append(child)
    assert all(who(client) == account_id for _ in range(20) for account_id, client in clients.items())
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_fork_while_a_client_is_being_made_leaves_the_child_able_to_make_one(bench: Bench) -> None:
    """The lock that a thread of the parent held is nobody's in the child, and what it had begun is begun anew."""
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with bench.core._lock:
            held.set()
            go_on.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if who(bench.client("sts")) == VEGETA else 2
        finally:
            os._exit(status)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_close_leaves_clients_usable(bench: Bench) -> None:
    """It closes connections; a request opens another."""
    sts = bench.client("sts")
    who(sts)
    bench.core.close()
    assert who(sts) == VEGETA
