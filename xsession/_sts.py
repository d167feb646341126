"""Calls STS: the only place that does, and the only one that reads its answers and errors.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
"""

from __future__ import annotations

import email.utils
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from ._botocore import quiet
from ._botocore.core import ClientCore
from ._botocore.credentials import CallerCredentials
from ._clock import Clock
from ._fork import renew_after_fork
from ._refresh.snapshot import Issued
from ._refresh.throttle import Lane
from .credentials import Credentials, Identity
from .errors import AssumeRoleError, CredentialsError, SourceCredentialsError, WrongAccountError, XSessionError
from .refresh import MAX_TRY_SECONDS, is_throttling
from .roles import MAX_CHAINED_DURATION_SECONDS, Role

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

DEFAULT_DURATION_SECONDS = MAX_CHAINED_DURATION_SECONDS
_MAX_CONNECT_SECONDS = 3.0
_MAX_AHEAD_SECONDS = 36 * 3_600
_DATE_TOLERANCE_SECONDS = 60

NON_RECOVERABLE = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "MalformedPolicyDocument",
        "PackedPolicyTooLarge",
        "RegionDisabled",
        "RegionDisabledException",
        "ValidationError",
        "IDPRejectedClaim",
        "InvalidIdentityToken",
    }
)
"""Codes of STS that stay as they are until somebody changes something. Everything else may go away by itself."""

DEAD_CALLER = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
"""Codes that say: the credentials which the call was signed with are dead."""

DEAD_TOKEN = frozenset({"IDPRejectedClaim", "InvalidIdentityToken", "ExpiredToken", "ExpiredTokenException"})
"""Codes that say: the web identity token is no good. Another one may lie in its place by now."""

_WEB_IDENTITY_HINTS = {
    "AccessDenied": "the role's trust policy must allow sts:AssumeRoleWithWebIdentity to the token's issuer, for its "
    "audience (aud) and subject (sub); a role that does not exist is refused in the same way",
    "IDPRejectedClaim": "the token has ended, or its issuer takes it back: see that a fresh one is supplied",
    "InvalidIdentityToken": "the role's account needs an OIDC provider for the token's issuer, with its audience",
    "ExpiredToken": "supply a fresh web identity token",
}
_HINTS = {
    "AccessDenied": "the role's trust policy must name this caller, the caller must be allowed sts:AssumeRole on the "
    "role, and external id, MFA and tags must be as the trust policy asks; a role that does not exist is refused in "
    "the same way",
    "RegionDisabledException": "STS is off in this region for the account: choose another sts_region_name",
    "MalformedPolicyDocument": "correct the session policy",
    "PackedPolicyTooLarge": "shorten the session policy or send fewer tags",
    "ExpiredToken": "renew the credentials of the source",
    "InvalidClientTokenId": "the access key does not exist any more, or the region is one that must be enabled first",
    "SignatureDoesNotMatch": "the secret does not belong to the access key, or the local clock is wrong",
}
_SAME_HINT = {
    "AccessDeniedException": "AccessDenied",
    "RegionDisabled": "RegionDisabledException",
    "ExpiredTokenException": "ExpiredToken",
    "UnrecognizedClientException": "InvalidClientTokenId",
}

# A ValidationError quotes the value that it refuses.
_SECRET_PARAMETERS = ("ExternalId", "TokenCode", "WebIdentityToken")

# STS says so under the code SignatureDoesNotMatch.
_SKEWED = ("signature expired", "signature not yet current")

# The first region of each partition that STS has; an unknown partition must name its region.
_PARTITION_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
_PARTITION_PREFIXES = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


