from __future__ import annotations

import io
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.worlds import BUCKET, VEGETA, World, who
from xsession import SOURCE, CrossAccountSession, RefreshPolicy
from xsession.refresh import Rejection
from xsession.stores import MemoryStore
from xsession.testing import FakeClock, Fault


def dying(world: World, age: float = 11.0, **options: Any) -> CrossAccountSession:
    """A session whose next request to a service is told that its credentials are dead, which it has had for a while."""
    clock = FakeClock()
    xs = world.session(clock=clock, **options)
    xs.get_frozen_credentials("vegeta")
    clock.advance(age)
    return xs


@pytest.fixture(autouse=True)
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that botocore would have slept before it sent something again."""
    slept: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=slept.append))
    return slept


def signers(world: World, operation: str = "GetCallerIdentity") -> list[str]:
    """The keys that signed the requests of an operation: each as the number of its first one."""
    keys = [str(call.access_key_id) for call in world.aws.calls if call.operation == operation]
    return [str(keys.index(key)) for key in keys]


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


def test_a_rejection_of_the_new_credentials_is_the_callers(world: World, delays: list[float]) -> None:
    """They may not be known yet; after that, whatever refuses them too has another reason."""
    xs = dying(world)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="ExpiredToken", times=None))
    with pytest.raises(ClientError, match="ExpiredToken"):
        who(xs.get_client("sts", "vegeta"))
    assert signers(world) == ["0", "1", "1", "1"]
    assert delays == [0.0, 0.5, 1.5]


def test_an_endpoint_that_rejects_whatever_it_gets_is_left_alone_until_it_succeeds(world: World) -> None:
    """AWS's answer comes out at once, the account's credentials stay, and no other endpoint hears of it."""
    xs = dying(world)
    sts, iam = xs.get_client("sts", "vegeta"), xs.get_client("iam", "vegeta")
    always = Fault(operation="GetCallerIdentity", status=400, code="InvalidToken", times=None)
    world.aws.fail(always)
    for sent in (4, 5, 6):
        with pytest.raises(ClientError, match="InvalidToken"):
            who(sts)
        assert world.aws.count("GetCallerIdentity") == sent
    iam.list_roles()
    assert world.aws.count("AssumeRole") == 2
    world.aws.recover()
    who(sts)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="InvalidToken"))
    assert who(sts) == VEGETA
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidToken", "AuthFailure"]
)
def test_new_credentials_are_kept_because_they_may_not_be_known_yet(
    world: World, delays: list[float], code: str
) -> None:
    """The request is signed again with the same ones, a little later."""
    xs = dying(world, age=0.0)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code=code, times=2))
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert signers(world) == ["0", "0", "0"]
    assert delays == [0.5, 1.5]


def test_new_credentials_that_stay_unknown_bring_aws_error(world: World, delays: list[float]) -> None:
    """They are kept all the same: somebody else may know them already."""
    xs = dying(world, age=0.0)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code="InvalidToken", times=None))
    with pytest.raises(ClientError, match="InvalidToken"):
        who(xs.get_client("sts", "vegeta"))
    assert (signers(world), delays, world.aws.count("AssumeRole")) == (["0", "0", "0"], [0.5, 1.5], 1)


def test_new_credentials_that_should_be_refreshed_are(world: World) -> None:
    """S3 knows them, and says what to do."""
    xs = dying(world, age=0.0)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="TokenRefreshRequired"))
    assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert signers(world) == ["0", "1"]


def test_a_rejection_costs_the_credentials_only_once_in_a_while(world: World) -> None:
    """Whichever endpoint it comes from: half a minute at least lies between two of them."""
    clock = FakeClock()
    xs = world.session(clock=clock)
    for after, assumed in ((0, 1), (11, 2), (11, 2), (20, 3), (31, 3), (31, 4)):
        clock.advance(after)
        if after:
            world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="ExpiredToken"))
        with suppress(ClientError):
            who(xs.get_client("sts", "vegeta"))
        assert world.aws.count("AssumeRole") == assumed


@pytest.mark.parametrize(("age", "delay"), [(11.0, 0.0), (0.0, 0.5)])
def test_a_head_that_says_only_400_is_sent_once_more(
    world: World, delays: list[float], age: float, delay: float
) -> None:
    """Its answer has no body, so that nobody knows what is wrong: nothing is thrown away for it."""
    bucket = world.bucket()
    xs = dying(world, age)
    s3 = xs.get_client("s3", "vegeta")
    world.aws.fail(Fault(service="s3", operation="HeadBucket", status=400, code="ExpiredToken"))
    s3.head_bucket(Bucket=bucket)
    world.aws.fail(Fault(service="s3", operation="HeadBucket", status=400, code="ExpiredToken", times=None))
    with pytest.raises(ClientError, match="400"):
        s3.head_bucket(Bucket=bucket)
    assert delays == [delay, delay]
    assert world.aws.count("AssumeRole") == 1


def test_a_store_that_fails_does_not_hide_what_aws_answered(world: World) -> None:
    """Nothing that a handler of ours meets does."""

    class BrokenStore(MemoryStore):
        """Forgets nothing."""

        def delete(self, *_arguments: Any) -> None:
            msg = "the disk is full"
            raise OSError(msg)

    xs = dying(world, store=BrokenStore())
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="ExpiredToken"))
    with pytest.raises(ClientError, match="ExpiredToken"):
        who(xs.get_client("sts", "vegeta"))


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
    assert credentials.rejected(Rejection(first, ("sts", ""))) == 0.0
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
    s3: Any = xs.get_client(
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


def test_a_body_that_began_elsewhere_than_at_its_start_is_not_sent_again(world: World) -> None:
    """botocore would send it from its start, which is not what the caller asked for."""
    bucket = world.bucket()
    xs = dying(world)
    s3 = xs.get_client("s3", "vegeta")
    body = io.BytesIO(b"not this, only this")
    body.seek(10)
    world.aws.fail(Fault(service="s3", operation="PutObject", status=400, code="ExpiredToken"))
    with pytest.raises(ClientError, match="ExpiredToken"):
        s3.put_object(Bucket=bucket, Key="k", Body=body)
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["scouter.csv"]


def test_a_source_that_is_rejected_is_asked_for_others(world: World) -> None:
    """A boto3 session has none: AWS's error is the caller's."""
    xs = world.session()
    world.aws.fail(Fault(operation="GetCallerIdentity", status=400, code="ExpiredToken", times=None))
    with pytest.raises(ClientError, match="ExpiredToken"):
        who(xs.get_client("sts", SOURCE))
    assert world.aws.count("GetCallerIdentity") == 1
