from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.support.programs import run_python
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import CredentialsError, CrossAccountSession, Role
from xsession.events import RefreshFailed, RefreshStarted, RefreshSucceeded
from xsession.integrations import OpenTelemetryHook
from xsession.testing import FakeClock, LocalAWS

AT = datetime(2030, 1, 1, tzinfo=UTC)
EXTERNAL_ID = "spoken-between-friends"


class Telemetry:
    """OpenTelemetry's SDK with its in-memory exporters, and our hook."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._meter_provider = MeterProvider([self._reader])
        self.tracer = self.tracer_provider.get_tracer("tests")
        self.hook = OpenTelemetryHook(tracer_provider=self.tracer_provider, meter_provider=self._meter_provider)

    def spans(self, name: str = "xsession refresh") -> list[ReadableSpan]:
        """The spans of a name that have ended."""
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def points(self, metric: str) -> list[Any]:
        """The data points of a metric."""
        data = json.loads(self._reader.get_metrics_data().to_json())  # type: ignore[union-attr]  # there are some
        metrics = [one for scope in data["resource_metrics"][0]["scope_metrics"] for one in scope["metrics"]]
        return [point for one in metrics if one["name"] == metric for point in one["data"]["data_points"]]

    def everything(self) -> str:
        """All that exporters get to see."""
        spans = "".join(span.to_json() for span in self._exporter.get_finished_spans())
        return spans + str(self._reader.get_metrics_data())

    def close(self) -> None:
        """Ends the SDK's threads."""
        self.tracer_provider.shutdown()
        self._meter_provider.shutdown()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """One for the test."""
    made = Telemetry()
    yield made
    made.close()


@pytest.fixture
def world(local_aws: LocalAWS) -> Iterator[World]:
    """Batman, Vegeta and the hub."""
    made = World(local_aws)
    yield made
    made.close()


def session(world: World, telemetry: Telemetry, accounts: Any = None, **options: Any) -> CrossAccountSession:
    """A session that reports there, and to the world's events."""
    return world.session(accounts, hooks=[world.events, telemetry.hook], **options)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """A span's attributes."""
    return dict(span.attributes or {})


def test_a_refresh_is_a_span_of_its_caller(world: World, telemetry: Telemetry) -> None:
    """Though a thread of ours asks STS: https://github.com/open-telemetry/opentelemetry-python-contrib/issues/1009."""
    with telemetry.tracer.start_as_current_span("request") as request:
        session(world, telemetry).get_frozen_credentials("vegeta")
    (span,) = telemetry.spans()
    assert span.parent == request.get_span_context()
    told = attributes(span)
    (event,) = world.events.of(RefreshSucceeded)
    assert (told["xsession.account"], told["xsession.hop"], told["xsession.role_arn"]) == ("vegeta", 1, world.role)
    assert (told["xsession.access_key_id"], told["aws.request_id"]) == (event.access_key_id, event.request_id)
    assert told["xsession.background"] is False
    assert span.status.is_ok


def test_all_hops_are_spans_of_the_caller(world: World, telemetry: Telemetry) -> None:
    """Each in the same trace."""
    with telemetry.tracer.start_as_current_span("request") as request:
        session(world, telemetry).get_frozen_credentials("deep")
    spans = telemetry.spans()
    assert sorted(attributes(span)["xsession.hop"] for span in spans) == [1, 2]
    assert {span.context.trace_id for span in spans} == {request.get_span_context().trace_id}


@pytest.mark.parametrize("background", [True, False])
def test_a_refresh_that_outlives_the_request_is_linked_to_it(telemetry: Telemetry, *, background: bool) -> None:
    """One in the background, and one that somebody else waits for by now: it is no child of a span that has ended."""
    hop: Any = {"at": AT, "account": "vegeta", "role_arn": None, "hop": 1}
    with telemetry.tracer.start_as_current_span("request") as request:
        context = copy_context()
    context.run(telemetry.hook, RefreshStarted(**hop, background=background))
    failed: Any = {"code": None, "message": "no", "retryable": True, "next_try": 5.0, "remaining": 0.0}
    context.run(telemetry.hook, RefreshFailed(**hop, **failed))
    (span,) = telemetry.spans()
    assert span.parent is None
    assert [link.context for link in span.links] == [request.get_span_context()]
    assert attributes(span)["error.type"] == "_OTHER"


def until_spans(telemetry: Telemetry, count: int) -> None:
    """Waits for the hook after the one that keeps events."""
    ended = threading.Event()
    for _ in range(1_000):
        if len(telemetry.spans()) >= count:
            return
        ended.wait(0.005)
    pytest.fail(f"{len(telemetry.spans())} spans")


def test_a_failed_refresh_is_an_error(world: World, telemetry: Telemetry) -> None:
    """With AWS's code and sentence."""
    xs = session(world, telemetry, {"vegeta": world.vegeta.role("Closed", trusts=VEGETA)})
    with pytest.raises(CredentialsError):
        xs.get_frozen_credentials("vegeta")
    (span,) = telemetry.spans()
    assert attributes(span)["error.type"] == "AccessDenied"
    assert not span.status.is_ok
    assert "not authorized to perform: sts:AssumeRole" in str(span.status.description)


def test_refreshes_are_measured_and_events_are_counted(world: World, telemetry: Telemetry) -> None:
    """By account, and by error."""
    closed = world.vegeta.role("Closed", trusts=VEGETA)
    xs = session(world, telemetry, {"vegeta": world.role, "closed": closed})
    xs.warm()
    durations = {
        (point["attributes"]["xsession.account"], point["attributes"].get("error.type")): point["count"]
        for point in telemetry.points("xsession.refresh.duration")
    }
    assert durations == {("vegeta", None): 1, ("closed", "AccessDenied"): 1}
    counted = {point["attributes"]["xsession.event"] for point in telemetry.points("xsession.events")}
    assert counted == {"RefreshStarted", "RefreshSucceeded", "RefreshFailed"}


