"""Roles, users and their policies, as moto's IAM has them at the moment."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from xsession._aws import PARTITION, first_region, iam_arn, name_of, partition_of
from xsession._base import frozen
from xsession.errors import InvalidPolicyError
from xsession.policies import Policy
from xsession.testing._http import APIRequest, RefusedError

from ._documents import trust_policy_refusal
from ._not_judged import UnknownConditionError
from ._stored_names import as_stored, merge_tags
from ._trust import Principal

_AWS_MANAGED = re.compile(rf"arn:{PARTITION}:iam::aws:policy/.+")
# The operations that take a trust policy, and in which parameter.
_TRUST_DOCUMENTS = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}
_PLAIN_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


@frozen
class KnownRole:
    """A role as IAM has it.

    Args:
        arn: Its ARN.
        unique_id: "AROA...".
        trust: Its trust policy.
        max_session_duration: In seconds.
    """

    arn: str
    unique_id: str
    trust: Policy
    max_session_duration: int


@frozen
class NamedPolicy:
    """A policy of a user or a role.

    Args:
        name: Its name.
        kind: As SimulatePrincipalPolicy calls it: "role", "user", "group" or "aws-managed", "user-managed".
        policy: What it says.
    """

    name: str
    kind: str
    policy: Policy


@frozen
class IAMEntity:
    """A user or a role, with what decides about its requests.

    Args:
        policies: Its identity-based policies: inline, attached, and those of a user's groups.
        boundary: Its permissions boundary.
        tags: Its tags.
    """

    policies: Sequence[NamedPolicy]
    boundary: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Directory:
    """Looks things up in moto's IAM.

    Args:
        iam: An account's IAM, by account id and partition.
    """

    def __init__(self, iam: Callable[[str, str], Any]) -> None:
        self._iam = iam

    def role(self, partition: str, account_id: str, name: str) -> KnownRole | None:
        """The role of a name."""
        found = next((role for role in self._roles(account_id, partition) if role.name == name), None)
        if found is None:
            return None
        trust = parsed(found.assume_role_policy_document)
        return KnownRole(found.arn, found.id, trust, int(found.max_session_duration or 3_600))

    def entity(self, principal: Principal, user_id: str) -> IAMEntity | None:
        """Who it is that calls; None: the user or the role is gone.

        Args:
            principal: The caller.
            user_id: Its unique id; a session's begins with that of its role.
        """
        partition, account_id = partition_of(principal.arn), principal.account_id
        if principal.role_arn is not None:
            role = self._iam(account_id, partition).roles.get(user_id.partition(":")[0])
            return None if role is None else self._role_entity(role, account_id, partition)
        return self.entity_of(principal.arn)

    def entity_of(self, arn: str) -> IAMEntity | None:
        """The user or the role of an ARN; None: there is none."""
        _, partition, _, _, account_id, path = arn.split(":", 5)
        kind, _, name = path.partition("/")
        iam = self._iam(account_id, partition)
        if kind == "role":
            found = next((role for role in self._roles(account_id, partition) if role.arn == arn), None)
            return None if found is None else self._role_entity(found, account_id, partition)
        user = iam.users.get(name.rpartition("/")[2])
        if user is None:
            return None
        policies = list(_own_policies(user, "user"))
        for group in iam.get_groups_for_user(user.name):
            policies += _own_policies(group, "group")
        tags = iam.list_user_tags(user.name)
        return IAMEntity(policies, tags={tag["Key"]: tag["Value"] for tag in tags})

    def add_user(self, arn: str, permissions: Policy) -> str:
        """Makes a user, or gives one other permissions; returns its unique id."""
        _, partition, _, _, account_id, path = arn.split(":", 5)
        iam, name = self._iam(account_id, partition), path.rpartition("/")[2]
        user = iam.users.get(name) or iam.create_user(_region(partition), name)
        iam.put_user_policy(name, "permissions", permissions.to_json())
        return str(user.id)

    def add_role(
        self, account: tuple[str, str], name: str, trusts: Policy, permissions: Policy, *, max_session_duration: int
    ) -> str | None:
        """Makes a role without a request, which is what takes the time; returns its ARN.

        Args:
            account: Its account's id and partition.
            name: Its name.
            trusts: Its trust policy.
            permissions: What it may do.
            max_session_duration: In seconds.

        Returns:
            None where IAM does not take it, or it needs more care: there is one of that name, or it is no plain name.
        """
        iam = self._iam(*account)
        taken = any(role.name.casefold() == name.casefold() for role in list(iam.roles.values()))
        if taken or not _PLAIN_NAME.fullmatch(name) or trust_policy_refusal(trusts) is not None:
            return None
        made = iam.create_role(name, trusts.to_json(), None, None, None, [], max_session_duration)
        iam.put_role_policy(name, "permissions", permissions.to_json())
        return str(made.arn)

    def read(self, request: APIRequest, account_id: str, partition: str) -> APIRequest:
        """A request of IAM, with the names of what there is."""
        return as_stored(request, self._iam(account_id, partition))

    def check_documents(self, request: APIRequest) -> None:
        """Refuses a request of IAM whose trust policy moto takes and IAM refuses.

        Raises:
            RefusedError: It has one.
        """
        document = request.parameters.get(_TRUST_DOCUMENTS.get(request.operation, ""))
        refusal = None if document is None else _document_refusal(document)
        if refusal is not None:
            raise RefusedError(400, "MalformedPolicyDocument", refusal)

    def finish(self, request: APIRequest, account_id: str, partition: str) -> None:
        """After a request of IAM that went well: what IAM does beside what moto has done."""
        merge_tags(request, self._iam(account_id, partition))

    def arn_of(self, account_id: str, partition: str, kind: str, name: str) -> str:
        """The ARN of a user or a role, path included; where there is none, the one that it would have."""
        iam = self._iam(account_id, partition)
        members = list((iam.roles if kind == "role" else iam.users).values())
        found = next((str(member.arn) for member in members if member.name == name), None)
        return found or iam_arn(partition, account_id, f"{kind}/{name}")

    def managed_policy(self, account_id: str, partition: str, arn: str) -> NamedPolicy | None:
        """A managed policy: the account's own, or AWS's."""
        self.ensure_managed(account_id, partition, arn)
        found = self._iam(account_id, partition).managed_policies.get(arn)
        return None if found is None else _managed(found)

    def oidc_client_ids(self, account_id: str, partition: str, provider_arn: str) -> Sequence[str] | None:
        """The audiences that an account's OIDC provider may have tokens for; None: there is no such provider."""
        provider = self._iam(account_id, partition).open_id_providers.get(provider_arn)
        return None if provider is None else list(provider.client_id_list)

    def ensure_managed(self, account_id: str, partition: str, arn: str) -> None:
        """Gives an account's IAM a policy of AWS's own, all of which moto knows but loads only together."""
        policies = self._iam(account_id, partition).managed_policies
        if arn in policies or not _AWS_MANAGED.fullmatch(arn):
            return
        from moto.iam.models import AWSManagedPolicy  # noqa: PLC0415 # comes with the extra

        name = name_of(arn)
        data = _aws_managed().get(name)
        if data is not None:
            policy = AWSManagedPolicy.from_data(name, account_id, _region(partition), data)
            policies[policy.arn] = policy

    def _roles(self, account_id: str, partition: str) -> list[Any]:
        # A copy: another request may add one meanwhile.
        return list(self._iam(account_id, partition).roles.values())

    def _role_entity(self, role: Any, account_id: str, partition: str) -> IAMEntity:
        boundary = None
        if role.permissions_boundary_arn:
            named = self.managed_policy(account_id, partition, role.permissions_boundary_arn)
            if named is None:
                msg = f"the permissions boundary {role.permissions_boundary_arn} does not exist"
                raise UnknownConditionError(msg)
            boundary = named.policy
        tags = {tag["Key"]: tag["Value"] for tag in role.tags}
        return IAMEntity(list(_own_policies(role, "role")), boundary, tags)


