"""The condition keys of a caller, whose key is of `_access_keys`."""

from __future__ import annotations

from dataclasses import replace

from xsession.testing._iam._access_keys import AccessKey, new_key
from xsession.testing._iam._context import RequestEnvironment, context_of
from xsession.testing._iam._trust import Principal

ACCOUNT = "222222222222"
ENVIRONMENT = RequestEnvironment(1_795_521_600.9, "eu-west-1", "127.0.0.1")
USER = new_key(Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/team/prince"), "AIDA1")
SESSION = AccessKey(
    access_key_id="ASIA1",
    secret_access_key="secret",
    session_token="token",
    principal=Principal(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/R/name", f"arn:aws:iam::{ACCOUNT}:role/R"),
    user_id="AROA1:name",
    issued=1_795_521_000.5,
    mfa=False,
    source_identity="bruce",
    tags={"Team": "bats"},
)


def keys(caller: AccessKey, tags: dict[str, str] | None = None, organization_id: str | None = None) -> dict[str, str]:
    """The condition keys of a caller's request."""
    context = context_of(caller, ENVIRONMENT, tags=tags or {}, organization_id=organization_id)
    return {key: value for key, (value,) in context.items()}


EVERYBODY = {
    "aws:sourceip": "127.0.0.1",
    "aws:requestedregion": "eu-west-1",
    "aws:viaawsservice": "false",
    "aws:currenttime": "2026-11-24T12:00:00Z",
    "aws:epochtime": "1795521600",
    "aws:principalaccount": ACCOUNT,
}


def test_a_user_has_a_name_and_no_session() -> None:
    """Times are whole seconds."""
    assert keys(USER) == {
        **EVERYBODY,
        "aws:principalarn": f"arn:aws:iam::{ACCOUNT}:user/team/prince",
        "aws:principaltype": "User",
        "aws:userid": "AIDA1",
        "aws:username": "prince",
    }


def test_a_session_has_a_time_of_issue_and_its_role() -> None:
    """And no user's name."""
    assert keys(SESSION, {"team": "cats", "stage": "dev"}, "o-1") == {
        **EVERYBODY,
        "aws:principalarn": f"arn:aws:iam::{ACCOUNT}:role/R",
        "aws:principaltype": "AssumedRole",
        "aws:principalorgid": "o-1",
        "aws:userid": "AROA1:name",
        "aws:sourceidentity": "bruce",
        "aws:tokenissuetime": "2026-11-24T11:50:00Z",
        "aws:multifactorauthpresent": "false",
        "aws:principaltag/team": "bats",
        "aws:principaltag/stage": "dev",
    }


def test_mfa_has_an_age() -> None:
    """Since the session was opened by it."""
    found = keys(replace(SESSION, mfa=True))
    assert (found["aws:multifactorauthpresent"], found["aws:multifactorauthage"]) == ("true", "600")


def test_the_root_of_an_account_is_the_account() -> None:
    """By its kind."""
    root = new_key(Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"), ACCOUNT)
    assert keys(root)["aws:principaltype"] == "Account"
