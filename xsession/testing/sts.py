"""The local STS: AWS's rules for AssumeRole, and the credentials that it has issued.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn
from xml.sax.saxutils import escape

from xsession.errors import InvalidPolicyError
from xsession.policies import Policy

from .answers import Answer, RefusedError, sts_answer
from .trust import Principal, verdict

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]{1,64})", re.ASCII)
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_TAG_KEY = re.compile(r"[\w\s.:/=+@-]{1,128}")
_TAG_VALUE = re.compile(r"[\w\s.:/=+@-]{0,256}")
_CHAINED_LIMIT_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key that this AWS knows.

    Args:
        access_key_id: Its id.
        secret_access_key: Its secret.
        session_token: The token, for temporary ones.
        principal: Whose it is.
        user_id: The unique id of the user or of the role's session.
        expires: When it ends, by the server's clock, in seconds since 1970; None: never.
        mfa: Whether its session passed MFA; None: it is a long-term key.
        chained: Whether a role assumed with it is a chained one.
        source_identity: The source identity of its session.
        transitive_tags: The session tags that go on to the next role.
        own: Whether it is for the server's own set-up, which is not counted.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    principal: Principal
    user_id: str
    expires: float | None = None
    mfa: bool | None = None
    chained: bool = False
    source_identity: str | None = None
    transitive_tags: Mapping[str, str] = field(default_factory=dict)
    own: bool = False


@dataclass(frozen=True, slots=True)
class KnownRole:
    """A role as IAM has it.

    Args:
        arn: Its ARN.
        unique_id: "AROA...".
        trust: Its trust policy.
        max_session_duration: In seconds.
    """

    arn: str
    unique_id: str
    trust: Policy
    max_session_duration: int


class LocalSTS:
    """Issues credentials.

    Args:
        find_role: Looks a role up by partition, account id and name.
        now: The clock, in seconds since 1970.
        lifetime: How many seconds credentials live, whatever was asked for; None: as asked for.
    """

    def __init__(
        self, find_role: Callable[[str, str, str], KnownRole | None], now: Callable[[], float], lifetime: float | None
    ) -> None:
        self._find_role = find_role
        self._now = now
        self.lifetime = lifetime
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._codes: dict[str, set[str]] = {}

    def add(self, key: Key) -> Key:
        """Makes a key known."""
        with self._lock:
            self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id: str) -> Key | None:
        """The key of an id."""
        return self._keys.get(access_key_id)

    def forget(self, access_key_id: str) -> None:
        """Deletes a key."""
        with self._lock:
            self._keys.pop(access_key_id, None)

    def expect_mfa_code(self, serial: str, code: str) -> None:
        """Accepts a code of an MFA device, once."""
        with self._lock:
            self._codes.setdefault(serial, set()).add(code)

    def answer(self, operation: str, parameters: Mapping[str, str], caller: Key) -> Answer:
        """Answers a request.

        Raises:
            RefusedError: As AWS would.
        """
        if operation == "AssumeRole":
            return self._assume_role(parameters, caller)
        if operation == "GetCallerIdentity":
            principal = caller.principal
            return sts_answer(
                operation,
                f"<Arn>{escape(principal.arn)}</Arn><UserId>{escape(caller.user_id)}</UserId>"
                f"<Account>{principal.account_id}</Account>",
            )
        if operation == "GetSessionToken":
            return self._get_session_token(parameters, caller)
        raise RefusedError(400, "InvalidAction", f"The local AWS has no STS action {operation}")

    def _assume_role(self, parameters: Mapping[str, str], caller: Key) -> Answer:
        arn, session_name = parameters.get("RoleArn", ""), parameters.get("RoleSessionName", "")
        match = _ROLE_ARN.fullmatch(arn)
        if match is None:
            _invalid(f"{arn} is invalid")
        tags, transitive = _tags(parameters), _listed(parameters, "TransitiveTagKeys.member.{}")
        seconds = _checked(parameters, session_name)
        packed = _packed_size(parameters, tags)
        role = self._find_role(match[1], match[2], match[3])
        if role is None or role.arn != arn:
            _denied(caller, "sts:AssumeRole", arn)
        source_identity = parameters.get("SourceIdentity") or caller.source_identity
        all_tags = {**caller.transitive_tags, **tags}
        self._check_trust(role, parameters, caller, all_tags, source_identity)
        if seconds > role.max_session_duration:
            _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        if caller.chained and seconds > _CHAINED_LIMIT_SECONDS:
            _invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            )
        if source_identity and caller.source_identity not in (None, source_identity):
            _denied(caller, "sts:SetSourceIdentity", arn)
        partition, account_id, name = match.groups()
        session_arn = f"arn:{partition}:sts::{account_id}:assumed-role/{name}/{session_name}"
        issued = self._issue(
            Principal(account_id, session_arn, role.arn),
            f"{role.unique_id}:{session_name}",
            seconds,
            mfa=False,
            chained=True,
            source_identity=source_identity,
            transitive_tags={
                **caller.transitive_tags,
                **{key: value for key, value in tags.items() if key in transitive},
            },
        )
        extra = f"<SourceIdentity>{escape(source_identity)}</SourceIdentity>" if source_identity else ""
        extra += f"<PackedPolicySize>{packed}</PackedPolicySize>" if packed else ""
        user = f"<AssumedRoleId>{escape(issued.user_id)}</AssumedRoleId><Arn>{escape(session_arn)}</Arn>"
        return sts_answer("AssumeRole", f"{_xml(issued)}<AssumedRoleUser>{user}</AssumedRoleUser>{extra}")

    def _check_trust(
        self,
        role: KnownRole,
        parameters: Mapping[str, str],
        caller: Key,
        tags: Mapping[str, str],
        source_identity: str | None,
    ) -> None:
        context = self._context(parameters, caller, tags, source_identity)
        needed = ["sts:AssumeRole"]
        needed += ["sts:TagSession"] if tags else []
        needed += ["sts:SetSourceIdentity"] if source_identity else []
        for action in needed:
            if verdict(role.trust, caller.principal, action, context) is not True:
                _denied(caller, action, role.arn)

    def _context(
        self, parameters: Mapping[str, str], caller: Key, tags: Mapping[str, str], source_identity: str | None
    ) -> dict[str, list[str]]:
        principal = caller.principal
        context = {
            "aws:principalaccount": [principal.account_id],
            "aws:principalarn": [principal.role_arn or principal.arn],
            "aws:userid": [caller.user_id],
            "sts:rolesessionname": [parameters["RoleSessionName"]],
        }
        optional: dict[str, str | None] = {
            "sts:externalid": parameters.get("ExternalId"),
            "sts:sourceidentity": source_identity,
            "aws:sourceidentity": caller.source_identity,
        }
        context.update({key: [value] for key, value in optional.items() if value})
        mfa = self._passed_mfa(parameters) or caller.mfa
        if mfa is not None:
            context["aws:multifactorauthpresent"] = ["true" if mfa else "false"]
        if tags:
            context["aws:tagkeys"] = list(tags)
            context.update({f"aws:requesttag/{key.lower()}": [value] for key, value in tags.items()})
        return context

    def _passed_mfa(self, parameters: Mapping[str, str]) -> bool | None:
        serial, code = parameters.get("SerialNumber"), parameters.get("TokenCode")
        if serial is None and code is None:
            return None
        with self._lock:
            codes = self._codes.get(serial or "", set())
            if code not in codes:
                message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
                raise RefusedError(403, "AccessDenied", message)
            codes.discard(code)
        return True

    def _get_session_token(self, parameters: Mapping[str, str], caller: Key) -> Answer:
        if caller.session_token is not None:
            raise RefusedError(403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
        seconds = _duration(parameters, default=43_200, longest=129_600)
        mfa = self._passed_mfa(parameters) or False
        issued = self._issue(caller.principal, caller.user_id, seconds, mfa=mfa, chained=True)
        return sts_answer("GetSessionToken", _xml(issued))

    def _issue(self, principal: Principal, user_id: str, seconds: int, **session: Any) -> Key:
        lifetime = seconds if self.lifetime is None else self.lifetime
        return self.add(
            Key(
                access_key_id=new_id("ASIA"),
                secret_access_key=secrets.token_urlsafe(30),
                session_token=secrets.token_urlsafe(120),
                principal=principal,
                user_id=user_id,
                expires=self._now() + lifetime,
                **session,
            )
        )


def new_id(prefix: str) -> str:
    """A unique id of AWS's form: four letters and sixteen more characters."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(16))


