"""Calls IAM for one role: reads it, and turns IAM's errors into ours.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ._aws import hint_for, is_denied, is_missing, is_passing_in_iam, read_denial
from ._base import FrozenMap, frozen
from .errors import InvalidPolicyError, ProvisionError, XSessionError
from .policies import Policy, as_policy

if TYPE_CHECKING:
    import boto3

OWN_POLICY = "xsession"
"""The name of the inline policy that holds a role's permissions; the role's other policies are other people's."""


@frozen(kw_only=True)
class RoleState:
    """A role as IAM has it.

    Args:
        arn: Its ARN.
        path: Its path.
        trust: Its trust policy; text where it is in no form that we know.
        permissions: The inline policy that is ours, likewise; None: there is none.
        max_session_duration: In seconds.
        description: "" where there is none.
        tags: Its tags.
        permissions_boundary: The ARN of its boundary.
        managed_policy_arns: The policies attached to it.
        other_policies: The names of the inline policies that are not ours.
    """

    arn: str
    path: str
    trust: Policy | str = field(repr=False)  # text is shown as it is, with an external id
    permissions: Policy | str | None
    max_session_duration: int
    description: str
    tags: FrozenMap[str]
    permissions_boundary: str | None
    managed_policy_arns: tuple[str, ...]
    other_policies: tuple[str, ...]


class RoleIam:
    """IAM as far as one role is concerned.

    Args:
        session: Whose identity calls it, in the account of the role.
        role_name: The role's name.
    """

    def __init__(self, session: boto3.Session, role_name: str) -> None:
        self._role_name = role_name
        self._account: str | None = getattr(session, "name", None)
        self._client: Any = session.client("iam")

    def read(self) -> RoleState | None:
        """The role; None: there is none.

        Raises:
            ProvisionError: IAM refused or could not be asked.
        """
        try:
            role = self.call("get_role")["Role"]
            names = tuple(name for page in self._pages("list_role_policies") for name in page["PolicyNames"])
            attached = self._pages("list_attached_role_policies")
            arns = tuple(sorted(policy["PolicyArn"] for page in attached for policy in page["AttachedPolicies"]))
            own = self.call("get_role_policy", PolicyName=OWN_POLICY)["PolicyDocument"] if OWN_POLICY in names else None
        except ProvisionError as error:
            if is_missing(error.code):
                return None
            raise
        others = tuple(sorted(name for name in names if name != OWN_POLICY))
        return _state(role, permissions=own, managed_policy_arns=arns, other_policies=others)

    def create(self, **parameters: Any) -> RoleState:
        """Creates the role, still without permissions.

        Raises:
            ProvisionError: IAM refused or could not be asked.
        """
        return _state(self.call("create_role", **parameters)["Role"])

    def instance_profiles(self) -> tuple[str, ...]:
        """The names of the instance profiles that the role is in.

        Raises:
            ProvisionError: IAM refused or could not be asked.
        """
        pages = self._pages("list_instance_profiles_for_role")
        return tuple(profile["InstanceProfileName"] for page in pages for profile in page["InstanceProfiles"])

    def call(self, method: str, **parameters: Any) -> Any:
        """Calls IAM about the role.

        Args:
            method: boto3's name of the operation, such as "put_role_policy".
            parameters: The operation's parameters but the role's name.

        Raises:
            ProvisionError: IAM refused or could not be asked.
        """
        return self._call(method, RoleName=self._role_name, **parameters)

    def role_names(self) -> tuple[str, ...]:
        """The names of all roles of the account.

        Raises:
            ProvisionError: IAM refused or could not be asked.
        """
        return tuple(role["RoleName"] for page in self._pages("list_roles", about={}) for role in page["Roles"])

    def simulate(
        self, principal_arn: str, actions: Sequence[str], role_arn: str, context: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        """What IAM's simulation says of a user or role of the account that takes actions on a role.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html

        Args:
            principal_arn: The user or role.
            actions: "sts:AssumeRole", ...
            role_arn: The role that they are taken on.
            context: Condition keys of the request, in IAM's own form.

        Returns:
            An evaluation result for each action, in IAM's own form.

        Raises:
            ProvisionError: IAM refused or could not be asked.
        """
        request = {"PolicySourceArn": principal_arn, "ActionNames": actions, "ResourceArns": [role_arn]}
        results: Sequence[Mapping[str, Any]] = self._call(
            "simulate_principal_policy", **request, ContextEntries=context
        )["EvaluationResults"]
        return results

    def _call(self, method: str, **parameters: Any) -> Any:
        try:
            return getattr(self._client, method)(**parameters)
        except XSessionError:
            raise  # what signs the call has no credentials: that says more than that IAM could not be asked
        except (ClientError, BotoCoreError) as error:
            raise self._failure(method, error) from error

    def _pages(self, method: str, about: Mapping[str, str] | None = None) -> Iterator[Any]:
        try:
            yield from self._client.get_paginator(method).paginate(
                **({"RoleName": self._role_name} if about is None else about)
            )
        except XSessionError:
            raise
        except (ClientError, BotoCoreError) as error:
            raise self._failure(method, error) from error

    def _failure(self, method: str, error: ClientError | BotoCoreError) -> ProvisionError:
        operation = self._client.meta.method_to_api_mapping[method]
        doing = f"{operation} of role {self._role_name!r}"
        if isinstance(error, BotoCoreError):
            return ProvisionError(f"{doing}: {error}", account=self._account, retryable=True)
        details: Mapping[str, Any] = error.response.get("Error", {})
        code, message = str(details.get("Code", "Unknown")), str(details.get("Message", ""))
        return ProvisionError(
            f"{doing}: {code}: {message}",
            account=self._account,
            code=code,
            request_id=error.response.get("ResponseMetadata", {}).get("RequestId"),
            retryable=is_passing_in_iam(code),
            hint=_hint(code, message, operation),
        )


def _hint(code: str, message: str, operation: str) -> str | None:
    if not is_denied(code):
        return hint_for(code, "IAM")
    denial = read_denial(message)
    hint = f"the caller must be allowed {denial.action or f'iam:{operation}'} on the role"
    return f"{hint}, and a policy denies it" if denial.explicit else hint


def _state(
    role: Mapping[str, Any],
    *,
    permissions: object = None,
    managed_policy_arns: tuple[str, ...] = (),
    other_policies: tuple[str, ...] = (),
) -> RoleState:
    return RoleState(
        arn=role["Arn"],
        path=role["Path"],
        trust=_readable(role["AssumeRolePolicyDocument"]),
        permissions=None if permissions is None else _readable(permissions),
        max_session_duration=role.get("MaxSessionDuration", 3_600),
        description=role.get("Description") or "",
        tags=FrozenMap((tag["Key"], tag["Value"]) for tag in role.get("Tags", ())),
        permissions_boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        managed_policy_arns=managed_policy_arns,
        other_policies=other_policies,
    )


def _readable(document: Any) -> Policy | str:
    try:
        return as_policy(document)
    except InvalidPolicyError:
        # Whatever it is, it is not what we would write.
        return str(document)
