"""The local IAM: moto's storage and answers, and the rules of AWS that moto lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from xsession._aws import POLICY_ARN
from xsession.testing._http import APIRequest, HTTPResponse, RefusedError, unknown_key

from ._access_keys import AccessKey
from ._directory import Directory
from ._documents import check_documents
from ._ignored_parameters import refuse_ignored
from ._simulation import answer_simulation
from ._stored_names import as_stored, check_tags, merge_tags
from ._user_boundaries import boundary_answer

_DELETIONS = {"DeleteRole": "role", "DeleteServiceLinkedRole": "role", "DeleteUser": "user"}
_OF_USERS_BOUNDARIES = frozenset({"PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"})


class LocalIAM:
    """Answers for IAM.

    Args:
        directory: moto's users, roles and policies.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def read(self, request: APIRequest, caller: AccessKey) -> APIRequest:
        """A request with the names of what there is, whose case says nothing."""
        return as_stored(request, self._directory.iam(caller.principal.account_id, caller.principal.partition))

    def answer(self, request: APIRequest, caller: AccessKey, forward: Callable[[], HTTPResponse]) -> HTTPResponse:
        """Answers a request that the caller's policies allow.

        Args:
            request: The request.
            caller: Who calls.
            forward: Has moto answer it.

        Raises:
            RefusedError: As AWS would.
            NotJudgedError: It depends on something that is not known here.
        """
        if request.operation == "SimulatePrincipalPolicy":
            return answer_simulation(request.parameters, self._directory)
        account = (caller.principal.account_id, caller.principal.partition)
        self._check(request, account)
        if request.operation in _OF_USERS_BOUNDARIES:
            return self._set_boundary(request.operation, request.parameters, account)
        deleted = self._deleted(request, account)
        response = forward()
        if response.status >= 400:
            return response
        if deleted is not None:
            self._directory.forget_principal(*deleted)
        merge_tags(request, self._directory.iam(*account))
        return self._made_user(request.parameters, account, response) if request.operation == "CreateUser" else response

    def _set_boundary(self, operation: str, parameters: Mapping[str, str], account: tuple[str, str]) -> HTTPResponse:
        boundary = parameters.get("PermissionsBoundary") if operation.startswith("Put") else None
        if boundary is None and operation.startswith("Put"):
            raise RefusedError(400, "ValidationError", "PermissionsBoundary is required")
        self._directory.set_user_boundary(account, parameters.get("UserName", ""), boundary)
        return boundary_answer(operation)

    def _check(self, request: APIRequest, account: tuple[str, str]) -> None:
        parameters = request.parameters
        refuse_ignored(request.operation, parameters)
        check_tags(parameters)
        check_documents(request)
        self._directory.ensure_managed(*account, parameters.get("PolicyArn", ""))
        boundary = parameters.get("PermissionsBoundary")
        if boundary is None:
            return
        if not re.fullmatch(POLICY_ARN, boundary):
            message = f"Value ({boundary}) for parameter PermissionsBoundary is invalid."
            raise RefusedError(400, "InvalidParameterValue", message)
        if self._directory.managed_policy(*account, boundary) is None:
            raise RefusedError(404, "NoSuchEntity", f"Policy {boundary} does not exist or is not attachable.")

    def _deleted(self, request: APIRequest, account: tuple[str, str]) -> tuple[str, str] | None:
        """The ARN and the unique id of the user or the role that a request deletes; None: it deletes none."""
        kind = _DELETIONS.get(request.operation)
        if kind is None:
            return None
        return self._directory.principal_of(account, kind, request.parameters.get(f"{kind.title()}Name", ""))

    def _made_user(
        self, parameters: Mapping[str, str], account: tuple[str, str], response: HTTPResponse
    ) -> HTTPResponse:
        """The answer to CreateUser, with an id of AWS's form and with the boundary, which moto's answer lacks."""
        name, boundary = parameters.get("UserName", ""), parameters.get("PermissionsBoundary")
        old, new = self._directory.replace_user_id(account, name)
        body = response.body.replace(f"<UserId>{old}</UserId>".encode(), f"<UserId>{new}</UserId>".encode())
        if boundary is not None:
            self._directory.set_user_boundary(account, name, boundary)
            kept = f"<PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn>"
            kind = "<PermissionsBoundaryType>PermissionsBoundaryPolicy</PermissionsBoundaryType>"
            whole = f"<PermissionsBoundary>{kind}{kept}</PermissionsBoundary></User>"
            body = body.replace(b"</User>", whole.encode(), 1)
        headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
        return replace(response, body=body, headers=headers)


def check_token(key: AccessKey) -> None:
    """Refuses a session of GetSessionToken that has not passed MFA: IAM does not take its token.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html

    Args:
        key: What a request to IAM is signed with.

    Raises:
        RefusedError: It is one.
    """
    if key.is_user_session and not key.mfa:
        raise unknown_key(service="iam", is_json=False)
