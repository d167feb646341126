from __future__ import annotations

import pytest

from xsession import Account, Accounts
from xsession.cli._account_filters import AccountFilters

ACCOUNTS = Accounts(
    Account(name, f"arn:aws:iam::{number:012}:role/R", ou_path=ou_path, ou_ids=ou_ids, tags={"env": env})
    for number, (name, ou_path, ou_ids, env) in enumerate(
        [
            ("in", "Workloads/Prod", ("r-1", "ou-1-work", "ou-1-prod"), "prod"),
            ("deep", "Workloads/Prod/EU", ("r-1", "ou-1-work", "ou-1-prod", "ou-1-eu"), "test"),
            ("other", "Workloads/Production", ("r-1", "ou-1-work", "ou-1-production"), "prod"),
            ("root", "", ("r-1",), "prod"),
            ("file", None, (), "prod"),
        ],
        1,
    )
)


@pytest.mark.parametrize(
    ("units", "tags", "name", "expected"),
    [
        ((), {}, "*", ["in", "deep", "other", "root", "file"]),
        (("Workloads/Prod",), {}, "*", ["in", "deep"]),
        (("Workloads/Prod/",), {}, "d*", ["deep"]),
        (("Workloads/Production", "Workloads/Prod"), {"env": "prod"}, "*", ["in", "other"]),
        (("Work*",), {}, "*", ["in", "deep", "other"]),
        (("Prod",), {}, "*", []),
        (("ou-1-prod",), {}, "*", ["in", "deep"]),
        (("ou-1-eu", "Workloads/Production"), {}, "*", ["deep", "other"]),
        (("r-1",), {"env": "prod"}, "*", ["in", "other", "root"]),
        (("ou-1-none",), {}, "*", []),
    ],
)
def test_accounts_that_all_filters_fit(
    units: tuple[str, ...], tags: dict[str, str], name: str, expected: list[str]
) -> None:
    """Those below an OU, at any depth, and no OU whose name begins so; in the order of all accounts."""
    assert list(AccountFilters(account_id="*", tags=tags, units=units).of(ACCOUNTS, name)) == expected
