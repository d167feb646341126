from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts import Accounts, IdentityCenterAccount
from xsession.accounts._identity_center import identity_center_accounts

NAMES = st.sampled_from(["a", "a-b", "A", "a b", "x" * 200, ""])
ROLES = st.lists(st.sampled_from(["c", "b-c", "b+c", "b=c", "r" * 32]), unique=True, max_size=4)


@given(st.lists(st.tuples(NAMES, ROLES), max_size=5))
def test_each_permission_set_has_a_name_of_its_own(accounts: list[tuple[str, list[str]]]) -> None:
    """Whatever accounts and permission sets are called; none is lost."""
    listed = [
        IdentityCenterAccount(f"{number:012}", name, tuple(roles)) for number, (name, roles) in enumerate(accounts, 1)
    ]
    made = identity_center_accounts(listed, "corp", role_name="*", names=None, allow_empty=True)
    assert len(Accounts(made)) == sum(len(each.role_names) for each in listed)
    assert len({account.name.lower() for account in made}) == len(made)
