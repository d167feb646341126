"""What an account's first role asks for: that a person gives a code, and what the code is spent on.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

from collections.abc import Sequence

from xsession._botocore import SigningCredentials
from xsession.errors import InvalidRoleError, MfaError, XSessionError, reaching
from xsession.refresh import Cell, Reader, RefreshState
from xsession.roles import Hop

from ._mfa_prompt import CodeUse, MfaPrompt
from ._mfa_session import MfaSession
from ._source import Source


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
        return self._cell.state.is_usable

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
        use: What a code is asked for.
        prompt: Asks for it.
        command: The program that prints codes, where there is no function.
    """

    def __init__(
        self,
        hops: Sequence[Hop],
        cells: Sequence[Cell[SigningCredentials]],
        use: CodeUse,
        *,
        prompt: MfaPrompt,
        command: Sequence[str] | None,
    ) -> None:
        self._hops = hops
        self._cells = cells
        self._use = use
        self._prompt = prompt
        self._command = command

    @property
    def may_ask(self) -> bool:
        """Whether nothing usable is held, so that a code may be needed."""
        states = [cell.state for cell in self._cells]
        return states[-1] is not RefreshState.DEADLINE and not any(state.is_usable for state in states)

    def ask(self, *, attended: bool = True) -> None:
        """Has a person asked for a code, where the account's credentials can't be obtained without one.

        Args:
            attended: Whether the person at the notebook or the terminal may be asked.

        Raises:
            MfaError: No right code could be obtained.
            CredentialsError: The source has no credentials, or STS refused or failed.
            InvalidRoleError: The source is a session itself.
        """
        if not self.may_ask:
            return
        if not self._is_done():
            with reaching(role_arn=self._hops[0].role.role_arn, hop=1):
                self._prompt.ask(self._use, self._command, attended=attended, is_done=self._is_done)
        for cell in self._cells:
            cell.forgive(MfaError)

    def _is_done(self) -> bool:
        return self._use.is_done or any(cell.is_kept for cell in self._cells)


def _check_long_term(source: Source) -> None:
    if source.frozen().token is None:
        return
    msg = "mfa_serial needs long-term credentials as source, and these are a session's: it can't pass an MFA code on"
    hint = "leave mfa_serial out, or start from the keys of an IAM user"
    raise InvalidRoleError(msg, hint=hint)
