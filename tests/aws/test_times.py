from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from xsession._aws._times import answered_at, iso, iso_of, parse_iso

MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_moment_is_written_in_seconds_of_utc() -> None:
    """Whatever its zone and its fraction."""
    assert iso(MOMENT.astimezone(timezone(timedelta(hours=5))) + timedelta(microseconds=7)) == "2030-01-02T03:04:05Z"
    assert iso_of(0.5) == "1970-01-01T00:00:00Z"


def test_what_is_written_is_read() -> None:
    """As the same moment."""
    assert parse_iso(iso(MOMENT)) == MOMENT
    assert parse_iso("2030-01-02T05:04:05+02:00") == MOMENT


@pytest.mark.parametrize("text", ["", "soon", "2030-01-02T03:04:05", "2030-13-02T03:04:05Z"])
def test_what_says_no_moment_is_none(text: str) -> None:
    """Nor does a time without a zone."""
    assert parse_iso(text) is None


def test_an_answer_says_when_it_was_made() -> None:
    """In its Date header, always in UTC."""
    for date in ("Wed, 02 Jan 2030 03:04:05 GMT", "Wed, 02 Jan 2030 03:04:05 -0000", "Wed, 02 Jan 2030 05:04:05 +0200"):
        found = answered_at({"HTTPHeaders": {"date": date}})
        assert found == MOMENT
        assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "metadata", [None, {}, {"HTTPHeaders": {}}, {"HTTPHeaders": {"date": "soon"}}, {"HTTPHeaders": {"date": None}}]
)
def test_an_answer_that_does_not_say_it(metadata: Any) -> None:
    """Then the local clock must do."""
    assert answered_at(metadata) is None