def _region(partition: str) -> str:
    # moto takes a region where it means a partition.
    return first_region(partition) or "us-east-1"


@functools.lru_cache(maxsize=4_096)
def parsed(document: str) -> Policy:
    """The policy that a document holds, by its text.

    Raises:
        UnknownConditionError: moto took it, but it can't be judged.
    """
    try:
        return Policy.from_json(document)
    except InvalidPolicyError as error:
        msg = f"a policy can't be judged: {error.message}"
        raise UnknownConditionError(msg) from error


def _document_refusal(document: str) -> str | None:
    try:
        return trust_policy_refusal(Policy.from_json(document))
    except InvalidPolicyError:
        return None  # moto says what is wrong with it, in IAM's words


def _own_policies(member: Any, kind: str) -> Iterator[NamedPolicy]:
    for name, document in list(member.policies.items()):
        yield NamedPolicy(name, kind, parsed(document))
    for policy in list(member.managed_policies.values()):
        yield _managed(policy)


def _managed(policy: Any) -> NamedPolicy:
    version = next(version for version in policy.versions if version.version_id == policy.default_version_id)
    kind = "aws-managed" if _AWS_MANAGED.fullmatch(policy.arn) else "user-managed"
    return NamedPolicy(policy.name, kind, parsed(version.document))


@functools.cache
def _aws_managed() -> Mapping[str, Mapping[str, Any]]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 # five megabytes

    data: Mapping[str, Mapping[str, Any]] = json.loads(aws_managed_policies_data)
    return data
