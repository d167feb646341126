from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from xsession.refresh import HopStatus, RefreshState, Status

FRESH = HopStatus(
    account="vegeta",
    hop=1,
    role_arn="arn:aws:iam::222222222222:role/R",
    state=RefreshState.FRESH,
    access_key_id="ASIAEXAMPLE",
    local_expiry=datetime(2026, 1, 1, 1, tzinfo=UTC),
    remaining=3_599.6,
    refreshing=False,
    last_error=None,
    next_try=None,
)
FAILING = replace(
    FRESH,
    account="deep",
    state=RefreshState.ADVISORY,
    remaining=754.0,
    refreshing=True,
    last_error="InternalFailure: <b>no</b>\x1b[2J",
    next_try=4.2,
)
ERROR = r"InternalFailure: <b>no</b>\x1b[2J"


def test_it_prints_as_a_table() -> None:
    """A row for each hop, with nothing that could move the cursor."""
    lines = str(Status([FRESH, FAILING])).splitlines()
    assert [re.split(" {2,}", line) for line in lines] == [
        ["account", "hop", "role", "state", "expires", "remaining", "last error", "next try"],
        ["vegeta", "1", FRESH.role_arn, "fresh", "2026-01-01T01:00:00Z", "1:00:00", "-", "-"],
        ["deep", "1", FRESH.role_arn, "advisory, refreshing", "2026-01-01T01:00:00Z", "0:12:34", ERROR, "0:00:04"],
    ]
    assert {line.index("20", 10) for line in lines[1:]} == {lines[0].index("expires")}


def test_it_shows_in_a_notebook() -> None:
    """As a table, escaped."""
    html = Status([FAILING])._repr_html_()
    assert "<td>deep</td>" in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html


def test_it_is_a_sequence() -> None:
    """Of hops; slices and those of one account are of the same kind."""
    status = Status([FRESH, FAILING])
    assert (len(status), status[1], list(status[:1])) == (2, FAILING, [FRESH])
    assert isinstance(status[:1], Status)
    assert list(status.of("deep")) == [FAILING]
    assert repr(status) == "<Status: 2 hops, 2 ok>"


def test_what_signs_at_once_is_ok() -> None:
    """Whatever waits or fails first is not."""
    ok = {state for state in RefreshState if replace(FRESH, state=state).ok}
    assert ok == {RefreshState.FRESH, RefreshState.ADVISORY, RefreshState.MANDATORY}
