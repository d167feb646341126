from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.loaders import Loader, create_loader

from tests.support.scripted_sts import ROLE, SESSION_ARN, ScriptedSTS, answer, refusal, scripted_sts
from xsession import (
    AssumeRoleError,
    CredentialsError,
    Role,
    SourceCredentialsError,
    STSUnavailableError,
    WrongAccountError,
    XSessionError,
)
from xsession._aws._error_codes import FINAL
from xsession._botocore._core import ClientCore
from xsession._sts import _calls
from xsession._sts._calls import Sts
from xsession.refresh._lanes import Lane
from xsession.refresh._snapshot import Issued
from xsession.testing import FakeClock

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
CALLER = ReadOnlyCredentials("AKIAEXAMPLE", "secret-of-the-caller", None)


@dataclass(frozen=True)
class Bench:
    """An `Sts` that talks to a scripted one."""

    sts: Sts
    server: ScriptedSTS
    clock: FakeClock

    def assume(self, role: Role | None = None, *, hop: int = 1, lane: Lane | None = None) -> Issued:
        """Assumes a role."""
        role = role or Role(ROLE, role_session_name="name")
        return self.sts.assume_role(role, CALLER, hop=hop, region_name="eu-west-1", lane=lane)

    def refused(self, role: Role | None = None, *, hop: int = 1, lane: Lane | None = None) -> XSessionError:
        """Assumes a role, in vain."""
        with pytest.raises(XSessionError) as caught:
            self.assume(role, hop=hop, lane=lane)
        return caught.value


class CountedLane(Lane):
    """Lets every call go at once, and counts them."""

    entered = 0

    def enter(self) -> float:
        """One more call."""
        self.entered += 1
        return self._note()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench whose clocks say New Year."""
    with scripted_sts() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        clock = FakeClock(NEW_YEAR)
        server.date = NEW_YEAR
        session = boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1")
        yield Bench(Sts(ClientCore(session), clock=clock), server, clock)


def test_an_answer_becomes_credentials(bench: Bench) -> None:
    """With all that is known about them."""
    found = bench.assume().credentials
    assert (found.access_key_id, found.arn, found.user_id) == ("ASIAEXAMPLE", SESSION_ARN, "AROA:name")
    assert (found.account_id, found.request_id, found.lifetime) == ("222222222222", "request-1", 3_600.0)
    assert found.expiry == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_the_call_is_signed_by_the_caller_for_the_region(bench: Bench) -> None:
    """One client serves all callers, and never falls back to other credentials."""
    bench.assume()
    form, authorization = bench.server.requests[0]
    assert "Credential=AKIAEXAMPLE/20" in authorization
    assert "/eu-west-1/sts/aws4_request" in authorization
    assert "Action=AssumeRole" in form


def test_an_mfa_code_is_sent_with_its_serial(bench: Bench) -> None:
    """As STS wants them."""
    role = Role(ROLE, role_session_name="name", mfa_serial="arn:aws:iam::111111111111:mfa/bruce")
    bench.sts.assume_role(role, CALLER, hop=1, region_name="eu-west-1", mfa_code="123456")
    form = bench.server.requests[0][0]
    assert "TokenCode=123456" in form
    assert "SerialNumber=arn%3Aaws%3Aiam" in form


def test_an_answer_that_has_expired_already_is_a_failed_refresh(bench: Bench) -> None:
    """By AWS's own clock."""
    bench.server.body = answer(Expiration="2025-12-31T23:59:59Z")
    error = bench.refused()
    assert error.retryable
    assert "clock" in str(error)


@pytest.mark.parametrize(
    "changes",
    [
        {"SessionToken": None},
        {"SecretAccessKey": ""},
        {"AccessKeyId": None},
        {"Expiration": "yesterday"},
        {"Expiration": "NaN"},
        {"Expiration": None},
        {"Arn": None},
        {"Arn": "nonsense"},
    ],
)
def test_an_answer_that_lacks_something_is_a_failed_refresh(bench: Bench, changes: dict[str, str | None]) -> None:
    """It may be better next time, and nothing of it reaches an error."""
    bench.server.body = answer(**changes)
    error = bench.refused()
    assert isinstance(error, STSUnavailableError)
    assert error.code is None
    assert error.retryable
    text = "".join(traceback.format_exception(error))
    assert "secret-of-the-answer" not in text
    assert "token-of-the-answer" not in text


@pytest.mark.parametrize("body", ["", "<html>", b"\xff\xfe", "{}", answer()[:300]])
def test_garbage_is_a_failed_refresh(bench: Bench, body: str | bytes) -> None:
    """Whatever botocore raises on it."""
    bench.server.body = body
    error = bench.refused()
    assert isinstance(error, STSUnavailableError)
    assert error.code is None
    assert error.retryable
    assert "secret-of-the-answer" not in "".join(traceback.format_exception(error))


def test_an_expiry_ten_years_ahead_is_a_failed_refresh(bench: Bench) -> None:
    """Nothing that STS issues lives that long."""
    bench.server.body = answer(Expiration="2036-01-01T00:00:00Z")
    assert bench.refused().retryable


