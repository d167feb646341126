"""Reads power levels from a bucket, in whichever account: an example of a library that works with xsession.

It imports nothing of xsession, and works where that is not installed.
"""

from __future__ import annotations

import csv
from typing import Any, Protocol, runtime_checkable

import boto3

__all__ = ["Accounts", "Objects", "power_levels"]


class Accounts(Protocol):
    """Knows accounts by name, as a `CrossAccountSession` does."""

    def get_client(self, service_name: str, account: str) -> Any:
        """The client of a service in an account."""


@runtime_checkable
class Objects(Protocol):
    """Reads objects, as boto3's client of S3 does."""

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803 # boto3's names
        """One object."""


def power_levels(
    session: boto3.Session | Accounts | Objects, bucket: str, *, account: str | None = None
) -> dict[str, int]:
    """Who is how strong, by the bucket's `scouter.csv`.

    Args:
        session: A boto3 session, such as an `AccountSession`; a client of S3; or a `CrossAccountSession`, and `account`
            with it.
        bucket: The bucket's name.
        account: The account's name, for a session that knows accounts by name.

    Raises:
        TypeError: `account` is missing, or there is no choice of accounts.
    """
    answer = _s3(session, account).get_object(Bucket=bucket, Key="scouter.csv")
    lines = answer["Body"].read().decode().splitlines()
    return {row["name"]: int(row["level"]) for row in csv.DictReader(lines)}


def _s3(session: boto3.Session | Accounts | Objects, account: str | None) -> Any:
    if isinstance(session, boto3.Session | Objects):
        if account is not None:
            msg = "a boto3 session or client is one account's: leave out account=, or pass a CrossAccountSession"
            raise TypeError(msg)
        return session if isinstance(session, Objects) else session.client("s3")
    if account is None:
        msg = "which account? pass account=, or one account's session"
        raise TypeError(msg)
    return session.get_client("s3", account=account)
