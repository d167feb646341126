from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from xsession._sts._answers import lifetime_of

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@given(
    asked=st.integers(900, 43_200),
    lived=st.floats(-100, 200_000),
    skew=st.floats(-1e6, 1e6),
    dated=st.booleans(),
)
def test_no_lifetime_is_longer_than_what_was_asked_for(asked: int, lived: float, skew: float, dated: bool) -> None:
    """Whatever the answer and the local clock say, but for a minute of tolerance; nor is one negative."""
    expiry = datetime.fromtimestamp(NEW_YEAR + lived, UTC)
    date = datetime.fromtimestamp(NEW_YEAR, UTC) if dated else None
    lifetime = lifetime_of(expiry, date, asked=asked, sent_wall=NEW_YEAR + skew)
    assert lifetime is None or 0 < lifetime <= asked + 60


def test_a_lifetime_without_a_date_is_by_the_local_clock() -> None:
    """And then never longer than what was asked for."""
    expiry = datetime.fromtimestamp(NEW_YEAR + 3_600, UTC)
    assert lifetime_of(expiry, None, asked=900, sent_wall=NEW_YEAR) == 900
    assert lifetime_of(expiry, None, asked=3_600, sent_wall=NEW_YEAR + 600) == 3_000
    assert lifetime_of(expiry.replace(tzinfo=None), None, asked=3_600, sent_wall=NEW_YEAR) is None
    assert lifetime_of("soon", None, asked=3_600, sent_wall=NEW_YEAR) is None


@given(
    issued=st.floats(0, 1, exclude_max=True),
    travelled=st.floats(0, 0.9),
    asked=st.sampled_from([8, 900, 3_600]),
)
def test_credentials_are_never_thought_to_live_longer_than_they_do(issued: float, travelled: float, asked: int) -> None:
    """STS's times lack the fraction of their second; where the local clock is right, it knows it."""
    answered = NEW_YEAR + 1 + issued
    expiry, date = (datetime.fromtimestamp(moment // 1, UTC) for moment in (answered + asked, answered))
    sent = answered - travelled
    lifetime = lifetime_of(expiry, date, asked=asked, sent_wall=sent)
    assert lifetime is not None
    assert sent + lifetime <= expiry.timestamp()
    assert lifetime > asked - 1
