"""Events as OpenTelemetry spans and metrics.

Needs the extra: `pip install 'xsession[otel]'`. It brings OpenTelemetry's API; which SDK and exporters there are is the
program's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xsession._base import public
from xsession.errors import ConfigError
from xsession.events import (
    Event,
    Granted,
    GrantFailed,
    Invalidated,
    NeedsAttention,
    RefreshFailed,
    RefreshStarted,
    RefreshSucceeded,
    Revoked,
)

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["OpenTelemetryHook"]

_SHOWN: Mapping[type[Event], Mapping[str, str]] = {
    RefreshSucceeded: {
        "access_key_id": "xsession.access_key_id",
        "expiry": "xsession.expiry",
        "packed_policy_size": "xsession.packed_policy_size",
        "request_id": "aws.request_id",
    },
    RefreshFailed: {
        "retryable": "xsession.retryable",
        "next_try": "xsession.next_try",
        "remaining": "xsession.remaining",
    },
    Invalidated: {"access_key_id": "xsession.access_key_id", "reason": "xsession.reason"},
    NeedsAttention: {"message": "xsession.message"},
    Granted: {"grant_id": "xsession.grant_id", "access_key_id": "xsession.access_key_id"},
    GrantFailed: {"grant_id": "xsession.grant_id", "code": "error.type"},
    Revoked: {"revocation_id": "xsession.revocation_id", "enforced": "xsession.enforced"},
}
"""What of each event is shown, and as which attribute. Nothing else is: no person's name, reason or policy."""

_DURATION_BUCKETS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


@public
class OpenTelemetryHook:
    """Makes a span of each refresh and counts all events; pass it in `hooks=`.

    The span is a child of the one in which the caller waits for the credentials. A refresh in the background is a trace
    of its own, linked to the span of the request that began it. All other events are added to the span in which they
    happen. No attribute holds a secret, a token or an external id.

    Metrics: `xsession.refresh.duration`, a histogram in seconds with `error.type` where it failed; and
    `xsession.events`, a counter by `xsession.event`, the name of the event's class.

    Args:
        tracer_provider: Makes the spans; None: the program's global one.
        meter_provider: Makes the metrics; None: the program's global one.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        try:
            from opentelemetry import context, metrics, trace  # noqa: PLC0415 # an extra
        except ImportError as error:
            msg = "OpenTelemetry is not installed"
            raise ConfigError(msg, hint="pip install 'xsession[otel]'") from error
        self._context, self._trace = context, trace
        self._tracer = trace.get_tracer("xsession", tracer_provider=tracer_provider)
        meter = metrics.get_meter("xsession", meter_provider=meter_provider)
        self._durations = meter.create_histogram(
            "xsession.refresh.duration",
            unit="s",
            description="Time that a refresh took, the hops before included.",
            explicit_bucket_boundaries_advisory=_DURATION_BUCKETS,
        )
        self._events = meter.create_counter("xsession.events", unit="{event}", description="Events by kind.")
        # Where the refresh's own context has what began; hooks of two sessions don't meet there.
        self._key = context.create_key("xsession-refresh")

    def __call__(self, event: Event, /) -> None:
        """Takes one event."""
        self._events.add(1, {"xsession.event": type(event).__name__, **_metric_attributes(event)})
        if isinstance(event, RefreshStarted):
            self._begin(event)
        elif isinstance(event, RefreshSucceeded | RefreshFailed):
            self._end(event)
        else:
            self._trace.get_current_span().add_event(
                f"xsession.{type(event).__name__}", _attributes(event), _time(event)
            )

    def _begin(self, event: RefreshStarted) -> None:
        trace, context = self._trace, self._context
        caller = trace.get_current_span()
        # Of one that has ended meanwhile, nothing is a child either; spans of the SDK say that they have.
        apart = event.background or getattr(caller, "end_time", None) is not None
        linked = apart and caller.get_span_context().is_valid
        span = self._tracer.start_span(
            "xsession refresh",
            context=context.Context() if apart else None,
            attributes={**_attributes(event), "xsession.background": event.background},
            links=[trace.Link(caller.get_span_context())] if linked else None,
            start_time=_time(event),
        )
        # Never detached: a refresh has a context of its own, which ends with it.
        context.attach(context.set_value(self._key, (event, span), trace.set_span_in_context(span)))

    def _end(self, event: RefreshSucceeded | RefreshFailed) -> None:
        begun = self._context.get_value(self._key)
        if not isinstance(begun, tuple):
            return
        started, span = begun
        span.set_attributes(_attributes(event))
        if isinstance(event, RefreshFailed):
            span.set_attribute("error.type", _error_type(event))
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, event.message))
        seconds = event.duration if isinstance(event, RefreshSucceeded) else (event.at - started.at).total_seconds()
        self._durations.record(
            max(0.0, seconds), {**_metric_attributes(event), "xsession.background": started.background}
        )
        span.end(_time(event))


def _attributes(event: Event) -> dict[str, Any]:
    hop = {"xsession.account": event.account, "xsession.role_arn": event.role_arn, "xsession.hop": event.hop}
    own = {name: getattr(event, item) for item, name in _SHOWN.get(type(event), {}).items()}
    expiry = own.get("xsession.expiry")
    if expiry is not None:
        own["xsession.expiry"] = expiry.isoformat()
    return {name: value for name, value in {**hop, **own}.items() if value is not None}


def _metric_attributes(event: Event) -> dict[str, str]:
    attributes = {} if event.account is None else {"xsession.account": event.account}
    if isinstance(event, RefreshFailed):
        attributes["error.type"] = _error_type(event)
    if isinstance(event, Invalidated):
        attributes["xsession.reason"] = event.reason
    return attributes


def _error_type(event: RefreshFailed) -> str:
    return event.code or "_OTHER"


def _time(event: Event) -> int:
    return int(event.at.timestamp() * 1_000_000_000)
