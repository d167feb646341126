"""Permissions boundaries of users, which moto has for roles alone: they are kept on moto's users.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

import uuid
from typing import Any

from xsession.testing._http import HTTPResponse

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
# What moto's answers show of a user.
_ATTRIBUTE = "permissions_boundary"


def boundary_of(user: Any) -> str | None:
    """The ARN of a user's boundary; None: it has none."""
    kept = getattr(user, _ATTRIBUTE, None)
    return None if kept is None else str(kept["PermissionsBoundaryArn"])


def set_boundary(user: Any, arn: str | None) -> None:
    """Gives a user another boundary; None: it has none any more."""
    kept = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    setattr(user, _ATTRIBUTE, None if arn is None else kept)


def boundary_answer(operation: str) -> HTTPResponse:
    """What IAM answers to PutUserPermissionsBoundary and DeleteUserPermissionsBoundary."""
    body = (
        f'<{operation}Response xmlns="{_NAMESPACE}"><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId>'
        f"</ResponseMetadata></{operation}Response>"
    )
    return HTTPResponse(200, body.encode())
