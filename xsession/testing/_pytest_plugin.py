"""pytest's fixtures; loaded by pytest wherever xsession is installed, so it imports nothing before it is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ._event_capture import EventCapture
    from ._fake_clock import FakeClock
    from ._local_aws import LocalAWS


@pytest.fixture
def local_aws() -> Iterator[LocalAWS]:
    """AWS accounts on this machine, empty for each test."""
    from ._local_aws import LocalAWS  # noqa: PLC0415 # pytest loads this file in projects that don't use it

    with LocalAWS() as aws:
        yield aws


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that stands still until it is advanced."""
    from ._fake_clock import FakeClock  # noqa: PLC0415 # likewise

    return FakeClock()


@pytest.fixture
def captured_events() -> EventCapture:
    """A hook that keeps every event; pass it in `hooks=`."""
    from ._event_capture import EventCapture  # noqa: PLC0415 # likewise

    return EventCapture()
