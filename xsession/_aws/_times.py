"""Times as AWS writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """A moment as AWS's documents and IAM's conditions have it, in whole seconds of UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_of(seconds: float) -> str:
    """The same for seconds since 1970."""
    return iso(datetime.fromtimestamp(seconds, UTC))


def parse_iso(text: str) -> datetime | None:
    """The moment that a string says, as IAM's conditions have it; None: it says none, or has no time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


def answered_at(metadata: object) -> datetime | None:
    """When AWS answered, by its own clock, to the second; None: the answer does not say.

    Args:
        metadata: What botocore has under `ResponseMetadata`.
    """
    import email.utils  # noqa: PLC0415 # it brings sockets, and who reads stored credentials gets no answer of AWS's

    try:
        moment = email.utils.parsedate_to_datetime(metadata["HTTPHeaders"]["date"])  # type: ignore[index] # below
    except (KeyError, TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
