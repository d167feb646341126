"""The address that the endpoint listens on, as clients name it; and which ones SDKs ask at all."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from xsession.errors import ConfigError

# Beside loopback, those that containers have on ECS and EKS:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
_OF_CONTAINERS = frozenset(map(ip_address, ("169.254.170.2", "169.254.170.23", "fd00:ec2::23")))
_MAX_PORT = 65_535
_HTTP_PORT = 80


def listen_address(host: object, port: int) -> IPv4Address | IPv6Address:
    """The address that a host is.

    Args:
        host: An address of this machine.
        port: The port; 0: a free one.

    Raises:
        ConfigError: The host is no address or stands for several, or there is no such port.
    """
    # Requests for another host are refused: so it must be the one that clients send.
    try:
        address = ip_address(host) if isinstance(host, str) and "%" not in host else None
    except ValueError:
        address = None
    if address is None or address.is_unspecified or address.is_multicast:
        raise ConfigError.invalid(host, "host", "one IP address of this machine")
    if not 0 <= port <= _MAX_PORT:
        raise ConfigError.invalid(port, "port", f"a number from 0 to {_MAX_PORT}")
    return address


def in_url(address: IPv4Address | IPv6Address) -> str:
    """An address as URLs and Host headers have it."""
    return f"[{address}]" if address.version == 6 else str(address)


def host_headers(address: IPv4Address | IPv6Address, port: int) -> frozenset[bytes]:
    """The Host headers of requests that are for this address and port: clients leave out HTTP's own port."""
    host = in_url(address).encode("ascii")
    named = b"%s:%d" % (host, port)
    return frozenset({named, host} if port == _HTTP_PORT else {named})


def is_asked_by_sdks(address: IPv4Address | IPv6Address) -> bool:
    """Returns whether AWS's SDKs ask for credentials there over plain HTTP."""
    return address.is_loopback or address in _OF_CONTAINERS
