from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.worlds import World
from xsession import SOURCE, ConfigError
from xsession.cli._account_options import lasting_credentials
from xsession.testing import FakeClock


@pytest.mark.parametrize(
    ("passed", "min_valid", "calls"),
    [
        (56 * 60, None, 2),
        (20 * 60, None, 1),
        (44 * 60, None, 1),
        (46 * 60, None, 2),
        (29 * 60, timedelta(minutes=30), 1),
        (31 * 60, timedelta(minutes=30), 2),
        (56 * 60, timedelta(minutes=1), 1),
    ],
)
def test_what_is_about_to_end_is_not_handed_over(
    world: World, passed: int, min_valid: timedelta | None, calls: int
) -> None:
    """To a program that can't refresh it: of an hour, a quarter must be left, or what was asked for."""
    clock = FakeClock()
    xs = world.session(clock=clock, refresh=None)
    xs.get_frozen_credentials("vegeta")
    clock.advance(passed)
    credentials = lasting_credentials(xs, xs.accounts["vegeta"], min_valid, clock.wall)
    assert credentials.local_expiry is not None
    wanted = timedelta(minutes=15) if min_valid is None else min_valid
    assert credentials.local_expiry.timestamp() - clock.wall() >= wanted.total_seconds()
    assert len({call.access_key_id for call in world.aws.calls}) == 1
    # Those that are about to end may be refreshed in the background as well.
    assert world.aws.count("AssumeRole") >= calls
    assert calls == 2 or world.aws.count("AssumeRole") <= 2


def test_short_sessions_last_half_of_their_time(world: World) -> None:
    """Or they would be asked for again and again."""
    world.aws.set_lifetime(60)
    xs = world.session()
    lasting_credentials(xs, xs.accounts["vegeta"], None)
    assert world.aws.count("AssumeRole") == 1


def test_what_can_not_last_is_refused(world: World) -> None:
    """By those that were just issued; long-term keys last."""
    xs = world.session()
    with pytest.raises(ConfigError, match="its sessions last 60 minutes, and 120 minutes were asked for"):
        lasting_credentials(xs, xs.accounts["vegeta"], timedelta(hours=2))
    lasting_credentials(xs, xs.accounts.find(SOURCE), timedelta(hours=2))