def test_other_events_are_on_the_span_in_which_they_happen(world: World, telemetry: Telemetry) -> None:
    """Such as credentials that were thrown away, with the reason."""
    xs = session(world, telemetry)
    xs.get_frozen_credentials("vegeta")
    with telemetry.tracer.start_as_current_span("request"):
        xs.invalidate("vegeta")
    (request,) = telemetry.spans("request")
    (event,) = request.events
    assert (event.name, (event.attributes or {})["xsession.reason"]) == ("xsession.Invalidated", "asked")


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Iterator[None]:
    """botocore and threads report too."""
    instrumentors: list[Any] = [
        BotocoreInstrumentor(),  # type: ignore[no-untyped-call]
        ThreadingInstrumentor(),
    ]
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@pytest.mark.usefixtures("instrumented")
def test_with_botocore_instrumented_each_call_is_one_span(world: World, telemetry: Telemetry) -> None:
    """AssumeRole's is a child of its refresh, and the request's own call one of the caller."""
    with telemetry.tracer.start_as_current_span("request") as request:
        assert who(session(world, telemetry).get_client("sts", "vegeta")) == VEGETA
    (refresh,) = telemetry.spans()
    (assumed,) = telemetry.spans("STS.AssumeRole")
    (asked,) = telemetry.spans("STS.GetCallerIdentity")
    assert assumed.parent == refresh.context
    assert asked.parent == request.get_span_context()
    assert refresh.parent in (request.get_span_context(), asked.context)


@pytest.mark.aio
@pytest.mark.usefixtures("instrumented")
def test_with_aiobotocore_instrumented_each_call_is_one_span(world: World, telemetry: Telemetry) -> None:
    """By clients of before and of afterwards; what awaits credentials is their refresh's parent."""
    pytest.importorskip("aiobotocore", reason="aiobotocore is not installed: run make test-async")
    from opentelemetry.instrumentation.botocore import AiobotocoreInstrumentor  # noqa: PLC0415 # it wraps that

    instrumentor: Any = AiobotocoreInstrumentor()  # type: ignore[no-untyped-call]

    async def main() -> None:
        aio = session(world, telemetry)["vegeta"].aio()
        async with aio.create_client("sts") as before:
            instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
            async with aio.create_client("sts") as after:
                for client in (before, after):
                    with telemetry.tracer.start_as_current_span("request"):
                        assert (await client.get_caller_identity())["Account"] == VEGETA

    try:
        asyncio.run(main())
    finally:
        instrumentor.uninstrument()
    requests, asked = telemetry.spans("request"), telemetry.spans("STS.GetCallerIdentity")
    assert [span.parent for span in asked] == [request.context for request in requests]
    (refresh,), (assumed,) = telemetry.spans(), telemetry.spans("STS.AssumeRole")
    assert (refresh.parent, assumed.parent) == (asked[0].context, refresh.context)


@pytest.mark.usefixtures("instrumented")
def test_threads_of_ours_stay_in_nobodys_trace(world: World, telemetry: Telemetry) -> None:
    """Instrumented threads go on in the span of whoever started them: ours serve others after that one's end."""
    clock = FakeClock()
    xs = session(world, telemetry, clock=clock)
    with telemetry.tracer.start_as_current_span("request"):
        xs.get_frozen_credentials("vegeta")
    world.events.clear()
    clock.advance(3_400)
    world.events.wait_for(RefreshSucceeded)
    until_spans(telemetry, 2)
    assert (telemetry.spans()[1].parent, telemetry.spans()[1].links) == (None, ())
    assert telemetry.spans("STS.AssumeRole")[1].parent == telemetry.spans()[1].context


@pytest.mark.usefixtures("instrumented")
def test_no_secret_is_exported(world: World, telemetry: Telemetry) -> None:
    """No key, token or external id, of calls that succeed and that fail, ours and botocore's own."""
    role = world.vegeta.role("Sealed", trusts=BATMAN, external_id=EXTERNAL_ID)
    known = {"good": Role(role, external_id=EXTERNAL_ID), "bad": Role(role, external_id=f"{EXTERNAL_ID}-not")}
    xs = session(world, telemetry, known)
    with telemetry.tracer.start_as_current_span("request"):
        credentials = xs.get_frozen_credentials("good")
        xs.invalidate()
        who(xs.get_client("sts", "good"))
        with pytest.raises(CredentialsError):
            xs.get_frozen_credentials("bad")
        newer = xs.get_frozen_credentials("good")
        xs.grant("good", to="contractor@example.com", duration=900)
    seen = telemetry.everything()
    assert "xsession.Invalidated" in seen
    assert "AccessDenied" in seen
    secrets = [world.key.secret_access_key, EXTERNAL_ID]
    secrets += [secret for one in (credentials, newer) for secret in (one.secret_access_key, str(one.session_token))]
    assert [secret for secret in secrets if secret in seen] == []


def test_without_opentelemetry_the_error_names_the_extra() -> None:
    """The module itself can be imported."""
    code = """
import sys
sys.modules["opentelemetry"] = None
from xsession import ConfigError
from xsession.integrations import OpenTelemetryHook
try:
    OpenTelemetryHook()
except ConfigError as error:
    print(error)
"""
    assert "pip install 'xsession[otel]'" in run_python(code)


def test_global_providers_are_the_default() -> None:
    """Without an SDK they do nothing, and nothing fails."""
    assert trace.get_current_span().is_recording() is False
    OpenTelemetryHook()
