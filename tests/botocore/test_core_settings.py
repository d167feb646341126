"""Configuration, endpoints and errors, on both paths, as with plain boto3; nothing is sent but to loopback."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoAuthTokenError, ParamValidationError

from tests.support.client_paths import KEY, Bench, Make, MakeCore, answered, signed_by
from tests.support.worlds import BATMAN, VEGETA
from xsession._botocore import _template as fast_path
from xsession._botocore._core import ClientCore
from xsession.errors import UnknownRegionWarning

NONSENSE: Any = "nonsense"


def test_configuration_of_the_call_is_laid_over_the_sessions(make: Make) -> None:
    """Value by value."""
    bench = make(config=Config(read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}))
    plain, tuned = bench.client("s3"), bench.client("s3", config=Config(read_timeout=6))
    assert (plain.meta.config.read_timeout, tuned.meta.config.read_timeout) == (5, 6)
    assert tuned.meta.config.retries["total_max_attempts"] == 2


def test_a_clients_configuration_is_a_copy(core: MakeCore) -> None:
    """What is changed on one client is not changed on the next."""
    made = core(config=Config(retries={"mode": "standard", "total_max_attempts": 2}, s3={"addressing_style": "path"}))
    one = made.client("s3", KEY, "us-west-2").meta.config
    one.retries["total_max_attempts"], one.s3["addressing_style"], one.read_timeout = 99, "virtual", 1
    other = made.client("s3", KEY, "us-west-2").meta.config
    assert (other.retries["total_max_attempts"], other.s3["addressing_style"], other.read_timeout) == (2, "path", 60)


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
    ("service_name", "config"),
    [
        ("s3", Config(use_fips_endpoint=True)),
        ("s3", Config(use_dualstack_endpoint=True)),
        ("s3", Config(s3={"use_accelerate_endpoint": True})),
        ("ec2", Config(use_fips_endpoint=True)),
        ("ec2", Config(use_dualstack_endpoint=True)),
        ("iam", None),
        ("dynamodb", None),
        ("sts", None),
    ],
)
def test_endpoints_are_those_of_plain_boto3(core: MakeCore, service_name: str, config: Config | None) -> None:
    """FIPS, dual stack, global services."""
    plain: Any = boto3.Session("AKIA", "s").client(service_name, "us-west-2", config=config)  # type: ignore[call-overload]
    client = core().client(service_name, KEY, "us-west-2", config=config)
    assert client.meta.endpoint_url == plain.meta.endpoint_url


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("AWS_USE_FIPS_ENDPOINT", "true", "https://s3-fips.us-west-2.amazonaws.com"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true", "https://s3.dualstack.us-west-2.amazonaws.com"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:3", "http://127.0.0.1:3"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:4", "http://127.0.0.1:4"),
    ],
)
def test_the_environment_has_its_say(
    core: MakeCore, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    """As with plain boto3."""
    monkeypatch.setenv(variable, value)
    assert core().client("s3", KEY, "us-west-2").meta.endpoint_url == expected


def test_the_sources_profile_has_its_say(core: MakeCore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Retries, endpoints of services and the CA bundle of its section; its user agent too."""
    config = tmp_path / "config"
    config.write_text(
        "[profile p]\nmax_attempts = 7\nretry_mode = adaptive\nservices = mine\nca_bundle = /nowhere\n"
        "[services mine]\nsqs =\n  endpoint_url = http://127.0.0.1:5\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    source = boto3.Session(profile_name="p")
    source._session.user_agent_extra = "extra/1"
    sqs = core(source).client("sqs", KEY, "us-west-2")
    assert sqs.meta.endpoint_url == "http://127.0.0.1:5"
    assert sqs.meta.config.retries == {"mode": "adaptive", "total_max_attempts": 7}
    assert sqs._endpoint.http_session._verify == "/nowhere"
    assert "extra/1" in sqs.meta.config.user_agent


def _hosts(made: Any) -> list[str]:
    hosts = []
    for account_id in (BATMAN, VEGETA, BATMAN):
        dynamodb = made.client("dynamodb", Credentials("AKIAEXAMPLE", "s", None, account_id=account_id), "us-west-2")
        requests = answered(dynamodb)
        dynamodb.list_tables()
        hosts.append(requests[0].url.partition(".")[0])
    return hosts


has_account_ids = pytest.mark.skipif(
    "account_id_endpoint_mode" not in Config.OPTION_DEFAULTS, reason="this botocore has no endpoints with account ids"
)


@has_account_ids
def test_account_based_endpoints_are_each_accounts_own(core: MakeCore) -> None:
    """DynamoDB's hosts hold the account's id: a resolver shared by accounts would mix them up."""
    made = core(config=Config(account_id_endpoint_mode="required"))
    assert _hosts(made) == [f"https://{name}" for name in (BATMAN, VEGETA, BATMAN)]


@has_account_ids
def test_a_resolver_that_is_shared_would_mix_accounts_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """That the test above would notice it, were the self-check not there to do so first."""
    monkeypatch.setattr(fast_path, "own_resolver", lambda resolver, *_: resolver)
    monkeypatch.setattr(fast_path.Template, "check", lambda _template: None)
    made = ClientCore(boto3.Session(), Config(account_id_endpoint_mode="preferred"), fast=True)
    assert _hosts(made) != [f"https://{name}" for name in (BATMAN, VEGETA, BATMAN)]


def test_unsigned_clients_sign_nothing(core: MakeCore) -> None:
    """As they were told to."""
    s3 = core().client("s3", KEY, "us-west-2", config=Config(signature_version=UNSIGNED))
    requests = answered(s3, b"<ListAllMyBucketsResult/>")
    s3.list_buckets()
    assert "Authorization" not in requests[0].headers


def test_services_with_bearer_tokens_get_none(core: MakeCore) -> None:
    """The source's would act in the source's account."""
    codecatalyst = core().client("codecatalyst", KEY, "us-west-2")
    answered(codecatalyst)
    with pytest.raises(NoAuthTokenError):
        codecatalyst.list_spaces()


def test_a_bearer_token_of_the_environment_is_not_used(core: MakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are signed with the account's key, as they are without it."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "of-the-source")
    bedrock = core().client("bedrock", KEY, "us-west-2")
    requests = answered(bedrock)
    bedrock.list_foundation_models()
    assert signed_by(requests[0]) == KEY.access_key


def test_services_without_rules_for_endpoints_work(
    core: MakeCore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as those that users bring themselves."""
    theirs = Path(botocore.__file__).parent / "data" / "cognito-identity" / "2014-06-30"
    model = next(theirs.glob("service-2.json*"))
    text = gzip.decompress(model.read_bytes()) if model.suffix == ".gz" else model.read_bytes()
    own = tmp_path / "models" / "power" / "2014-06-30"
    own.mkdir(parents=True)
    (own / "service-2.json").write_bytes(text)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    made = core()
    for key in (KEY, Credentials("AKIAOTHER", "s")):
        power = made.client("power", key, "us-west-2")
        requests = answered(power)
        power.list_identity_pools(MaxResults=1)
        assert signed_by(requests[0]) == key.access_key
        assert power._ruleset_resolver is None
    assert made.take_problem() is None


def test_client_plugins_are_called_for_each_client(
    core: MakeCore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where botocore has them."""
    pytest.importorskip("botocore.plugin")
    (tmp_path / "power_plugin.py").write_text(
        "clients = []\ndef initialize_client_plugin(client):\n    clients.append(client)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("BOTOCORE_EXPERIMENTAL__PLUGINS", "power=power_plugin")
    made = core()
    one, other = made.client("sts", KEY, "us-west-2"), made.client("sts", KEY, "us-west-2")
    plugged = sys.modules["power_plugin"].clients
    assert [client in plugged for client in (one, other)] == [True, True]
    assert made.take_problem() is None


def test_client_side_monitoring_is_switched_on_for_each_client(core: MakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment asks for it."""
    monkeypatch.setenv("AWS_CSM_ENABLED", "true")
    made, monitors = core(), []
    for _ in range(2):
        events: Any = made.client("sts", KEY, "us-west-2").meta.events
        handlers = events._emitter._handlers.prefix_search("response-received.sts.GetCallerIdentity")
        monitors += [handler.__self__ for handler in handlers if type(handler.__self__).__name__ == "Monitor"]
    monitors[0]._publisher._socket.close()
    assert len(monitors) == 2
    assert made.take_problem() is None


@pytest.mark.parametrize(
    ("service_name", "region_name", "arguments"),
    [
        (NONSENSE, "us-west-2", {}),
        ("s3", "not a region", {}),
        ("sqs", None, {}),
        ("s3", "us-west-2", {"api_version": "1999-01-01"}),
        ("s3", "us-west-2", {"endpoint_url": "nowhere"}),
        ("s3", "us-west-2", {"nonsense": 1}),
        ("s3", "us-west-2", {"config": Config(defaults_mode=NONSENSE)}),
    ],
)
def test_errors_are_those_of_plain_boto3(
    core: MakeCore, service_name: str, region_name: str | None, arguments: dict[str, Any]
) -> None:
    """By type and message; of an unknown region there is none, since it may be one of tomorrow."""
    with pytest.raises(Exception) as theirs:  # noqa: PT011 # whatever it is
        boto3.Session("AKIA", "s").client(service_name, region_name, **arguments)  # type: ignore[call-overload]
    made = core()
    with pytest.raises(type(theirs.value)) as ours:
        made.client(service_name, KEY, region_name, **arguments)
    assert str(ours.value) == str(theirs.value)
    assert made.take_problem() is None


def test_unknown_resources_are_boto3s_error(core: MakeCore) -> None:
    """With the list of those that there are."""
    with pytest.raises(Exception) as theirs:  # noqa: PT011 # whatever it is
        boto3.Session("AKIA", "s").resource(NONSENSE, "us-west-2")
    with pytest.raises(type(theirs.value)) as ours:
        core().boto3_session(KEY, "us-west-2").resource(NONSENSE)
    assert str(ours.value) == str(theirs.value)


def test_a_region_of_tomorrow_works(core: MakeCore) -> None:
    """As with plain boto3, but that it is told."""
    with pytest.warns(UnknownRegionWarning, match="mars-north-1"):
        client = core().client("sqs", KEY, "mars-north-1")
    assert client.meta.endpoint_url == "https://sqs.mars-north-1.amazonaws.com"


CONFIGS: list[dict[str, Any] | None] = [
    None,
    {},
    {"read_timeout": 7},
    {"connect_timeout": 4},
    {"defaults_mode": "mobile"},
]
# How the client names itself is compared elsewhere; pools are bigger than botocore's on purpose.
NOT_COMPARED = {"user_agent", "max_pool_connections"}
OPTIONS = sorted(set(Config.OPTION_DEFAULTS) - NOT_COMPARED)


@pytest.mark.parametrize("of_session", [None, {"read_timeout": 8}, {"defaults_mode": "mobile"}], ids=str)
@pytest.mark.parametrize("mode", [None, "legacy", "in-region"])
def test_a_defaults_mode_means_what_it_means_to_boto3(
    fast: bool, mode: str | None, of_session: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connect timeout included, which counts only where no config is passed; each option is compared."""
    if mode is not None:
        monkeypatch.setenv("AWS_DEFAULTS_MODE", mode)
    source = boto3.Session(KEY.access_key, KEY.secret_key, region_name="eu-west-1")
    if of_session is not None:
        source._session.set_default_client_config(Config(**of_session))
    core = ClientCore(source, fast=fast)
    session = core.boto3_session(KEY, "eu-west-1")
    for options in CONFIGS:
        kwargs: dict[str, Any] = {} if options is None else {"config": Config(**options)}
        theirs = source.client("sqs", **kwargs).meta.config
        for ours in (core.client("sqs", KEY, "eu-west-1", **kwargs), session.client("sqs", **kwargs)):
            found = [(name, getattr(ours.meta.config, name), getattr(theirs, name)) for name in OPTIONS]
            assert [difference for difference in found if difference[1] != difference[2]] == []
