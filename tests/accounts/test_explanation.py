from __future__ import annotations

from xsession.accounts import Account, AccountChoice, Accounts

ARN = "arn:aws:iam::222222222222:role/Reader"
IN = AccountChoice("data", "222222222222", chosen=True, reason="ACTIVE, in Prod", aws_name="Data")
OUT = AccountChoice("old", "333333333333", chosen=False, reason="its state is SUSPENDED", aws_name="old")
DATA = Account("data", ARN, aws_name="Data", ou_path="Prod", origin="AWS Organizations (o-1)")


def reasons(accounts: Accounts) -> dict[str, tuple[bool, str]]:
    """Why each is in or out."""
    return {each.name: (each.chosen, each.reason) for each in accounts.explain()}


def test_each_account_has_a_reason() -> None:
    """Those that were considered and left out as well."""
    accounts = Accounts([DATA], considered=[IN, OUT]) | Accounts({"vegeta": ARN})
    assert reasons(accounts) == {
        "data": (True, "ACTIVE, in Prod"),
        "vegeta": (True, "defined in code"),
        "old": (False, "its state is SUSPENDED"),
    }
    assert reasons(accounts.where(name="v*"))["data"] == (False, "it was selected, and left out afterwards")


def test_an_account_of_ones_own_comes_before_that_of_a_list() -> None:
    """By its name; and one that another list has selected is in."""
    accounts = Accounts([DATA], considered=[IN]) | Accounts({"data": ARN})
    assert reasons(accounts) == {"data": (True, "defined in code")}
    other = AccountChoice("data", "222222222222", chosen=False, reason="exclude: 'data'")
    assert reasons(Accounts([DATA], considered=[other])) == {"data": (True, "selected by another list")}


def test_it_is_shown_as_a_table() -> None:
    """And is a sequence."""
    explanation = Accounts([DATA], considered=[IN, OUT]).explain()
    assert repr(explanation) == "<Explanation: 1 of 2 accounts>"
    assert "its state is SUSPENDED" in str(explanation)
    assert explanation[0] == IN
    assert list(explanation[1:]) == [OUT]
