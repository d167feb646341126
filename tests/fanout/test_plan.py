from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession import Account, ConfigError
from xsession.fanout import Unit, by_distinct_names
from xsession.fanout._plan import Plan, Task, checked_regions


@given(st.integers(0, 30), st.none() | st.lists(st.sampled_from(["eu-west-1", "us-east-1", "xx-new-1"]), unique=True))
def test_all_is_planned_once(accounts: int, regions: list[str] | None) -> None:
    """Accounts times regions, one account after the other."""
    plan = Plan([f"a{number}" for number in range(accounts)], regions or None)
    units = [task.unit for task in plan.tasks()]
    assert len(units) == plan.total == accounts * len(regions or [None])
    assert sorted(units, key=lambda unit: unit.place) == units
    assert len({(unit.account, unit.region) for unit in units}) == len(units)


def test_accounts_are_asked_for_their_regions_first() -> None:
    """Then each of their regions is one unit."""
    plan = Plan(["a", "b"], "enabled")
    first, second = plan.tasks()
    assert (first.selects, first.unit.region, second.unit.account) == (True, None, "b")
    assert list(plan.in_account(second.unit, ("eu-west-1", "us-east-1"))) == [
        Task(Unit("b", "eu-west-1", (1, 0))),
        Task(Unit("b", "us-east-1", (1, 1))),
    ]


@pytest.mark.parametrize(
    ("given_regions", "expected"),
    [
        (None, None),
        ("enabled", "enabled"),
        ("eu-west-1", ("eu-west-1",)),
        (["us-gov-west-1", "eusc-de-east-1", "us-gov-west-1"], ("us-gov-west-1", "eusc-de-east-1")),
    ],
)
def test_regions_as_callers_name_them(given_regions: Any, expected: Any) -> None:
    """One or several, each once."""
    assert checked_regions(given_regions) == expected


@pytest.mark.parametrize(
    "regions", [[], "", "all", "eu-west-1.evil.example", ["eu-west-1", 7], ["eu-west-1\n"], 5, [["eu-west-1"]]]
)
def test_what_can_be_no_region_is_refused(regions: Any) -> None:
    """Before the network: a name becomes part of a host's."""
    with pytest.raises(ConfigError, match="regions"):
        checked_regions(regions)


def test_accounts_with_one_name_get_numbers() -> None:
    """Each once, in their order; a number that another account has is passed over."""
    role = "arn:aws:iam::222222222222:role/{}".format
    one, numbered, other = Account("a", role("R")), Account("a-2", role("R")), Account("a", role("S"))
    assert by_distinct_names([one, numbered, other, one]) == {"a": one, "a-2": numbered, "a-3": other}
