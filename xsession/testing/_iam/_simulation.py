"""Answers SimulatePrincipalPolicy with the evaluation that requests get.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence

from xsession._base import frozen
from xsession.errors import InvalidPolicyError
from xsession.policies import Policy
from xsession.testing._http import HTTPResponse, RefusedError, numbered_values, xml_text

from ._authorization import layers_of
from ._directory import Directory, IAMEntity
from ._patterns import Context, require_known
from ._permissions import Decision, NamedPolicy, acts, applies, decide

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_UNSUPPORTED = ("ResourcePolicy", "PermissionsBoundaryPolicyInputList.member.1", "CallerArn", "ResourceOwner")


@frozen
class SimulationResult:
    """What would come of one action on one resource.

    Args:
        action: The action.
        resource: The resource.
        decision: What would come of it.
        matched: The policies of which a statement applies.
        missing: Condition keys that statements about the action ask for, without a value.
    """

    action: str
    resource: str
    decision: Decision
    matched: Sequence[NamedPolicy]
    missing: Sequence[str]


def simulate(entity: IAMEntity, action: str, resource: str, context: Context) -> SimulationResult:
    """What would come of a request.

    Args:
        entity: Who would make it.
        action: The action.
        resource: The resource.
        context: The condition keys that it would have.

    Raises:
        NotJudgedError: The policies ask for something that is not known here.
    """
    about = [
        (named, statement)
        for named in entity.policies
        for statement in named.policy.statements
        if acts(statement, action)
    ]
    matched = [named for named, statement in about if applies(named.policy, statement, action, resource, context)]
    asked = {key for _, statement in about for keys in statement.conditions.values() for key in keys}
    missing = sorted(key for key in asked if require_known(key) not in context)
    return SimulationResult(action, resource, decide(layers_of(entity), action, resource, context), matched, missing)


def answer_simulation(parameters: Mapping[str, str], directory: Directory) -> HTTPResponse:
    """Answers a request.

    Raises:
        RefusedError: There is no such user or role, or the request asks for what is not supported here.
        NotJudgedError: The policies ask for something that is not known here.
    """
    unsupported = [name for name in _UNSUPPORTED if name in parameters]
    if unsupported:
        message = f"The local AWS does not simulate {unsupported[0]}"
        raise RefusedError(400, "InvalidInput", message)
    arn = parameters.get("PolicySourceArn", "")
    entity = directory.entity_of(arn) if arn.count(":") == 5 else None
    if entity is None:
        raise RefusedError(404, "NoSuchEntity", f"The entity {arn} cannot be found.")
    further = [NamedPolicy(f"PolicyInputList.{n}", "none", one) for n, one in enumerate(_given_policies(parameters), 1)]
    entity = IAMEntity([*entity.policies, *further], entity.boundary, entity.tags)
    context = dict(_context(parameters))
    results = [
        simulate(entity, action, resource, context)
        for action in numbered_values(parameters, "ActionNames.member.{}")
        for resource in numbered_values(parameters, "ResourceArns.member.{}") or ["*"]
    ]
    members = "".join(map(_member, results))
    body = (
        f'<SimulatePrincipalPolicyResponse xmlns="{_NAMESPACE}"><SimulatePrincipalPolicyResult>'
        f"<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>"
        f"</SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        "</SimulatePrincipalPolicyResponse>"
    )
    return HTTPResponse(200, body.encode())


def _given_policies(parameters: Mapping[str, str]) -> Iterator[Policy]:
    for document in numbered_values(parameters, "PolicyInputList.member.{}"):
        try:
            yield Policy.from_json(document)
        except InvalidPolicyError as error:
            raise RefusedError(400, "InvalidInput", error.message) from None


def _context(parameters: Mapping[str, str]) -> Iterator[tuple[str, Sequence[str]]]:
    for number, name in enumerate(numbered_values(parameters, "ContextEntries.member.{}.ContextKeyName"), start=1):
        values = numbered_values(parameters, f"ContextEntries.member.{number}.ContextKeyValues.member.{{}}")
        yield require_known(name), values


def _member(result: SimulationResult) -> str:
    decision = result.decision
    verdict = "allowed" if decision.allowed else "explicitDeny" if decision.explicit else "implicitDeny"
    statements = "".join(
        f"<member><SourcePolicyId>{xml_text(named.name)}</SourcePolicyId>"
        f"<SourcePolicyType>{named.kind}</SourcePolicyType></member>"
        for named in result.matched
    )
    missing = "".join(f"<member>{xml_text(key)}</member>" for key in result.missing)
    return (
        f"<member><EvalActionName>{xml_text(result.action)}</EvalActionName>"
        f"<EvalResourceName>{xml_text(result.resource)}</EvalResourceName><EvalDecision>{verdict}</EvalDecision>"
        f"<MatchedStatements>{statements}</MatchedStatements><MissingContextValues>{missing}</MissingContextValues>"
        "</member>"
    )
