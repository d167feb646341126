"""Roles, users and their policies, as moto's IAM has them at the moment."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from xsession._aws import PARTITION, first_region, iam_arn, name_of, partition_of
from xsession._base import frozen
from xsession.errors import InvalidPolicyError
from xsession.policies import Policy
from xsession.testing._http import RefusedError

from ._access_keys import new_id
from ._deleted_principals import forget_in_trust_policies
from ._documents import trust_policy_refusal
from ._not_judged import UnknownConditionError
from ._permissions import NamedPolicy
from ._trust import Principal
from ._user_boundaries import boundary_of, set_boundary

_AWS_MANAGED = re.compile(rf"arn:{PARTITION}:iam::aws:policy/.+")
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
class IAMEntity:
    """A user or a role, with what decides about its requests.

    Args:
        policies: Its identity-based policies: inline, attached, and those of a user's groups.
        boundary: Its permissions boundary.
        tags: Its tags.
    """

    policies: Sequence[NamedPolicy]
    boundary: NamedPolicy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Directory:
    """Looks things up in moto's IAM.

    Args:
        iam: An account's IAM, by account id and partition.
        all_iam: The IAM of all accounts.
    """

    def __init__(self, iam: Callable[[str, str], Any], all_iam: Callable[[], Iterable[Any]]) -> None:
        self.iam = iam
        self._all_iam = all_iam

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
            role = self.iam(account_id, partition).roles.get(user_id.partition(":")[0])
            return None if role is None else self._role_entity(role, account_id, partition)
        user = self.iam(account_id, partition).users.get(name_of(principal.arn))
        # One that has the name now need not be the one that had it then.
        return None if user is None or user.id != user_id else self.entity_of(principal.arn)

    def entity_of(self, arn: str) -> IAMEntity | None:
        """The user or the role of an ARN; None: there is none."""
        _, partition, _, _, account_id, path = arn.split(":", 5)
        kind, _, name = path.partition("/")
        iam = self.iam(account_id, partition)
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
        boundary = self._boundary(boundary_of(user), account_id, partition)
        return IAMEntity(policies, boundary, {tag["Key"]: tag["Value"] for tag in tags})

    def principal_of(self, account: tuple[str, str], kind: str, name: str) -> tuple[str, str] | None:
        """The ARN and the unique id of a "role" or a "user" of an account; None: there is none of that name."""
        member = self._member(account, kind, name)
        return None if member is None else (str(member.arn), str(member.id))

    def forget_principal(self, arn: str, unique_id: str) -> None:
        """Puts a deleted principal's unique id in place of its ARN, in all trust policies of all accounts."""
        forget_in_trust_policies((role for iam in self._all_iam() for role in list(iam.roles.values())), arn, unique_id)

    def replace_user_id(self, account: tuple[str, str], name: str) -> tuple[str, str]:
        """Gives a user that moto has made an id of AWS's form; returns both."""
        user = self.iam(*account).users[name]
        old, user.id = user.id, new_id("AIDA")
        return old, user.id

    def set_user_boundary(self, account: tuple[str, str], name: str, arn: str | None) -> None:
        """Gives a user a permissions boundary.

        Args:
            account: The account's id and partition.
            name: The user's name.
            arn: The policy; None: takes the boundary away.

        Raises:
            RefusedError: There is no such user.
        """
        user = self._member(account, "user", name)
        if user is None:
            raise RefusedError(404, "NoSuchEntity", f"The user with name {name} cannot be found.")
        set_boundary(user, arn)

    def add_user(self, arn: str, permissions: Policy) -> str | None:
        """Makes a user, or gives one other permissions; returns its unique id.

        Returns:
            None where IAM does not take it: another one has that name, but for its case.
        """
        _, partition, _, _, account_id, path = arn.split(":", 5)
        iam, name = self.iam(account_id, partition), path.rpartition("/")[2]
        user = iam.users.get(name)
        if user is None:
            if any(other.casefold() == name.casefold() for other in list(iam.users)):
                return None
            user = iam.create_user(_region(partition), name)
            self.replace_user_id((account_id, partition), name)
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
        iam = self.iam(*account)
        taken = any(role.name.casefold() == name.casefold() for role in list(iam.roles.values()))
        if taken or not _PLAIN_NAME.fullmatch(name) or trust_policy_refusal(trusts) is not None:
            return None
        made = iam.create_role(name, trusts.to_json(), None, None, None, [], max_session_duration)
        iam.put_role_policy(name, "permissions", permissions.to_json())
        return str(made.arn)

    def arn_of(self, account_id: str, partition: str, kind: str, name: str) -> str:
        """The ARN of a user or a role, path included; where there is none, the one that it would have."""
        found = self._member((account_id, partition), kind, name)
        return iam_arn(partition, account_id, f"{kind}/{name}") if found is None else str(found.arn)

    def managed_policy(self, account_id: str, partition: str, arn: str) -> NamedPolicy | None:
        """A managed policy: the account's own, or AWS's."""
        self.ensure_managed(account_id, partition, arn)
        found = self.iam(account_id, partition).managed_policies.get(arn)
        return None if found is None else _managed(found)

    def oidc_client_ids(self, account_id: str, partition: str, provider_arn: str) -> Sequence[str] | None:
        """The audiences that an account's OIDC provider may have tokens for; None: there is no such provider."""
        provider = self.iam(account_id, partition).open_id_providers.get(provider_arn)
        return None if provider is None else list(provider.client_id_list)

    def ensure_managed(self, account_id: str, partition: str, arn: str) -> None:
        """Gives an account's IAM a policy of AWS's own, all of which moto knows but loads only together."""
        policies = self.iam(account_id, partition).managed_policies
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
        return list(self.iam(account_id, partition).roles.values())

    def _member(self, account: tuple[str, str], kind: str, name: str) -> Any:
        iam = self.iam(*account)
        members = list((iam.roles if kind == "role" else iam.users).values())
        return next((member for member in members if member.name == name), None)

    def _boundary(self, arn: str | None, account_id: str, partition: str) -> NamedPolicy | None:
        if not arn:
            return None
        named = self.managed_policy(account_id, partition, arn)
        if named is None:
            msg = f"the permissions boundary {arn} does not exist"
            raise UnknownConditionError(msg)
        return named

    def _role_entity(self, role: Any, account_id: str, partition: str) -> IAMEntity:
        boundary = self._boundary(role.permissions_boundary_arn, account_id, partition)
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


def _own_policies(member: Any, kind: str) -> Iterator[NamedPolicy]:
    for name, document in list(member.policies.items()):
        yield NamedPolicy(name, kind, parsed(document))
    for policy in list(member.managed_policies.values()):
        yield _managed(policy)


def _managed(policy: Any) -> NamedPolicy:
    version = next(version for version in policy.versions if version.version_id == policy.default_version_id)
    kind = "aws-managed" if _AWS_MANAGED.fullmatch(policy.arn) else "user-managed"
    return NamedPolicy(policy.name, kind, parsed(version.document), policy.arn)


@functools.cache
def _aws_managed() -> Mapping[str, Mapping[str, Any]]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 # five megabytes

    data: Mapping[str, Mapping[str, Any]] = json.loads(aws_managed_policies_data)
    return data
