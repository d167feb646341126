from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)
from hypothesis import given
from hypothesis import strategies as st

from xsession.errors import (
    AssumeRoleError,
    CallTimeoutError,
    CredentialsTimeoutError,
    MfaError,
    OrganizationError,
    SourceCredentialsError,
    STSUnavailableError,
    WorkerLostError,
)
from xsession.fanout._category import category

SCP = (
    "You are not authorized to perform this operation. User: arn:aws:sts::222222222222:assumed-role/Reader/me is not "
    "authorized to perform: ec2:DescribeInstances with an explicit deny in a service control policy: "
    "arn:aws:organizations::111111111111:policy/o-a/service_control_policy/p-b"
)


def answered(code: str, message: str = "no") -> ClientError:
    """What a client raises."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeInstances")


def unreachable(host: str, why: str = "[Errno -2] Name or service not known") -> EndpointConnectionError:
    """What a client raises where there is no connection."""
    return EndpointConnectionError(endpoint_url=f"https://{host}/", error=OSError(why))


@pytest.mark.parametrize(
    ("error", "region", "expected"),
    [
        (answered("AccessDenied"), None, "refused"),
        (answered("UnauthorizedOperation", SCP), "eu-west-1", "organization_policy"),
        (answered("AccessDenied", SCP.replace("service control", "resource control")), None, "organization_policy"),
        (answered("UnauthorizedOperation"), "eu-west-1", "refused"),
        (answered("RequestLimitExceeded"), None, "throttled"),
        (answered("ThrottlingException"), None, "throttled"),
        (answered("OptInRequired"), None, "region_off"),
        (answered("AuthFailure"), "ap-east-1", "region_off"),
        (answered("UnrecognizedClientException"), "me-south-1", "region_off"),
        (answered("InvalidToken"), "af-south-1", "region_off"),
        (answered("AuthFailure"), "eu-west-1", "refused"),
        (answered("InvalidClientTokenId"), None, "refused"),
        (answered("ExpiredToken"), None, "refused"),
        (answered("InvalidInstanceID.NotFound"), None, "bug"),
        (AssumeRoleError("no", code="AccessDenied"), None, "refused"),
        (AssumeRoleError(SCP, code="AccessDenied"), None, "organization_policy"),
        (AssumeRoleError("slow", code="Throttling"), None, "throttled"),
        (AssumeRoleError("off", code="RegionDisabledException"), None, "region_off"),
        (MfaError("code"), None, "needs_person"),
        (SourceCredentialsError("login"), None, "needs_person"),
        (NoCredentialsError(), None, "needs_person"),
        (UnauthorizedSSOTokenError(), None, "needs_person"),
        (STSUnavailableError("gone"), None, "timeout"),
        (CredentialsTimeoutError("late"), None, "timeout"),
        (CallTimeoutError("late"), None, "timeout"),
        (TimeoutError(), None, "timeout"),
        (ReadTimeoutError(endpoint_url="https://x"), None, "timeout"),
        (ConnectTimeoutError(endpoint_url="https://x"), None, "timeout"),
        (WorkerLostError("gone"), None, "worker_lost"),
        (ValueError("x"), None, "bug"),
        (ConnectionError("my own"), None, "bug"),
    ],
)
def test_what_kind_of_failure(error: Exception, region: str | None, expected: str) -> None:
    """By AWS's codes and words, not by what the message looks like."""
    assert category(error, region) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"iot.us-east-1.amazonaws.com"}, "not_in_region"),
        (set(), "timeout"),
        ({"iot.us-east-1.amazonaws.com", "iot.xx-new-1.amazonaws.com"}, "timeout"),
    ],
)
def test_a_service_without_an_endpoint_in_a_region(known: set[str], expected: str) -> None:
    """Its name has no address there, and elsewhere it has one: else it is DNS that is down."""
    error = unreachable("iot.xx-new-1.amazonaws.com")
    assert category(error, "xx-new-1", known.__contains__) == expected
    assert category(error, None, known.__contains__) == ("not_in_region" if expected == "not_in_region" else "timeout")


def test_a_connection_that_is_refused_is_no_missing_endpoint() -> None:
    """The host has an address."""
    asked: list[str] = []

    def resolves(host: str) -> bool:
        asked.append(host)
        return False

    error = unreachable("iot.eu-west-1.amazonaws.com", "[Errno 111] Connection refused")
    assert category(error, "eu-west-1", resolves) == "timeout"
    assert asked == []


@given(st.text(), st.text(), st.none() | st.text())
def test_every_answer_has_a_kind(code: str, message: str, region: str | None) -> None:
    """Whatever a service says, nothing is raised."""
    found: Any = category(answered(code, message), region)
    assert found in {"refused", "throttled", "region_off", "organization_policy", "bug"}


def test_an_organization_error_without_an_answer_is_its_cause() -> None:
    """Where AWS was not reached; without a cause, it is none of AWS's."""
    error = OrganizationError("DescribeRegions: no answer")
    assert category(error, None) == "bug"
    error.__cause__ = unreachable("ec2.us-east-1.amazonaws.com", "[Errno 111] Connection refused")
    assert category(error, None) == "timeout"
