from __future__ import annotations

import ipaddress
import re
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.utils import ContainerMetadataFetcher
from hypothesis import example, given
from hypothesis import strategies as st

from xsession.errors import ConfigError
from xsession.serving._listen_address import host_headers, in_url, is_asked_by_sdks, listen_address


class NothingIsSent:
    """A connection of botocore's."""

    def send(self, _request: object) -> None:
        """Fails as one that reached nobody."""
        raise ConnectionError


def botocore_asks(url: str) -> bool:
    """Whether botocore would send a request there."""
    try:
        ContainerMetadataFetcher(session=NothingIsSent(), sleep=lambda _: None).retrieve_full_uri(url)
    except ValueError:
        return False
    except ConnectionError:
        return True
    raise AssertionError


@given(st.ip_addresses())
@example(ipaddress.ip_address("127.8.9.10"))
@example(ipaddress.ip_address("169.254.170.2"))
@example(ipaddress.ip_address("169.254.170.23"))
@example(ipaddress.ip_address("169.254.170.3"))
@example(ipaddress.ip_address("172.17.0.1"))
@example(ipaddress.ip_address("::1"))
@example(ipaddress.ip_address("fd00:ec2::23"))
def test_sdks_ask_as_botocore_does(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Any address, in the form that it has in our URLs."""
    assert is_asked_by_sdks(address) == botocore_asks(f"http://{in_url(address)}:80/1/vegeta")


@pytest.mark.parametrize(("host", "written"), [("127.0.0.1", "127.0.0.1"), ("FD00:EC2:0:0::23", "[fd00:ec2::23]")])
def test_an_address_has_one_form(host: str, written: str) -> None:
    """The short one, which clients send whatever the caller wrote."""
    assert in_url(listen_address(host, 0)) == written


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_is_one_that_there_is(port: int) -> None:
    """Before the network."""
    with pytest.raises(ConfigError, match="a number from 0 to 65535"):
        listen_address("127.0.0.1", port)


class Sent:
    """The socket of a client, of which nothing is read."""

    def __init__(self) -> None:
        self.data = b""

    def sendall(self, data: bytes) -> None:
        """Keeps it."""
        self.data += data


@pytest.mark.parametrize("host", ["169.254.170.2", "fd00:ec2::23"])
@pytest.mark.parametrize("port", [80, 8080])
def test_a_clients_own_host_header_is_known(host: str, port: int) -> None:
    """Port 80 is where ECS has its endpoint, and clients leave that one out."""
    address = listen_address(host, port)
    connection: Any = HTTPConnection(f"{in_url(address)}:{port}")
    connection.sock = sent = Sent()
    connection.request("GET", "/1/vegeta")
    (header,) = re.findall(rb"\r\nHost: (.*?)\r\n", sent.data)
    assert header in host_headers(address, port)
    assert in_url(address).encode() + b":%d" % port in host_headers(address, port)


def test_without_a_port_a_request_is_for_port_80() -> None:
    """And for no endpoint elsewhere."""
    assert host_headers(listen_address("127.0.0.1", 8080), 8080) == {b"127.0.0.1:8080"}
