from __future__ import annotations

import io
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.worlds import BUCKET, VEGETA, World, who
from xsession import SOURCE, CrossAccountSession, RefreshPolicy
from xsession.testing import Fault


def dying(world: World, **options: Any) -> CrossAccountSession:
    """A session whose next request to a service is told that its credentials are dead."""
    xs = world.session(**options)
    xs.get_frozen_credentials("vegeta")
    return xs


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize(
    "code", ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired", "TokenRefreshRequired"]
)
def test_a_rejected_request_is_sent_once_more_with_new_credentials(world: World, mode: Any, code: str) -> None:
    """In every retry mode; the caller sees nothing of it."""
    xs = dying(world)
    sts = xs.get_client("sts", "vegeta", config=Config(retries={"mode": mode}))
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code=code))
    assert who(sts) == VEGETA
    keys = [call.access_key_id for call in world.aws.calls if call.operation == "GetCallerIdentity"]
    assert len(set(keys)) == 2
    assert world.aws.count("AssumeRole") == 2


def test_a_second_rejection_is_the_callers(world: World) -> None:
    """Whatever refuses new credentials too has another reason."""
    xs = dying(world)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="ExpiredToken", times=None))
    with pytest.raises(ClientError, match="ExpiredToken"):
        who(xs.get_client("sts", "vegeta"))
    assert world.aws.count("GetCallerIdentity") == 2
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidClientTokenId", "Throttling", "SignatureDoesNotMatch"])
def test_other_refusals_invalidate_nothing(world: World, code: str) -> None:
    """Credentials that may do less than was asked are not dead."""
    xs = dying(world)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code=code, times=None))
    with pytest.raises(ClientError, match=code):
        who(xs.get_client("sts", "vegeta", config=Config(retries={"total_max_attempts": 1, "mode": "standard"})))
    assert world.aws.count("AssumeRole") == 1


DENIAL = "User: x is not authorized to perform: sts:GetCallerIdentity with an explicit deny in an identity-based policy"


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_an_explicit_deny_may_be_answered_by_assuming_the_role_again(world: World, code: str) -> None:
    """Once, where the policy says so: older sessions of the role were revoked."""
    xs = dying(world, refresh=RefreshPolicy(reassume_on_explicit_deny=True))
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code=code, message=DENIAL))
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert world.aws.count("AssumeRole") == 2
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code=code, message=DENIAL))
    with pytest.raises(ClientError, match=code):
        who(xs.get_client("sts", "vegeta"))
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.parametrize(("reassume", "message"), [(False, DENIAL), (True, "no policy allows it")])
def test_a_denial_is_the_callers_otherwise(world: World, *, reassume: bool, message: str) -> None:
    """Where it was not asked for, or where no policy denies."""
    xs = dying(world, refresh=RefreshPolicy(reassume_on_explicit_deny=reassume))
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code="AccessDenied", message=message))
    with pytest.raises(ClientError, match="AccessDenied"):
        who(xs.get_client("sts", "vegeta"))
    assert world.aws.count("AssumeRole") == 1


def test_the_source_is_not_assumed_again(world: World) -> None:
    """It has no role."""
    xs = world.session(refresh=RefreshPolicy(reassume_on_explicit_deny=True))
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code="AccessDenied", message=DENIAL))
    with pytest.raises(ClientError, match="AccessDenied"):
        who(xs.get_client("sts", SOURCE))


def test_a_late_rejection_of_older_credentials_throws_nothing_away(world: World) -> None:
    """Compared by key id."""
    xs = dying(world)
    first = xs.get_frozen_credentials("vegeta").access_key_id
    xs.invalidate("vegeta")
    second = xs.get_frozen_credentials("vegeta").access_key_id
    credentials: Any = xs["vegeta"].get_credentials()
    assert credentials.rejected(first)
    assert xs.get_frozen_credentials("vegeta").access_key_id == second
    assert world.aws.count("AssumeRole") == 2


def test_a_body_that_can_be_sought_is_sent_again(world: World) -> None:
    """From where it began."""
    bucket = world.bucket()
    xs = dying(world)
    world.aws.fail(Fault(service="s3", operation="PutObject", status=400, code="ExpiredToken"))
    s3 = xs.get_client("s3", "vegeta")
    s3.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(b"twice"))
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"twice"


@pytest.mark.skipif(
    "request_checksum_calculation" not in Config.OPTION_DEFAULTS, reason="this botocore seeks every body itself"
)
def test_a_body_that_can_not_be_sought_brings_aws_error(world: World) -> None:
    """Not botocore's about the body; the next request has new credentials."""

    class Pipe(io.RawIOBase):
        """Gives its bytes once."""

        def __init__(self) -> None:
            self.left = b"once"

        def readable(self) -> bool:
            return True

        def read(self, _size: int = -1, /) -> bytes:
            given, self.left = self.left, b""
            return given

        def seekable(self) -> bool:
            return False

    bucket = world.bucket()
    xs = dying(world)
    world.aws.fail(Fault(service="s3", operation="PutObject", status=400, code="ExpiredToken"))
    s3 = xs.get_client(
        "s3",
        "vegeta",
        config=Config(request_checksum_calculation="when_required", s3={"payload_signing_enabled": False}),
    )
    with pytest.raises(ClientError, match="ExpiredToken"):
        s3.put_object(Bucket=bucket, Key="k", Body=Pipe(), ContentLength=4)
    s3.put_object(Bucket=bucket, Key="k", Body=b"again")
    assert world.aws.count("AssumeRole") == 2


def test_presigned_and_unsigned_requests_are_left_alone(world: World) -> None:
    """A client without our credentials object has nothing to replace."""
    from botocore import UNSIGNED  # noqa: PLC0415 # only here

    bucket = world.bucket()
    unsigned = world.session().get_client("s3", "vegeta", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError, match="MissingAuthenticationToken"):
        unsigned.get_object(Bucket=bucket, Key="scouter.csv")
    assert world.aws.count("AssumeRole") == 0


def test_a_source_that_is_rejected_is_asked_for_others(world: World) -> None:
    """A boto3 session has none: AWS's error is the caller's."""
    xs = world.session()
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="ExpiredToken", times=None))
    with pytest.raises(ClientError, match="ExpiredToken"):
        who(xs.get_client("sts", SOURCE))
    assert world.aws.count("GetCallerIdentity") == 1
