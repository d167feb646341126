"""The local STS: AWS's rules for AssumeRole, and the credentials that it has issued.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from xsession._aws import account_of, iam_arn
from xsession.testing._http import HTTPResponse, RefusedError, access_denied, xml_text
from xsession.testing._iam import (
    AccessKey,
    Authorizer,
    Context,
    Directory,
    KnownRole,
    NamedPolicy,
    Principal,
    RequestEnvironment,
    TrustLevel,
    decide,
    decide_role_assumption,
    environment_keys,
    new_id,
    trust_in,
)

from ._caller_limits import check_operation
from ._requests import RoleRequest, invalid, read_duration, read_role_request
from ._responses import assumed_role_xml, credentials_xml, sts_response
from ._web_identity import WebIdentity, read_token

_CHAINED_LIMIT_SECONDS = 3_600
_ROOT_LIMIT_SECONDS = 3_600


class LocalSTS:
    """Issues credentials.

    Args:
        directory: Where roles are.
        authorizer: What limits callers.
        now: The clock, in seconds since 1970.
        lifetime: How many seconds credentials live, whatever was asked for; None: as asked for.
    """

    def __init__(
        self, directory: Directory, authorizer: Authorizer, now: Callable[[], float], lifetime: float | None
    ) -> None:
        self._directory = directory
        self._authorizer = authorizer
        self._now = now
        self.lifetime = lifetime
        self._lock = threading.Lock()
        self._keys: dict[str, AccessKey] = {}
        self._codes: dict[str, set[str]] = {}
        self._disabled: set[tuple[str, str | None]] = set()

    def add(self, key: AccessKey) -> AccessKey:
        """Makes a key known."""
        with self._lock:
            self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id: str) -> AccessKey | None:
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

    def disable_region(self, region_name: str, account_id: str | None) -> None:
        """Issues no credentials of an account, or of any, in a region."""
        self._disabled.add((region_name, account_id))

    def answer(
        self, operation: str, parameters: Mapping[str, str], caller: AccessKey | None, environment: RequestEnvironment
    ) -> HTTPResponse:
        """Answers a request.

        Args:
            operation: "AssumeRole", ...
            parameters: The form.
            caller: Who calls; None: the request is not signed.
            environment: When and from where.

        Raises:
            RefusedError: As AWS would.
            NotJudgedError: It depends on something that is not known here.
        """
        if caller is not None:
            check_operation(operation, caller)
        if operation == "AssumeRoleWithWebIdentity":
            return self._assume_with_web_identity(parameters, environment)
        if caller is not None and operation == "AssumeRole":
            return self._assume_role(read_role_request(parameters), parameters, caller, environment)
        if caller is not None and operation == "GetCallerIdentity":
            # No policy counts, but keys end with their user or role.
            self._authorizer.limits_of(caller, environment)
            return sts_response(
                operation,
                f"<Arn>{xml_text(caller.principal.arn)}</Arn><UserId>{xml_text(caller.user_id)}</UserId>"
                f"<Account>{caller.principal.account_id}</Account>",
            )
        if caller is not None and operation == "GetSessionToken":
            return self._get_session_token(parameters, caller, environment)
        raise RefusedError(400, "InvalidAction", f"The local AWS has no STS action {operation}")

    def _assume_role(
        self, wanted: RoleRequest, parameters: Mapping[str, str], caller: AccessKey, environment: RequestEnvironment
    ) -> HTTPResponse:
        if caller.principal.is_root:
            raise RefusedError(403, "AccessDenied", "Roles may not be assumed by root accounts.")
        wanted = replace(wanted, source_identity=wanted.source_identity or caller.source_identity)
        self._check_region(wanted.account_id, environment)
        role = self._known(wanted)
        self._check_both_sides(role, wanted, caller, environment, mfa=self._passed_mfa(parameters))
        if role is None:
            _denied(caller, "sts:AssumeRole", wanted.arn)
        self._check_duration(role, wanted, caller)
        if wanted.source_identity and caller.source_identity not in (None, wanted.source_identity):
            _denied(caller, "sts:SetSourceIdentity", wanted.arn)
        inherited = caller.transitive_tags
        if {key.lower() for key in wanted.tags} & {key.lower() for key in inherited}:
            message = (
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
                "from the calling session."
            )
            raise RefusedError(400, "InvalidParameterValue", message)
        issued = self._issue_for(
            role,
            wanted,
            source_identity=wanted.source_identity,
            tags={**inherited, **wanted.tags},
            transitive_tags={**inherited, **{key: wanted.tags[key] for key in wanted.transitive if key in wanted.tags}},
        )
        identity = wanted.source_identity
        extra = f"<SourceIdentity>{xml_text(identity)}</SourceIdentity>" if identity else ""
        extra += f"<PackedPolicySize>{wanted.packed_size}</PackedPolicySize>" if wanted.packed_size else ""
        return sts_response("AssumeRole", f"{credentials_xml(issued)}{assumed_role_xml(issued)}{extra}")

    def _check_both_sides(
        self,
        role: KnownRole | None,
        wanted: RoleRequest,
        caller: AccessKey,
        environment: RequestEnvironment,
        *,
        mfa: bool,
    ) -> None:
        layers, keys = self._authorizer.limits_of(caller, environment)
        tags = {**caller.transitive_tags, **wanted.tags}
        passed = {"aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": ("0",)} if mfa else {}
        context = {**keys, **_keys_of(wanted, tags), **passed}
        needed = ["sts:AssumeRole"]
        needed += ["sts:TagSession"] if tags else []
        needed += ["sts:SetSourceIdentity"] if wanted.source_identity else []
        for action in needed:
            if role is None:
                decision = decide(layers, action, wanted.arn, context)
            else:
                same = account_of(role.arn) == caller.principal.account_id
                decision = decide_role_assumption(
                    role.trust,
                    caller.principal,
                    layers,
                    action=action,
                    role_arn=role.arn,
                    context=context,
                    same_account=same,
                )
            if not decision.allowed:
                _denied(caller, action, wanted.arn, decision.because(action))

    def _assume_with_web_identity(self, parameters: Mapping[str, str], environment: RequestEnvironment) -> HTTPResponse:
        wanted = read_role_request(parameters)
        identity = read_token(parameters.get("WebIdentityToken", ""), environment.time)
        provider_arn = iam_arn(wanted.partition, wanted.account_id, f"oidc-provider/{identity.provider}")
        client_ids = self._directory.oidc_client_ids(wanted.account_id, wanted.partition, provider_arn)
        if client_ids is None:
            message = f"No OpenIDConnect provider found in your account for https://{identity.provider}"
            raise RefusedError(400, "InvalidIdentityToken", message)
        if not set(identity.audiences) & set(client_ids):
            raise RefusedError(400, "InvalidIdentityToken", "Incorrect token audience")
        role = self._known(wanted)
        caller = Principal("", f"arn:{wanted.partition}:iam:::{identity.subject}", provider=provider_arn)
        context = {**environment_keys(environment), **_keys_of(wanted, {}), **identity.keys}
        action = "sts:AssumeRoleWithWebIdentity"
        if role is None or trust_in(role.trust, caller, action, context) <= TrustLevel.NOTHING:
            raise RefusedError(403, "AccessDenied", f"Not authorized to perform {action}")
        self._check_duration(role, wanted, None)
        return _web_identity_answer(self._issue_for(role, wanted), identity, provider_arn)

    def _known(self, wanted: RoleRequest) -> KnownRole | None:
        role = self._directory.role(wanted.partition, wanted.account_id, wanted.name)
        return role if role is not None and role.arn == wanted.arn else None

    def _check_duration(self, role: KnownRole, wanted: RoleRequest, caller: AccessKey | None) -> None:
        if wanted.seconds > role.max_session_duration:
            invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        if caller is not None and caller.chained and wanted.seconds > _CHAINED_LIMIT_SECONDS:
            limit = "the 1 hour session limit for roles assumed by role chaining"
            invalid(f"The requested DurationSeconds exceeds {limit}.")

    def _check_region(self, account_id: str, environment: RequestEnvironment) -> None:
        if self._disabled & {(environment.region_name, account_id), (environment.region_name, None)}:
            message = (
                f"STS is not activated in this region for account:{account_id}. "
                "Your account administrator can activate STS in this region using the IAM Console."
            )
            raise RefusedError(403, "RegionDisabledException", message)

    def _session_policies(self, wanted: RoleRequest) -> Sequence[NamedPolicy]:
        policies = [] if wanted.policy is None else [NamedPolicy("", "none", wanted.policy)]
        for arn in wanted.policy_arns:
            named = self._directory.managed_policy(wanted.account_id, wanted.partition, arn)
            if named is None:
                invalid(f"Policy {arn} does not exist or is not attachable.")
            policies.append(named)
        return policies

    def _passed_mfa(self, parameters: Mapping[str, str]) -> bool:
        serial, code = parameters.get("SerialNumber"), parameters.get("TokenCode")
        if serial is None and code is None:
            return False
        with self._lock:
            codes = self._codes.get(serial or "", set())
            if code not in codes:
                message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
                raise RefusedError(403, "AccessDenied", message)
            codes.discard(code)
        return True

    def _get_session_token(
        self, parameters: Mapping[str, str], caller: AccessKey, environment: RequestEnvironment
    ) -> HTTPResponse:
        action = "sts:GetSessionToken"
        self._check_region(caller.principal.account_id, environment)
        # It needs no permission, but a deny counts.
        layers, context = self._authorizer.limits_of(caller, environment)
        decision = decide(layers, action, "*", context)
        if decision.explicit:
            _denied(caller, action, caller.principal.arn, decision.because(action))
        seconds = read_duration(parameters, default=43_200, longest=129_600)
        if caller.principal.is_root:
            seconds = min(seconds, _ROOT_LIMIT_SECONDS)
        mfa = self._passed_mfa(parameters)
        issued = self._issue(caller.principal, caller.user_id, seconds, mfa=mfa)
        return sts_response("GetSessionToken", credentials_xml(issued))

    def _issue_for(self, role: KnownRole, wanted: RoleRequest, **session: Any) -> AccessKey:
        return self._issue(
            Principal(wanted.account_id, wanted.session_arn, role.arn, unique_id=role.unique_id),
            f"{role.unique_id}:{wanted.session_name}",
            wanted.seconds,
            mfa=False,
            session_policies=self._session_policies(wanted),
            **session,
        )

    def _issue(self, principal: Principal, user_id: str, seconds: int, **session: Any) -> AccessKey:
        now = self._now()
        return self.add(
            AccessKey(
                access_key_id=new_id("ASIA"),
                secret_access_key=secrets.token_urlsafe(30),
                session_token=secrets.token_urlsafe(120),
                principal=principal,
                user_id=user_id,
                issued=now,
                expires=now + (seconds if self.lifetime is None else self.lifetime),
                chained=True,
                **session,
            )
        )


def _keys_of(wanted: RoleRequest, tags: Mapping[str, str]) -> Context:
    keys: dict[str, Sequence[str]] = {"sts:rolesessionname": (wanted.session_name,)}
    optional = {"sts:externalid": wanted.external_id, "sts:sourceidentity": wanted.source_identity}
    keys.update({name: (value,) for name, value in optional.items() if value})
    if tags:
        keys["aws:tagkeys"] = tuple(tags)
        keys.update({f"aws:requesttag/{key.lower()}": (value,) for key, value in tags.items()})
    if wanted.transitive:
        keys["sts:transitivetagkeys"] = tuple(wanted.transitive)
    return keys


def _web_identity_answer(issued: AccessKey, identity: WebIdentity, provider_arn: str) -> HTTPResponse:
    result = (
        f"{credentials_xml(issued)}{assumed_role_xml(issued)}"
        f"<SubjectFromWebIdentityToken>{xml_text(identity.subject)}</SubjectFromWebIdentityToken>"
        f"<Provider>{xml_text(provider_arn)}</Provider><Audience>{xml_text(next(iter(identity.audiences)))}</Audience>"
    )
    return sts_response("AssumeRoleWithWebIdentity", result)


def _denied(caller: AccessKey, action: str, arn: str, reason: str = "") -> NoReturn:
    raise access_denied(caller.principal.arn, action, arn, reason, service="sts")