def new_key(principal: Principal, user_id: str, *, own: bool = False) -> Key:
    """A new long-term access key."""
    return Key(
        access_key_id=new_id("AKIA"),
        secret_access_key=secrets.token_urlsafe(30),
        principal=principal,
        user_id=user_id,
        own=own,
    )


def _checked(parameters: Mapping[str, str], session_name: str) -> int:
    if not _NAME.fullmatch(session_name):
        _invalid_value(session_name, "roleSessionName", _NAME.pattern)
    external_id = parameters.get("ExternalId")
    if external_id is not None and not _EXTERNAL_ID.fullmatch(external_id):
        _invalid_value(external_id, "externalId", _EXTERNAL_ID.pattern)
    source_identity = parameters.get("SourceIdentity")
    if source_identity is not None and (not _NAME.fullmatch(source_identity) or source_identity.startswith("aws:")):
        _invalid_value(source_identity, "sourceIdentity", _NAME.pattern)
    return _duration(parameters, default=3_600, longest=43_200)


def _duration(parameters: Mapping[str, str], *, default: int, longest: int) -> int:
    text = parameters.get("DurationSeconds", str(default))
    if not text.isdecimal() or not 900 <= int(text) <= longest:
        _invalid_value(text, "durationSeconds", f"a value from 900 to {longest}")
    return int(text)


