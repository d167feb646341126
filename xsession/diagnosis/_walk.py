"""Walks a chain hop by hop and says which hop fails, why, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from xsession._aws import is_dead_caller, is_denied
from xsession._base import FrozenMap, frozen
from xsession._botocore import SourceSession, signing_credentials
from xsession._chain import UncachedChain
from xsession._sts import sts_region
from xsession.accounts import Account, AccountRef
from xsession.credentials import Credentials, Identity
from xsession.errors import (
    ConfigError,
    CredentialsError,
    MfaError,
    SourceCredentialsError,
    WrongAccountError,
    XSessionError,
)
from xsession.policies import CallingPrincipal
from xsession.roles import Hop, Role

from ._attempt import Attempt
from ._causes import (
    Facts,
    causes_at_source,
    causes_of,
    is_about_duration,
    unseen,
)
from ._inspection import Inspection
from ._report import Cause, Diagnosis, HopDiagnosis, HopState
from ._web_identity_causes import web_identity_causes

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials


Using: TypeAlias = "AccountRef | boto3.Session | Sequence[AccountRef | boto3.Session] | None"


@frozen(kw_only=True)
class _Standpoint:
    """Where a walk has come to: whose credentials ask for the next role.

    Args:
        caller: Who that is.
        frozen: The credentials.
        source_identity: As `Attempt` has it.
        source_identity_known: As `Attempt` has it.
        inherited_tags: As `Attempt` has it.
        tags_known: As `Attempt` has it.
    """

    caller: CallingPrincipal
    # botocore's own repr prints the secret.
    frozen: ReadOnlyCredentials = field(repr=False)
    source_identity: str | None = None
    source_identity_known: bool = True
    inherited_tags: FrozenMap[str] = field(default_factory=FrozenMap)
    tags_known: bool = True

    def after(self, attempt: Attempt, credentials: Credentials) -> _Standpoint:
        """Where the walk is when the role was assumed."""
        going_on = {key.casefold() for key in (*attempt.role.transitive_tag_keys, *attempt.inherited_tags)}
        return _Standpoint(
            caller=CallingPrincipal(credentials.arn or "", credentials.user_id, role=attempt.role.role_arn),
            frozen=signing_credentials(credentials),
            source_identity=credentials.source_identity,
            inherited_tags=FrozenMap((key, value) for key, value in attempt.tags.items() if key.casefold() in going_on),
            tags_known=self.tags_known,
        )


class _HopBefore:
    """The hop before, as the signer of a request.

    Args:
        at: Whose credentials sign.
    """

    def __init__(self, at: _Standpoint) -> None:
        self._at = at

    @property
    def methods(self) -> frozenset[str]:
        """How they were obtained, in botocore's words."""
        return frozenset({"assume-role"})

    @property
    def quota_account_id(self) -> str:
        """The account to whose quota of STS its calls count."""
        return self._at.caller.account_id

    def frozen(self) -> ReadOnlyCredentials:
        """The credentials, as they were issued."""
        return self._at.frozen

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return False

    @property
    def settling(self) -> bool:
        """Whether they are so new that STS may not know them yet: a walk takes no time, and does not wait."""
        return False

    def rejected(self, access_key_id: str) -> bool:  # noqa: ARG002 # the protocol's
        """There are never others: these were issued a moment ago."""
        return False

    def accepted(self) -> None:
        """Nothing is kept of them."""


def diagnose(
    account: Account,
    *,
    chain_of: Callable[[Account], UncachedChain],
    as_session: Callable[[AccountRef], boto3.Session],
    using: Using,
    wall: Callable[[], float],
) -> Diagnosis:
    """Asks again for each role of an account's chain and says which is refused, and why.

    Args:
        account: The account.
        chain_of: Resolves its chain, of which nothing is kept.
        as_session: The session of an account that `using` names.
        using: Who may read IAM, each in its own account.
        wall: Reads the wall clock, in seconds since 1970.

    Raises:
        UnknownAccountError: No account has a name that `using` gives.
        ConfigError: The account's roles and defaults do not fit together.
        SessionClosedError: The session is closed.
    """
    several = using if isinstance(using, list | tuple) else () if using is None else (using,)
    sessions = [one if hasattr(one, "get_credentials") else as_session(one) for one in several]
    try:
        chain = chain_of(account)
    except SourceCredentialsError as error:
        not_tried = (_not_tried(number, role) for number, role in enumerate(account.roles, start=1))
        return Diagnosis(account=account.name, hops=(_at_source(error, ""), *not_tried))
    return Diagnosis(account=account.name, hops=tuple(_Walk(chain, sessions, wall).hops()))


