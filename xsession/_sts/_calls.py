"""Calls STS: the only place that does.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from xsession._aws import account_of, is_throttling
from xsession._base import Clock, Latch, renew_after_fork
from xsession._botocore import CallerCredentials, ClientCore, called_with, install_log_filter, unlogged
from xsession.credentials import Identity
from xsession.errors import WrongAccountError, XSessionError
from xsession.refresh import MAX_TRY_SECONDS, Issued, Lane
from xsession.roles import Role

from ._answers import garbled, no_answer, read_assumed, read_credentials, refusal

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

_MAX_CONNECT_SECONDS = 3.0
# Much longer than it takes.
_MAX_BUILD_SECONDS = 3.0

# A ValidationError quotes the value that it refuses.
_SECRET_PARAMETERS = ("ExternalId", "TokenCode", "WebIdentityToken")


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
        self._clients: dict[tuple[str, float], Any] = {}
        self._builders: dict[tuple[str, float], tuple[int, Latch]] = {}
        self._tries = _Tries(clock)
        renew_after_fork(self)

    def assume_role(
        self,
        role: Role,
        caller: ReadOnlyCredentials,
        *,
        hop: int,
        region_name: str,
        methods: Iterable[str] = (),
        mfa_code: str | None = None,
        lane: Lane | None = None,
        try_limit: float = MAX_TRY_SECONDS,
    ) -> Issued:
        """Assumes one role.

        Args:
            role: With its session name filled in.
            caller: Signs the call.
            methods: How the caller's credentials were obtained, in botocore's words, which AWS is told.
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
            with called_with(methods):
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
        with self._tries.waiting_in(lane), called_with(()):
            client = (region_name, try_limit)
            answer = self._call("assume_role_with_web_identity", request, None, client, role=role, hop=hop)
        return self._assumed(answer, role, hop)

    def session_token(
        self,
        caller: ReadOnlyCredentials,
        serial: str,
        mfa_code: str,
        *,
        seconds: int,
        region_name: str,
        methods: Iterable[str] = (),
    ) -> Issued:
        """A session of long-term credentials that has passed MFA; needs no permission.

        Args:
            caller: The long-term credentials.
            serial: The MFA device.
            mfa_code: Its six digits.
            seconds: How long the session lives.
            region_name: The region whose STS is asked.
            methods: As for `assume_role`.

        Raises:
            CredentialsError: STS refused, failed, could not be reached, or answered nonsense.
        """
        request = {"SerialNumber": serial, "TokenCode": mfa_code, "DurationSeconds": seconds}
        with self._tries.waiting_in(None), called_with(methods):
            answer = self._call("get_session_token", request, caller, (region_name, MAX_TRY_SECONDS), hop=0)
        sent_boot, sent_wall = self._tries.sent
        return Issued(read_credentials(answer, seconds, sent_wall, None, 0), sent_boot)

    def caller_identity(
        self, caller: ReadOnlyCredentials, *, region_name: str, methods: Iterable[str] = ()
    ) -> Identity:
        """Asks STS whose credentials these are; needs no permission.

        Args:
            caller: The credentials.
            region_name: The region whose STS is asked.
            methods: As for `assume_role`.

        Raises:
            CredentialsError: STS refused, failed or could not be reached.
        """
        with called_with(methods):
            answer = self._call("get_caller_identity", {}, caller, (region_name, MAX_TRY_SECONDS))
        return Identity(account_id=answer["Account"], arn=answer["Arn"], user_id=answer["UserId"])

    def after_fork(self) -> None:
        """Drops the parent's connections: on a shared one, answers reach the wrong process."""
        self._clients, self._builders = {}, {}

    def _assumed(self, answer: Any, role: Role, hop: int) -> Issued:
        sent_boot, sent_wall = self._tries.sent
        credentials = read_assumed(answer, role, sent_wall, hop)
        account_id = account_of(credentials.arn or "")
        if account_id != role.account_id:
            raise WrongAccountError.between(
                account_id, role.account_id, role_arn=role.role_arn, hop=hop, request_id=credentials.request_id
            )
        return Issued(credentials, sent_boot)

    def _client(self, region_name: str, try_limit: float) -> Any:
        key = region_name, try_limit
        while (client := self._clients.get(key)) is None:
            # One builds it and the others wait; but not for ever: foreign code runs there, and may wait for them.
            ours = threading.get_ident(), Latch()
            builder, done = self._builders.setdefault(key, ours)
            if done is ours[1]:
                try:
                    return self._clients.setdefault(key, self._built(region_name, try_limit))
                finally:
                    self._builders.pop(key, None)
                    done.set()
            if builder == ours[0] or not done.wait(_MAX_BUILD_SECONDS):
                return self._clients.setdefault(key, self._built(region_name, try_limit))
        return client

    def _built(self, region_name: str, try_limit: float) -> Any:
        limits = Config(connect_timeout=min(_MAX_CONNECT_SECONDS, try_limit), read_timeout=try_limit)
        client = self._core.sts_client(self._caller, region_name, self._config.merge(limits))
        client.meta.events.register("before-sign.sts", self._tries.before_sign)
        client.meta.events.register("response-received.sts", self._tries.response_received)
        install_log_filter()
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
            with unlogged(), nullcontext() if caller is None else self._caller.of(caller):
                return method(**request)
        except XSessionError:
            raise
        except ClientError as error:
            secrets = tuple(str(request[name]) for name in _SECRET_PARAMETERS if name in request)
            failure = refusal(error, role, hop, self._tries.sent[1], secrets)
        except (BotoCoreError, OSError, Warning) as error:  # the last where the program has warnings raised
            failure = no_answer(error, role, hop)
        except Exception as error:  # noqa: BLE001 # botocore raises KeyError, ValueError and others on a garbled answer
            failure = garbled(error, role, hop)
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
        """Waits for its place, and records when it is sent."""
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
