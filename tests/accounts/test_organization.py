from __future__ import annotations

import pytest

from xsession.accounts import Organization, OrganizationAccount, OrganizationalUnit
from xsession.accounts._organization import age_in_words

ORGANIZATION = Organization(
    "o-1",
    "111111111111",
    "aws",
    (
        OrganizationalUnit("r-1", "Root", None),
        OrganizationalUnit("ou-1", "Workloads", "r-1"),
        OrganizationalUnit("ou-2", "Prod", "ou-1"),
    ),
    (OrganizationAccount("222222222222", "data", "ACTIVE", "ou-2", {"env": "prod", "team": "a"}),),
    read_at=1_800_000_000.0,
    seen_at=1_800_000_060.0,
)


def test_ous_have_paths_of_names() -> None:
    """And what each is in."""
    assert ORGANIZATION.paths() == {"r-1": "", "ou-1": "Workloads", "ou-2": "Workloads/Prod"}
    assert ORGANIZATION.above()["ou-2"] == {"ou-2", "ou-1", "r-1"}


def test_it_is_shown_as_a_table() -> None:
    """With the time at which AWS said so."""
    text = str(ORGANIZATION)
    assert text.startswith("organization o-1, as it was on 2027-01-15 at 08:00 UTC")
    assert "222222222222" in text
    assert "Workloads/Prod" in text
    assert "env=prod, team=a" in text
    assert ORGANIZATION.age == 60.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than a minute"), (60, "1 minute"), (7_300, "2 hours"), (86_400, "1 day"), (300_000, "3 days")],
)
def test_ages_in_words(seconds: float, words: str) -> None:
    """The largest unit alone."""
    assert age_in_words(seconds) == words
