from __future__ import annotations

import threading
import time

import pytest

from xsession._base._clock import SystemClock


def test_the_boot_clock_does_not_run_backwards() -> None:
    """Two readings are in order, and seconds."""
    clock = SystemClock()
    first = clock.boot()
    assert 0 <= clock.boot() - first < 60


def test_the_wall_clock_is_the_machines() -> None:
    """It reads seconds since 1970."""
    assert abs(SystemClock().wall() - time.time()) < 60


def test_without_a_boot_clock_the_monotonic_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Platforms that lack CLOCK_BOOTTIME work too."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert SystemClock().boot is time.monotonic


def test_waiting_tells_whether_the_event_was_set() -> None:
    """A wait ends at once for a set event, and at its end for another."""
    event = threading.Event()
    assert SystemClock().wait(event, 0.0) is False
    event.set()
    assert SystemClock().wait(event, 60.0) is True
