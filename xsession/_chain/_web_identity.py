"""The first hop with a web identity: a token, such as one of OIDC, in the place of credentials.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from xsession._aws import is_dead_web_identity
from xsession._base import without_text
from xsession._botocore import MAX_TOKEN_CHARACTERS, read_token_file
from xsession._sts import Sts, sts_region
from xsession.errors import CredentialsError, SourceCredentialsError, XSessionError
from xsession.refresh import Issued, Lane, Lanes
from xsession.roles import Hop, Role

MIN_TOKEN_CHARACTERS = 4


class WebIdentityRequest:
    """Requests the first hop's credentials with a token, which is read again each time; needs no others.

    Args:
        hop: The role with all its options.
        sts: Makes the call.
        regions: The session's and the source's region, as the STS region after the role's own.
        lanes: Where calls wait while STS throttles.
    """

    def __init__(self, hop: Hop, *, sts: Sts, regions: tuple[str | None, ...], lanes: Lanes) -> None:
        self._hop = hop
        self._sts = sts
        self._region = sts_region(hop.role, *regions)
        self._lanes = lanes
        self._reading = False

    def __call__(self, try_limit: float, _mfa_code: str | None = None, /) -> Issued:
        """New credentials; MFA has no place here.

        Args:
            try_limit: Seconds that STS has for an answer to each try.

        Raises:
            XSessionError: None could be obtained.
        """
        token = self._token()
        try:
            return self._assume(token, try_limit)
        except CredentialsError as error:
            if not is_dead_web_identity(error.code):
                raise
            # It may have been replaced in this very moment.
            fresh = self._token()
            if fresh == token:
                raise
        return self._assume(fresh, try_limit)

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return self._reading

    @property
    def lane(self) -> Lane:
        """Where its calls wait while STS throttles."""
        # These are not signed: they count to the role's own account.
        return self._lanes.lane(self._hop.role.account_id, self._region)

    def _token(self) -> str:
        self._reading = True
        try:
            return read_token(self._hop.role)
        finally:
            self._reading = False

    def _assume(self, token: str, try_limit: float) -> Issued:
        return self._sts.assume_role_with_web_identity(
            self._hop.role,
            token,
            hop=self._hop.number,
            region_name=self._region,
            lane=self.lane,
            try_limit=try_limit,
        )


def read_token(role: Role) -> str:
    """The current token of a role: from its file, or of its callable.

    Raises:
        SourceCredentialsError: There is none, or it can't be one.
    """
    if role.web_identity_token is not None:
        text, problem = _called(role.web_identity_token)
        retryable = True
    else:
        text, problem = read_token_file(Path(str(role.web_identity_token_file)))
        retryable = False
    token = text.strip()
    if problem is None and not MIN_TOKEN_CHARACTERS <= len(token) <= MAX_TOKEN_CHARACTERS:
        problem, retryable = f"it has {len(token)} characters, and STS takes 4 to 20000", False
    if problem is None:
        return token
    # Raised here, outside of the handlers: some exceptions hold what was read.
    place = role.web_identity_token_file or "of the function"
    msg = f"the web identity token ({place}) is not valid: {problem}"
    raise SourceCredentialsError(msg, role_arn=role.role_arn, hop=1, retryable=retryable)


def _called(function: Callable[[], str]) -> tuple[str, str | None]:
    try:
        answer: object = function()
    except XSessionError:
        raise
    except Exception as error:  # noqa: BLE001 # a function of the user's may raise anything
        return "", f"the function failed: {without_text(error)}"
    return (answer, None) if isinstance(answer, str) else ("", f"the function returned {type(answer).__name__}")
