"""Revokes sessions: ends grants here, makes room on the role, writes the policy, and tells hooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from xsession import events
from xsession._aws import iso
from xsession._base import Clock
from xsession._iam import RoleIam
from xsession.accounts import Account, required_role
from xsession.errors import ConfigError, RevocationError, reaching
from xsession.policies import MAX_ROLE_POLICIES_CHARACTERS
from xsession.roles import Role

from ._revocation import Revocation
from ._revocation_policy import (
    MAX_GRANT,
    REVOCATION_PREFIX,
    Scope,
    check_before,
    check_revocable,
    cutoff_for,
    is_spent,
    size_of,
)
from ._role_policies import RevocableRole, RolePolicies
from ._terms import checked_id, checked_to, make_id, source_identity_of

if TYPE_CHECKING:
    import boto3

    from xsession.policies import Policy

_ID_CHARACTERS = 12


class Ends(Protocol):
    """Ends in this process what AWS is asked to refuse."""

    def end(self, role_arn: str, scope: Scope) -> datetime | None:
        """Ends grants; returns until when AWS would accept the last of their keys, where that is known."""

    def unnamed(self, role_arn: str, scope: Scope) -> list[str]:
        """The ids of a person's grants whose sessions don't carry that person's source identity."""

    def forget(self, role_arn: str, scope: Scope) -> None:
        """Throws away credentials that AWS refuses from now on."""


