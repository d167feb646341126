"""What holds for clients of both paths, the fast one and botocore's own."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import JSONFileLoader
from botocore.stub import Stubber

from tests.support.client_paths import KEY, Bench, Make, MakeCore, as_credentials
from tests.support.worlds import BATMAN, BUCKET, VEGETA, World, who
from xsession import Account, RoleChain
from xsession._botocore._core import ClientCore, Loaders
from xsession.testing import Fault


def test_the_path_is_the_one_that_was_asked_for(bench: Bench, request: pytest.FixtureRequest) -> None:
    """The installed botocore has the shape that the fast one needs; nothing is reported."""
    bench.client("s3")
    fast = "fast" in request.node.name
    assert len(bench.core._templates or ()) == int(fast)
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


def test_64_threads_make_and_use_clients_of_their_own_at_once(bench: Bench) -> None:
    """From the first template on."""
    barrier = threading.Barrier(64)

    def work(number: int) -> bool:
        account_id = (BATMAN, VEGETA)[number % 2]
        barrier.wait()
        sts = bench.client("sts", account_id)
        return all(who(sts) == account_id for _ in range(3))

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(work, range(64)))


def test_64_threads_use_one_client_at_once(bench: Bench) -> None:
    """While others make more of them."""
    sts = bench.client("sts")

    def work(number: int) -> str:
        return who(sts if number % 8 else bench.client("sts"))

    with ThreadPoolExecutor(64) as pool:
        assert set(pool.map(work, range(192))) == {VEGETA}


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


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_each_client_retries(make: Make, mode: Any) -> None:
    """As often as it was told to; those that share a template too."""
    bench = make(config=Config(retries={"mode": mode, "total_max_attempts": 2}))
    for _ in range(2):
        bench.world.aws.clear_calls()
        bench.world.aws.fail(Fault(operation="GetCallerIdentity", times=2))
        with pytest.raises(ClientError, match="InternalFailure"):
            who(bench.client("sts"))
        assert bench.world.aws.count("GetCallerIdentity") == 2


@pytest.mark.parametrize(
    ("mode", "event", "owner"),
    [
        ("standard", "after-call.sts.GetCallerIdentity", "RetryQuotaChecker"),
        ("adaptive", "after-call.sts.GetCallerIdentity", "RetryQuotaChecker"),
        ("adaptive", "before-send.sts.GetCallerIdentity", "ClientRateLimiter"),
    ],
)
def test_each_clients_retries_are_counted_for_it_alone(core: MakeCore, mode: Any, event: str, owner: str) -> None:
    """One that runs out of its quota, or is slowed down by throttling, leaves the others theirs."""
    made = core(config=Config(retries={"mode": mode}))

    def counter(client: Any) -> object:
        handlers = client.meta.events._emitter._handlers.prefix_search(event)
        owners = [getattr(handler, "__self__", None) for handler in handlers]
        (found,) = [found for found in owners if type(found).__name__ == owner]
        return found

    clients = [made.client("sts", KEY, "us-west-2") for _ in range(3)]
    assert len({id(counter(client)) for client in clients}) == 3


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
    """It was made without credentials."""
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


def test_the_environment_switches_templates_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For users who suspect them."""
    monkeypatch.setenv("XSESSION_FAST_CLIENTS", "0")
    core = ClientCore(world.aws.session(None))
    assert who(core.client("sts", as_credentials(world.key), "eu-west-1")) == BATMAN
    assert core._templates is None


def test_a_session_is_the_accounts_own(bench: Bench) -> None:
    """Its region and handlers are no other's; boto3's S3 additions are there once."""
    one = bench.core.boto3_session(bench.credentials(VEGETA), "eu-west-1")
    other = bench.core.boto3_session(bench.credentials(BATMAN), "us-west-2")
    assert (one.region_name, other.region_name) == ("eu-west-1", "us-west-2")
    assert [who(session.client("sts")) for session in (one, other)] == [VEGETA, BATMAN]
    assert hasattr(one.client("s3"), "upload_file")
    assert [fresh.untouched for fresh in (one, other)] == [bench.core._fast] * 2


def test_bearer_tokens_of_the_source_are_not_used(bench: Bench) -> None:
    """They would act in the source's account."""
    session: Any = bench.core.boto3_session(bench.credentials(), "eu-west-1")
    assert session._session.get_auth_token() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_forked_child_shares_no_connection(bench: Bench) -> None:
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
    """The lock that a thread of the parent held is free in the child, and what it had begun starts again."""
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


def test_cores_that_share_loaders_read_a_model_once(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # a fixture
    """Accounts with a source each, such as those of IAM Identity Center, would each read it again."""
    read: list[str] = []
    original = JSONFileLoader.load_file

    def load(loader: Any, path: str) -> Any:
        read.append(path)
        return original(loader, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", load)
    loaders = Loaders()
    for _ in range(3):
        core = ClientCore(boto3.Session(), loaders=loaders, fast=fast)
        core.client("sqs", KEY, "us-west-2")
    models = [path for path in read if path.endswith("service-2")]
    assert len(models) == 1


def test_the_accounts_of_a_session_share_what_was_read(world: World) -> None:
    """Whatever their sources are."""
    other = Account("other", source=world.aws.session(world.vegeta.user("nappa")))
    xs = world.session([Account("vegeta", chain=RoleChain(world.role)), other])
    clients: list[Any] = [xs.get_client("sts", name) for name in ("vegeta", "other")]
    assert [who(client) for client in clients] == [VEGETA, VEGETA]
    assert clients[0]._loader is clients[1]._loader
