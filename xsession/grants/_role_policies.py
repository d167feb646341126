"""The inline policies of one role, for revocations: what IAM has, and its errors as ours.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from xsession._aws import answered_at, is_missing
from xsession._base import frozen
from xsession._iam import RoleIam
from xsession.errors import RevocationError, XSessionError
from xsession.policies import Policy


@frozen(kw_only=True)
class RevocableRole:
    """What IAM says of a role.

    Args:
        role_id: Its unique id, `AROA...`.
        now: When IAM said so, by its own clock.
    """

    role_id: str
    now: datetime


class RolePolicies:
    """Reads and writes the inline policies of a role.

    Args:
        iam: IAM as far as the role is concerned.
        role_arn: The role.
        account: The account's name, for errors.
    """

    def __init__(self, iam: RoleIam, role_arn: str, account: str) -> None:
        self._iam = iam
        self._role_arn = role_arn
        self._account = account

    def facts(self) -> RevocableRole:
        """What IAM says of the role.

        Raises:
            RevocationError: IAM refuses, can't be asked, or has another role of that name, in another account.
        """
        answer = self._call("get_role")
        role = answer["Role"]
        if role["Arn"] != self._role_arn:
            msg = f"IAM has {role['Arn']} under that name"
            raise self.error(msg, hint="pass using= an account with the same id")
        now = answered_at(answer.get("ResponseMetadata"))
        if now is None:
            msg = "IAM's answer does not say when it was made"
            raise self.error(msg, retryable=True)
        return RevocableRole(role_id=role["RoleId"], now=now)

    def names(self) -> list[str]:
        """The names of all inline policies.

        Raises:
            RevocationError: IAM refuses, or can't be asked.
        """
        names: list[str] = []
        more: dict[str, str] = {}
        while True:
            answer = self._call("list_role_policies", **more)
            names += answer["PolicyNames"]
            if not answer.get("IsTruncated"):
                return names
            more = {"Marker": answer["Marker"]}

    def document(self, name: str) -> str | None:
        """An inline policy as a string; None: there is none of that name.

        Raises:
            RevocationError: IAM refuses, or can't be asked.
        """
        try:
            found = self._call("get_role_policy", PolicyName=name)["PolicyDocument"]
        except RevocationError as error:
            if is_missing(error.code):
                return None
            raise
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)

    def put(self, name: str, policy: Policy) -> None:
        """Writes an inline policy.

        Raises:
            RevocationError: IAM refuses, or can't be asked.
        """
        self._call("put_role_policy", PolicyName=name, PolicyDocument=policy.to_json())

    def delete(self, name: str) -> None:
        """Removes an inline policy; one that is not there is not an error.

        Raises:
            RevocationError: IAM refuses, or can't be asked.
        """
        try:
            self._call("delete_role_policy", PolicyName=name)
        except RevocationError as error:
            if not is_missing(error.code):
                raise

    def error(self, message: str, **details: Any) -> RevocationError:
        """An error about the role."""
        return RevocationError(message, account=self._account, role_arn=self._role_arn, **details)

    def _call(self, method: str, **parameters: Any) -> Any:
        try:
            return self._iam.call(method, **parameters)
        except XSessionError as error:
            # IAM's refusal, or there were no credentials to ask it with.
            details = {"code": error.code, "request_id": error.request_id, "retryable": error.retryable}
            raise self.error(error.message, hint=error.hint, **details) from error