class Revoker:
    """Revokes sessions, with what that takes.

    Args:
        session_of: The boto3 session of an account.
        local: What this process holds of the roles.
        emit: Takes events.
        clock: Both clocks.
        random: Makes random bytes.
    """

    def __init__(
        self,
        session_of: Callable[[Account], boto3.Session],
        local: Ends,
        *,
        emit: events.Hook,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._session_of = session_of
        self._local = local
        self._emit = emit
        self._clock = clock
        self._random = random

    def revoke(
        self,
        account: Account,
        using: Account | None,
        *,
        grant: str | None = None,
        who: str | None = None,
        before: datetime | None = None,
        block: bool = False,
    ) -> Revocation:
        """Revokes sessions of an account's role; its grants among them end in this process, whatever AWS answers.

        Args:
            account: Whose last role it is about.
            using: Whose identity calls IAM; None: IAM is not called, and so it fails once grants have ended here.
            grant: The id of the one grant.
            who: The one person, by source identity.
            before: Sessions issued before this moment; None: now.
            block: Whether to deny whenever they are issued, until it is undone.

        Raises:
            ConfigError: Arguments that don't fit together, or a role whose policies only AWS changes.
            RevocationError: AWS still accepts the keys.
        """
        role = _role_of(account, using)
        person = None if who is None else source_identity_of(checked_to(who, "who"))
        _check_arguments(grant, who, before, block=block)
        check_before(before, datetime.fromtimestamp(self._clock.wall(), UTC))
        grant_id = None if grant is None else checked_id(grant)
        ours = Scope(before=before, grant_id=grant_id, source_identity=person)
        until = self._local.end(role.role_arn, ours)
        try:
            if using is None:
                raise _nobody(account, role)
            policies = RolePolicies(RoleIam(self._session_of(using), role.name), role.role_arn, account.name)
            facts = policies.facts()
            scope = _scope(before, facts.now, grant_id, person, block=block)
            made = self._write(account, role, policies, facts, scope)
            by_id = [
                _scope(None, facts.now, unnamed, None, block=block)
                for unnamed in self._local.unnamed(role.role_arn, ours)
            ]
            for one in by_id:
                self._write(account, role, policies, facts, one)
        except RevocationError as error:
            self._tell(account, role, using, ours, None)
            error.note = f"AWS still accepts the keys{_until(until, grant_id)}"
            raise
        self._local.forget(role.role_arn, scope)
        self._tell(account, role, using, scope, made.id)
        for one in by_id:
            self._tell(account, role, using, one, one.grant_id)
        return made

    def _write(
        self, account: Account, role: Role, policies: RolePolicies, facts: RevocableRole, scope: Scope
    ) -> Revocation:
        policy = scope.policy(facts.role_id)
        made = Revocation(
            id=scope.grant_id or make_id(self._random(_ID_CHARACTERS)),
            account=account.name,
            role_arn=role.role_arn,
            scope=scope,
            at=facts.now,
            revives_until=(scope.before or facts.now) + MAX_GRANT,
            _policies=policies,
            _policy=policy,
            _clock=self._clock,
            _seen=threading.Event(),
        )
        spent = _make_room(policies, made.policy_name, policy, facts.now)
        policies.put(made.policy_name, policy)
        for name in spent:
            # They deny nothing any more: that one of them stays is no reason to fail.
            with suppress(RevocationError):
                policies.delete(name)
        return made

    def _tell(
        self, account: Account, role: Role, using: Account | None, scope: Scope, revocation_id: str | None
    ) -> None:
        self._emit(
            events.Revoked(
                at=datetime.fromtimestamp(self._clock.wall(), UTC),
                account=account.name,
                role_arn=role.role_arn,
                hop=len(account.roles),
                revocation_id=revocation_id,
                using=None if using is None else using.name,
                grant_id=scope.grant_id,
                source_identity=scope.source_identity,
                before=scope.before,
                enforced=revocation_id is not None,
            )
        )


def _scope(before: datetime | None, now: datetime, grant_id: str | None, person: str | None, *, block: bool) -> Scope:
    if grant_id is not None:
        return Scope(before=None, grant_id=grant_id, until=None if block else now + MAX_GRANT)
    return Scope(before=None if block else cutoff_for(before, now), source_identity=person)


def _make_room(policies: RolePolicies, own_name: str, policy: Policy, now: datetime) -> list[str]:
    """The names of revocations that can go, once it is clear that the new one has room beside all others."""
    spent: list[str] = []
    sizes: dict[str, int] = {}
    for name in policies.names():
        # One of its own name is written over.
        document = None if name == own_name else policies.document(name)
        if document is not None:
            sizes[name] = size_of(document)
            if name.startswith(REVOCATION_PREFIX) and is_spent(document, now):
                spent.append(name)
    # Deleted afterwards, but where there is no room: an identity that may write a policy may not always delete one.
    while spent and sum(sizes.values()) + policy.size > MAX_ROLE_POLICIES_CHARACTERS:
        name = spent.pop()
        policies.delete(name)
        del sizes[name]
    size = sum(sizes.values())
    if size + policy.size > MAX_ROLE_POLICIES_CHARACTERS:
        msg = (
            f"the role's inline policies have {size} characters, and the {policy.size} of this revocation would make "
            f"them longer than the {MAX_ROLE_POLICIES_CHARACTERS} that IAM takes"
        )
        raise policies.error(msg, hint="move permissions of the role into a managed policy, or remove old revocations")
    return spent


def _role_of(account: Account, using: Account | None) -> Role:
    role = required_role(account, "whose sessions could be revoked")
    with reaching(account.name):
        check_revocable(role.role_arn)
    if using is not None and using.account_id not in (None, role.account_id):
        msg = f"the identity of {using.name!r} is in account {using.account_id}, and the role in {role.account_id}"
        raise ConfigError(
            msg, account=account.name, role_arn=role.role_arn, hint="pass using= an account with the same id"
        )
    return role


def _check_arguments(grant: object, who: object, before: object, *, block: bool) -> None:
    if grant is not None and who is not None:
        msg = "grant and who both say which sessions are revoked"
        raise ConfigError(msg, hint="pass one of them: a grant is one person's")
    if grant is not None and before is not None:
        msg = "a grant is revoked whenever its sessions are issued, and before says when"
        raise ConfigError(msg, hint="pass one of them")
    if block and before is not None:
        msg = "block denies sessions whenever they are issued, and before says when"
        raise ConfigError(msg, hint="pass one of them")


def _nobody(account: Account, role: Role) -> RevocationError:
    hint = "pass using=, an account whose identity is allowed iam:PutRolePolicy on the role"
    return RevocationError("AWS was not asked", account=account.name, role_arn=role.role_arn, hint=hint)


def _until(moment: datetime | None, grant_id: str | None) -> str:
    if moment is not None:
        return f" until {iso(moment)}"
    if grant_id is not None:
        # It may be refreshed elsewhere.
        return " until the grant's deadline, 7 days after it was made at the latest"
    return " until they expire: 12 hours after their issue, and grants 7 days after they were made, at the latest"
