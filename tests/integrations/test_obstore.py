from __future__ import annotations

import pickle
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.test_object_store import on_aws
from tests.support.worlds import World
from xsession import AccountSession
from xsession.integrations._obstore import arguments

pytestmark = pytest.mark.usefixtures("fakes")


def test_it_is_told_key_secret_token_and_end(vegeta: AccountSession) -> None:
    """The zone is the very object that obstore wants."""
    arguments = vegeta.data.obstore()
    told = arguments["credential_provider"]()
    current: Any = vegeta.get_credentials().current()  # type: ignore[attr-defined]
    assert told.pop("expires_at").tzinfo is UTC
    assert list(told.values()) == [current.access_key_id, current.secret_access_key, current.session_token]
    assert current.secret_access_key not in repr(arguments)


def test_settings_of_the_client_reach_it(vegeta: AccountSession) -> None:
    """Region, endpoint and addressing."""
    arguments = vegeta.data.obstore()
    config = arguments["config"]
    assert (config["aws_region"], config["aws_virtual_hosted_style_request"]) == ("eu-west-1", "false")
    assert config["aws_endpoint"] == vegeta.client("s3").meta.endpoint_url
    assert arguments["client_options"] == {"allow_http": True}


def test_a_ca_bundle_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the certificates themselves."""
    (tmp_path / "ca.pem").write_text("certificates")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    assert on_aws().data.obstore()["client_options"] == {"root_certificate": "certificates"}


def test_with_the_machines_own_certificates_it_needs_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """The common case."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert "client_options" not in on_aws().data.obstore()


def test_an_endpoint_of_the_environment_is_not_named_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is the account's too, obstore finds it by itself; a store that is told of it can't be loaded again."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    config = on_aws().data.obstore()["config"]
    assert (config["aws_endpoint"], "aws_endpoint_url_s3" in config) == ("http://127.0.0.1:9", False)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_endpoint_url_s3"])
def test_another_endpoint_of_the_environment_does_not_count(name: str, world: World) -> None:
    """The account's comes first; then the store is not pickled, and the error says what to do."""
    told = arguments(world.session()["vegeta"], {name: "http://other"})
    assert told["config"]["aws_endpoint_url_s3"] == told["config"]["aws_endpoint"] != "http://other"
    with pytest.raises(TypeError, match=r"a store of 'vegeta' is not pickled: .* without this variable") as caught:
        pickle.dumps(told["credential_provider"])
    assert name in str(caught.value)
