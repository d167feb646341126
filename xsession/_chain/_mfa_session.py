"""MFA: one code for all accounts that ask for the same device.

A code works once. So it is spent on a session of the long-term credentials (GetSessionToken), and that session assumes
the roles, for as long as it lives. People are asked in the thread of a caller who waits, never by a refresh.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xsession._base import Clock
from xsession._botocore import SigningCredentials, signing_credentials
from xsession._sts import Sts
from xsession.errors import InvalidRoleError, MfaError, XSessionError
from xsession.refresh import Cell, Issued, RefreshState
from xsession.stores import Store

from ._hop import Signer, code_missing, issued_earlier, signed_by
from ._mfa_prompt import Door, MfaCode, MfaPrompt

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

# A role that is assumed at the last moment must still reach STS.
_MARGIN_SECONDS = 30.0
_USABLE = (RefreshState.FRESH, RefreshState.ADVISORY, RefreshState.MANDATORY)


class MfaSession:
    """A session of long-term credentials that has passed MFA: the caller of the roles that ask for its device.

    Nobody refreshes it; when it ends, a caller is asked for the next code.

    Args:
        serial: The device.
        source: The long-term credentials.
        sts: Makes the call.
        store: Asked first, and told of what was issued.
        key: The store's key.
        clock: Both clocks.
    """

    def __init__(self, serial: str, source: Signer, *, sts: Sts, store: Store, key: str, clock: Clock) -> None:
        self.serial = serial
        self.source = source
        self.key = key
        self._sts = sts
        self._store = store
        self._clock = clock
        self._held: tuple[Issued, SigningCredentials] | None = None
        self._looked_in_store = False

    @property
    def is_open(self) -> bool:
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
        issued = signed_by(
            self.source,
            lambda caller: self._sts.session_token(caller, self.serial, code, seconds=seconds, region_name=region_name),
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
        """Throws them away; there are others only when a person gives a code."""
        held = self._held
        if held is not None and held[1].access_key == access_key_id:
            self.forget()
        return False

    @property
    def payer(self) -> str:
        """The account of the long-term credentials."""
        return self.source.payer

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


class SessionDoor:
    """Opened by a code for a session, which all roles behind the same device use.

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
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._session.is_open

    def check(self) -> None:
        """Refuses a source that is a session itself."""
        _check_long_term(self._session.source)

    def open(self, code: str, /) -> None:
        """Begins a session."""
        self._session.begin(code, seconds=self._seconds, region_name=self._region_name)


class RoleDoor:
    """Opened by a code for one role alone: one that shall live longer than a role behind a session may.

    Args:
        serial: The device.
        key: The role's key.
        cell: Its credentials.
        codes: Where its assumption finds the code.
        source: The long-term credentials.
    """

    def __init__(
        self, serial: str, key: str, cell: Cell[SigningCredentials], codes: dict[str, str], source: Signer
    ) -> None:
        self.serial = serial
        self.key = key
        self._cell = cell
        self._codes = codes
        self._source = source

    @property
    def is_open(self) -> bool:
        """Whether the role's credentials are there."""
        return self._cell.state in _USABLE

    def check(self) -> None:
        """Refuses a source that is a session itself."""
        _check_long_term(self._source)

    def open(self, code: str, /) -> None:
        """Assumes the role."""
        self._cell.forgive(XSessionError)
        self._codes[self.key] = code
        try:
            self._cell.read()
        finally:
            del self._codes[self.key]


class MfaGate:
    """Stands before the credentials of an account whose first role asks for MFA; passed by every caller who may wait.

    Args:
        cells: The account's hops, in order.
        is_kept: Tells whether a store has credentials of one of them.
        role_arn: The first role, for errors.
        door: What a code opens.
        prompt: Asks for the code.
        command: The program that prints codes, where there is no function.
    """

    def __init__(
        self,
        cells: Sequence[Cell[SigningCredentials]],
        is_kept: Callable[[], bool],
        role_arn: str,
        door: Door,
        *,
        prompt: MfaPrompt,
        command: Sequence[str] | None,
    ) -> None:
        self._cells = cells
        self._is_kept = is_kept
        self._role_arn = role_arn
        self._door = door
        self._prompt = prompt
        self._command = command

    def __call__(self) -> None:
        """Has somebody asked for a code, where the account's credentials can't be had without one.

        Raises:
            MfaError: No right code was to be had.
            CredentialsError: The source has no credentials, or STS refused or failed.
            InvalidRoleError: The source is a session itself.
        """
        states = [cell.state for cell in self._cells]
        if states[-1] is RefreshState.DEADLINE or any(state in _USABLE for state in states):
            return
        if not self._door.is_open and not self._is_kept():
            try:
                self._prompt.unlock(self._door, self._command)
            except XSessionError as error:
                fresh = error.for_caller()
                if fresh.hop is None:
                    fresh.role_arn, fresh.hop = self._role_arn, 1
                raise fresh from error.__cause__
        for cell in self._cells:
            cell.forgive(MfaError)


class MfaSessions:
    """The MFA sessions of one `CrossAccountSession`, one for each source and device; and whoever is asked for codes.

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

    def of(self, serial: str, source: Signer, *, identity: str, sts: Sts) -> MfaSession:
        """The session of a device.

        Args:
            serial: The device.
            source: The long-term credentials.
            identity: What tells that source from all others.
            sts: Its STS.
        """
        known = self._sessions.get((identity, serial))
        if known is not None:
            return known
        key = hashlib.sha256(json.dumps(["mfa", identity, serial]).encode()).hexdigest()
        made = MfaSession(serial, source, sts=sts, store=self._store, key=key, clock=self._clock)
        # Of two threads that come here at once, both get the first one's: setdefault is atomic.
        return self._sessions.setdefault((identity, serial), made)

    def forget(self, identity: str) -> None:
        """Throws away those of a source, in the store too."""
        for (source, _serial), session in list(self._sessions.items()):
            if source == identity:
                session.forget()

    def close(self) -> None:
        """Throws away what is in memory: a store that outlives us keeps its own for a day's work."""
        for session in list(self._sessions.values()):
            session.close()


def _check_long_term(source: Signer) -> None:
    if source.frozen().token is None:
        return
    msg = "mfa_serial needs long-term credentials as source, and these are a session's: it can't pass an MFA code on"
    hint = "leave mfa_serial out, or start from the keys of an IAM user"
    raise InvalidRoleError(msg, hint=hint)
