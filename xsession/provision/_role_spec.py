"""Sets up what cross-account access needs: the role over there, its permissions, and whom it trusts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from xsession._aws import POLICY_ARN, POLICY_ARN_RULE, iam_arn
from xsession._base import SYSTEM_CLOCK, Clock, FrozenMap, frozen
from xsession._iam import RoleIam
from xsession.errors import ConfigError, InvalidRoleError
from xsession.policies import (
    Policy,
    PolicyLike,
    allows_action,
    as_policy,
    assume_roles,
    check_role_policies,
    check_trust_policy,
)
from xsession.roles import checked_tags

from . import _export as export
from ._comparison import Comparison, compare

if TYPE_CHECKING:
    import boto3


MIN_SESSION_DURATION = 3_600
MAX_SESSION_DURATION = 43_200

_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH = re.compile(r"/([\x21-\x7e]{1,510}/)?", re.ASCII)
_DESCRIPTION = re.compile(r"[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}")


@frozen(hides=ConfigError)
class RoleSpec:
    """A role as it should be; creates it, compares it with what is there, changes what differs, removes it.

    What is not said is left alone: other people's inline and attached policies, other tags and, where they are None,
    the description and the boundary.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html

    Args:
        name: The role's name: 1 to 64 of A-Z a-z 0-9 _ + = , . @ -; no two names differ only by case.
        trust: Who may assume it: a `policies.trust(...)`, a mapping or JSON.
        permissions: What it may do; kept as the inline policy "xsession". None: there is no such policy.
        max_session_duration: The longest session: 3600 to 43200 seconds, or a timedelta.
        path: "/", or one such as "/partners/"; can't be changed afterwards.
        tags: The role's own tags, at most 50.
        description: Up to 1000 characters; None: whatever is there.
        permissions_boundary: The ARN of a managed policy that limits the role; None: whatever is there.
        managed_policy_arns: Managed policies to attach.
        trust_policy_quota: The characters that the account allows a trust policy: 2048, or up to 8192 where AWS has
            raised its quota "role trust policy length".

    Raises:
        InvalidRoleError: A value which IAM would refuse; names the argument, the value and the rule.
        InvalidPolicyError: A policy is not valid, or too long.
    """

    name: str
    trust: PolicyLike = field(kw_only=True, repr=False, hash=False)
    permissions: PolicyLike | None = field(default=None, kw_only=True, repr=False, hash=False)
    max_session_duration: int | timedelta = field(default=MIN_SESSION_DURATION, kw_only=True)
    path: str = field(default="/", kw_only=True)
    tags: Mapping[str, str] = field(default_factory=FrozenMap, kw_only=True, hash=False)
    description: str | None = field(default=None, kw_only=True)
    permissions_boundary: str | None = field(default=None, kw_only=True)
    managed_policy_arns: Sequence[str] = field(default=(), kw_only=True)
    trust_policy_quota: int = field(default=2_048, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        self._check_text("name", self.name, _NAME, "1 to 64 of A-Z a-z 0-9 _ + = , . @ -")
        self._check_text("path", self.path, _PATH, "/ or /.../, up to 512 characters")
        if self.description is not None:
            rule = "up to 1000 characters of Latin-1, without control characters"
            self._check_text("description", self.description, _DESCRIPTION, rule)
        if self.permissions_boundary is not None:
            self._check_text("permissions_boundary", self.permissions_boundary, POLICY_ARN, POLICY_ARN_RULE)
        self._set("managed_policy_arns", self._checked_arns())
        self._set("max_session_duration", self._checked_duration())
        self._set("tags", checked_tags(self.tags))
        self._set("trust", as_policy(self.trust))
        check_trust_policy(as_policy(self.trust), quota=self.trust_policy_quota)
        if self.permissions is not None:
            self._set("permissions", as_policy(self.permissions))
            check_role_policies(as_policy(self.permissions))

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str], name: str | None = None) -> Self:
        """The role that a TOML file describes, in a table `[roles.NAME]` with these arguments.

        `trust` has the arguments of `policies.trust`, with `principals` as an array. `permissions` has functions of
        `xsession.policies` by name, each with its arguments: `s3_read = { bucket = "..." }`. Both may be a document of
        IAM's instead, or an array of such tables, which are added.

        Args:
            path: The file.
            name: Which of its roles; None: its only one.

        Raises:
            ConfigError: It can't be read, or has a key or value that is not valid; says where.
        """
        from ._role_file import read_role  # noqa: PLC0415 # roles in code need no reader of files

        chosen, arguments = read_role(path, name)
        try:
            return cls(chosen, **arguments)
        except ConfigError as error:
            error.within(f"{os.fspath(path)}: roles.{chosen}")
            raise

    def role_arn(self, account_id: str, *, partition: str = "aws") -> str:
        """The ARN that the role has in an account.

        Args:
            account_id: 12 digits.
            partition: The account's partition.
        """
        return iam_arn(partition, account_id, f"role{self.path}{self.name}")

    def caller_policy(self, account_id: str, *, partition: str = "aws") -> Policy:
        """The other side: the policy that the trusted user or role needs in its own account.

        It allows session tags and a source identity where the role's trust policy does.

        Args:
            account_id: The account that the role is in.
            partition: That account's partition.

        Raises:
            InvalidPolicyError: Not an account's id.
        """
        trust = as_policy(self.trust)
        return assume_roles(
            self.role_arn(account_id, partition=partition),
            session_tags=allows_action(trust, "sts:TagSession"),
            source_identity=allows_action(trust, "sts:SetSourceIdentity"),
        )

    def compare(self, session: boto3.Session) -> Comparison:
        """What is there and what differs; changes nothing. Policies are compared by what they mean.

        Args:
            session: Who asks, in the account of the role. It needs iam:GetRole, iam:GetRolePolicy,
                iam:ListRolePolicies and iam:ListAttachedRolePolicies.

        Returns:
            False where nothing differs.

        Raises:
            ProvisionError: IAM refused or could not be asked.
        """
        return compare(self, RoleIam(session, self.name).read())

    def apply(
        self,
        session: boto3.Session,
        *,
        assume_from: boto3.Session | None = None,
        timeout: float = 30.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Comparison:
        """Creates the role or changes what differs, and waits until that is in force; a second time it does nothing.

        If it fails on the way, the role has fewer permissions than it should, and applying again completes it.

        Args:
            session: Who does it, in the account of the role. Beside what `compare` needs, it needs iam:CreateRole,
                iam:TagRole, iam:PutRolePolicy, iam:DeleteRolePolicy, iam:AttachRolePolicy, iam:UpdateRole,
                iam:UpdateAssumeRolePolicy and iam:PutRolePermissionsBoundary, each only where it is to be used.
            assume_from: A session that the role trusts: waits until it can assume the role, with what the trust policy
                asks for. None: waits until IAM shows what was done.
            timeout: How many seconds to wait at most: IAM takes some to spread a change, and to know a user or role
                that was made a moment ago as a principal of a trust policy.
            clock: Both clocks.

        Returns:
            What differed before, and the role's ARN.

        Raises:
            ProvisionError: IAM refused or could not be asked, the role has another path, or the time is up. At once
                where STS refuses `assume_from`, and the trust policy depends on where or when it is asked.
            CredentialsError: STS can't be asked whether `assume_from` can assume it, or never will allow it.
            InvalidPolicyError: With `assume_from`, the trust policy trusts no principal that has AWS credentials, or
                asks for what STS does not take, or for what is not sent: MFA that the credentials can't have, session
                tags, what services and identity providers send, a value of the caller's own. Nothing is changed.
        """
        from . import _changes as changes  # noqa: PLC0415 # brings boto3, which who writes a template needs not

        return changes.apply(self, session, assume_from, changes.Patience(clock, timeout))

    def remove(
        self, session: boto3.Session, *, force: bool = False, timeout: float = 30.0, clock: Clock = SYSTEM_CLOCK
    ) -> bool:
        """Deletes the role, with the policies that `apply` and revocations gave it.

        Args:
            session: Who does it, in the account of the role. Beside what `compare` needs, it needs
                iam:ListInstanceProfilesForRole, iam:DeleteRolePolicy, iam:DetachRolePolicy and iam:DeleteRole.
            force: Whether it goes even if other people put policies on it, or it is in an instance profile, for which
                iam:RemoveRoleFromInstanceProfile is needed.
            timeout: How many seconds to go on trying at most while IAM still sees what was deleted.
            clock: Both clocks.

        Returns:
            Whether there was a role.

        Raises:
            ProvisionError: The role has what is not ours or another path, IAM refused or could not be asked.
        """
        from . import _changes as changes  # noqa: PLC0415 # as in `apply`

        return changes.remove(self, session, changes.Patience(clock, timeout), force=force)

    def to_cloudformation(self) -> str:
        """A CloudFormation template, as JSON, that creates the role."""
        return export.to_cloudformation(self)

    def to_terraform(self) -> str:
        """A Terraform configuration, as JSON for a `.tf.json` file, that creates the role."""
        return export.to_terraform(self)

    def to_stack_set(
        self,
        organizational_unit_ids: Sequence[str],
        *,
        name: str | None = None,
        region_name: str = "us-east-1",
        exclude: Sequence[str] = (),
        delegated_admin: bool = False,
    ) -> str:
        """A CloudFormation template, as JSON, of a stack set that creates the role in all accounts of some OUs.

        AWS itself deploys it (it is service-managed), to accounts that join an OU later too, and never to the
        management account: create the role there on its own.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html

        Args:
            organizational_unit_ids: "ou-...", or the root's "r-...": all accounts below them.
            name: The stack set's name; None: the role's.
            region_name: The one region that its stacks are in; the role is global.
            exclude: Ids of accounts that do not get it.
            delegated_admin: Whether the template is for a delegated administrator's account, not the management one.

        Raises:
            ConfigError: An id is not valid, or there is no OU.
        """
        return export.to_stack_set(
            self,
            organizational_unit_ids,
            name=name,
            region_name=region_name,
            exclude=exclude,
            delegated_admin=delegated_admin,
        )

    def to_terraform_module(
        self,
        accounts: Mapping[str, str],
        *,
        role_name: str = "OrganizationAccountAccessRole",
        region_name: str = "us-east-1",
    ) -> dict[str, str]:
        """A Terraform configuration that creates the role in many accounts: a module, and a provider for each account.

        Args:
            accounts: Account ids by name, such as `{each.name: each.account_id for each in xs.accounts.values()}`.
            role_name: The role in each account as which Terraform works there.
            region_name: A region of the accounts' partition; the role is global.

        Returns:
            The contents of files by their paths: "main.tf.json", and "role/main.tf.json", the module.

        Raises:
            ConfigError: There is no account, an id is not valid, or two names can't be told apart in Terraform.
            InvalidRoleError: No role can have that name.
        """
        return export.to_terraform_module(self, accounts, role_name=role_name, region_name=region_name)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_text(self, name: str, value: object, pattern: str | re.Pattern[str], rule: str) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise InvalidRoleError.invalid(value, name, rule)

    def _checked_arns(self) -> tuple[str, ...]:
        arns: object = self.managed_policy_arns
        if isinstance(arns, str) or not isinstance(arns, Sequence):
            raise InvalidRoleError.invalid(arns, "managed_policy_arns", "a list of ARNs of managed policies")
        for arn in arns:
            self._check_text("managed_policy_arns", arn, POLICY_ARN, POLICY_ARN_RULE)
        return tuple(dict.fromkeys(arns))

    def _checked_duration(self) -> int:
        value: object = self.max_session_duration
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        if (
            isinstance(seconds, int | float)
            and not isinstance(seconds, bool)
            and MIN_SESSION_DURATION <= seconds <= MAX_SESSION_DURATION
            and seconds == seconds // 1
        ):
            return int(seconds)
        raise InvalidRoleError.invalid(value, "max_session_duration", "3600 to 43200 whole seconds")
