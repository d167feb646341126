"""MFA: one code for all accounts that ask for the same device.

A code works once. So it is spent on a session of the long-term credentials (GetSessionToken), and that session assumes
the roles, for as long as it lives. People are asked in the thread of a caller that waits, never by a refresh.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xsession._base import Clock
from xsession._botocore import SigningCredentials, code_missing, signing_credentials
from xsession._sts import sts_region
from xsession.errors import InvalidRoleError, MfaError, XSessionError, reaching
from xsession.refresh import Cell, Issued, Reader, RefreshState
from xsession.roles import MAX_CHAINED_DURATION_SECONDS, Defaults, Hop, Role
from xsession.stores import Store

from ._assume_role import SETTLING_SECONDS, signed_by
from ._hop_fetch import issued_earlier
from ._mfa_prompt import CodeUse, MfaCode, MfaPrompt
from ._source import Source
from ._source_code import SourceCode, SourceMfa

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

DEFAULT_MFA_DURATION_SECONDS = 43_200
# A role that is assumed at the last moment must still reach STS.
_MARGIN_SECONDS = 30.0
_USABLE = (RefreshState.FRESH, RefreshState.ADVISORY, RefreshState.MANDATORY)


class MfaSession:
    """A session of long-term credentials that has passed MFA: it assumes the roles that ask for its device.

    It is not refreshed; when it ends, a caller is asked for the next code.

    Args:
        serial: The device.
        source: The long-term credentials, and the STS that makes the call.
        store: Asked first, and told of what was issued.
        key: The store's key.
        clock: Both clocks.
    """

    def __init__(self, serial: str, source: Source, *, store: Store, key: str, clock: Clock) -> None:
        self.serial = serial
        self.source = source
        self.key = key
        self._store = store
        self._clock = clock
        self._held: tuple[Issued, SigningCredentials] | None = None
        self._looked_in_store = False

    @property
    def is_usable(self) -> bool:
        """Whether it is good for one more role."""
        if not self._looked_in_store:
            self._looked_in_store = True
            self._hold(issued_earlier(self._store.get(self.key), None, self._clock))
        held = self._held
        return held is not None and self._is_good(held[0])

    def begin(self, code: str, *, seconds: int, region_name: str) -> None:
        """Spends a code on a new session.

        Args:
            code: Of the device.
            seconds: How long the session lives.
            region_name: The region whose STS is asked.

        Raises:
            CredentialsError: STS refused or failed.
        """
        sts = self.source.sts
        issued = signed_by(
            self.source,
            lambda frozen: sts.session_token(frozen, self.serial, code, seconds=seconds, region_name=region_name),
        )
        self._hold(issued)
        self._store.put(self.key, issued.credentials)

    def frozen(self) -> ReadOnlyCredentials:
        """The session's credentials.

        Raises:
            MfaError: There is none, or it has ended.
        """
        held = self._held
        if held is None or not self._is_good(held[0]):
            raise code_missing(self.serial)
        return held[1]

    def rejected(self, access_key_id: str) -> bool:
        """Throws them away; the next ones take a code, which `frozen` says."""
        held = self._held
        if held is not None and held[1].access_key == access_key_id:
            self.forget()
        return True

    @property
    def quota_account_id(self) -> str:
        """The account of the long-term credentials."""
        return self.source.quota_account_id

    @property
    def is_held(self) -> bool:
        """Whether there is one, usable or not."""
        return self._held is not None

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return False

    @property
    def settling(self) -> bool:
        """Whether it is so new that STS may not know it yet."""
        held = self._held
        return held is not None and self._clock.boot() - held[0].sent_boot < SETTLING_SECONDS

    def forget(self) -> None:
        """Throws the session away, in the store too."""
        self.close()
        self._store.delete(self.key)

    def close(self) -> None:
        """Throws away what is in memory."""
        self._held = None

    def _hold(self, issued: Issued | None) -> None:
        self._held = None if issued is None else (issued, signing_credentials(issued.credentials))

    def _is_good(self, issued: Issued) -> bool:
        credentials, lifetime = issued.credentials, issued.credentials.lifetime
        if lifetime is None or credentials.issued_at is None:
            return False
        usable = lifetime - min(_MARGIN_SECONDS, lifetime / 20)
        boot, wall = issued.sent_boot + usable, credentials.issued_at.timestamp() + usable
        return self._clock.boot() < boot and self._clock.wall() < wall


class SessionCode(CodeUse):
    """A code for a session, which all roles behind the same device use.

    Args:
        session: The session.
        seconds: How long one lives.
        region_name: The region whose STS is asked.
    """

    def __init__(self, session: MfaSession, *, seconds: int, region_name: str) -> None:
        self.serial = session.serial
        self.key = session.key
        self._session = session
        self._seconds = seconds
        self._region_name = region_name

    @property
    def is_done(self) -> bool:
        """Whether there is a session."""
        return self._session.is_usable

    def check(self) -> None:
        """Refuses a source that is a session itself."""
        _check_long_term(self._session.source)

    def spend(self, code: str, /) -> None:
        """Begins a session."""
        self._session.begin(code, seconds=self._seconds, region_name=self._region_name)


class RoleCode(CodeUse):
    """A code for one role alone: one that should live longer than a role behind a session may.

    Args:
        serial: The device.
        key: The role's key.
        cell: Its credentials.
        source: The long-term credentials.
    """

    def __init__(self, serial: str, key: str, cell: Cell[SigningCredentials], source: Source) -> None:
        self.serial = serial
        self.key = key
        self._cell = cell
        self._source = source

    @property
    def is_done(self) -> bool:
        """Whether the role's credentials are there."""
        return self._cell.state in _USABLE

    def check(self) -> None:
        """Refuses a source that is a session itself."""
        _check_long_term(self._source)

    def spend(self, code: str, /) -> None:
        """Assumes the role: the refresh that begins here carries the code."""
        self._cell.forgive(XSessionError)
        Reader(self._cell, mfa_code=code).read()


