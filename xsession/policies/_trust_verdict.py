"""What a trust policy says of a caller and of what it sends: which statement comes closest, and what fails in it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import enum
import re

from xsession._aws import Arn, account_of, iam_arn, partition_of
from xsession._base import frozen

from ._conditions import RequestKeys, Verdict, is_met
from ._document import Policy, Statement
from ._findings import acts_on

_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}")


@frozen
class CallingPrincipal:
    """Who asks for a role.

    Args:
        arn: As GetCallerIdentity says it.
        user_id: Its unique id.
        role: The ARN of the role that it is a session of, where the path is known; None: it is not.
    """

    arn: str
    user_id: str | None = None
    role: str | None = None

    @property
    def account_id(self) -> str:
        """The account that it is of."""
        return account_of(self.arn)

    @property
    def partition(self) -> str:
        """That account's partition."""
        return partition_of(self.arn)

    @property
    def is_session(self) -> bool:
        """Whether it is a role's session."""
        return self._session_role is not None

    @property
    def is_root(self) -> bool:
        """Whether it is the account's root user."""
        return self.arn.endswith(":root")

    @property
    def principal(self) -> str:
        """What a policy calls it: the user, or the role behind its session, without its path where none is known."""
        name = self._session_role
        return self.arn if name is None else self.role or iam_arn(self.partition, self.account_id, f"role/{name}")

    def is_called(self, name: str) -> bool:
        """Whether a name under "AWS" in a policy means it, alone or among others."""
        root = iam_arn(self.partition, self.account_id, "root")
        unique_id = (self.user_id or "").partition(":")[0]
        return name in ("*", self.account_id, root, self.arn, unique_id) or self._is_role(name)

    @property
    def _session_role(self) -> str | None:
        arn = Arn.of(self.arn)
        return None if arn is None else arn.session_role

    def _is_role(self, name: str) -> bool:
        # A role's name is unique in its account, whatever its path.
        role = Arn.of(name)
        if role is None or (role.service, role.kind) != ("iam", "role"):
            return False
        return (role.account_id, role.name) == (self.account_id, self._session_role)


class TrustDecision(enum.Enum):
    """What a trust policy says of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOTHING = "nothing"
    # It depends on what is not known here.
    UNKNOWN = "unknown"


@frozen
class Condition:
    """One condition of a statement.

    Args:
        operator: "StringEquals", ...
        key: The condition key.
        values: The policy's values; of external ids, none: they are secret.
    """

    operator: str
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        values = " or ".join(self.values) if self.values else "****"
        return f"{self.operator} {self.key} {values}"


@frozen
class TrustVerdict:
    """What came of a request at a trust policy.

    Args:
        says: What it says.
        statement: The one that allows or denies it, or comes closest; None: none is about this caller and action.
        unmet: The conditions of that statement which the request does not meet.
        unjudged: Those that can't be judged here.
    """

    says: TrustDecision
    statement: Statement | None = None
    unmet: tuple[Condition, ...] = ()
    unjudged: tuple[Condition, ...] = ()


def judge_trust(policy: Policy, caller: CallingPrincipal, action: str, keys: RequestKeys) -> TrustVerdict:
    """What a trust policy says of a request.

    Args:
        policy: The trust policy.
        caller: Who calls.
        action: "sts:AssumeRole", "sts:TagSession" or "sts:SetSourceIdentity".
        keys: The request's condition keys.
    """
    about = [one for one in policy.statements if _names(one, caller) and acts_on(one, action)]
    variables = policy.version == "2012-10-17"
    denying = [_weighed(one, keys, variables) for one in about if one.effect == "Deny"]
    allowing = [_weighed(one, keys, variables) for one in about if one.effect == "Allow"]
    for verdict in denying:
        if verdict.says is TrustDecision.ALLOWED:
            return TrustVerdict(TrustDecision.DENIED, verdict.statement)
    closest = min(allowing, key=_distance, default=TrustVerdict(TrustDecision.NOTHING))
    if closest.says is TrustDecision.ALLOWED:
        # A deny that can't be judged may still be what refuses it.
        return next((verdict for verdict in denying if verdict.says is TrustDecision.UNKNOWN), closest)
    return closest


def is_unique_id(name: str) -> bool:
    """Whether a principal is an id, as IAM shows users and roles that were deleted."""
    return _UNIQUE_ID.fullmatch(name) is not None


def _names(statement: Statement, caller: CallingPrincipal) -> bool:
    if statement.not_principals:
        return not any(map(caller.is_called, statement.not_principals.get("AWS", ())))
    return any(map(caller.is_called, statement.principals.get("AWS", ())))


def _weighed(statement: Statement, keys: RequestKeys, variables: bool) -> TrustVerdict:
    unmet: list[Condition] = []
    unjudged: list[Condition] = []
    for name, conditions in statement.conditions.items():
        for key, wanted in conditions.items():
            verdict: Verdict = is_met(name, key, wanted, keys, variables=variables)
            if not verdict:
                shown = () if key.lower() == "sts:externalid" and name != "Null" else tuple(wanted)
                (unjudged if verdict is None else unmet).append(Condition(name, key, shown))
    says = TrustDecision.NOTHING if unmet else TrustDecision.UNKNOWN if unjudged else TrustDecision.ALLOWED
    return TrustVerdict(says, statement, tuple(unmet), tuple(unjudged))


def _distance(verdict: TrustVerdict) -> tuple[int, int]:
    return len(verdict.unmet), len(verdict.unjudged)
