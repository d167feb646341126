"""Makes grants, and knows those that live in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from xsession import events
from xsession._aws import is_denied
from xsession._base import Clock, frozen, renew_after_fork
from xsession._chain import Chains, ResolvedAccount
from xsession.accounts import Account, required_role
from xsession.credentials import Credentials, Identity
from xsession.errors import AssumeRoleError, DeadlinePassedError, GrantError, XSessionError, reaching
from xsession.policies import Policy, PolicyLike, as_policy
from xsession.refresh import Deadline
from xsession.roles import Role, RoleChain, second_session_policy

from ._console import Post, post_form
from ._grant import Grant, Revoke
from ._live import LiveGrant
from ._revocation_policy import Scope
from ._terms import (
    GRANT_TAG,
    Terms,
    check_size,
    checked_duration,
    checked_reason,
    checked_to,
    make_grant_id,
    narrowed,
    session_name,
    source_identity_of,
)

if TYPE_CHECKING:
    from xsession.account_session import AccountSession

_RANDOM_CHARACTERS = 6

# What a trust policy may forbid, and a grant can do without: its role option, by the action that AWS names.
_OPTIONAL = {"sts:TagSession": "tags", "sts:SetSourceIdentity": "source_identity"}


@frozen
class _Asked:
    policy: PolicyLike | None
    policy_arns: Sequence[str]
    allow_chaining: bool


class Grants:
    """Makes grants, and ends them. One for each session.

    Args:
        chains: Resolves accounts.
        session_for: Makes the session of a resolved account.
        hooks: Those who must write a grant down, and all others.
        clock: Both clocks.
        random: Makes random bytes.
        post: Sends a form to the console's address for logging in.
    """

    def __init__(
        self,
        chains: Chains,
        session_for: Callable[[ResolvedAccount], AccountSession],
        *,
        hooks: events.Hooks,
        clock: Clock,
        random: Callable[[int], bytes],
        post: Post = post_form,
    ) -> None:
        self._chains = chains
        self._session_for = session_for
        self._hooks = hooks
        self._clock = clock
        self._random = random
        self._post = post
        self._lock = threading.RLock()
        self._live: list[LiveGrant] = []
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
        """Makes a grant: assumes the account's role for another person, and writes it down.

        Args:
            account: Which account's role.
            to: Whom it is for; ends up in CloudTrail.
            duration: How long it holds: a timedelta or seconds, up to 7 days.
            policy: What it may do; None: what the role may, or its own session policy.
            policy_arns: Managed policies that say what it may do, beside `policy`.
            reason: Why; for our own log alone.
            allow_chaining: Whether it may assume other roles and make credentials, which outlive the deadline.
            revoke: What its own `revoke` does.

        Raises:
            ConfigError: Bad input; nothing was asked of the network.
            CredentialsError: STS refused or failed.
            GrantError: It could not be written down, or was revoked meanwhile, and so it was not made.
        """
        seconds, to, reason = checked_duration(duration), checked_to(to), checked_reason(reason)
        terms = self._terms(to, reason, seconds)
        required_role(account, "that a grant could narrow")
        plain = self._chains.resolve(account)
        role = self._narrowed(account, plain.hops[-1].role, terms, _Asked(policy, policy_arns, allow_chaining))
        asked = _requested(terms, self._who(plain), account, role, self._clock)
        # From here on a revocation finds it, and before STS is asked there is a record of it.
        live = self._register(terms, account.name, role.role_arn)
        key_id: str | None = None
        try:
            self._write_down(asked)
            resolved, credentials = self._assumed(account, plain, role, live)
            key_id, live.source_identity = credentials.access_key_id, credentials.source_identity
            grant = Grant(
                terms,
                resolved,
                self._session_for(resolved),
                clock=self._clock,
                revoke=revoke,
                post=self._post,
                assume_once=self._chains.assumed_once,
            )
            self._write_down(_granted(asked, credentials, self._clock))
            live.check()
        except BaseException as error:
            live.fail()
            self._hooks.record_by_all(_failed(asked, key_id, error, self._clock))
            raise
        return grant

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
        ends = [until for live in chosen if (until := live.end("the grant was revoked")) is not None]
        return max(ends) if ends and scope.grant_id is not None else None

    def unnamed(self, role_arn: str, scope: Scope) -> list[str]:
        """The ids of a person's grants whose sessions don't carry that person's source identity.

        The chain has one of its own, or the role does not permit any: AWS tells them by their names alone.
        """
        if scope.source_identity is None:
            return []
        with self._lock:
            chosen = [live for live in self._live if live.is_within(role_arn, scope)]
        return [live.terms.id for live in chosen if live.source_identity != scope.source_identity]

    def forget(self, role_arn: str, scope: Scope) -> None:
        """Throws away credentials of a role that AWS refuses from now on."""
        if scope.grant_id is None:
            self._chains.invalidate_role(role_arn, scope.source_identity)

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        self._lock = threading.RLock()

    def _terms(self, to: str, reason: str | None, seconds: float) -> Terms:
        # AWS counts seconds: both sides end it in the same one.
        wall = (self._clock.wall() + seconds) // 1
        return Terms(
            id=make_grant_id(_now(self._clock), self._random(_RANDOM_CHARACTERS)),
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
                # A duration that is only a default may be shortened where STS finds it too long, and so stays one.
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
            return source.identity(source.frozen())

    def _assumed(
        self, account: Account, plain: ResolvedAccount, role: Role, live: LiveGrant
    ) -> tuple[ResolvedAccount, Credentials]:
        terms = live.terms
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
            live.adopt(resolved.cells[-1])
            try:
                return resolved, resolved.credentials.current()
            except DeadlinePassedError:
                live.check()
                raise
            except AssumeRoleError as error:
                # What the trust policy permits can't be known beforehand; AWS names the one action that it refuses.
                refused = _refused_option(error, len(plain.hops))
                if refused is None or refused not in added:
                    raise
                del added[refused]
                self._refused.add((role.role_arn, refused))

    def _register(self, terms: Terms, account: str, role_arn: str) -> LiveGrant:
        live = LiveGrant(terms, account, role_arn, _now(self._clock))
        with self._lock:
            self._live = [*(one for one in self._live if not one.is_over(self._clock)), live]
        return live

    def _write_down(self, event: events.GrantRequested | events.Granted) -> None:
        try:
            self._hooks.record(event)
        except Exception as error:
            msg = f"the grant was not made, since it could not be written down: {type(error).__name__}: {error}"
            hint = "fix the audit log"
            raise GrantError(msg, account=event.account, role_arn=event.role_arn, hint=hint) from error


def _with_role(account: Account, role: Role) -> Account:
    return replace(account, chain=RoleChain(*account.roles[:-1], role))


def _refused_option(error: AssumeRoleError, hop: int) -> str | None:
    if not is_denied(error.code) or error.hop != hop:
        return None
    return next((option for action, option in _OPTIONAL.items() if f"perform: {action}" in error.message), None)


def _now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.wall(), UTC)


def _requested(terms: Terms, who: Identity, account: Account, role: Role, clock: Clock) -> events.GrantRequested:
    policy = role.policy
    return events.GrantRequested(
        at=_now(clock),
        account=account.name,
        role_arn=role.role_arn,
        hop=len(account.roles),
        grant_id=terms.id,
        who=who.arn,
        to=terms.to,
        reason=terms.reason,
        policy=policy.to_json() if isinstance(policy, Policy) else "",
        policy_arns=tuple(role.policy_arns),
        deadline=terms.deadline,
        role_session_name=session_name(terms.id, terms.to),
    )


def _granted(asked: events.GrantRequested, credentials: Credentials, clock: Clock) -> events.Granted:
    return events.Granted(
        at=_now(clock),
        account=asked.account,
        role_arn=asked.role_arn,
        hop=asked.hop,
        grant_id=asked.grant_id,
        who=asked.who,
        to=asked.to,
        reason=asked.reason,
        policy=asked.policy,
        policy_arns=asked.policy_arns,
        deadline=asked.deadline,
        role_session_name=asked.role_session_name,
        source_identity=credentials.source_identity,
        access_key_id=credentials.access_key_id,
        expiry=credentials.expiry,
    )


def _failed(asked: events.GrantRequested, key_id: str | None, error: BaseException, clock: Clock) -> events.GrantFailed:
    ours = error if isinstance(error, XSessionError) else None
    return events.GrantFailed(
        at=_now(clock),
        account=asked.account,
        role_arn=asked.role_arn,
        hop=asked.hop,
        grant_id=asked.grant_id,
        access_key_id=key_id,
        code=None if ours is None else ours.code,
        # Of what is no error of ours the name alone: its words may hold anything.
        message=type(error).__name__ if ours is None else ours.message,
    )
