from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.support.stores import credentials
from xsession.events import StoreProblem
from xsession.stores import FileStore
from xsession.stores import _reports as reports
from xsession.stores._reports import StoreReports
from xsession.testing import EventCapture


def test_a_problem_is_told_once() -> None:
    """For the whole store, or for each entry; and of a thousand, no more."""
    events = EventCapture()
    told = StoreReports(events, lambda: 1.0)
    for _ in range(2):
        told.tell("locks don't work", "no", path=Path("/store"), hint="go on")
        told.tell("an entry can't be used", "damaged", once_for="a")
        told.tell("an entry can't be used", "damaged", once_for="b")
    assert len(events.of(StoreProblem)) == 3
    (first, *_) = events.of(StoreProblem)
    assert (first.path, first.hint, first.account) == ("/store", "go on", None)
    for number in range(2 * reports._MOST_TOLD):
        told.tell("an entry can't be used", "damaged", once_for=str(number))
    assert len(events.of(StoreProblem)) == reports._MOST_TOLD


def test_a_store_without_a_hook_logs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As a warning, in one line."""
    tmp_path.chmod(0o755)
    with caplog.at_level(logging.WARNING, "xsession"):
        FileStore(tmp_path).put("vegeta", credentials())
    (record,) = caplog.records
    assert "StoreProblem problem=the folder can't be used" in record.getMessage()