class Sts:
    """STS as seen from one source: one client for each region, used for all calls of all hops.

    Args:
        core: Makes the clients.
        clock: Both clocks.
        config: The user's client configuration: proxies and the like apply to STS too.
    """

    def __init__(self, core: ClientCore, *, clock: Clock, config: Config | None = None) -> None:
        self._core = core
        self._clock = clock
        # Short limits, since callers may wait. `total_max_attempts` counts the first try, `max_attempts` does not.
        own = Config(retries={"mode": "standard", "total_max_attempts": 3}, signature_version="v4")
        self._config = own if config is None else config.merge(own)
        self._caller = CallerCredentials()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, float], Any] = {}
        self._tries = _Tries(clock)
        renew_after_fork(self)

    def assume_role(
        self,
        role: Role,
        caller: ReadOnlyCredentials,
        *,
        hop: int,
        region_name: str,
        mfa_code: str | None = None,
        lane: Lane | None = None,
        try_limit: float = MAX_TRY_SECONDS,
    ) -> Issued:
        """Assumes one role.

        Args:
            role: With its session name filled in.
            caller: Signs the call.
            hop: The role's place in its chain, for errors.
            region_name: The region whose STS is asked.
            mfa_code: The six digits of the role's MFA device.
            lane: Where the call, and each try that botocore repeats, waits while STS throttles; None: nowhere.
            try_limit: Seconds that STS has for an answer to each of three tries.

        Raises:
            AssumeRoleError: STS refused, failed, could not be reached, or answered nonsense.
            WrongAccountError: The answer is for another account than the role's.
        """
        request = role.request() if mfa_code is None else {**role.request(), "TokenCode": mfa_code}
        with self._tries.waiting_in(lane):
            client = (region_name, try_limit)
            answer = self._call("assume_role", request, caller, client, role=role, hop=hop)
        return self._assumed(answer, role, hop)

    def assume_role_with_web_identity(
        self,
        role: Role,
        token: str,
        *,
        hop: int,
        region_name: str,
        lane: Lane | None = None,
        try_limit: float = MAX_TRY_SECONDS,
    ) -> Issued:
        """Assumes one role with a web identity token; needs no credentials.

        Args:
            role: With its session name filled in.
            token: The token.
            hop: The role's place in its chain, for errors.
            region_name: The region whose STS is asked.
            lane: As for `assume_role`.
            try_limit: As for `assume_role`.

        Raises:
            AssumeRoleError: STS refused, failed, could not be reached, or answered nonsense.
            WrongAccountError: The answer is for another account than the role's.
        """
        request = {**role.request(), "WebIdentityToken": token}
        with self._tries.waiting_in(lane):
            client = (region_name, try_limit)
            answer = self._call("assume_role_with_web_identity", request, None, client, role=role, hop=hop)
        return self._assumed(answer, role, hop)

    def session_token(
        self, caller: ReadOnlyCredentials, serial: str, mfa_code: str, *, seconds: int, region_name: str
    ) -> Issued:
        """A session of long-term credentials that has passed MFA; needs no permission.

        Args:
            caller: The long-term credentials.
            serial: The MFA device.
            mfa_code: Its six digits.
            seconds: How long the session lives.
            region_name: The region whose STS is asked.

        Raises:
            CredentialsError: STS refused, failed, could not be reached, or answered nonsense.
        """
        request = {"SerialNumber": serial, "TokenCode": mfa_code, "DurationSeconds": seconds}
        with self._tries.waiting_in(None):
            answer = self._call("get_session_token", request, caller, (region_name, MAX_TRY_SECONDS), hop=0)
        sent_boot, sent_wall = self._tries.sent
        return Issued(_read_credentials(answer, seconds, sent_wall, None, 0), sent_boot)

    def caller_identity(self, caller: ReadOnlyCredentials, *, region_name: str) -> Identity:
        """Asks STS whose credentials these are; needs no permission.

        Raises:
            CredentialsError: STS refused, failed or could not be reached.
        """
        answer = self._call("get_caller_identity", {}, caller, (region_name, MAX_TRY_SECONDS))
        return Identity(account_id=answer["Account"], arn=answer["Arn"], user_id=answer["UserId"])

    def after_fork(self) -> None:
        """Drops the parent's connections: on a shared one, answers reach the wrong process."""
        self._lock = threading.Lock()
        self._clients = {}

    def _assumed(self, answer: Any, role: Role, hop: int) -> Issued:
        sent_boot, sent_wall = self._tries.sent
        credentials = _read_answer(answer, role, sent_wall, hop)
        account_id = (credentials.arn or "").split(":")[4]
        if account_id != role.account_id:
            msg = f"STS answered with credentials for account {account_id}, not {role.account_id}"
            raise WrongAccountError(msg, role_arn=role.role_arn, hop=hop, request_id=credentials.request_id)
        return Issued(credentials, sent_boot)

    def _client(self, region_name: str, try_limit: float) -> Any:
        with self._lock:
            client = self._clients.get((region_name, try_limit))
            if client is None:
                limits = Config(connect_timeout=min(_MAX_CONNECT_SECONDS, try_limit), read_timeout=try_limit)
                client = self._core.sts_client(self._caller, region_name, self._config.merge(limits))
                client.meta.events.register("before-sign.sts", self._tries.before_sign)
                client.meta.events.register("response-received.sts", self._tries.response_received)
                quiet.install()
                self._clients[region_name, try_limit] = client
            return client

    def _call(
        self,
        operation: str,
        request: Mapping[str, Any],
        caller: ReadOnlyCredentials | None,
        client: tuple[str, float],
        *,
        role: Role | None = None,
        hop: int | None = None,
    ) -> Any:
        failure: XSessionError
        try:
            method = getattr(self._client(*client), operation)
            with quiet.quiet(), nullcontext() if caller is None else self._caller.of(caller):
                return method(**request)
        except ClientError as error:
            secrets = tuple(str(request[name]) for name in _SECRET_PARAMETERS if name in request)
            failure = _refusal(error, role, hop, self._tries.sent[1], secrets)
        except (BotoCoreError, OSError) as error:
            failure = _no_answer(error, role, hop)
        except Exception as error:  # noqa: BLE001 # botocore raises KeyError, ValueError and others on a garbled answer
            failure = _garbled(error, role, hop)
        # Raised here, outside of the handlers: a context of its own would bring the answer's text into tracebacks.
        raise failure


