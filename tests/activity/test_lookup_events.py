from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.support.clocks import PassingClock
from xsession._base import RateLimit
from xsession.activity._lookup_events import PAGE_SIZE, SECONDS_BETWEEN_REQUESTS, TrailEvent, lookup_events
from xsession.testing import FakeClock

START, END = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)


class ThrottledError(Exception):
    """What AWS answers to one who asks too often."""

    def __init__(self, code: str = "ThrottlingException") -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Client:
    """Answers LookupEvents from a script, and keeps when it was asked what."""

    def __init__(self, clock: FakeClock, *answers: Any) -> None:
        self._clock = clock
        self._answers = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []

    def lookup_events(self, **request: Any) -> Any:
        """The next answer."""
        self.requests.append(request)
        self.times.append(self._clock.boot())
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def clock() -> PassingClock:
    """Stands still but for waits."""
    return PassingClock()


def page(*ids: str, token: str | None = None) -> dict[str, Any]:
    """A page of events."""
    return {"Events": [{"EventId": identifier} for identifier in ids], "NextToken": token}


def read(client: Client, clock: FakeClock, attribute: tuple[str, str] | None = None) -> list[str]:
    """The ids of all events."""
    events = lookup_events(client, RateLimit(clock, SECONDS_BETWEEN_REQUESTS), attribute, START, END)
    return [str(event.entry["EventId"]) for event in events]


def test_pages_are_read_one_after_the_other(clock: PassingClock) -> None:
    """With the same question, two in a second."""
    client = Client(clock, page("a", "b", token="t1"), page(token="t2"), page("c"))
    assert read(client, clock, ("Username", "jane")) == ["a", "b", "c"]
    question = {
        "StartTime": START,
        "EndTime": END,
        "MaxResults": PAGE_SIZE,
        "LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": "jane"}],
    }
    assert client.requests == [question, {**question, "NextToken": "t1"}, {**question, "NextToken": "t2"}]
    assert [after - before for before, after in zip(client.times, client.times[1:], strict=False)] == [0.5, 0.5]


def test_without_an_attribute_all_are_asked_for(clock: PassingClock) -> None:
    """An empty list would be refused."""
    client = Client(clock, page("a"))
    assert read(client, clock) == ["a"]
    assert "LookupAttributes" not in client.requests[0]


def test_a_page_is_read_when_it_is_wanted(clock: PassingClock) -> None:
    """A reader of the first events does not wait for the last."""
    client = Client(clock, page("a", token="t"))
    pace = RateLimit(clock, SECONDS_BETWEEN_REQUESTS)
    assert next(iter(lookup_events(client, pace, None, START, END))).entry == {"EventId": "a"}
    assert len(client.requests) == 1


def test_who_is_throttled_asks_again_later(clock: PassingClock) -> None:
    """And later each time; the same page."""
    client = Client(clock, page("a", token="t"), ThrottledError(), ThrottledError(), page("b"))
    assert read(client, clock) == ["a", "b"]
    assert [request.get("NextToken") for request in client.requests] == [None, "t", "t", "t"]
    assert [after - before for before, after in zip(client.times, client.times[1:], strict=False)] == [0.5, 1.5, 3.5]


@pytest.mark.parametrize("code", ["SlowDown", "RequestLimitExceeded", "TooManyRequestsException", "RequestThrottled"])
def test_throttling_has_many_names(clock: PassingClock, code: str) -> None:
    """Those by which STS's calls know it too."""
    client = Client(clock, ThrottledError(code), page("a"))
    assert read(client, clock) == ["a"]


def test_throttling_that_does_not_end_is_an_error(clock: PassingClock) -> None:
    """After a minute."""
    client = Client(clock, *[ThrottledError() for _ in range(10)])
    with pytest.raises(ThrottledError):
        read(client, clock)
    assert len(client.requests) == 6
    assert 50 < client.times[-1] - client.times[0] < 70


def test_other_errors_are_not_tried_again(clock: PassingClock) -> None:
    """They would not go away."""
    client = Client(clock, OSError("no route"))
    with pytest.raises(OSError, match="no route"):
        read(client, clock)
    assert len(client.requests) == 1