def _tags(parameters: Mapping[str, str]) -> dict[str, str]:
    keys = _listed(parameters, "Tags.member.{}.Key")
    tags = {key: parameters.get(f"Tags.member.{number}.Value", "") for number, key in enumerate(keys, start=1)}
    if len(keys) > 50 or len({key.lower() for key in keys}) != len(keys):
        _invalid("Duplicate or too many tag keys. Please note that tag keys are case insensitive.")
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key) or key.lower().startswith("aws:") or not _TAG_VALUE.fullmatch(value):
            _invalid_value(key, "tags", _TAG_KEY.pattern)
    return tags


def _packed_size(parameters: Mapping[str, str], tags: Mapping[str, str]) -> int:
    policy, arns = parameters.get("Policy", ""), _listed(parameters, "PolicyArns.member.{}.arn")
    if policy:
        try:
            Policy.from_json(policy)
        except InvalidPolicyError as error:
            raise RefusedError(400, "MalformedPolicyDocument", error.message) from None
    if len(arns) > 10 or len(policy) + sum(map(len, arns)) > 2_048:
        _invalid("The session policies are too long")
    # AWS packs them into a form of its own; this is only of the same kind.
    size = len(policy) + sum(map(len, arns)) + sum(len(key) + len(value) for key, value in tags.items())
    return 0 if not size else max(1, min(100, size * 100 // 4_096))


def _listed(parameters: Mapping[str, str], pattern: str) -> list[str]:
    values: list[str] = []
    while (value := parameters.get(pattern.format(len(values) + 1))) is not None:
        values.append(value)
    return values


def _xml(key: Key) -> str:
    ends = datetime.fromtimestamp(key.expires or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"<Credentials><AccessKeyId>{key.access_key_id}</AccessKeyId>"
        f"<SecretAccessKey>{key.secret_access_key}</SecretAccessKey>"
        f"<SessionToken>{key.session_token}</SessionToken><Expiration>{ends}</Expiration></Credentials>"
    )


def _denied(caller: Key, action: str, arn: str) -> NoReturn:
    message = f"User: {caller.principal.arn} is not authorized to perform: {action} on resource: {arn}"
    raise RefusedError(403, "AccessDenied", message)


def _invalid_value(value: str, field_name: str, rule: str) -> NoReturn:
    _invalid(
        f"1 validation error detected: Value '{value}' at '{field_name}' failed to satisfy constraint: "
        f"Member must satisfy {rule}"
    )


def _invalid(message: str) -> NoReturn:
    raise RefusedError(400, "ValidationError", message)
