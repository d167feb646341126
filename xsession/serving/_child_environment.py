"""The environment of a child process that gets one account's credentials from the endpoint, and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from xsession._aws import without_credentials

from ._container_endpoint import ContainerEndpoint

_LOOPBACK = ("127.0.0.1", "localhost")


def child_environment(
    base: Mapping[str, str],
    endpoint: ContainerEndpoint,
    *,
    config_file: str,
    empty_file: str,
    region_name: str | None,
    hides_boto_config: bool,
) -> dict[str, str]:
    """All variables of the child.

    Args:
        base: Those that it would have.
        endpoint: Where it asks for credentials.
        config_file: The copy of the config file.
        empty_file: A file without credentials.
        region_name: The account's region; None: the child's stays.
        hides_boto_config: Whether boto 2's own file has keys, which botocore takes before it asks the endpoint.
    """
    region = {} if region_name is None else {"AWS_REGION": region_name, "AWS_DEFAULT_REGION": region_name}
    direct = list(dict.fromkeys((*_LOOPBACK, str(urlsplit(endpoint.uri).hostname))))
    boto_config = {"BOTO_CONFIG": empty_file} if hides_boto_config else {}
    return {
        **without_credentials(base),
        **region,
        **boto_config,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.uri,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": endpoint.token,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": endpoint.token_file,
        "AWS_CONFIG_FILE": config_file,
        "AWS_SHARED_CREDENTIALS_FILE": empty_file,
        # While the endpoint has none, the machine's own role is no substitute.
        "AWS_EC2_METADATA_DISABLED": "true",
        # Both: programs differ in which one they read.
        "NO_PROXY": _without_proxy(base.get("NO_PROXY") or base.get("no_proxy"), direct),
        "no_proxy": _without_proxy(base.get("no_proxy") or base.get("NO_PROXY"), direct),
    }


def _without_proxy(hosts: str | None, direct: list[str]) -> str:
    if not hosts:
        return ",".join(direct)
    known = {host.strip() for host in hosts.split(",")}
    # "*" means all of them, and only where it stands alone.
    missing = () if known == {"*"} else [host for host in direct if host not in known]
    return ",".join([hosts, *missing])
