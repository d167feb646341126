"""Organizations on a local AWS for tests: a management account that asks, and members with a role that trusts it."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from tests.support.worlds import BATMAN, World
from xsession import Accounts, CrossAccountSession
from xsession.testing import LocalAWS
from xsession.testing._organizations import LocalOrganization

ROLE = "Reader"

_ACCOUNT: Any = botocore.session.Session().get_service_model("organizations").shape_for("Account")
shows_states = pytest.mark.skipif("State" not in _ACCOUNT.members, reason="this botocore drops the state of accounts")
shows_paths = pytest.mark.skipif("Paths" not in _ACCOUNT.members, reason="this botocore drops the paths of accounts")


def member_id(number: int) -> str:
    """An account's id, made of a number."""
    return f"{number:012}"


class OrganizationWorld:
    """Batman's account manages an organization, and its user is the source.

    Args:
        world: The accounts beside it.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.aws: LocalAWS = world.aws
        self.organization: LocalOrganization = world.aws.organization(BATMAN)
        self.organization.account(BATMAN, "batman")

    def member(self, number: int, name: str, *, role: bool = True, **options: Any) -> str:
        """An account with the role that all have; returns its id."""
        account_id = member_id(number)
        self.organization.account(account_id, name, **options)
        if role:
            self.aws.account(account_id).role(ROLE, trusts=BATMAN)
        return account_id

    def session(self, accounts: Any = (), **options: Any) -> CrossAccountSession:
        """A session whose source is the management account's user."""
        return self.world.session(dict(accounts), **options)

    def accounts(self, xs: CrossAccountSession | None = None, **options: Any) -> Accounts:
        """The organization's accounts."""
        return Accounts.from_organization(xs or self.session(), role_name=ROLE, **options)

    def asked(self) -> int:
        """How many requests Organizations got."""
        return sum(call.service == "organizations" for call in self.aws.calls)