class _Tries(threading.local):
    """The tries of the call that this thread makes, those that botocore repeats included.

    Args:
        clock: Both clocks.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lane: Lane | None = None
        self.sent = (clock.boot(), clock.wall())

    @contextmanager
    def waiting_in(self, lane: Lane | None) -> Iterator[None]:
        """The calls within the block wait there."""
        self._lane = lane
        self.sent = (self._clock.boot(), self._clock.wall())
        try:
            yield
        finally:
            self._lane = None

    def before_sign(self, **_event: Any) -> None:
        """Waits for its place, and takes note of when it is sent."""
        if self._lane is not None:
            self._lane.enter()
        self.sent = (self._clock.boot(), self._clock.wall())

    def response_received(self, parsed_response: Mapping[str, Any] | None = None, **_event: Any) -> None:
        """Tells the lane how it ended; a try without an answer says nothing about throttling."""
        if self._lane is not None and parsed_response is not None:
            if is_throttling(parsed_response.get("Error", {}).get("Code")):
                self._lane.throttled(self.sent[0])
            else:
                self._lane.answered()


def sts_region(role: Role | None, *candidates: str | None) -> str:
    """The region whose STS is asked for a role: the first candidate in the role's partition, else that partition's own.

    Args:
        role: Its own `sts_region_name` comes first.
        candidates: The session's region, the source's region; never the client's or the target account's, which
            may be regions that must be enabled first.
    """
    partition = role.partition if role is not None else None
    wanted = (role.sts_region_name if role is not None else None, *candidates)
    for region in wanted:
        if region and partition in (None, _partition_of(region)):
            return region
    return _PARTITION_REGIONS.get(partition or "aws", "us-east-1")


def _partition_of(region: str) -> str:
    return next((name for prefix, name in _PARTITION_PREFIXES.items() if region.startswith(prefix)), "aws")


def _read_answer(answer: Any, role: Role, sent_wall: float, hop: int) -> Credentials:
    asked = role.duration_seconds if isinstance(role.duration_seconds, int) else DEFAULT_DURATION_SECONDS
    try:
        user = answer["AssumedRoleUser"]
        arn = user["Arn"]
        if not isinstance(arn, str) or arn.count(":") < 5:
            _reject(role, hop, answer.get("ResponseMetadata", {}), None)
        identity = {
            "account_id": role.account_id,
            "arn": arn,
            "user_id": user.get("AssumedRoleId"),
            "source_identity": answer.get("SourceIdentity"),
            "packed_policy_size": answer.get("PackedPolicySize"),
        }
    except (KeyError, TypeError, AttributeError):
        _reject(role, hop, {}, None)
    return _read_credentials(answer, asked, sent_wall, role, hop, **identity)


def _read_credentials(
    answer: Any, asked: int, sent_wall: float, role: Role | None, hop: int, **identity: Any
) -> Credentials:
    try:
        issued, metadata = answer["Credentials"], answer.get("ResponseMetadata", {})
        expiry = issued["Expiration"]
        lifetime = lifetime_of(expiry, _date(metadata), asked=asked, sent_wall=sent_wall)
        texts = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
        if lifetime is None or not all(isinstance(text, str) and text for text in texts):
            _reject(role, hop, metadata, expiry)
        return Credentials(
            access_key_id=texts[0],
            secret_access_key=texts[1],
            session_token=texts[2],
            expiry=expiry,
            issued_at=datetime.fromtimestamp(sent_wall, UTC),
            lifetime=lifetime,
            request_id=metadata.get("RequestId"),
            **identity,
        )
    except (KeyError, TypeError, AttributeError):
        _reject(role, hop, {}, None)


def _reject(role: Role | None, hop: int, metadata: Mapping[str, Any], expiry: object) -> NoReturn:
    ends = f" that end at {expiry}" if isinstance(expiry, datetime) else ""
    msg = f"STS's answer makes no sense: credentials{ends}" if ends else "STS's answer lacks what it must hold"
    hint = "compare the local clock with the true time" if ends else None
    request_id = metadata.get("RequestId")
    role_arn = None if role is None else role.role_arn
    raise _kind(role, hop)(msg, role_arn=role_arn, hop=hop, request_id=request_id, retryable=True, hint=hint) from None


def lifetime_of(expiry: object, date: datetime | None, *, asked: int, sent_wall: float) -> float | None:
    """Seconds that credentials live, or None where the answer makes no sense.

    Expiration and Date are both AWS's clock, so that a wrong local clock cancels out. Where there is no believable
    Date, the local clock must do, and never for longer than was asked.

    Args:
        expiry: The answer's Expiration.
        date: The answer's Date header.
        asked: Seconds that were asked for.
        sent_wall: The local wall clock's reading when the request was sent.
    """
    if not isinstance(expiry, datetime) or expiry.tzinfo is None:
        return None
    ends = expiry.timestamp() // 1
    now = sent_wall if date is None else date.timestamp()
    if ends - now > _MAX_AHEAD_SECONDS:
        return None
    if date is not None and 0 < ends - date.timestamp() // 1 <= asked + _DATE_TOLERANCE_SECONDS:
        return ends - date.timestamp() // 1
    lifetime = min(ends - sent_wall, float(asked))
    return lifetime if lifetime > 0 else None


def _date(metadata: Mapping[str, Any]) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
    except (KeyError, TypeError, ValueError):
        return None


def _refusal(
    error: ClientError, role: Role | None, hop: int | None, sent_wall: float, secrets: tuple[str, ...]
) -> XSessionError:
    details = error.response.get("Error", {})
    code = str(details.get("Code", "Unknown"))
    message = str(details.get("Message", ""))
    for secret in secrets:
        message = message.replace(secret, "****")
    metadata = error.response.get("ResponseMetadata", {})
    hints = _WEB_IDENTITY_HINTS if role is not None and role.has_web_identity else _HINTS
    same = _SAME_HINT.get(code, code)
    hint = _clock_hint(code, message, metadata, sent_wall) or hints.get(same) or _HINTS.get(same)
    failure = _kind(role, hop, code)(
        f"{code}: {message}",
        role_arn=None if role is None else role.role_arn,
        hop=hop,
        code=code,
        request_id=metadata.get("RequestId"),
        retryable=code not in NON_RECOVERABLE,
        hint=hint,
    )
    if not secrets:
        failure.__cause__ = error
    return failure


def _clock_hint(code: str, message: str, metadata: Mapping[str, Any], sent_wall: float) -> str | None:
    if code != "RequestTimeTooSkewed" and not any(text in message.lower() for text in _SKEWED):
        return None
    date = _date(metadata)
    if date is None:
        return "set the local clock"
    seconds = sent_wall - date.timestamp()
    return f"set the local clock: it is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS's"


def _no_answer(error: BotoCoreError | OSError, role: Role | None, hop: int | None) -> XSessionError:
    invalid = isinstance(error, ParamValidationError)
    # botocore's report of an invalid parameter quotes its value.
    text = "botocore refuses the request's parameters" if invalid else f"{type(error).__name__}: {error}"
    role_arn = None if role is None else role.role_arn
    return _kind(role, hop)(f"STS could not be asked: {text}", role_arn=role_arn, hop=hop, retryable=not invalid)


def _garbled(error: Exception, role: Role | None, hop: int | None) -> XSessionError:
    # Neither its text nor the error itself goes on: a cut answer may hold half of a secret.
    msg = f"STS's answer could not be read ({type(error).__name__})"
    return _kind(role, hop)(msg, role_arn=None if role is None else role.role_arn, hop=hop, retryable=True)


def _kind(role: Role | None, hop: int | None, code: str | None = None) -> type[CredentialsError]:
    if role is None:
        return CredentialsError
    return SourceCredentialsError if hop == 1 and code in DEAD_CALLER else AssumeRoleError
