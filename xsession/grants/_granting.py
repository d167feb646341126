"""Makes grants, and knows those that live in this process."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from xsession import events
from xsession._aws import is_denied
from xsession._base import Clock, frozen, renew_after_fork
from xsession._botocore import SigningCredentials
from xsession._chain import Chains, ResolvedAccount
from xsession._sts import sts_region
from xsession.accounts import Account, required_role
from xsession.credentials import Credentials, Identity
from xsession.errors import AssumeRoleError, GrantError, reaching
from xsession.policies import Policy, PolicyLike, as_policy
from xsession.refresh import Cell, Deadline
from xsession.roles import Role, RoleChain, second_session_policy

from ._console import Post, post_form
from ._grant import Grant, Revoke
from ._revocation_policy import Scope
from ._terms import (
    GRANT_TAG,
    Terms,
    check_size,
    checked_duration,
    checked_reason,
    checked_to,
    make_id,
    narrowed,
    session_name,
    source_identity_of,
)

if TYPE_CHECKING:
    from xsession.account_session import AccountSession

_ID_CHARACTERS = 12

# What a trust policy may forbid, and a grant can do without: its role option, by the action that AWS names.
_OPTIONAL = {"sts:TagSession": "tags", "sts:SetSourceIdentity": "source_identity"}


@frozen
class _Asked:
    policy: PolicyLike | None
    policy_arns: Sequence[str]
    allow_chaining: bool


@frozen
class _Live:
    terms: Terms
    made: datetime
    role_arn: str
    cell: weakref.ref[Cell[SigningCredentials]]

    def is_within(self, role_arn: str, scope: Scope) -> bool:
        return (
            self.role_arn == role_arn
            and (scope.before is None or self.made < scope.before)
            and scope.grant_id in (None, self.terms.id)
            and scope.source_identity in (None, source_identity_of(self.terms.to))
        )


class Grants:
    """Makes grants, and ends them. One for each session.

    Args:
        chains: Resolves accounts.
        session_for: Makes the session of a resolved account.
        record: Writes an event down, or raises; tells the hooks of it.
        clock: Both clocks.
        random: Makes so many random bytes.
        post: Sends a form to the console's address for logging in.
    """

    def __init__(
        self,
        chains: Chains,
        session_for: Callable[[ResolvedAccount], AccountSession],
        *,
        record: Callable[[events.Event], None],
        clock: Clock,
        random: Callable[[int], bytes],
        post: Post = post_form,
    ) -> None:
        self._chains = chains
        self._session_for = session_for
        self._record = record
        self._clock = clock
        self._random = random
        self._post = post
        self._lock = threading.RLock()
        self._live: list[_Live] = []
        self._refused: set[tuple[str, str]] = set()
        renew_after_fork(self)

    def grant(
        self,
        account: Account,
        *,
        to: str,
        duration: timedelta | float,
        policy: PolicyLike | None = None,
        policy_arns: Sequence[str] = (),
        reason: str | None = None,
        allow_chaining: bool = False,
        revoke: Revoke,
    ) -> Grant:
        """Makes a grant: assumes the account's role for somebody else, and writes it down.

        Args:
            account: Which account's role.
            to: Whom it is for; ends up in CloudTrail.
            duration: How long it holds: a timedelta or seconds, up to 7 days.
            policy: What it may do; None: whatever the role may, or its own session policy.
            policy_arns: Managed policies that say what it may do, beside `policy`.
            reason: Why; for our own log alone.
            allow_chaining: Whether it may assume other roles and make credentials, which outlive the deadline.
            revoke: What its own `revoke` does.

        Raises:
            ConfigError: Bad input; nothing was asked of the network.
            CredentialsError: STS refused or failed.
            GrantError: It could not be written down, and so it was not made.
        """
        seconds, to, reason = checked_duration(duration), checked_to(to), checked_reason(reason)
        terms = self._terms(to, reason, seconds)
        required_role(account, "that a grant could narrow")
        plain = self._chains.resolve(account)
        role = self._narrowed(account, plain.hops[-1].role, terms, _Asked(policy, policy_arns, allow_chaining))
        who = self._who(plain)
        resolved, credentials = self._assumed(account, plain, role, terms)
        self._remember(terms, resolved)
        try:
            self._record(_granted(terms, who, resolved, credentials, self._clock))
        except BaseException as error:
            resolved.cells[-1].end("the grant was not made, since it could not be written down")
            if not isinstance(error, Exception):
                raise
            msg = f"the grant was not made, since it could not be written down: {type(error).__name__}: {error}"
            role_arn = role.role_arn
            raise GrantError(msg, account=account.name, role_arn=role_arn, hint="mend the audit log") from error
        return Grant(terms, resolved, self._session_for(resolved), clock=self._clock, revoke=revoke, post=self._post)

    def end(self, role_arn: str, scope: Scope) -> datetime | None:
        """Ends grants of a role in this process.

        Args:
            role_arn: The role.
            scope: Which ones.

        Returns:
            Until when AWS would accept the last of their keys; None: there were none here, or others may have keys.
        """
        with self._lock:
            chosen = [live for live in self._live if live.is_within(role_arn, scope)]
        ends: list[datetime] = []
        for live in chosen:
            cell = live.cell()
            if cell is not None:
                expiry = cell.snapshot.credentials.expiry
                ends.append(live.terms.deadline if expiry is None else min(live.terms.deadline, expiry))
                cell.end("the grant was revoked")
        return max(ends) if ends and scope.grant_id is not None else None

    def forget(self, role_arn: str, scope: Scope) -> None:
        """Throws away credentials of a role that AWS refuses from now on."""
        if scope.grant_id is None:
            self._chains.invalidate_role(role_arn, scope.source_identity)

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        self._lock = threading.RLock()

    def _terms(self, to: str, reason: str | None, seconds: float) -> Terms:
        # AWS counts seconds: both sides end it in the same one.
        wall = (self._clock.wall() + seconds) // 1
        return Terms(
            id=make_id(self._random(_ID_CHARACTERS)),
            to=to,
            reason=reason,
            deadline=datetime.fromtimestamp(wall, UTC),
            ends=Deadline.after(wall - self._clock.wall(), self._clock),
        )

    def _narrowed(self, account: Account, role: Role, terms: Terms, asked: _Asked) -> Role:
        if role.has_session_policy:
            if asked.policy is not None or asked.policy_arns:
                hint = "grant without policy, which keeps the role's, or register the role once more without its policy"
                raise second_session_policy(role, account.name, hint)
            asked = replace(asked, policy=role.policy, policy_arns=role.policy_arns)
        with reaching(account.name):
            bare = role.replace(
                policy=None,
                policy_arns=asked.policy_arns,
                # A duration that is but a default may be shortened where STS finds it too long, and so stays one.
                duration_seconds=account.roles[-1].duration_seconds,
            )
            own = None if asked.policy is None else as_policy(asked.policy)
            arns = tuple(bare.policy_arns)
            ours = narrowed(
                own, deadline=terms.deadline, has_policy_arns=bool(arns), allow_chaining=asked.allow_chaining
            )
            check_size(ours, own, arns)
            return bare.replace(policy=ours, role_session_name=session_name(terms.id, terms.to))

    def _who(self, plain: ResolvedAccount) -> Identity:
        source = plain.source
        with reaching(plain.account.name):
            return source.identity(source.frozen(), sts_region(plain.hops[-1].role, source.region_name))

    def _assumed(
        self, account: Account, plain: ResolvedAccount, role: Role, terms: Terms
    ) -> tuple[ResolvedAccount, Credentials]:
        # On an earlier hop, one's own source identity stays on the whole chain.
        claimed = any(hop.role.source_identity for hop in plain.hops)
        added: dict[str, Any] = {"tags": {**role.tags, GRANT_TAG: terms.id}}
        added |= {} if claimed else {"source_identity": source_identity_of(terms.to)}
        for option in _OPTIONAL.values():
            if (role.role_arn, option) in self._refused:
                added.pop(option, None)
        while True:
            wanted = _with_role(account, role.replace(**added))
            resolved = self._chains.resolve(wanted, terms.ends)
            try:
                return resolved, resolved.credentials.current()
            except AssumeRoleError as error:
                # Nothing shows beforehand what the trust policy permits; AWS names the one action that it refuses.
                refused = _refused_option(error, len(plain.hops))
                if refused is None or refused not in added:
                    raise
                del added[refused]
                self._refused.add((role.role_arn, refused))

    def _remember(self, terms: Terms, resolved: ResolvedAccount) -> None:
        made = datetime.fromtimestamp(self._clock.wall(), UTC)
        live = _Live(terms, made, resolved.hops[-1].role.role_arn, weakref.ref(resolved.cells[-1]))
        with self._lock:
            held = [one for one in self._live if one.cell() is not None and one.terms.ends.left(self._clock) > 0]
            self._live = [*held, live]


def _with_role(account: Account, role: Role) -> Account:
    return replace(account, chain=RoleChain(*account.roles[:-1], role))


def _refused_option(error: AssumeRoleError, hop: int) -> str | None:
    if not is_denied(error.code) or error.hop != hop:
        return None
    return next((option for action, option in _OPTIONAL.items() if f"perform: {action}" in error.message), None)


def _granted(
    terms: Terms, who: Identity, resolved: ResolvedAccount, credentials: Credentials, clock: Clock
) -> events.Granted:
    hop = resolved.hops[-1]
    policy = hop.role.policy
    return events.Granted(
        at=datetime.fromtimestamp(clock.wall(), UTC),
        account=resolved.account.name,
        role_arn=hop.role.role_arn,
        hop=hop.number,
        grant_id=terms.id,
        who=who.arn,
        to=terms.to,
        reason=terms.reason,
        policy=policy.to_json() if isinstance(policy, Policy) else "",
        policy_arns=tuple(hop.role.policy_arns),
        deadline=terms.deadline,
        role_session_name=session_name(terms.id, terms.to),
        source_identity=credentials.source_identity,
        access_key_id=credentials.access_key_id,
        expiry=credentials.expiry,
    )
