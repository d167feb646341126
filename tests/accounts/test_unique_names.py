from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts import Account
from xsession.accounts._unique_names import NamedAccount, unique_names


def named(*names: str, closed: tuple[str, ...] = ()) -> dict[str, str]:
    """What accounts with ids 1, 2, ... become; those that are closed come behind the others."""
    everything = [*((name, True) for name in names), *((name, False) for name in closed)]
    became = unique_names(
        NamedAccount(f"{number:012}", name, is_active=active) for number, (name, active) in enumerate(everything, 1)
    )
    return {key.lstrip("0"): name for key, name in became.items()}


@pytest.mark.parametrize(
    ("name", "became"),
    [
        ("data", "data"),
        ("Company [production]", "Company-production"),
        ("_hidden", "hidden"),
        ("ends-", "ends-"),
        ("日本", "000000000001"),
        ("a" * 128, "a" * 128),
        ("a" * 129, f"{'a' * 115}-000000000001"),
        ("000000000001", "000000000001"),
        ("000000000009", "000000000009-000000000001"),
    ],
)
def test_a_name_becomes_valid(name: str, became: str) -> None:
    """Whatever AWS lets people write; another account's id is no name (H35, H44)."""
    assert named(name) == {"1": became}


def test_accounts_with_one_name_have_their_ids_in_it() -> None:
    """In any case of letters, and one more renames none (H36, H43)."""
    two = named("data", "Data")
    assert two == {"1": "data-000000000001", "2": "Data-000000000002"}
    assert named("data", "Data", "DATA") == {**two, "3": "DATA-000000000003"}


def test_the_active_one_keeps_the_plain_name() -> None:
    """Before and after AWS drops the closed one (H96)."""
    assert named("data", closed=("data",)) == {"1": "data", "2": "data-000000000002"}
    assert named("data") == {"1": "data"}


def test_a_name_that_looks_like_a_made_one_is_told_apart() -> None:
    """Else two accounts had one name."""
    became = named("data", "data", "data-000000000001")
    assert became["1"] == "data-000000000001"
    assert became["3"] == "data-000000000001-000000000003"


names = st.one_of(
    st.sampled_from(
        ["data", "Data", "data-000000000001", "data-000000000001-000000000002", "000000000002", "a b", "", "x" * 130]
    ),
    st.text(max_size=8),
)


@given(st.lists(st.tuples(names, st.booleans()), max_size=8), st.randoms(use_true_random=False))
def test_names_are_valid_and_unique_whatever_the_order(accounts: list[tuple[str, bool]], random: object) -> None:
    """As file names and profiles, where case says nothing."""
    given_accounts = [
        NamedAccount(f"{number:012}", name, is_active=active) for number, (name, active) in enumerate(accounts, 1)
    ]
    became = unique_names(given_accounts)
    assert len({name.lower() for name in became.values()}) == len(accounts)
    for account_id, name in became.items():
        Account(name, source="any", account_id=account_id)
    shuffled = list(given_accounts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert unique_names(shuffled) == became
