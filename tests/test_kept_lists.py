from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.clocks import PassingClock
from tests.support.worlds import VEGETA, World
from xsession import OrganizationError
from xsession._enabled_regions import KEPT_SECONDS, AccountRegions
from xsession._kept_lists import KeptLists
from xsession.accounts import KeptAnswers
from xsession.events import Event, NeedsAttention
from xsession.testing import Fault


class Asking:
    """Asks for Vegeta's regions."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = PassingClock()
        self.told: list[str] = []
        self.xs = world.session({"vegeta": world.role})
        self.vegeta = self.xs.accounts["vegeta"]

    def fresh(self) -> AccountRegions:
        """As of another process."""
        answers = KeptAnswers.named_by(os.environ, "regions")
        kept = KeptLists(answers, "the list of its enabled regions", self._hear, self.clock)
        return AccountRegions(self.xs.__getitem__, self.clock, kept=kept)

    def regions(self) -> tuple[str, ...]:
        """What another process finds."""
        return self.fresh()(self.vegeta)

    @property
    def asked(self) -> int:
        """How often EC2 was asked."""
        return self.world.aws.count("DescribeRegions")

    def fail(self) -> None:
        """Has EC2 fail from now on."""
        self.world.aws.fail(Fault(service="ec2", status=503, code="RequestLimitExceeded", times=None))

    def _hear(self, event: Event) -> None:
        assert isinstance(event, NeedsAttention)
        self.told.append(event.message)


@pytest.fixture
def asking(world: World) -> Asking:
    """Regions of Vegeta."""
    return Asking(world)


def test_sessions_of_one_user_ask_once(world: World) -> None:
    """As in several processes."""
    sessions = [world.session({"vegeta": world.role}) for _ in range(2)]
    first, second = (xs.enabled_regions("vegeta") for xs in sessions)
    assert first == second
    assert world.aws.count("DescribeRegions") == 1


def test_another_process_asks_for_nothing(asking: Asking) -> None:
    """For a day."""
    first = asking.regions()
    assert asking.regions() == first
    assert asking.asked == 1
    asking.clock.advance(KEPT_SECONDS)
    assert asking.regions() == first
    assert asking.asked == 2
    assert asking.told == []


def test_a_list_of_a_clock_that_was_ahead_is_asked_for_again(asking: Asking) -> None:
    """It would be fresh until then."""
    asking.clock.advance(1_000 * KEPT_SECONDS)
    first = asking.regions()
    asking.clock.advance(-999 * KEPT_SECONDS)
    assert asking.regions() == first
    assert asking.asked == 2


def test_an_old_list_is_used_and_told_where_aws_can_not_be_asked(asking: Asking) -> None:
    """With its age, by whoever uses it; and AWS is asked again the next time."""
    first = asking.regions()
    asking.clock.advance(3 * KEPT_SECONDS)
    asking.fail()
    regions = asking.fresh()
    assert regions(asking.vegeta) == first
    (told,) = asking.told
    assert told.startswith("the list of its enabled regions is 3 days old, since AWS could not be asked: ")
    assert "RequestLimitExceeded" in told
    asking.world.aws.recover()
    before = asking.asked
    assert regions(asking.vegeta) == first
    assert asking.asked == before + 1


def test_reload_has_them_asked_for_again(asking: Asking) -> None:
    """Also where the list on the disk is young; that counts where AWS can't be asked."""
    regions = asking.fresh()
    first = regions(asking.vegeta)
    regions.forget()
    assert regions(asking.vegeta) == first
    assert asking.asked == 2
    regions.forget()
    asking.fail()
    assert regions(asking.vegeta) == first
    assert "less than a minute old" in asking.told[0]


def test_without_a_list_it_is_an_error(asking: Asking) -> None:
    """Never "no regions"."""
    asking.fail()
    with pytest.raises(OrganizationError):
        asking.regions()
    assert asking.told == []


def test_a_list_that_can_not_be_kept_is_told(asking: Asking, tmp_path: Path) -> None:
    """And used all the same."""
    (tmp_path / "no-user-config" / "xsession").mkdir(parents=True)
    (tmp_path / "no-user-config" / "xsession" / "regions").write_text("")
    assert "eu-west-1" in asking.regions()
    assert asking.told[0].startswith("the list of its enabled regions is not kept on disk: ")


@pytest.mark.parametrize("text", ['"eu-west-1"', "[]", "[1]", "null", "{}"])
def test_a_list_that_is_none_is_asked_for(asking: Asking, tmp_path: Path, text: str) -> None:
    """As if nothing had been kept."""
    first = asking.regions()
    (file,) = (tmp_path / "no-user-config" / "xsession" / "regions").iterdir()
    assert file.name == f"{VEGETA}.json"
    head, _, _ = file.read_text().partition('"value":')
    file.write_text(f'{head}"value":{text}}}')
    assert asking.regions() == first
    assert asking.asked == 2
