"""Clocks on which a wait takes no time of the test's."""

from __future__ import annotations

from xsession._base._clock import Waitable
from xsession.testing import FakeClock


class PassingClock(FakeClock):
    """A clock on which waiting takes no time of ours."""

    def wait(self, event: Waitable, timeout: float) -> bool:
        """Lets the time pass."""
        self.advance(timeout)
        return event.wait(0)
