"""TLS, CA bundles and proxies, on both paths, with real connections."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
import urllib3
from botocore.config import Config
from botocore.exceptions import SSLError

from tests.support.client_paths import KEY, MakeCore
from tests.support.tls import QuietServer, quiet_server
from tests.support.worlds import VEGETA, who
from xsession._botocore._core import ClientCore


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """Signed the server's certificate."""
    return trustme.CA()


@pytest.fixture(scope="module")
def url(ca: trustme.CA) -> Iterator[str]:
    """Where the server listens."""
    with quiet_server(ca) as server:
        yield f"https://127.0.0.1:{server.server_port}"


@pytest.fixture
def bundle(ca: trustme.CA, tmp_path: Path) -> Path:
    """The CA's certificate."""
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


def client(core: MakeCore, url: str, **arguments: Any) -> Any:
    """An STS client that tries once."""
    config = Config(retries={"total_max_attempts": 1}).merge(arguments.pop("config", Config()))
    return core().client("sts", KEY, "eu-west-1", endpoint_url=url, config=config, **arguments)


def test_an_unknown_ca_is_refused(core: MakeCore, url: str) -> None:
    """By default."""
    with pytest.raises(SSLError):
        who(client(core, url))


def test_a_ca_of_the_call_is_trusted(core: MakeCore, url: str, bundle: Path) -> None:
    """By that client."""
    assert who(client(core, url, verify=str(bundle))) == VEGETA


def test_a_ca_of_the_environment_is_trusted(
    core: MakeCore, url: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By all clients."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    assert who(client(core, url)) == VEGETA


def test_verification_can_be_switched_off(core: MakeCore, url: str) -> None:
    """For one client, and for no other of the same core."""
    made = core()
    arguments = {"endpoint_url": url, "config": Config(retries={"total_max_attempts": 1})}
    loose = made.client("sts", KEY, "eu-west-1", verify=False, **arguments)
    strict = made.client("sts", KEY, "eu-west-1", **arguments)
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        assert who(loose) == VEGETA
    with pytest.raises(SSLError):
        who(strict)


def test_a_changed_ca_bundle_is_read_again(core: MakeCore, bundle: Path) -> None:
    """The new CA is trusted from the next connection on, and the old one is not any more."""
    old, new = trustme.CA(), trustme.CA()
    with quiet_server(old) as before, quiet_server(new) as after:
        urls = [f"https://127.0.0.1:{server.server_port}" for server in (before, after)]
        made = core()

        def trusted() -> list[bool]:
            return [_trusts(made, url, bundle) for url in urls]

        old.cert_pem.write_to_path(str(bundle))
        assert trusted() == [True, False]
        new.cert_pem.write_to_path(str(bundle))
        os.utime(bundle, (1, 1))
        made.close()
        assert trusted() == [False, True]


def _trusts(made: Any, url: str, bundle: Path) -> bool:
    sts = made.client(
        "sts", KEY, "eu-west-1", endpoint_url=url, verify=str(bundle), config=Config(retries={"total_max_attempts": 1})
    )
    try:
        return who(sts) == VEGETA
    except SSLError:
        return False


def test_a_ca_bundle_is_loaded_once_for_all_accounts_and_for_sts(
    url: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsing it is most of what a connection costs."""
    loads: list[Any] = []
    original = ssl.SSLContext.load_verify_locations

    def load(context: ssl.SSLContext, *args: Any, **kwargs: Any) -> None:
        loads.append(args)
        original(context, *args, **kwargs)

    monkeypatch.setattr("urllib3.util.ssl_.SSLContext.load_verify_locations", load)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    made = ClientCore(boto3.Session(), fast=True)
    config = Config(read_timeout=5)
    clients = [made.client("sts", KEY, "eu-west-1") for _ in range(3)]
    clients += [made.sts_client(KEY, "eu-west-1", config) for _ in range(3)]
    for sts in clients:
        assert who(sts) == VEGETA
        made.close()  # so that the next one connects again
    assert len(loads) == 2


@pytest.fixture
def proxy() -> Iterator[QuietServer]:
    """Takes requests for any host and answers them itself."""
    with quiet_server() as server:
        yield server


def test_a_proxy_of_the_configuration_is_used(core: MakeCore, proxy: QuietServer) -> None:
    """The host itself is never looked up."""
    config = Config(proxies={"http": f"http://127.0.0.1:{proxy.server_port}"})
    assert who(client(core, "http://sts.example.invalid", config=config)) == VEGETA
    assert proxy.targets == ["http://sts.example.invalid/"]


def test_a_proxy_of_the_environment_is_used(
    core: MakeCore, proxy: QuietServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As botocore does."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert who(client(core, "http://sts.example.invalid")) == VEGETA
    assert proxy.targets == ["http://sts.example.invalid/"]
