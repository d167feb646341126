"""One AssumeRole: whose credentials sign it, and what is done where STS rejects those or the duration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from xsession._aws import is_dead_caller, same_code
from xsession._base import Clock, made_once
from xsession._botocore import code_missing
from xsession._sts import DEFAULT_DURATION_SECONDS, Sts, sts_region
from xsession.errors import CredentialsError, SourceCredentialsError
from xsession.refresh import Deadline, Issued, Lane, Lanes
from xsession.roles import MAX_CHAINED_DURATION_SECONDS, MIN_DURATION_SECONDS, Hop, Role

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

T = TypeVar("T")

# Credentials are not used to their very end: those that end with the deadline would be replaced shortly before it.
_BEYOND_DEADLINE_SECONDS = 60

SETTLING_SECONDS = 10.0
"""For how long STS may say that it does not know what it issued."""


class Signer(Protocol):
    """Whose credentials sign a call of STS: the source's, those of an MFA session, or those of the hop before."""

    def frozen(self) -> ReadOnlyCredentials:
        """Current credentials."""

    def rejected(self, access_key_id: str) -> bool:
        """Records that STS rejected these; returns whether there are others now."""

    def accepted(self) -> None:
        """Records that STS accepted these."""

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""

    @property
    def settling(self) -> bool:
        """Whether they are so new that STS may not know them everywhere yet."""

    @property
    def methods(self) -> frozenset[str]:
        """How these are obtained, in botocore's words, as far as that is known."""

    @property
    def quota_account_id(self) -> str:
        """The account to whose quota of STS its calls count, or what stands for it where that is not known."""


class AssumeRoleRequest:
    """Requests one hop's credentials with those of a signer.

    Args:
        hop: The role with all its options.
        signer: Signs the call.
        sts: Makes it.
        regions: The session's and the source's region, as the STS region after the role's own.
        lanes: Where calls wait while STS throttles.
        deadline: From when on the credentials are of no use: none are asked for that live much longer; None: never.
        clock: Both clocks.
    """

    def __init__(
        self,
        hop: Hop,
        signer: Signer,
        *,
        sts: Sts,
        regions: tuple[str | None, ...],
        lanes: Lanes,
        deadline: Deadline | None = None,
        clock: Clock,
    ) -> None:
        self._hop = hop
        self._role = hop.role
        self._signer = signer
        self._sts = sts
        self._regions = regions
        self._lanes = lanes
        self._deadline = deadline
        self._clock = clock

    def __call__(self, try_limit: float, mfa_code: str | None, /) -> Issued:
        """New credentials.

        Args:
            try_limit: Seconds that STS has for an answer to each try.
            mfa_code: The code that a person gave for this very call, if any.

        Raises:
            XSessionError: None could be obtained.
        """
        frozen, others_tried = self._signer.frozen(), False
        while True:
            if self._role.mfa_serial is not None and mfa_code is None:
                raise code_missing(self._role.mfa_serial)
            try:
                issued = self._sts.assume_role(
                    self._wanted(),
                    frozen,
                    hop=self._hop.number,
                    region_name=self._region,
                    methods=self._signer.methods,
                    mfa_code=mfa_code,
                    lane=self.lane,
                    try_limit=try_limit,
                )
            except CredentialsError as error:
                if self._is_too_long(error):
                    # The source is a role's session itself, which nothing showed before.
                    self._role = self._role.replace(duration_seconds=MAX_CHAINED_DURATION_SECONDS)
                    continue
                if others_tried or not has_others(self._signer, frozen, error):
                    raise
            else:
                self._signer.accepted()
                return issued
            frozen, others_tried = self._signer.frozen(), True

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return self._signer.awaits_source

    @made_once
    def _region(self) -> str:
        return sts_region(self._role, *self._regions)

    @property
    def lane(self) -> Lane:
        """Where its calls wait while STS throttles."""
        return self._lanes.lane(self._signer.quota_account_id, self._region)

    def _is_too_long(self, error: CredentialsError) -> bool:
        if not self._hop.duration_is_default or same_code(error.code) != "ValidationError":
            return False
        shortened = self._role.duration_seconds == MAX_CHAINED_DURATION_SECONDS
        return not shortened and "role chaining" in error.message.lower()

    def _wanted(self) -> Role:
        if self._deadline is None:
            return self._role
        seconds = self._role.duration_seconds
        longest = seconds if isinstance(seconds, int) else DEFAULT_DURATION_SECONDS
        left = math.ceil(self._deadline.left(self._clock))
        enough = max(MIN_DURATION_SECONDS, left + _BEYOND_DEADLINE_SECONDS)
        return self._role.replace(duration_seconds=min(longest, enough))


def signed_by(signer: Signer, call: Callable[[ReadOnlyCredentials], T]) -> T:
    """The answer to a call; a second one is made where the signer's credentials are dead and it has others now.

    Raises:
        CredentialsError: STS refused or failed.
    """
    frozen = signer.frozen()
    try:
        return call(frozen)
    except CredentialsError as error:
        if not has_others(signer, frozen, error):
            raise
    return call(signer.frozen())


def has_others(signer: Signer, frozen: ReadOnlyCredentials, error: CredentialsError) -> bool:
    """Whether STS said that these credentials of a signer are dead, and the signer has others by now.

    Raises:
        SourceCredentialsError: The signer is a source that can't be read any more; says that, and what STS said.
    """
    if not is_dead_caller(error.code):
        return False
    if signer.settling:
        # They are kept, and the same call is made again in a while.
        error.retryable = True
        return False
    try:
        return signer.rejected(frozen.access_key or "")
    except SourceCredentialsError as missing:
        gone = missing
    msg = f"{error.message}; and there is no other key: {gone.message}"
    refused = SourceCredentialsError(
        msg, hop=gone.hop, code=error.code, request_id=error.request_id, retryable=gone.retryable, hint=gone.hint
    )
    raise refused from gone
