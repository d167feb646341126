from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.test_organization import ORGANIZATION
from xsession.accounts import KeptOrganizations
from xsession.accounts._kept_organizations import json_of, organization_of
from xsession.accounts._own_files import OwnFiles

ASKED = "111111111111"


def kept(folder: Path, *, os_name: str = "posix") -> KeptOrganizations:
    """Lists in a folder."""
    return KeptOrganizations(OwnFiles(folder / "organizations", 10_000, os_name))


def test_what_was_said_is_found_again(tmp_path: Path) -> None:
    """With its age; other accounts' lists are others."""
    kept(tmp_path).keep(ASKED, ORGANIZATION)
    assert kept(tmp_path).find(ASKED, 1_800_086_400.0) == replace(ORGANIZATION, seen_at=1_800_086_400.0)
    assert kept(tmp_path).find("222222222222", 0.0) is None
    file = tmp_path / "organizations" / f"{ASKED}.json"
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_was_just_said_comes_first() -> None:
    """Also where there is no folder to keep it in."""
    nowhere = KeptOrganizations.named_by({}, {ASKED: ORGANIZATION})
    nowhere.keep(ASKED, ORGANIZATION)
    assert nowhere.find(ASKED, ORGANIZATION.seen_at) == ORGANIZATION
    assert nowhere.find("222222222222", 0.0) is None


def test_a_list_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    """They would say whose roles we assume."""
    kept(tmp_path).keep(ASKED, ORGANIZATION)
    file = tmp_path / "organizations" / f"{ASKED}.json"
    file.chmod(0o666)
    assert kept(tmp_path).find(ASKED, 0.0) is None
    file.chmod(0o600)
    file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / "elsewhere.json")
    assert kept(tmp_path).find(ASKED, 0.0) is None


def test_one_that_is_too_long_is_not_used(tmp_path: Path) -> None:
    """A bounded part of it is read."""
    kept(tmp_path).keep(ASKED, ORGANIZATION)
    small = KeptOrganizations(OwnFiles(tmp_path / "organizations", 10))
    assert small.find(ASKED, 0.0) is None


def wrong(**changes: Any) -> bytes:
    """A list with something else in it."""
    return json.dumps({**json.loads(json_of(ORGANIZATION)), **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        wrong(format=2),
        wrong(id=5),
        wrong(units=[["r-1", "Root", 5]]),
        wrong(units=[["ou-1", "Prod", "r-1"]]),
        wrong(units=[]),
        wrong(accounts=[["222222222222", "data", "ACTIVE", "r-2", {}]]),
        wrong(accounts=[["2", "data", "ACTIVE", "r-1", {}]]),
        wrong(accounts=[["222222222222", "data", "ACTIVE", "r-1", []]]),
        wrong(accounts=[["222222222222", "data", "ACTIVE", "r-1", {"a": 1}]]),
        wrong(accounts=[["222222222222", "data"]]),
        wrong(accounts=[["222222222222", "data", "ACTIVE", "r-1", {}]] * 2),
        *(wrong(management_id=other) for other in (5, "x", None)),
        *(wrong(partition=other) for other in (5, "x", "aws:iam", None)),
        *(wrong(read_at=moment) for moment in ("x", "5", None, float("nan"), float("inf"), -1, 10**400, 1e300)),
    ],
)
def test_what_is_no_list_is_none(data: bytes) -> None:
    """Whatever has become of the file: AWS is asked again then."""
    assert organization_of(data, 0.0) is None
