"""What clients share to decide about retries, and what counts for one of them alone."""

from __future__ import annotations

from typing import Any

import boto3
import botocore.retries.quota
import botocore.retries.standard
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.client_paths import KEY, Bench
from tests.support.worlds import VEGETA, World, who
from xsession._botocore._core import ClientCore
from xsession.testing import Fault

STANDARD = Config(retries={"mode": "standard", "total_max_attempts": 2})


def handlers(client: Any) -> tuple[Any, Any]:
    """The retry handler and what draws on its quota."""
    find = client.meta.events._emitter._handlers.prefix_search
    methods = find("needs-retry.sts.GetCallerIdentity") + find("after-call.sts.GetCallerIdentity")
    owners = {type(owner).__name__.removeprefix("New"): owner for method in methods if (owner := owner_of(method))}
    return owners["RetryHandler"], owners["RetryQuotaChecker"]


def owner_of(method: Any) -> Any:
    """The object of a bound method; None of a function."""
    return getattr(method, "__self__", None)


def clients(count: int) -> list[Any]:
    """Clients of one template."""
    core = ClientCore(boto3.Session(), STANDARD, fast=True)
    made = [core.client("sts", KEY, "us-west-2") for _ in range(count)]
    assert core.take_problem() is None
    return made


def test_what_decides_is_shared() -> None:
    """It only looks at a request and its answer."""
    one, other = (handlers(client)[0] for client in clients(2))
    assert one._retry_policy is other._retry_policy
    assert one._retry_event_adapter is other._retry_event_adapter


def test_a_handler_draws_on_its_own_clients_quota() -> None:
    """Which begins full, whatever became of the others'."""
    for handler, checker in map(handlers, clients(3)):
        assert handler._retry_quota is checker
        assert checker._quota.available_capacity == 500
        assert checker._quota.acquire(500)


def test_a_quota_that_is_used_up_ends_its_own_clients_retries(world: World) -> None:
    """The others go on being tried again."""
    bench = Bench(world, fast=True, config=STANDARD)
    spent, other = bench.client("sts"), bench.client("sts")
    handlers(spent)[1]._quota.acquire(500)
    bench.world.aws.fail(Fault(operation="GetCallerIdentity", times=2))
    with pytest.raises(ClientError, match="InternalFailure"):
        who(spent)
    assert who(other) == VEGETA


@pytest.mark.parametrize("unknown", ["RetryHandler", "RetryQuotaChecker", "ExponentialBackoff"])
def test_what_is_not_known_is_not_shared(monkeypatch: pytest.MonkeyPatch, unknown: str) -> None:
    """A new kind of handler may count for one client too: botocore then makes all of them for each."""
    standard: Any = botocore.retries.standard
    changed = type(f"New{unknown}", (getattr(standard, unknown),), {})
    monkeypatch.setattr(standard, unknown, changed)
    one, other = map(handlers, clients(2))
    assert one[0]._retry_policy is not other[0]._retry_policy
    assert one[1]._quota is not other[1]._quota


def counter(attribute: str) -> Any:
    """Has botocore's back-off count something in an attribute of its own."""
    standard: Any = botocore.retries.standard
    original = standard.ExponentialBackoff.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        setattr(self, attribute, 0)

    return standard.ExponentialBackoff, "__init__", init


def test_what_may_count_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is no setting known here."""
    monkeypatch.setattr(*counter("_seen"))
    one, other = map(handlers, clients(2))
    assert one[0]._retry_policy is not other[0]._retry_policy


def test_a_handler_that_is_no_method_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a function remembers can't be seen from outside."""
    standard: Any = botocore.retries.standard
    original = standard.register_retry_handler

    def register(client: Any, **kwargs: Any) -> Any:
        calls: list[object] = []
        client.meta.events.register("before-call.sts", lambda **event: calls.append(event))
        return original(client, **kwargs)

    monkeypatch.setattr(standard, "register_retry_handler", register)
    one, other = clients(2)
    (ours,), (theirs,) = (
        [handler for event, handler, _ in each.meta.events._emitter._handlers.own if event == "before-call.sts"]
        for each in (one, other)
    )
    assert ours is not theirs


def test_a_quota_is_as_large_as_botocore_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever that is in the installed version."""
    monkeypatch.setattr(botocore.retries.quota.RetryQuota.__init__, "__defaults__", (1_000, None))
    assert [handlers(client)[1]._quota.available_capacity for client in clients(2)] == [1_000, 1_000]
