from __future__ import annotations

import pytest

from xsession import Account, Accounts
from xsession.cli._account_filters import AccountFilters

ACCOUNTS = Accounts(
    Account(name, f"arn:aws:iam::{number:012}:role/R", ou_path=ou_path, tags={"env": env})
    for number, (name, ou_path, env) in enumerate(
        [
            ("in", "Workloads/Prod", "prod"),
            ("deep", "Workloads/Prod/EU", "test"),
            ("other", "Workloads/Production", "prod"),
            ("root", "", "prod"),
            ("file", None, "prod"),
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
    ],
)
def test_accounts_that_all_filters_fit(
    units: tuple[str, ...], tags: dict[str, str], name: str, expected: list[str]
) -> None:
    """Those below an OU, at any depth, and no OU whose name begins so; in the order of all accounts."""
    assert list(AccountFilters(account_id="*", tags=tags, units=units).of(ACCOUNTS, name)) == expected
