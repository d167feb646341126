"""s3fs, and what is built on fsspec: pandas, dask, xarray, zarr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xsession.errors import ConfigError

if TYPE_CHECKING:
    from ._handed_over import DataSession

_IDENTITY = frozenset({"anon", "key", "secret", "token", "username", "password", "session", "profile"})
"""Arguments of `S3FileSystem` that would make it act as another identity than the account's."""
_KEYS = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token"})


def storage_options(session: DataSession, options: dict[str, Any]) -> dict[str, Any]:
    """The options of fsspec's S3 file system: the account's aiobotocore session, and no secret.

    Args:
        session: The account's session.
        options: What the caller wants besides.

    Raises:
        ConfigError: An option that says whose credentials are used.
    """
    refused = _IDENTITY.intersection(options) or _KEYS.intersection(options.get("client_kwargs") or ())
    if refused:
        options.clear()
        msg = f"s3fs takes no {min(refused)} here: the account says whose credentials are used"
        raise ConfigError(msg, account=session.name, hint="make an s3fs.S3FileSystem of your own for others")
    return {"session": session.aio(), **options}


def file_system(session: DataSession, options: dict[str, Any]) -> Any:
    """An `s3fs.S3FileSystem` on the account's credentials."""
    from s3fs import S3FileSystem  # noqa: PLC0415 # installed by an extra

    return S3FileSystem(**storage_options(session, options))
