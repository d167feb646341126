"""A botocore that changed its shape: users get its own way, one warning and one event, and never an exception."""

from __future__ import annotations

import copy
import inspect
import logging
import sys
from collections.abc import Callable
from typing import Any

import botocore.client
import botocore.endpoint
import botocore.hooks
import botocore.httpsession
import botocore.regions
import botocore.retries.quota
import botocore.retries.standard
import botocore.session
import botocore.signers
import pytest

from tests.support.client_paths import Bench
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import SOURCE
from xsession._botocore import _retries as retries
from xsession._botocore import _template as fast
from xsession.events import NeedsAttention

FAST_PATH = {
    f"xsession._botocore._{name}"
    for name in ("compatibility", "emitter", "http", "retries", "template", "template_copies")
}

hooks: Any = botocore.hooks  # its stubs leave the private parts out

READ = [
    (botocore.client.BaseClient, "_client_config"),
    (botocore.client.BaseClient, "_endpoint"),
    (botocore.client.BaseClient, "_exceptions_factory"),
    (botocore.client.BaseClient, "_loader"),
    (botocore.client.BaseClient, "_request_signer"),
    (botocore.client.BaseClient, "_response_parser"),
    (botocore.client.BaseClient, "_ruleset_resolver"),
    (botocore.client.BaseClient, "_serializer"),
    (botocore.client.BaseClient, "_user_agent_creator"),
    (botocore.client.ClientMeta, "config"),
    (botocore.client.ClientMeta, "endpoint_url"),
    (botocore.client.ClientMeta, "partition"),
    (botocore.client.ClientMeta, "region_name"),
    (botocore.client.ClientMeta, "service_model"),
    (botocore.endpoint.Endpoint, "http_session"),
    (botocore.hooks.EventAliaser, "_emitter"),
    (botocore.hooks.EventAliaser, "_event_aliases"),
    (botocore.hooks.HierarchicalEmitter, "_handlers"),
    (botocore.hooks.HierarchicalEmitter, "_unique_id_handlers"),
    (hooks._PrefixTrie, "_root"),
    (botocore.httpsession.ProxyConfiguration, "_proxies"),
    (botocore.httpsession.ProxyConfiguration, "_proxies_settings"),
    (botocore.httpsession.URLLib3Session, "_get_pool_manager_kwargs"),
    (botocore.httpsession.URLLib3Session, "_manager"),
    (botocore.httpsession.URLLib3Session, "_pool_classes_by_scheme"),
    (botocore.httpsession.URLLib3Session, "_proxy_config"),
    (botocore.httpsession.URLLib3Session, "_proxy_managers"),
    (botocore.regions.EndpointRulesetResolver, "_builtins"),
    (botocore.retries.standard.RetryHandler, "_retry_quota"),
    (botocore.retries.standard.RetryQuotaChecker, "_quota"),
    (botocore.retries.quota.RetryQuota, "_max_capacity"),
    (botocore.session.Session, "_get_internal_component"),
    (botocore.signers.RequestSigner, "region_name"),
    (botocore.signers.RequestSigner, "signature_version"),
    (botocore.signers.RequestSigner, "signing_name"),
]
WRITTEN = [
    (botocore.endpoint.Endpoint, "_event_emitter"),
    (botocore.regions.EndpointRulesetResolver, "_event_emitter"),
    (botocore.regions.EndpointRulesetResolver, "_instance_cache"),
    (botocore.signers.RequestSigner, "_credentials"),
    (botocore.signers.RequestSigner, "_event_emitter"),
]
OVERRIDDEN = [
    "_create_client_class",
    "_get_client_args",
    "_load_service_endpoints_ruleset",
    "_load_service_model",
    "_register_v2_standard_retries",
]


def named(case: tuple[type, str]) -> str:
    """A case as its test is called."""
    return f"{case[0].__name__}.{case[1]}"