class AccountMfa:
    """The MFA that the first role of an account asks for; every caller that may wait comes by.

    Args:
        hops: The account's hops, in order.
        cells: Their credentials.
        keys: Their keys.
        use: What a code is asked for.
        prompt: Asks for it.
        command: The program that prints codes, where there is no function.
        store: May have credentials of the hops.
        clock: Both clocks.
    """

    def __init__(
        self,
        hops: Sequence[Hop],
        cells: Sequence[Cell[SigningCredentials]],
        keys: Sequence[str],
        use: CodeUse,
        *,
        prompt: MfaPrompt,
        command: Sequence[str] | None,
        store: Store,
        clock: Clock,
    ) -> None:
        self._hops = hops
        self._cells = cells
        self._keys = keys
        self._use = use
        self._prompt = prompt
        self._command = command
        self._store = store
        self._clock = clock

    def ask(self) -> None:
        """Has a person asked for a code, where the account's credentials can't be obtained without one.

        Raises:
            MfaError: No right code could be obtained.
            CredentialsError: The source has no credentials, or STS refused or failed.
            InvalidRoleError: The source is a session itself.
        """
        states = [cell.state for cell in self._cells]
        if states[-1] is RefreshState.DEADLINE or any(state in _USABLE for state in states):
            return
        if not self._use.is_done and not self._is_kept():
            with reaching(role_arn=self._hops[0].role.role_arn, hop=1):
                self._prompt.ask(self._use, self._command)
        for cell in self._cells:
            cell.forgive(MfaError)

    def _is_kept(self) -> bool:
        return any(
            # Only a cell that has fetched nothing yet looks into the store.
            cell.snapshot.generation == 0
            and cell.failure is None
            and issued_earlier(self._store.get(key), hop.role.account_id, self._clock) is not None
            for hop, cell, key in zip(self._hops, self._cells, self._keys, strict=True)
        )


