"""What IAM and STS refuse in policies of one kind, and moto takes.

It is written apart from `xsession.policies`, which refuses it before a request, so that one checks the other.
"""

from __future__ import annotations

from xsession._aws import completed_arn
from xsession.errors import InvalidPolicyError
from xsession.policies import Policy
from xsession.testing._http import APIRequest, RefusedError

# The operations that take a trust policy, and in which parameter.
_TRUST_DOCUMENTS = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}


def check_documents(request: APIRequest) -> None:
    """Refuses a request of IAM whose trust policy moto takes and IAM refuses.

    Raises:
        RefusedError: It has one.
    """
    document = request.parameters.get(_TRUST_DOCUMENTS.get(request.operation, ""))
    refusal = None if document is None else _document_refusal(document)
    if refusal is not None:
        raise RefusedError(400, "MalformedPolicyDocument", refusal)


def trust_policy_refusal(policy: Policy) -> str | None:
    """Why IAM refuses a role's trust policy; None: it does not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if any(statement.not_principals for statement in policy.statements):
        return "Has prohibited field NotPrincipal."
    for statement in policy.statements:
        for kind, names in statement.principals.items():
            for name in names:
                if name != "*" and ("*" in name or "?" in name):
                    return f'Invalid principal in policy: "{kind}":"{name}"'
    return None


def session_policy_refusal(policy: Policy) -> str | None:
    """Why STS refuses a session policy; None: it does not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    if any(statement.has_principal for statement in policy.statements):
        return "Policy document should not specify a principal."
    arns = (arn for statement in policy.statements for arn in (*statement.resources, *statement.not_resources))
    incomplete = next((arn for arn in arns if completed_arn(arn) != arn), None)
    return None if incomplete is None else f"Resource {incomplete} is an incomplete ARN."


def _document_refusal(document: str) -> str | None:
    try:
        return trust_policy_refusal(Policy.from_json(document))
    except InvalidPolicyError:
        return None  # moto says what is wrong with it, in IAM's words