@pytest.mark.parametrize("minutes", [-4, 4, -240, 240])
def test_a_wrong_local_clock_cancels_out(bench: Bench, minutes: int) -> None:
    """Expiration and Date are both AWS's."""
    bench.clock.step_wall(minutes * 60)
    issued = bench.assume()
    assert issued.credentials.lifetime == 3_600.0
    assert issued.credentials.issued_at == datetime.fromtimestamp(NEW_YEAR, UTC) + timedelta(minutes=minutes)


def test_the_lifetime_counts_from_the_moment_of_sending(bench: Bench) -> None:
    """On a clock that does not step."""
    bench.clock.advance(50)
    bench.server.date = NEW_YEAR + 50
    assert bench.assume().sent_boot == bench.clock.boot()


def test_an_answer_without_a_date_is_taken(bench: Bench) -> None:
    """Proxies drop headers."""
    bench.server.date = None
    assert bench.assume().credentials.lifetime == 3_600.0


def test_an_answer_for_another_account_is_refused(bench: Bench) -> None:
    """Before anything is signed with it."""
    bench.server.body = answer(Arn="arn:aws:sts::333333333333:assumed-role/R/name")
    error = bench.refused()
    assert isinstance(error, WrongAccountError)
    assert (error.role_arn, error.hop, error.request_id) == (ROLE, 1, "request-1")


@pytest.mark.parametrize(
    "code", sorted(FINAL | {"AccessDeniedException", "RegionDisabledException", "ValidationException"})
)
def test_refusals_that_stay_are_not_retryable(bench: Bench, code: str) -> None:
    """Something has to be changed first."""
    bench.server.status, bench.server.body = 403, refusal(code)
    error = bench.refused(hop=2)
    assert isinstance(error, AssumeRoleError)
    assert (error.code, error.retryable, error.hop, error.request_id) == (code, False, 2, "request-2")
    assert len(bench.server.requests) == 1


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_a_dead_source_is_final_and_a_dead_hop_is_not(bench: Bench, code: str) -> None:
    """What STS issued a moment ago may not be known everywhere yet, and can be replaced."""
    bench.server.status, bench.server.body = 403, refusal(code)
    source, hop = bench.refused(hop=1), bench.refused(hop=2)
    assert isinstance(source, SourceCredentialsError)
    assert (source.retryable, hop.retryable) == (False, True)


def test_failures_that_may_go_away_are_retryable(bench: Bench) -> None:
    """Whatever is not known to stay; botocore tried three times."""
    bench.server.status, bench.server.body = 503, refusal("ServiceUnavailable")
    assert bench.refused().retryable
    assert len(bench.server.requests) == 3


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("RequestTimeTooSkewed", "The difference is too large."),
        ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z"),
        ("SignatureDoesNotMatch", "Signature not yet current: 20260101T003000Z is still later than 20260101T001500Z"),
    ],
)
@pytest.mark.parametrize(("minutes", "told"), [(20, "1200 s behind AWS's"), (-20, "1200 s ahead of AWS's")])
def test_a_skewed_clock_is_named_with_its_offset(
    bench: Bench, code: str, message: str, minutes: int, told: str
) -> None:
    """Measured by the answer's Date; it is no fault of the credentials."""
    bench.server.date = bench.clock.wall() + minutes * 60
    bench.server.status, bench.server.body = 403, refusal(code, message)
    error = bench.refused()
    assert error.hint == f"set the local clock: it is {told}"
    assert not error.retryable


def test_every_try_waits_in_the_lane_and_tells_it_how_it_ended(bench: Bench) -> None:
    """Those that botocore repeats included: two are throttled, the third is answered."""
    lane = CountedLane(bench.clock)
    lane._share = 0.1
    bodies = iter([refusal("Throttling"), refusal("Throttling"), answer()])

    def next_answer() -> None:
        bench.server.body = next(bodies)
        bench.server.status = 400 if "ErrorResponse" in str(bench.server.body) else 200

    bench.server.before = next_answer
    bench.assume(lane=lane)
    assert (lane.entered, len(bench.server.requests), lane.busy) == (3, 3, True)


def test_an_error_of_ours_is_no_sign_of_throttling(bench: Bench) -> None:
    """Nothing is held back after a refusal."""
    lane = Lane(bench.clock)
    bench.server.status, bench.server.body = 403, refusal("AccessDenied")
    bench.refused(lane=lane)
    assert not lane.busy


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("RequestTimeTooSkewed", "clock"),
        ("SignatureDoesNotMatch", "clock"),
        ("RegionDisabledException", "sts_region_name"),
        ("RegionDisabled", "sts_region_name"),
        ("PackedPolicyTooLarge", "shorten"),
    ],
)
def test_the_hint_says_what_to_do(bench: Bench, code: str, hint: str) -> None:
    """A wrong clock is called a wrong clock."""
    bench.server.status, bench.server.body = 400, refusal(code)
    assert hint in str(bench.refused())


@pytest.mark.parametrize(("hop", "kind"), [(1, SourceCredentialsError), (2, AssumeRoleError)])
def test_dead_credentials_at_the_first_hop_are_the_sources(bench: Bench, hop: int, kind: type[Exception]) -> None:
    """Who calls there is the source."""
    bench.server.status, bench.server.body = 403, refusal("ExpiredToken")
    assert type(bench.refused(hop=hop)) is kind


