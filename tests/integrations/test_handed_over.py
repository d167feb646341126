from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.credentials import Credentials
from xsession.integrations._handed_over import told_end
from xsession.refresh import RefreshPolicy

NOW = 1_800_000_000.0


def held(lifetime: float, left: float) -> Credentials:
    """Credentials with so many seconds left."""
    end = datetime.fromtimestamp(NOW + left, UTC)
    issued = end - timedelta(seconds=lifetime)
    return Credentials(
        access_key_id="ASIAEXAMPLE", secret_access_key="s", expiry=end, issued_at=issued, lifetime=lifetime
    )


@given(st.floats(2.0, 43_200.0), st.floats(0.0, 1.0))
def test_the_end_that_is_told_is_a_little_early(lifetime: float, share: float) -> None:
    """Never later than the truth less the hard window; ahead of now while there is time."""
    left = lifetime * share
    told = told_end(held(lifetime, left), NOW).timestamp() - NOW
    windows = RefreshPolicy().windows(lifetime, 1.0)
    assert told <= left - windows.hard + 1e-3
    if left > windows.hard + 1e-3:
        assert told > 0 or left <= windows.mandatory


@pytest.mark.parametrize(("lifetime", "early"), [(3_600.0, 60.0), (900.0, 60.0), (6.0, 0.6)])
def test_readers_wait_for_a_refresh_from_then_on(lifetime: float, early: float) -> None:
    """So whoever asks again at that moment gets others."""
    told = told_end(held(lifetime, lifetime), NOW).timestamp()
    assert NOW + lifetime - told == pytest.approx(early)


def test_credentials_without_an_end_are_asked_for_again() -> None:
    """A source's own; "never" would be taken at its word."""
    told = told_end(Credentials(access_key_id="AKIAEXAMPLE", secret_access_key="s"), NOW)
    assert told.timestamp() == NOW + 300
    assert told.tzinfo is UTC
