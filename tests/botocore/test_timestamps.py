"""How the times in STS's answers are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from xsession._botocore import _timestamps as timestamps
from xsession._botocore._timestamps import timestamp


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)), st.booleans())  # noqa: DTZ001 # hypothesis adds none
def test_a_time_is_read_as_botocore_reads_it(moment: datetime, whole: bool) -> None:
    """With and without fractions of seconds."""
    text = f"{(moment.replace(microsecond=0) if whole else moment).isoformat()}Z"
    assert timestamp(text) == parse_timestamp(text)
    assert timestamp(text).tzinfo is not None


def test_what_aws_sends_is_not_botocores_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parser guesses among all forms of the world, and takes a tenth of a millisecond for it."""
    monkeypatch.setattr(timestamps, "parse_timestamp", lambda _value: 1 / 0)
    assert timestamp("2026-11-25T08:00:00Z") == datetime(2026, 11, 25, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["2026-11-25T10:00:00+02:00", "Wed, 25 Nov 2026 08:00:00 GMT", "2026-11-25 08:00:00 Z", 1795593600, "1795593600"],
)
def test_other_forms_are_botocores_to_read(value: object) -> None:
    """Other servers than AWS's may send them."""
    assert timestamp(value) == datetime(2026, 11, 25, 8, tzinfo=UTC)


@pytest.mark.parametrize("value", ["Z", "soonZ", "", "2026-13-45T99:00:00Z"])
def test_what_is_no_time_is_refused(value: str) -> None:
    """As botocore refuses it."""
    with pytest.raises(ValueError, match="Invalid timestamp"):
        timestamp(value)
