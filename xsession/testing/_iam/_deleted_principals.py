"""What becomes of a user or a role in trust policies when it is deleted: its ARN is replaced by its unique id.

So another one that gets the same name later is not trusted in its place.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def forget_in_trust_policies(roles: Iterable[Any], arn: str, unique_id: str) -> None:
    """Replaces the ARN of a principal that was deleted.

    Args:
        roles: moto's roles, of all accounts.
        arn: The ARN.
        unique_id: The id that it had.
    """
    for role in roles:
        if arn in role.assume_role_policy_document:
            role.assume_role_policy_document = _without(role.assume_role_policy_document, arn, unique_id)


def _without(document: str, arn: str, unique_id: str) -> str:
    policy = json.loads(document)
    statements = policy["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        for element in ("Principal", "NotPrincipal"):
            principals = statement.get(element)
            if isinstance(principals, dict) and "AWS" in principals:
                named = principals["AWS"]
                names = [unique_id if name == arn else name for name in ([named] if isinstance(named, str) else named)]
                principals["AWS"] = names[0] if isinstance(named, str) else names
    return json.dumps(policy)