class _Walk:
    """One walk along a chain.

    Args:
        chain: The chain.
        sessions: Who may read IAM.
        wall: Reads the wall clock.
    """

    def __init__(self, chain: UncachedChain, sessions: Sequence[boto3.Session], wall: Callable[[], float]) -> None:
        self._chain = chain
        self._wall = wall
        self._region_name = chain.source_region_name
        self._inspection = Inspection(sessions, self._account_of)

    def hops(self) -> list[HopDiagnosis]:
        """How the source and each role stand."""
        hops = self._chain.hops
        if hops and hops[0].role.has_web_identity:
            found, at = self._web_identity(hops[0])
            hops = hops[1:]
        else:
            source, at = self._source()
            found = [source]
        for hop in hops:
            if at is None:
                found.append(_not_tried(hop.number, hop.role))
            else:
                diagnosed, at = self._hop(hop, at)
                found.append(diagnosed)
        return found

    def _web_identity(self, hop: Hop) -> tuple[list[HopDiagnosis], _Standpoint | None]:
        source, role = HopDiagnosis(hop=0, state=HopState.NOT_NEEDED), hop.role
        try:
            credentials = self._chain.assume(hop, self._chain.source).credentials
        except (CredentialsError, WrongAccountError) as error:
            return [source, _at_role(error, hop.number, role, web_identity_causes(error))], None
        caller = CallingPrincipal(credentials.arn or "", credentials.user_id, role=role.role_arn)
        found = HopDiagnosis(hop=hop.number, role_arn=role.role_arn, state=HopState.OK, arn=credentials.arn)
        # The token may bring tags along, and nothing shows them.
        at = _Standpoint(
            caller=caller,
            frozen=signing_credentials(credentials),
            source_identity=credentials.source_identity,
            tags_known=False,
        )
        return [source, found], at

    def _source(self) -> tuple[HopDiagnosis, _Standpoint | None]:
        try:
            frozen, identity = self._who_starts()
        except CredentialsError as error:
            return _at_source(error, self._region_name), None
        account = self._chain.account
        expected = None if self._chain.hops else account.account_id
        if expected is not None and identity.account_id != expected:
            wrong = WrongAccountError.between(identity.account_id, expected, arn=identity.arn, hop=0)
            return _at_source(wrong, self._region_name), None
        caller = CallingPrincipal(identity.arn, identity.user_id)
        # A role's session may have come with both, and nothing shows it.
        known = not caller.is_session
        found = HopDiagnosis(hop=0, state=HopState.OK, arn=identity.arn)
        return found, _Standpoint(caller=caller, frozen=frozen, source_identity_known=known, tags_known=known)

    def _who_starts(self) -> tuple[ReadOnlyCredentials, Identity]:
        source = self._chain.source
        frozen = self._frozen()
        try:
            return frozen, source.identity(frozen, self._region_name)
        except CredentialsError as error:
            # As at any refresh: a login, or a rotated key, may be in the files now.
            if not is_dead_caller(error.code) or not source.rejected(frozen.access_key or ""):
                raise
        frozen = self._frozen()
        return frozen, source.identity(frozen, self._region_name)

    def _frozen(self) -> ReadOnlyCredentials:
        # Here, where a person can answer, and no refresh waits.
        self._chain.ask_for_mfa()
        try:
            return self._chain.source.frozen()
        except MfaError:
            # What botocore had got with a code of its own has ended.
            self._chain.ask_for_mfa()
            return self._chain.source.frozen()

    def _hop(self, hop: Hop, at: _Standpoint) -> tuple[HopDiagnosis, _Standpoint | None]:
        attempt = self._attempt(hop, at)
        signer = self._chain.source if hop.number == 1 else _HopBefore(at)
        try:
            credentials = self._chain.assume(hop, signer).credentials
        except (CredentialsError, WrongAccountError, ConfigError) as error:
            return self._refused(error, attempt), None
        found = HopDiagnosis(hop=hop.number, role_arn=hop.role.role_arn, state=HopState.OK, arn=credentials.arn)
        return found, at.after(attempt, credentials)

    def _attempt(self, hop: Hop, at: _Standpoint) -> Attempt:
        return Attempt(
            hop=hop.number,
            role=hop.role,
            caller=at.caller,
            region_name=sts_region(hop.role, *self._chain.regions),
            time=self._wall(),
            long_term_key=at.frozen.token is None,
            source_identity=at.source_identity,
            source_identity_known=at.source_identity_known,
            inherited_tags=at.inherited_tags,
            tags_known=at.tags_known,
        )

    def _refused(self, error: XSessionError, attempt: Attempt) -> HopDiagnosis:
        facts = Facts()
        notes: tuple[str, ...] = ()
        if is_denied(error.code) or is_about_duration(error):
            facts, notes = self._inspection.of(attempt)
        causes = causes_of(error, attempt, facts)
        if is_denied(error.code) and not any(cause.certain for cause in causes):
            notes = (*notes, *unseen(attempt, facts))
        return _at_role(error, attempt.hop, attempt.role, causes, notes)

    def _account_of(self, session: boto3.Session) -> str:
        known: str | None = getattr(session, "account_id", None)
        if known is not None:
            return known
        frozen = SourceSession(session).frozen()
        return self._chain.source.identity(frozen, self._region_name, ()).account_id


def _at_role(
    error: XSessionError, number: int, role: Role, causes: Sequence[Cause], notes: Sequence[str] = ()
) -> HopDiagnosis:
    return HopDiagnosis(
        hop=number,
        role_arn=role.role_arn,
        state=HopState.REFUSED,
        code=error.code,
        request_id=error.request_id,
        message=_words(error),
        causes=causes,
        notes=notes,
    )


def _at_source(error: XSessionError, region_name: str) -> HopDiagnosis:
    return HopDiagnosis(
        hop=0,
        state=HopState.REFUSED,
        code=error.code,
        request_id=error.request_id,
        message=_words(error),
        causes=causes_at_source(error, region_name),
    )


def _not_tried(number: int, role: Role) -> HopDiagnosis:
    return HopDiagnosis(hop=number, role_arn=role.role_arn, state=HopState.NOT_TRIED)


def _words(error: XSessionError) -> str:
    return error.message.removeprefix(f"{error.code}: ")