@pytest.mark.parametrize("raw", [None, "", "{", "[1]", "null", '"text"', "[" * 100_000, '{"userIdentity": 1}'])
def test_an_event_that_is_not_as_aws_writes_them_is_read_all_the_same(raw: Any) -> None:
    """What can't be known is None."""
    event = TrailEvent.of({"EventId": "1", "CloudTrailEvent": raw, "Resources": [{"ResourceName": "i-1"}, {}, 7]})
    assert event.ids == {"1"}
    assert event.resources == ("i-1",)
    assert event.caller.name == "unknown"
    assert (event.issued_key_id, event.asked_name) == (None, None)
    assert event.at == datetime.min.replace(tzinfo=UTC)


def test_an_event_tells_its_ids_its_time_and_its_resources() -> None:
    """In UTC, and each resource once."""
    event = TrailEvent.of(
        {
            "EventId": "1",
            "EventTime": datetime(2030, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))),
            "Resources": [{"ResourceName": "i-1"}, {"ResourceName": "arn:aws:iam::1:role/R"}],
            "CloudTrailEvent": """{
                "sharedEventID": "2", "resources": [{"ARN": "arn:aws:iam::1:role/R"}, {"ARN": "arn:aws:iam::1:role/S"}],
                "requestParameters": {"roleSessionName": "jane"},
                "responseElements": {"credentials": {"accessKeyId": "ASIA1"}}
            }""",
        }
    )
    assert event.ids == {"1", "2"}
    assert event.at == datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert event.at.tzinfo is UTC
    assert event.resources == ("i-1", "arn:aws:iam::1:role/R", "arn:aws:iam::1:role/S")
    assert (event.issued_key_id, event.asked_name) == ("ASIA1", "jane")


# Sign-ins


def sign_in(name: str = "ConsoleLogin", result: str | None = "Success", **more: Any) -> TrailEvent:
    """An event of the console's sign-in."""
    document = {"eventSource": "signin.amazonaws.com", "eventName": name, "responseElements": {name: result}, **more}
    return TrailEvent.of({"CloudTrailEvent": json.dumps(document)})


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (sign_in(result="Failure", errorMessage="Failed authentication"), "Failed authentication"),
        (sign_in(result="Failure"), "Failure"),
        (sign_in("SwitchRole", "Failure", errorMessage="No"), "No"),
        (
            sign_in(result=None, errorMessage="No username found in supplied account"),
            "No username found in supplied account",
        ),
        (sign_in(result=None, errorCode="AccessDenied", errorMessage="no"), "AccessDenied"),
        (sign_in(eventSource="x", eventType="AwsConsoleSignin", responseElements=None, errorMessage="No"), "No"),
        (
            sign_in(
                "CredentialVerification",
                responseElements=None,
                serviceEventDetails={"CredentialVerification": "Failure"},
            ),
            "Failure",
        ),
    ],
)
def test_a_sign_in_that_failed_is_an_error(event: TrailEvent, error: str) -> None:
    """With AWS's words, where it has no code; whoever it was did not prove to be the caller."""
    assert (event.error, event.is_mere_attempt) == (error, True)


@pytest.mark.parametrize(
    "name", ["CheckMfa", "CredentialChallenge", "CredentialVerification", "PasswordRecoveryRequested"]
)
def test_who_has_begun_to_sign_in_has_proved_nothing(name: str) -> None:
    """Although it is no failure."""
    event = sign_in(name)
    assert (event.error, event.is_mere_attempt) == (None, True)


def test_who_signed_in_has_proved_who_it_is() -> None:
    """And so has whoever is denied something else."""
    assert (sign_in().error, sign_in().is_mere_attempt) == (None, False)
    denied = TrailEvent.of({"CloudTrailEvent": '{"errorCode": "AccessDenied", "eventSource": "ec2.amazonaws.com"}'})
    assert (denied.error, denied.is_mere_attempt) == ("AccessDenied", False)
