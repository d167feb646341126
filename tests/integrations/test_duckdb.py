from __future__ import annotations

import pytest

from xsession import AccountSession, ConfigError

pytestmark = pytest.mark.usefixtures("fakes")


class Connection:
    """As DuckDB's, as far as file systems go."""

    def __init__(self) -> None:
        self.registered: list[object] = []

    def filesystem_is_registered(self, name: str) -> bool:
        """Whether there is one of that name."""
        return name == "s3" and bool(self.registered)

    def register_filesystem(self, file_system: object) -> None:
        """Adds one."""
        self.registered.append(file_system)


def test_it_reads_through_s3fs(vegeta: AccountSession) -> None:
    """No secret of DuckDB's is made."""
    connection = Connection()
    assert vegeta.data.duckdb(connection) is connection
    assert connection.registered == ["S3FileSystem()"]


def test_one_connection_reads_as_one_account(vegeta: AccountSession) -> None:
    """The second would take the first one's place without a word."""
    connection = Connection()
    vegeta.data.duckdb(connection)
    with pytest.raises(ConfigError, match="has a file system for s3 already"):
        vegeta.data.duckdb(connection)
    assert len(connection.registered) == 1
