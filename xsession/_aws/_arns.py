"""ARNs: taken apart, and the forms that options and policies may have.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from typing import TypeGuard

from xsession._base import frozen

# The compiled one is met by every role; the others are strings, compiled when the first value of their kind is checked.
PARTITION = r"aws[a-z0-9-]*"
"""The pattern of a partition, also of those that AWS will add."""

ACCOUNT_ID = r"[0-9]{12}"
"""The pattern of an account's id."""

REGION = r"[a-z]{2,}(-[a-z0-9]+)+"
"""The pattern of a region, also of those that AWS will add."""

ROLE_ARN = re.compile(
    rf"arn:{PARTITION}:iam::{ACCOUNT_ID}:role/(?:[\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{{1,64}}", re.ASCII
)
"""The pattern of a role's ARN; its name is at most 64 characters long."""

ROLE_ARN_RULE = "arn:<partition>:iam::<12-digit account id>:role/<path and name>"
"""The same in words."""

POLICY_ARN = rf"arn:{PARTITION}:iam::({ACCOUNT_ID}|aws):policy/[\x21-\x7e]+"
"""The pattern of a managed policy's ARN; its group is the account, "aws" for AWS's own."""

POLICY_ARN_RULE = "arn:<partition>:iam::<account id or aws>:policy/<name>"
"""The same in words."""

MIN_ARN_CHARACTERS = 20
MAX_ARN_CHARACTERS = 2_048


@frozen
class Arn:
    """An ARN, taken apart; whatever it says is taken as it is.

    Args:
        partition: "aws", "aws-cn", ...
        service: "iam", "sts", ...
        region_name: "" for services that are global.
        account_id: "" where the ARN names none, as that of a bucket.
        resource: The rest, colons and slashes included.
    """

    partition: str
    service: str
    region_name: str
    account_id: str
    resource: str

    @classmethod
    def of(cls, text: str | None) -> Arn | None:
        """What a string says as an ARN; None: it is none."""
        parts = (text or "").split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[1]:
            return None
        return cls(*parts[1:])

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region_name}:{self.account_id}:{self.resource}"

    @property
    def kind(self) -> str:
        """What it is the ARN of: "role", "user", "root", "assumed-role", "oidc-provider", ..."""
        return self.resource.partition("/")[0]

    @property
    def path(self) -> str:
        """What lies between the kind and the name: "/" for an IAM role without a path, the role of a session."""
        return self.resource[len(self.kind) : self.resource.rfind("/") + 1]

    @property
    def name(self) -> str:
        """What comes after the last slash: the name of a role or user without its path, or that of a session."""
        return name_of(self.resource)

    @property
    def session_role(self) -> str | None:
        """The name of the role that it is a session of, without its path, which the ARN lacks; None: it is none."""
        kind, _, rest = self.resource.partition("/")
        role, _, session = rest.partition("/")
        return role if self.service == "sts" and kind == "assumed-role" and role and session else None


def account_of(arn: str) -> str:
    """The account in an ARN that is known to be one."""
    return arn.split(":", 5)[4]


def partition_of(arn: str) -> str:
    """The partition in an ARN that is known to be one."""
    return arn.split(":", 2)[1]


def name_of(arn: str) -> str:
    """The name in an ARN of IAM or STS, without its path."""
    return arn.rpartition("/")[2]


def is_account_id(value: object) -> TypeGuard[str]:
    """Whether something is the id of an account."""
    return isinstance(value, str) and re.fullmatch(ACCOUNT_ID, value) is not None


def is_region(value: object) -> TypeGuard[str]:
    """Whether something looks like a region's name."""
    return isinstance(value, str) and re.fullmatch(REGION, value) is not None


def iam_arn(partition: str, account_id: str, resource: str) -> str:
    """The ARN of something of IAM: "role/<path and name>", "user/<name>", "root", ..."""
    return f"arn:{partition}:iam::{account_id}:{resource}"