class MfaSessions:
    """The MFA sessions of one `CrossAccountSession`, one for each source and device; and their prompt.

    Args:
        code: As `MfaPrompt` takes it.
        store: Where they are kept.
        clock: Both clocks.
    """

    def __init__(self, code: MfaCode | None, *, store: Store, clock: Clock) -> None:
        self.prompt = MfaPrompt(code, clock)
        self._store = store
        self._clock = clock
        self._sessions: dict[tuple[str, str], MfaSession] = {}
        self._passing: weakref.WeakValueDictionary[tuple[str, str], MfaSession] = weakref.WeakValueDictionary()

    def of(self, serial: str, source: Source) -> MfaSession:
        """The session of a device.

        Args:
            serial: The device.
            source: The long-term credentials.
        """
        # A source that a caller passed along is held only by what uses it.
        sessions = self._passing if source.is_passing else self._sessions
        known = sessions.get((source.key, serial))
        if known is not None:
            return known
        key = hashlib.sha256(json.dumps(["mfa", source.key, serial]).encode()).hexdigest()
        made = MfaSession(serial, source, store=self._store, key=key, clock=self._clock)
        # Of two threads that come here at once, both get the first one's: setdefault is atomic.
        return sessions.setdefault((source.key, serial), made)

    def signer_of(self, role: Role, source: Source) -> MfaSession | None:
        """The session that assumes a role which asks for MFA; None: the role takes a code for itself.

        Args:
            role: The role.
            source: The long-term credentials.
        """
        # Behind a session, a role lives an hour at most: who asked for more for this very role gets that.
        seconds = role.duration_seconds
        longer = isinstance(seconds, int) and seconds > MAX_CHAINED_DURATION_SECONDS
        return None if longer else self.of(str(role.mfa_serial), source)

    def of_account(
        self,
        *,
        hops: Sequence[Hop],
        cells: Sequence[Cell[SigningCredentials]],
        keys: Sequence[str],
        source: Source,
        regions: tuple[str | None, ...],
        defaults: Defaults,
    ) -> AccountMfa:
        """The MFA of an account whose first role asks for it.

        Args:
            hops: Its hops, in order.
            cells: Their credentials.
            keys: Their keys.
            source: Where its chain begins.
            regions: The session's and the source's region, as the STS region after the role's own.
            defaults: Say which program prints codes, and how long a session lives.
        """
        first = hops[0].role
        session = None if first.mfa_serial is None else self.signer_of(first, source)
        use: CodeUse
        if first.mfa_serial is None:
            use = SourceCode(source)
        elif session is None:
            use = RoleCode(str(first.mfa_serial), keys[0], cells[0], source)
        else:
            seconds = defaults.mfa_duration_seconds
            use = SessionCode(
                session,
                seconds=seconds if isinstance(seconds, int) else DEFAULT_MFA_DURATION_SECONDS,
                region_name=sts_region(first, *regions),
            )
        command = _command(defaults)
        return AccountMfa(
            hops, cells, keys, use, prompt=self.prompt, command=command, store=self._store, clock=self._clock
        )

    def of_source(self, source: Source, defaults: Defaults) -> SourceMfa:
        """The MFA that a source's own profile asks for.

        Args:
            source: The source.
            defaults: Say which program prints codes.
        """
        return SourceMfa(source, self.prompt, _command(defaults))

    def holds(self, identity: str) -> bool:
        """Whether a source's credentials were exchanged for a session that is held."""
        return any(session.is_held for (source, _serial), session in self._all() if source == identity)

    def forget(self, identity: str) -> None:
        """Throws away those of a source, in the store too."""
        for (source, _serial), session in self._all():
            if source == identity:
                session.forget()

    def close(self) -> None:
        """Throws away what is in memory: a store that outlives us keeps its own for a day's work."""
        for _name, session in self._all():
            session.close()

    def _all(self) -> list[tuple[tuple[str, str], MfaSession]]:
        return [*self._sessions.items(), *self._passing.items()]


def _command(defaults: Defaults) -> tuple[str, ...] | None:
    return defaults.mfa_command if isinstance(defaults.mfa_command, tuple) else None


def _check_long_term(source: Source) -> None:
    if source.frozen().token is None:
        return
    msg = "mfa_serial needs long-term credentials as source, and these are a session's: it can't pass an MFA code on"
    hint = "leave mfa_serial out, or start from the keys of an IAM user"
    raise InvalidRoleError(msg, hint=hint)
