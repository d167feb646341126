from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.support.endpoints import asked
from tests.support.worlds import World
from xsession import SOURCE, AccountSession, ConfigError, SessionClosedError
from xsession.errors import FrozenCredentialsWarning

pytestmark = pytest.mark.usefixtures("fakes")


def test_it_is_told_where_to_ask(vegeta: AccountSession) -> None:
    """And of no secret, not even the token."""
    options = vegeta.data.deltalake()
    token_file = Path(options["aws_container_authorization_token_file"])
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    token = token_file.read_text()
    assert token not in str(options)
    uri = options["aws_container_credentials_full_uri"]
    with urlopen(Request(uri, headers={"Authorization": token})) as answer:  # noqa: S310 # loopback
        keys = vegeta.get_credentials().get_frozen_credentials()
        assert str(keys.access_key).encode() in answer.read()
    assert options["aws_endpoint"] == vegeta.client("s3").meta.endpoint_url


def test_an_account_has_one_endpoint(world: World) -> None:
    """It ends with the session; a narrowed session has another one."""
    xs = world.session()
    first = xs["vegeta"].data.deltalake()
    assert xs["vegeta"].data.deltalake() == first
    uris = [
        session.endpoint().uri for session in (xs["vegeta"], xs.session("vegeta", duration_seconds=900), xs["deep"])
    ]
    assert uris[0] == first["aws_container_credentials_full_uri"]
    assert len(set(uris)) == 3
    session = xs["vegeta"]
    xs.close()
    assert not Path(first["aws_container_authorization_token_file"]).exists()
    with pytest.raises(SessionClosedError):
        session.data.deltalake()


def test_narrowed_sessions_share_one_server(world: World) -> None:
    """One for each request or tenant does not cost a thread and a port each; each has a path and a token of its own."""
    xs = world.session()
    endpoints = [xs.session("vegeta", tags={"tenant": str(number)}).endpoint() for number in range(3)]
    assert len({urlsplit(endpoint.uri).port for endpoint in endpoints}) == 1
    assert len({endpoint.token for endpoint in endpoints}) == 3
    assert asked(endpoints[0], headers={"Authorization": endpoints[1].token})[0] == 403


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "aws_web_identity_token_file",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ],
)
def test_with_keys_in_the_environment_it_warns(
    name: str, vegeta: AccountSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """deltalake would act as another identity; it gets the account's keys of now."""
    monkeypatch.setenv(name, "AKIAEXAMPLE")
    with pytest.warns(FrozenCredentialsWarning, match=f"'vegeta': deltalake would act as {name}"):
        options = vegeta.data.deltalake()
    keys = vegeta.get_credentials().get_frozen_credentials()
    assert options["aws_access_key_id"] == keys.access_key
    assert options["aws_secret_access_key"] == keys.secret_key
    assert options["aws_session_token"] == keys.token


def test_a_grants_session_has_none(world: World) -> None:
    """What asks there would outlive it."""
    grant = world.session().grant("vegeta", to="carol", duration=900)
    with pytest.raises(ConfigError, match="session of a grant has no endpoint"):
        grant.session.endpoint()


def test_a_token_of_the_environment_is_not_sent_with_other_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account's long-term keys have none, and deltalake would add it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    session = world.session().session(SOURCE)
    with pytest.warns(FrozenCredentialsWarning):
        assert "aws_session_token" not in session.data.deltalake()
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a token")
    with pytest.warns(FrozenCredentialsWarning), pytest.raises(ConfigError, match="would send AWS_SESSION_TOKEN"):
        session.data.deltalake()
