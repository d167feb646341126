"""Settings of an account's S3 client for libraries that are built on Rust's object_store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from xsession._botocore import S3Settings, s3_settings
from xsession.errors import ConfigError

if TYPE_CHECKING:
    from ._handed_over import DataSession


FIRST_ENDPOINT = "aws_endpoint_url_s3"
"""The key of the endpoint that object_store takes before any other; and, in any case, the name of a variable for it."""


def settings_of(session: DataSession, library: str) -> S3Settings:
    """Those of the account's S3 client, where object_store can do the same.

    Args:
        session: The account's session.
        library: The library, for errors.

    Raises:
        ConfigError: The account has no region, or a setting that object_store lacks; nothing was asked of the network.
    """
    if session.region_name is None:
        msg = f"{library} needs a region, and the account has none"
        raise ConfigError(msg, account=session.name, hint="pass region_name= to the session or the account")
    settings = s3_settings(session.client("s3"))
    if settings.accelerates:
        _refuse(session, library, "use_accelerate_endpoint")
    if settings.addressing_style == "virtual":
        _refuse(session, library, "addressing_style 'virtual'")
    return settings


def config_of(settings: S3Settings) -> dict[str, str]:
    """What object_store is told of them; else it takes what variables of the environment say."""
    return {
        "aws_endpoint": settings.endpoint_url,
        FIRST_ENDPOINT: settings.endpoint_url,
        "aws_region": settings.region_name,
        # All of S3's endpoints take it, and those of other vendors, and it is the only one for a bucket with dots.
        "aws_virtual_hosted_style_request": "false",
        # Of AWS_SKIP_SIGNATURE: requests would be nobody's.
        "aws_skip_signature": "false",
    }


def storage_options(session: DataSession, library: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The options of polars and deltalake, which hold no secret.

    Args:
        session: The account's session.
        library: The library, for errors.
        environ: The variables that the library sees.

    Raises:
        ConfigError: As for `settings_of`; or the account has certificates of its own that the library can't be given.
    """
    settings = settings_of(session, library)
    options = config_of(settings)
    if settings.endpoint_url.startswith("http://"):
        return {**options, "aws_allow_http": "true"}
    if not settings.verifies:
        return {**options, "aws_allow_invalid_certificates": "true"}
    if settings.ca_bundle is not None and environ.get("SSL_CERT_FILE") != settings.ca_bundle:
        msg = f"{library} takes certificates from the variable SSL_CERT_FILE alone, and the account has a CA bundle"
        raise ConfigError(msg, account=session.name, hint=f"start it with SSL_CERT_FILE={settings.ca_bundle}")
    return options


def _refuse(session: DataSession, library: str, setting: str) -> NoReturn:
    msg = f"{library} can't be given {setting}, which the account's S3 clients have"
    raise ConfigError(msg, account=session.name, hint="use s3fs() or pyarrow(), or another setting for this session")
