from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.support.assumed_roles import as_session
from tests.support.worlds import BATMAN, World
from xsession.testing import NotJudgedError


def test_a_session_token_without_mfa_calls_nothing_of_iam(world: World) -> None:
    """One with MFA does; the user's policies allow it in either case."""
    sts = world.source.client("sts")
    plain = as_session(world, sts.get_session_token())
    for call in ("list_users", "get_user", "list_roles"):
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            getattr(plain.client("iam"), call)()
    assert plain.client("s3").list_buckets()
    serial = f"arn:aws:iam::{BATMAN}:mfa/bruce"
    world.aws.expect_mfa_code(serial, "123456")
    passed = as_session(world, sts.get_session_token(SerialNumber=serial, TokenCode="123456"))
    assert passed.client("iam").list_users()["Users"]


def test_a_session_token_of_root_is_limited_too(world: World) -> None:
    """Though no policy limits root."""
    session = as_session(world, world.batman.root.client("sts").get_session_token())
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        session.client("iam").list_users()


def test_what_moto_would_forget_ends_the_test(world: World) -> None:
    """As a request that is not judged."""
    with pytest.raises(ClientError, match="does not keep Tags of IAM's CreateVirtualMFADevice"):
        world.batman.root.client("iam").create_virtual_mfa_device(
            VirtualMFADeviceName="d", Tags=[{"Key": "a", "Value": "b"}]
        )
    (error,) = world.aws._server.failures
    assert isinstance(error, NotJudgedError)
    world.aws._server.failures.clear()


def test_a_made_user_has_an_id_of_awss_form(world: World) -> None:
    """The same wherever it is shown."""
    iam = world.batman.root.client("iam")
    made = iam.create_user(UserName="alfred", Path="/staff/")["User"]
    assert made["UserId"].startswith("AIDA")
    assert len(made["UserId"]) == 20
    assert made["Arn"] == f"arn:aws:iam::{BATMAN}:user/staff/alfred"
    assert iam.get_user(UserName="alfred")["User"]["UserId"] == made["UserId"]