@pytest.fixture(autouse=True)
def standard_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mode whose handlers are shared, and not the default of every botocore."""
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")


@pytest.fixture
def rename(monkeypatch: pytest.MonkeyPatch) -> Callable[[type, str], None]:
    """Has botocore call an attribute something else: it finds it itself, and the fast path does not."""

    def rename(owner: Any, name: str) -> None:
        get, put = owner.__getattribute__, owner.__setattr__

        def getattribute(item: Any, wanted: str) -> Any:
            if wanted == name and _asked_by_fast_path():
                msg = f"no attribute {name}"
                raise AttributeError(msg)
            return get(item, wanted)

        def setattribute(item: Any, wanted: str, value: Any) -> None:
            put(item, f"{wanted}, as it was called" if wanted == name and _asked_by_fast_path() else wanted, value)

        monkeypatch.setattr(owner, "__getattribute__", getattribute)
        monkeypatch.setattr(owner, "__setattr__", setattribute)

    return rename


def _asked_by_fast_path() -> bool:
    return sys._getframe(2).f_globals.get("__name__") in {*FAST_PATH, "xsession._botocore._connections"}


@pytest.mark.parametrize("case", [*READ, *WRITTEN], ids=named)
def test_clients_work_where_an_attribute_is_called_something_else(
    world: World, rename: Callable[[type, str], None], caplog: pytest.LogCaptureFixture, case: tuple[type, str]
) -> None:
    """Of every account and service; one warning and one event say that they are made otherwise."""
    rename(*case)
    xs = world.session()
    with caplog.at_level(logging.WARNING, logger="xsession"):
        assert who(xs.get_client("sts", "vegeta")) == VEGETA
        assert who(xs.get_client("sts", SOURCE)) == BATMAN
        assert who(xs["vegeta"].client("sts")) == VEGETA
    assert len(caplog.records) == 1
    (event,) = world.events.of(NeedsAttention)
    assert "botocore's own way" in event.message


@pytest.mark.parametrize("case", READ, ids=named)
def test_clients_work_where_an_attribute_is_gone_after_the_check(
    world: World, rename: Callable[[type, str], None], case: tuple[type, str]
) -> None:
    """Those made before and those made after, and nothing is reported twice."""
    bench = Bench(world, fast=True)
    early = bench.client("sts", BATMAN)
    rename(*case)
    session = bench.core.boto3_session(bench.credentials(VEGETA), "eu-west-1")
    assert who(session.client("sts")) == VEGETA
    assert [who(early), who(bench.client("sts", VEGETA)), who(bench.client("sts", BATMAN))] == [BATMAN, VEGETA, BATMAN]
    bench.core.take_problem()
    assert who(bench.client("sts", BATMAN)) == BATMAN
    assert bench.core.take_problem() is None


@pytest.mark.parametrize("method", OVERRIDDEN)
def test_clients_work_where_a_method_is_called_something_else(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Overriding what botocore does not call would change nothing, or too little."""
    creator: Any = botocore.client.ClientCreator
    original = getattr(creator, method)
    for caller in ("create_client", "create_client_class", "_register_retries"):
        code = getattr(creator, caller).__code__
        names = tuple("_renamed" if name == method else name for name in code.co_names)
        monkeypatch.setattr(getattr(creator, caller), "__code__", code.replace(co_names=names))
    monkeypatch.setattr(creator, "_renamed", original, raising=False)
    monkeypatch.delattr(creator, method)
    bench = Bench(world, fast=True)
    assert [who(bench.client("sts", account_id)) for account_id in (BATMAN, VEGETA)] == [BATMAN, VEGETA]
    assert method in str(bench.core.take_problem())


def test_clients_work_where_they_take_another_argument(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that no caller could give them."""
    original = botocore.client.BaseClient.__init__

    def changed(self: Any, *args: Any, colour: str | None = None, **kwargs: Any) -> None:
        assert colour is None
        original(self, *args, **kwargs)

    known = inspect.signature(original)
    colour = inspect.Parameter("colour", inspect.Parameter.KEYWORD_ONLY, default=None)
    changed.__signature__ = known.replace(parameters=[*known.parameters.values(), colour])  # type: ignore[attr-defined]  # inspect's own way
    monkeypatch.setattr(botocore.client.BaseClient, "__init__", changed)
    bench = Bench(world, fast=True)
    assert who(bench.client("sts")) == VEGETA
    assert bench.core.take_problem() == "LookupError: clients take an argument colour"
    assert who(bench.client("sts", BATMAN)) == BATMAN


def test_clients_work_where_the_fast_path_can_not_be_imported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore lacks a class or a function that it needs."""
    monkeypatch.setitem(sys.modules, "xsession._botocore._template", None)
    bench = Bench(world, fast=True)
    assert who(bench.client("sts")) == VEGETA
    assert "ModuleNotFoundError" in str(bench.core.take_problem())
    assert who(bench.core.boto3_session(bench.credentials(BATMAN), "eu-west-1").client("sts")) == BATMAN


@pytest.mark.parametrize(
    ("name", "mutant", "difference"),
    [
        ("own_resolver", lambda resolver, *_: resolver, "parts of their own"),
        ("own_config", lambda config: config, "parts of their own"),
        ("own_config", copy.copy, "parts of their own"),
    ],
)
def test_a_client_that_shares_too_much_is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, mutant: Any, difference: str
) -> None:
    """Two accounts would have one resolver, and one account's endpoints be the other's."""
    monkeypatch.setattr(fast, name, mutant)
    bench = Bench(world, fast=True)
    bench.client("dynamodb")
    assert difference in str(bench.core.take_problem())


def test_clients_that_would_share_a_retry_quota_are_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One account's failures would end another's retries."""
    monkeypatch.setattr(retries, "_of_one_client", lambda owner, _renewed: owner)
    bench = Bench(world, fast=True)
    assert who(bench.client("sts")) == VEGETA
    assert bench.core.take_problem() == "LookupError: clients share what counts their retries"


def test_wrong_arguments_are_no_reason_to_give_up(world: World) -> None:
    """botocore refuses them in its own way too, and says why."""
    bench = Bench(world, fast=True)
    with pytest.raises(botocore.exceptions.UnknownServiceError):
        bench.client("nosuchservice")
    assert bench.core.take_problem() is None
    bench.client("sts")
    assert len(bench.core._templates or ()) == 1
