"""DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xsession.errors import ConfigError

from ._s3fs import file_system

if TYPE_CHECKING:
    from ._handed_over import DataSession


def register(session: DataSession, connection: Any) -> Any:
    """Has a connection read and write "s3://" as the account, by s3fs; returns the connection.

    Args:
        session: The account's session.
        connection: DuckDB's connection.

    Raises:
        ConfigError: It reads as another account already: a connection has one file system for "s3".
    """
    if connection.filesystem_is_registered("s3"):
        msg = "the connection has a file system for s3 already, and DuckDB can have one alone"
        raise ConfigError(msg, account=session.name, hint='connect() again, or connection.unregister_filesystem("s3")')
    connection.register_filesystem(file_system(session, {}))
    return connection
