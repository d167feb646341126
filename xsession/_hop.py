"""How one hop's credentials are fetched: the hop before signs, STS answers, the store remembers."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ._botocore.credentials import SigningCredentials
from ._cell import Cell
from ._clock import Clock
from ._snapshot import Deadline, Issued
from ._sts import DEAD_CALLER, DEFAULT_DURATION_SECONDS, Sts, sts_region
from ._throttle import Lane, Lanes
from .credentials import Credentials
from .defaults import Hop
from .errors import ConfigError, CredentialsError, XSessionError
from .refresh import MAX_TRY_SECONDS
from .roles import MAX_CHAINED_DURATION_SECONDS, MIN_DURATION_SECONDS, Role
from .stores import Store

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

MfaCode = Callable[[str], str]

# Credentials are not used to their very end: those that end with the deadline would be replaced shortly before it.
_BEYOND_DEADLINE_SECONDS = 60
_CHAINING_LIMIT = re.compile("role chaining", re.IGNORECASE)


class Caller(Protocol):
    """Whose credentials sign an AssumeRole call: the source's, or those of the hop before."""

    def frozen(self) -> ReadOnlyCredentials:
        """Current credentials."""

    def rejected(self, access_key_id: str) -> bool:
        """Takes note that STS rejected these; tells whether there are others now."""

    @property
    def payer(self) -> str:
        """The account to whose quota of STS its calls count, or what stands for it where that is not known."""


class CellCaller:
    """The hop before, as a caller.

    Args:
        cell: That hop's cell.
    """

    def __init__(self, cell: Cell[SigningCredentials]) -> None:
        self._cell = cell

    @property
    def payer(self) -> str:
        """The account that the hop before is in."""
        return self._cell.label.role_arn.split(":")[4]

    def frozen(self) -> ReadOnlyCredentials:
        """That hop's current credentials, fetched in this thread where they must be."""
        return self._cell.read_nested().signing

    def rejected(self, access_key_id: str) -> bool:
        """Throws them away, so that they are fetched anew."""
        self._cell.invalidate(access_key_id, reason="rejected by STS")
        return True


class MfaPrompt:
    """Asks for the codes of MFA devices, one caller at a time.

    Args:
        code: Called with the serial number; returns six digits.
    """

    def __init__(self, code: MfaCode | None) -> None:
        self._code = code
        self._lock = threading.Lock()

    def ask(self, serial: str) -> str:
        """The code of a device.

        Raises:
            ConfigError: Nobody can be asked, or the answer is not a code.
        """
        if self._code is None:
            msg = f"the MFA device {serial} needs a code, and nobody can be asked for it"
            raise ConfigError(msg, hint="pass mfa_code=, a function that takes the serial number and returns the code")
        with self._lock:
            code = self._code(serial)
        if not re.fullmatch("[0-9]{6}", code):
            msg = f"the code of the MFA device {serial} is not six digits"
            raise ConfigError(msg)
        return code


class HopFetch:
    """Fetches one hop's credentials; called by its cell in a worker thread.

    Args:
        hop: The role with all its options.
        caller: Signs the call.
        sts: Makes it.
        store: Asked first when nothing was fetched yet, and told of what was.
        key: The store's key.
        regions: The session's and the source's region, as the STS region after the role's own.
        clock: Both clocks.
        mfa: Asked for codes.
        lanes: Where calls wait while STS throttles.
        deadline: No credentials are asked for that live much longer; None: there is none.
    """

    def __init__(
        self,
        hop: Hop,
        caller: Caller,
        *,
        sts: Sts,
        store: Store,
        key: str,
        regions: tuple[str | None, ...],
        clock: Clock,
        mfa: MfaPrompt,
        lanes: Lanes,
        deadline: Deadline | None = None,
    ) -> None:
        self._hop = hop
        self._role = hop.role
        self._caller = caller
        self._sts = sts
        self._store = store
        self._key = key
        self._region = sts_region(hop.role, *regions)
        self._clock = clock
        self._mfa = mfa
        self._lanes = lanes
        self._deadline = deadline
        self._looked_in_store = False

    def __call__(self, background: bool, try_limit: float = MAX_TRY_SECONDS) -> Issued:
        """New credentials.

        Args:
            background: Whether no caller waits; then nobody is asked for an MFA code.
            try_limit: Seconds that STS has for an answer to each try.

        Raises:
            XSessionError: None could be had.
        """
        if not self._looked_in_store:
            self._looked_in_store = True
            kept = self._store.get(self._key)
            if kept is not None and (issued := self._issued_earlier(kept)) is not None:
                return issued
        issued = self._assume(background, try_limit)
        self._store.put(self._key, issued.credentials)
        return issued

    def forget(self, access_key_id: str | None) -> None:
        """Has the store forget what it keeps, too."""
        self._store.delete(self._key, access_key_id)

    @property
    def held_back(self) -> bool:
        """Whether calls wait because STS throttles."""
        return self._lane.busy

    @property
    def _lane(self) -> Lane:
        return self._lanes.lane(self._caller.payer, self._region)

    def _assume(self, background: bool, try_limit: float) -> Issued:
        caller = self._caller.frozen()
        try:
            return self._ask(caller, background, try_limit)
        except CredentialsError as error:
            key_id = caller.access_key or ""
            if error.code not in DEAD_CALLER or not self._caller.rejected(key_id):
                raise
        return self._ask(self._caller.frozen(), background, try_limit)

    def _ask(self, caller: ReadOnlyCredentials, background: bool, try_limit: float) -> Issued:
        hop, code = self._hop.number, self._mfa_code(background)
        try:
            return self._sts.assume_role(
                self._wanted(),
                caller,
                hop=hop,
                region_name=self._region,
                mfa_code=code,
                lane=self._lane,
                try_limit=try_limit,
            )
        except CredentialsError as error:
            if not (self._hop.duration_is_default and error.code == "ValidationError"):
                raise
            if not _CHAINING_LIMIT.search(error.message) or self._role.duration_seconds == MAX_CHAINED_DURATION_SECONDS:
                raise
        # The source is a role's session itself, which nothing showed before; a code works once, so ask for another.
        self._role = self._role.replace(duration_seconds=MAX_CHAINED_DURATION_SECONDS)
        return self._ask(caller, background, try_limit)

    def _wanted(self) -> Role:
        if self._deadline is None:
            return self._role
        seconds = self._role.duration_seconds
        longest = seconds if isinstance(seconds, int) else DEFAULT_DURATION_SECONDS
        left = math.ceil(self._deadline.left(self._clock)) + _BEYOND_DEADLINE_SECONDS
        return self._role.replace(duration_seconds=min(longest, max(MIN_DURATION_SECONDS, left)))

    def _mfa_code(self, background: bool) -> str | None:
        serial = self._role.mfa_serial
        if serial is None:
            return None
        try:
            if background:
                msg = f"the MFA device {serial} needs a code, which only a caller in the foreground can give"
                raise ConfigError(msg, hint="call warm() where somebody can answer")
            return self._mfa.ask(serial)
        except XSessionError as error:
            error.role_arn, error.hop = self._role.role_arn, self._hop.number
            raise

    def _issued_earlier(self, kept: Credentials) -> Issued | None:
        if kept.issued_at is None or kept.account_id != self._role.account_id:
            return None
        age = self._clock.wall() - kept.issued_at.timestamp()
        # From the future: the wall clock was set back, and nothing says when these really end.
        return Issued(kept, self._clock.boot() - age) if age >= 0 else None
