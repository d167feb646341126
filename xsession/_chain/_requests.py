"""How each hop is asked for: with the credentials of the hop before, behind MFA, or with a web identity."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

from cachetools import LRUCache

from xsession._base import Clock
from xsession._botocore import SigningCredentials, Source
from xsession._sts import Sts, sts_region
from xsession.refresh import Cell, Deadline, Lanes
from xsession.roles import MAX_CHAINED_DURATION_SECONDS, Defaults, Hop, Role
from xsession.stores import Store

from ._hop import Ask, AssumeRole, Signer, issued_earlier

if TYPE_CHECKING:
    from ._mfa_prompt import Door, MfaCode
    from ._mfa_session import MfaGate, MfaSession, MfaSessions

DEFAULT_MFA_DURATION_SECONDS = 43_200
_MAX_TOKEN_FUNCTIONS = 1_024


class Origin(Signer, Protocol):
    """Where a chain begins."""

    source: Source
    sts: Sts


class Asks:
    """How the hops of one `CrossAccountSession` are asked for.

    Args:
        region_name: The session's region, as the STS region after the role's own.
        store: Keeps credentials.
        clock: Both clocks.
        mfa_code: As `CrossAccountSession` takes it.
        lanes: Where calls wait while STS throttles.
    """

    def __init__(
        self, *, region_name: str | None, store: Store, clock: Clock, mfa_code: MfaCode | None, lanes: Lanes
    ) -> None:
        self._region_name = region_name
        self._store = store
        self._clock = clock
        self._mfa_code = mfa_code
        self._lanes = lanes
        # None or one, made when a role asks for MFA.
        self._mfa: dict[None, MfaSessions] = {}
        # Codes by the key of the role that they are for, while its assumption is under way.
        self._codes: dict[str, str] = {}
        # Each function with a name of its own; held, so that no other one gets its id meanwhile.
        self._token_functions: LRUCache[int, tuple[Callable[[], str], str]] = LRUCache(_MAX_TOKEN_FUNCTIONS)

    def parent(self, role: Role, before: str) -> str:
        """What a role's credentials come from, as a part of its key; called by one thread at a time.

        Args:
            role: The role.
            before: The key of the hop before, or the identity of the source.
        """
        function = role.web_identity_token
        if function is None:
            # The path of a file is in the role's own part of the key.
            return "web-identity" if role.has_web_identity else before
        known = self._token_functions.get(id(function))
        if known is None:
            known = self._token_functions[id(function)] = (function, f"web-identity:{uuid.uuid4()}")
        return known[1]

    def ask(self, hop: Hop, key: str, caller: Signer, origin: Origin, deadline: Deadline | None = None) -> Ask:
        """How one hop is asked for.

        Args:
            hop: The role with all its options.
            key: Its key.
            caller: The hop before, or the origin.
            origin: Where its chain begins.
            deadline: From when on the credentials are of no use.
        """
        regions = self._regions(origin)
        left = partial(_left, deadline, self._clock)
        if hop.role.has_web_identity:
            return self._ask_with_web_identity(hop, origin)
        if _is_behind_session(hop.role):
            return AssumeRole(
                hop.behind_session(),
                self._session(hop.role, origin),
                sts=origin.sts,
                regions=regions,
                lanes=self._lanes,
                left=left,
            )
        return AssumeRole(
            hop,
            caller,
            sts=origin.sts,
            regions=regions,
            lanes=self._lanes,
            mfa_code=lambda: self._codes.get(key),
            left=left,
        )

    def once(self, hop: Hop, caller: Signer, *, origin: Origin) -> Ask:
        """How one hop is asked for with nothing that is kept: a role behind MFA takes a code from the function for it.

        Args:
            hop: The role with all its options.
            caller: The hop before, or the origin.
            origin: Where its chain begins.
        """
        regions, serial = self._regions(origin), hop.role.mfa_serial
        if hop.role.has_web_identity:
            return self._ask_with_web_identity(hop, origin)
        code = (lambda: None) if serial is None else partial(self._sessions.prompt.called, serial)
        return AssumeRole(hop, caller, sts=origin.sts, regions=regions, lanes=self._lanes, mfa_code=code)

    def gate(
        self, hops: Sequence[Hop], cells: Sequence[Cell[SigningCredentials]], origin: Origin, defaults: Defaults
    ) -> MfaGate | None:
        """What stands before an account's credentials; None: nothing.

        Args:
            hops: Its roles, in order.
            cells: Their credentials.
            origin: Where the chain begins.
            defaults: Say which program prints codes, and how long a session lives.
        """
        first = hops[0].role
        if first.mfa_serial is None:
            return None
        from ._mfa_session import MfaGate, RoleDoor, SessionDoor  # noqa: PLC0415 # few roles ask for MFA

        keys = list(
            accumulate((hop.role for hop in hops), lambda key, role: role.key(key), initial=origin.source.identity)
        )
        door: Door
        if _is_behind_session(first):
            seconds = defaults.mfa_duration_seconds
            door = SessionDoor(
                self._session(first, origin),
                seconds=seconds if isinstance(seconds, int) else DEFAULT_MFA_DURATION_SECONDS,
                region_name=sts_region(first, *self._regions(origin)),
            )
        else:
            door = RoleDoor(first.mfa_serial, keys[1], cells[0], self._codes, origin)
        command = defaults.mfa_command if isinstance(defaults.mfa_command, tuple) else None
        kept = partial(self._is_kept, hops, cells, keys[1:])
        return MfaGate(cells, kept, first.role_arn, door, prompt=self._sessions.prompt, command=command)

    def forget(self, identity: str) -> None:
        """Throws away the MFA sessions of a source."""
        if self._made_sessions is not None:
            self._made_sessions.forget(identity)

    def close(self) -> None:
        """Throws away all MFA sessions in memory."""
        if self._made_sessions is not None:
            self._made_sessions.close()

    def forget_functions(self) -> None:
        """Forgets which function was called what: each gets another name, and its roles are assumed anew."""
        self._token_functions = LRUCache(_MAX_TOKEN_FUNCTIONS)

    def _is_kept(self, hops: Sequence[Hop], cells: Sequence[Cell[SigningCredentials]], keys: Sequence[str]) -> bool:
        return any(
            # Only a cell that has fetched nothing yet looks into the store.
            cell.snapshot.generation == 0
            and cell.failure is None
            and issued_earlier(self._store.get(key), hop.role.account_id, self._clock) is not None
            for hop, cell, key in zip(hops, cells, keys, strict=True)
        )

    @property
    def _sessions(self) -> MfaSessions:
        from ._mfa_session import MfaSessions  # noqa: PLC0415 # few roles ask for MFA

        made = self._made_sessions
        if made is None:
            # Of two threads that come here at once, both get the first one's: setdefault is atomic.
            fresh = MfaSessions(self._mfa_code, store=self._store, clock=self._clock)
            made = self._mfa.setdefault(None, fresh)
        return made

    @property
    def _made_sessions(self) -> MfaSessions | None:
        return self._mfa.get(None)

    def _ask_with_web_identity(self, hop: Hop, origin: Origin) -> Ask:
        from ._web_identity import AssumeRoleWithWebIdentity  # noqa: PLC0415 # most chains begin with credentials

        return AssumeRoleWithWebIdentity(hop, sts=origin.sts, regions=self._regions(origin), lanes=self._lanes)

    def _session(self, role: Role, origin: Origin) -> MfaSession:
        return self._sessions.of(str(role.mfa_serial), origin, identity=origin.source.identity, sts=origin.sts)

    def _regions(self, origin: Origin) -> tuple[str | None, ...]:
        return self._region_name, origin.source.region_name


def _is_behind_session(role: Role) -> bool:
    # Whether an MFA session assumes it; else it takes a code for itself.
    # Behind a session, a role lives an hour at most: who asked for more for this very role gets that.
    seconds = role.duration_seconds
    return role.mfa_serial is not None and not (isinstance(seconds, int) and seconds > MAX_CHAINED_DURATION_SECONDS)


def _left(deadline: Deadline | None, clock: Clock) -> float:
    return math.inf if deadline is None else deadline.left(clock)