def test_an_external_id_never_reaches_an_error(bench: Bench) -> None:
    """A ValidationError quotes what it refuses."""
    role = Role(ROLE, role_session_name="name", external_id="agreed-on")
    bench.server.status, bench.server.body = 400, refusal("ValidationError", "Value 'agreed-on' at 'externalId'")
    assert "agreed-on" not in "".join(traceback.format_exception(bench.refused(role)))


def test_an_endpoint_that_can_not_be_reached_is_a_failed_refresh(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be there again soon."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    session = boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1")
    error = Bench(Sts(ClientCore(session), clock=bench.clock), bench.server, bench.clock).refused()
    assert error.retryable
    assert "EndpointConnectionError" in str(error)


def test_a_warning_that_is_raised_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `python -W error` in a region that this botocore does not know; to try again is in vain."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS", raising=False)
    sts = Sts(ClientCore(boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1")), clock=bench.clock)
    role = Role(ROLE, role_session_name="name")
    with pytest.raises(STSUnavailableError) as caught:
        sts.assume_role(role, CALLER, hop=1, region_name="eu-wset-1")
    assert not caught.value.retryable
    assert re.search(r"UnknownRegionWarning: botocore \S+ knows no region 'eu-wset-1'", str(caught.value))


def test_who_we_are_is_asked_of_sts(bench: Bench) -> None:
    """And a refusal of that is no failed AssumeRole."""
    bench.server.body = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        "<Arn>arn:aws:iam::111111111111:user/bruce</Arn><UserId>AIDA</UserId><Account>111111111111</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    identity = bench.sts.caller_identity(CALLER, region_name="eu-west-1")
    assert identity.account_id == "111111111111"
    assert identity.principal == "arn:aws:iam::111111111111:user/bruce"
    bench.server.status, bench.server.body = 403, refusal("AccessDenied")
    with pytest.raises(CredentialsError) as caught:
        bench.sts.caller_identity(CALLER, region_name="eu-west-1")
    assert type(caught.value) is CredentialsError


def test_one_client_serves_a_region_for_ever(bench: Bench) -> None:
    """A new one costs up to 100 ms."""
    for _ in range(3):
        bench.assume()
    assert len(bench.sts._clients) == 1
    bench.sts.after_fork()
    assert bench.assume().credentials.access_key_id == "ASIAEXAMPLE"


class BusyLoader(Loader):
    """A loader of a user's own, which does something else whenever the model of STS is read.

    Args:
        busy: What it does.
    """

    def __init__(self, busy: Callable[[], object]) -> None:
        super().__init__(extra_search_paths=create_loader().search_paths)
        self.busy = busy

    def load_service_model(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """The model."""
        busy, self.busy = self.busy, lambda: None
        busy()
        return super().load_service_model(service_name, *args, **kwargs)


def busy_sts(bench: Bench, loader: BusyLoader) -> Sts:
    """An `Sts` of a session with such a loader."""
    session = boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1")
    session._session.register_component("data_loader", loader)
    return Sts(ClientCore(session), clock=bench.clock)


def key_of(sts: Sts, region_name: str) -> str:
    """The key that the STS of a region issues."""
    role = Role(ROLE, role_session_name="name")
    return sts.assume_role(role, CALLER, hop=1, region_name=region_name).credentials.access_key_id


@pytest.mark.parametrize("region_name", ["eu-west-1", "eu-west-2", "eu-west-3"])
def test_nobody_waits_for_the_clients_of_others_to_be_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, region_name: str
) -> None:
    """Neither who needs one that is there, nor another, nor, for long, the same: who makes it may wait for them."""
    monkeypatch.setattr(_calls, "_MAX_BUILD_SECONDS", 0.1)
    loader = BusyLoader(lambda: None)
    sts = busy_sts(bench, loader)
    key_of(sts, "eu-west-1")
    came: list[str] = []

    def wait_for_another_thread() -> None:
        thread = Thread(target=lambda: came.append(key_of(sts, region_name)), daemon=True)
        thread.start()
        thread.join(5)
        came.append("in time" if not thread.is_alive() else "too late")

    loader.busy = wait_for_another_thread
    key_of(sts, "eu-west-2")
    assert came == ["ASIAEXAMPLE", "in time"]


def test_what_runs_while_a_client_is_made_may_need_the_same_one(bench: Bench) -> None:
    """Such as a handler of a signal that comes in at that moment: it waits for nobody."""
    came: list[str] = []
    sts = busy_sts(bench, BusyLoader(lambda: came.append(key_of(sts, "eu-west-1"))))
    assert [key_of(sts, "eu-west-1")] == came


def test_threads_that_come_at_once_share_one_client(bench: Bench) -> None:
    """The first one makes it."""
    with ThreadPoolExecutor(16) as pool:
        clients = set(pool.map(lambda _: bench.sts._client("eu-west-1", 1.0), range(16)))
    assert len(clients) == 1
    assert bench.sts._builders == {}
