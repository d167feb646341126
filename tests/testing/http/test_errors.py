"""Each service's own errors, with the `_http_response` that carries them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.assumed_roles import ONCE, as_session, assumed
from tests.support.worlds import VEGETA, World, who
from xsession.testing import FakeClock, LocalAWS
from xsession.testing._http import RefusedError, error_response


def test_credentials_expire_by_the_clock_that_it_is_given() -> None:
    """Each service says so in its own way."""
    clock = FakeClock()
    with LocalAWS(clock=clock, lifetime=60) as aws:
        world = World(aws)
        session = as_session(world, assumed(world))
        assert who(session.client("sts")) == VEGETA
        clock.advance(60)
        for service_name, call, code in (
            ("sts", "get_caller_identity", "ExpiredToken"),
            ("s3", "list_buckets", "ExpiredToken"),
            ("ec2", "describe_instances", "RequestExpired"),
            ("dynamodb", "list_tables", "ExpiredTokenException"),
        ):
            client: Any = session.client(service_name, config=ONCE)  # type: ignore[call-overload]  # one of four
            with pytest.raises(ClientError, match=code):
                getattr(client, call)()


@pytest.mark.parametrize(
    ("service_name", "call", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("ec2", "describe_instances", "AuthFailure"),
        ("dynamodb", "list_tables", "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key_is_refused_in_the_services_own_way(
    world: World, service_name: Any, call: str, code: str
) -> None:
    """Deleted ones as well, temporary or not."""
    session = as_session(world, assumed(world))
    credentials: Any = session.get_credentials()
    world.aws.delete_key(credentials.access_key)
    with pytest.raises(ClientError, match=code):
        getattr(session.client(service_name, config=ONCE), call)()


def test_an_error_can_be_read_whatever_it_quotes() -> None:
    """XML has no form for control characters and halves of characters."""
    for service, is_json in (("sts", False), ("s3", False), ("dynamodb", True)):
        body = error_response(service, RefusedError(400, "X", "\x00<\ud800\uffff"), is_json=is_json).body
        assert b"?&lt;??" in body or b"\\u0000" in body
