"""Looks at the policies behind a refusal, in the accounts whose IAM may be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from xsession._aws import is_missing, name_of
from xsession._iam import RoleIam
from xsession.errors import InvalidPolicyError, XSessionError
from xsession.policies import CallingPrincipal, as_policy

from ._attempt import Attempt
from ._causes import Facts, InspectedRole, Permission

if TYPE_CHECKING:
    import boto3

T = TypeVar("T")

# What a simulation is told of the request. Not the external id: it would be in the account's CloudTrail.
_TOLD = (
    ("sts:RoleSessionName", "string"),
    ("sts:SourceIdentity", "string"),
    ("aws:RequestedRegion", "string"),
    ("aws:TagKeys", "stringList"),
    ("sts:TransitiveTagKeys", "stringList"),
    ("aws:MultiFactorAuthPresent", "boolean"),
)


class Inspection:
    """Looks at policies; each account is asked who it is once, when it is needed.

    Args:
        sessions: Who may read IAM, each in its own account.
        account_of: Says which account a session's credentials are for.
    """

    def __init__(self, sessions: Sequence[boto3.Session], account_of: Callable[[boto3.Session], str]) -> None:
        self._sessions = sessions
        self._account_of = account_of
        self._by_account: dict[str, boto3.Session] | None = None
        self._notes: list[str] = []

    def of(self, attempt: Attempt) -> tuple[Facts, tuple[str, ...]]:
        """What can be found out about a refused role, and notes on what could not be looked at.

        Args:
            attempt: The request.
        """
        self._notes = []
        facts = Facts(
            role=self._seen(self._role, attempt, attempt.role.account_id),
            permissions=self._seen(self._permissions, attempt, attempt.caller.account_id),
        )
        return facts, tuple(self._notes)

    def _seen(self, look: Callable[[Attempt, boto3.Session], T], attempt: Attempt, account_id: str) -> T | None:
        if self._by_account is None:
            self._by_account = dict(self._accounts())
        session = self._by_account.get(account_id)
        if session is None:
            return None
        try:
            return look(attempt, session)
        except XSessionError as error:
            self._notes.append(str(error))
        return None

    def _accounts(self) -> Iterator[tuple[str, boto3.Session]]:
        for session in self._sessions:
            try:
                yield self._account_of(session), session
            except XSessionError as error:
                self._notes.append(f"using= can't be used: {error}")

    def _role(self, attempt: Attempt, session: boto3.Session) -> InspectedRole:
        iam = RoleIam(session, attempt.role.name)
        found = _get_role(iam)
        if found is None:
            return InspectedRole(arn=None, others=self._other_roles(iam))
        try:
            trust = as_policy(found["AssumeRolePolicyDocument"])
        except InvalidPolicyError:
            # Its words may quote a value, and that may be an external id.
            self._notes.append("the trust policy is in a form that can't be judged here")
            trust = None
        return InspectedRole(arn=found["Arn"], trust=trust, max_session_duration=found.get("MaxSessionDuration", 3_600))

    def _other_roles(self, iam: RoleIam) -> tuple[str, ...]:
        try:
            return iam.role_names()
        except XSessionError as error:
            self._notes.append(str(error))
        return ()

    def _permissions(self, attempt: Attempt, session: boto3.Session) -> tuple[Permission, ...] | None:
        caller = attempt.caller
        if not caller.is_session and ":user/" not in caller.arn:
            return None  # no user or role whose policies could be simulated
        iam = RoleIam(session, name_of(caller.principal))
        results = iam.simulate(_with_path(iam, caller), attempt.actions, attempt.role.role_arn, list(_context(attempt)))
        return tuple(map(_permission, results))


def _get_role(iam: RoleIam) -> Mapping[str, Any] | None:
    try:
        role: Mapping[str, Any] = iam.call("get_role")["Role"]
    except XSessionError as error:
        if not is_missing(error.code):
            raise
        return None
    return role


def _with_path(iam: RoleIam, caller: CallingPrincipal) -> str:
    if not caller.is_session or caller.role is not None:
        return caller.principal
    try:
        found = _get_role(iam)
    except XSessionError:
        found = None  # most roles have no path
    return caller.principal if found is None else str(found["Arn"])


def _context(attempt: Attempt) -> Iterator[dict[str, Any]]:
    keys = attempt.keys()
    told = (*_TOLD, *((f"aws:RequestTag/{key}", "string") for key in attempt.tags))
    for name, kind in told:
        values = keys.get(name)
        if values:
            yield {"ContextKeyName": name, "ContextKeyValues": list(values), "ContextKeyType": kind}


def _permission(result: Mapping[str, Any]) -> Permission:
    decision = result["EvalDecision"]
    reason = "identity-based"
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        reason = "service control"
    elif not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        reason = "permissions boundary"
    return Permission(
        action=result["EvalActionName"],
        allowed=decision == "allowed",
        explicit=decision == "explicitDeny",
        reason=reason,
        missing=tuple(result.get("MissingContextValues", ())),
    )
