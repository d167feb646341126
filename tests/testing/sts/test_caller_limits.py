from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.assumed_roles import as_session, assumed, refused
from tests.support.worlds import BATMAN, World
from xsession.policies import trust
from xsession.testing._http import RefusedError
from xsession.testing._iam import AccessKey, Principal, new_key
from xsession.testing._sts._caller_limits import check_operation

USER = Principal(BATMAN, f"arn:aws:iam::{BATMAN}:user/bruce")
SESSION = Principal(BATMAN, f"arn:aws:sts::{BATMAN}:assumed-role/R/bruce", f"arn:aws:iam::{BATMAN}:role/R")
ALL = (
    "AssumeRole",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetScopedCredentials",
    "GetSessionToken",
    "GetWebIdentityToken",
)


def allowed(key: AccessKey) -> set[str]:
    """The operations that a key may call."""
    return {operation for operation in ALL if is_allowed(operation, key)}


def is_allowed(operation: str, key: AccessKey) -> bool:
    """Whether a key may call an operation."""
    try:
        check_operation(operation, key)
    except RefusedError as error:
        return error.code != "AccessDenied"
    return True


def temporary(principal: Principal) -> AccessKey:
    """A temporary key."""
    return AccessKey(access_key_id="ASIA1", secret_access_key="s", session_token="t", principal=principal, user_id="ID")


def test_each_kind_of_credentials_has_its_operations() -> None:
    """As AWS lists them for GetSessionToken, and for roles."""
    assert allowed(new_key(USER, "AIDA1")) == set(ALL)
    assert allowed(temporary(SESSION)) == set(ALL) - {"GetFederationToken", "GetSessionToken"}
    assert allowed(temporary(USER)) == {
        "AssumeRole",
        "GetCallerIdentity",
        "GetDelegatedAccessToken",
        "GetScopedCredentials",
        "GetWebIdentityToken",
    }


@pytest.mark.parametrize("operation", ["get_session_token", "get_federation_token"])
def test_temporary_credentials_get_no_session_token(world: World, operation: str) -> None:
    """Neither a role's nor a user's."""
    request: dict[str, Any] = {"Name": "bruce"} if operation == "get_federation_token" else {}
    for answer in (assumed(world), world.source.client("sts").get_session_token()):
        with pytest.raises(ClientError, match=r"AccessDenied.* with session credentials"):
            getattr(as_session(world, answer).client("sts"), operation)(**request)


def test_root_assumes_no_role(world: World) -> None:
    """Not one that trusts it by name, nor with a session token."""
    arn = world.vegeta.role("Open", trusts=trust(f"arn:aws:iam::{BATMAN}:root"))
    root = world.batman.root
    for session in (root, as_session(world, root.client("sts").get_session_token())):
        words = refused(world, "AccessDenied", session, RoleArn=arn)
        assert words == "Roles may not be assumed by root accounts."


def test_roots_session_tokens_live_an_hour_at_most(world: World) -> None:
    """Whatever is asked for; a user's live as long as that."""
    for source, seconds in ((world.batman.root, 3_600), (world.source, 7_200)):
        credentials = source.client("sts").get_session_token(DurationSeconds=7_200)["Credentials"]
        left = credentials["Expiration"].timestamp() - world.aws._now()
        assert seconds - 60 < left <= seconds
