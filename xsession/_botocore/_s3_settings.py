"""What an S3 client sends its requests with, for libraries that have an S3 client of their own."""

from __future__ import annotations

from typing import Any

from xsession._base import frozen


@frozen(kw_only=True)
class S3Settings:
    """Where an S3 client sends requests, and how.

    Args:
        endpoint_url: The endpoint, FIPS, dual-stack or another vendor's included.
        region_name: The region that requests are signed for.
        addressing_style: "path", "virtual", "auto"; None: it is left to the SDK.
        accelerates: Whether it uses S3 Transfer Acceleration.
        ca_bundle: The file of certificates that were asked for; None: those of the machine.
        verifies: Whether it looks at the server's certificate at all.
    """

    endpoint_url: str
    region_name: str
    addressing_style: str | None
    accelerates: bool
    ca_bundle: str | None
    verifies: bool


def s3_settings(client: Any) -> S3Settings:
    """Those of a client.

    Args:
        client: A boto3 client of S3.
    """
    options = client.meta.config.s3 or {}
    verify = getattr(client._endpoint.http_session, "_verify", None)
    return S3Settings(
        endpoint_url=client.meta.endpoint_url,
        region_name=client.meta.region_name,
        addressing_style=options.get("addressing_style"),
        accelerates=bool(options.get("use_accelerate_endpoint")),
        ca_bundle=verify if isinstance(verify, str) else None,
        verifies=verify is not False,
    )
