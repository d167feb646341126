"""PyIceberg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyiceberg.io.fsspec import FsspecFileIO

from ._s3fs import file_system

if TYPE_CHECKING:
    from ._handed_over import DataSession

SESSION = "xsession.session"
"""The property that holds the account's session."""


class AccountFileIO(FsspecFileIO):  # type: ignore[misc]  # not installed where types are checked
    """A FileIO that reads and writes S3 as an account, for `py-io-impl`.

    Args:
        properties: The catalog's, with the account's session among them, as `data.pyiceberg()` makes them.
    """

    def __init__(self, properties: dict[str, Any]) -> None:
        session: DataSession = properties[SESSION]
        super().__init__(properties)
        for scheme in ("s3", "s3a", "s3n"):
            self._scheme_to_fs[scheme] = lambda *_: file_system(session, {})


def properties(session: Any) -> dict[str, Any]:
    """The properties of a catalog whose files, and whose Glue or DynamoDB, are the account's.

    Args:
        session: The account's session.
    """
    return {
        "py-io-impl": f"{AccountFileIO.__module__}.{AccountFileIO.__name__}",
        SESSION: session,
        # Clients of it ask for current credentials at each signing.
        "botocore_session": session._session,  # noqa: SLF001 # boto3 has no public way to it
        **({} if session.region_name is None else {"client.region": session.region_name}),
    }
