"""The roles from the source to an account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xsession._base import frozen
from xsession.errors import InvalidRoleError

from ._durations import MAX_CHAINED_DURATION_SECONDS
from ._role import Role
from ._tags import inherited_key


@frozen
class RoleChain:
    """The roles from the source to an account, in the order in which they are assumed.

    Args:
        first: The role that the source assumes: a `Role` or its ARN.
        rest: The roles assumed from there on, each by the one before.

    Raises:
        InvalidRoleError: A chain which STS would refuse: roles of two partitions, more than 3600 seconds
            asked of a later hop (https://repost.aws/knowledge-center/iam-role-chaining-limit), MFA or a web identity
            there, or a tag there that a role before passes on.
    """

    roles: tuple[Role, ...]

    def __init__(self, first: Role | str, *rest: Role | str) -> None:
        object.__setattr__(self, "roles", tuple(_as_role(role) for role in (first, *rest)))
        for hop, role in enumerate(self.roles[1:], start=2):
            self._check_later_hop(hop, role)
        check_inherited_tags(self.roles)

    def _check_later_hop(self, hop: int, role: Role) -> None:
        if role.partition != self.roles[0].partition:
            msg = f"a chain can't leave its partition: {self.roles[0].partition!r} here, {role.partition!r} there"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop)
        seconds = role.duration_seconds
        if isinstance(seconds, int) and seconds > MAX_CHAINED_DURATION_SECONDS:
            msg = f"duration_seconds {seconds} is over the 3600 that AWS allows a role assumed by another role"
            hint = "ask for 3600 or less; they are refreshed anyway"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop, hint=hint)
        if role.mfa_serial is not None:
            msg = "mfa_serial is for the first hop: a role's credentials can't pass an MFA code on"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop, hint="put mfa_serial on the first role")
        if role.has_web_identity:
            msg = "a web identity is for the first hop: a later one is assumed with the credentials of the hop before"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop, hint="put it on the first role")

    @property
    def last(self) -> Role:
        """The role whose credentials the account's clients use."""
        return self.roles[-1]

    @property
    def account_id(self) -> str:
        """The 12-digit id of the account that the chain ends in."""
        return self.last.account_id

    def __iter__(self) -> Iterator[Role]:
        return iter(self.roles)

    def __len__(self) -> int:
        return len(self.roles)

    def __repr__(self) -> str:
        return f"RoleChain({', '.join(map(repr, self.roles))})"


def check_inherited_tags(roles: Sequence[Role]) -> None:
    """Refuses a tag that a role before passes on: STS does, whatever its case and its value.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining

    Args:
        roles: The roles of a chain, in their order.

    Raises:
        InvalidRoleError: There is one.
    """
    passed_on: dict[str, int] = {}
    for hop, role in enumerate(roles, start=1):
        key = inherited_key(role.tags, passed_on) if passed_on else None
        if key is not None:
            by = passed_on[key.casefold()]
            msg = f"the session tag {key!r} is inherited from hop {by}, where it is transitive: STS refuses another one"
            hint = f"leave it out of tags= of this role, or out of transitive_tag_keys= of hop {by}"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop, hint=hint)
        passed_on.update({one.casefold(): hop for one in role.transitive_tag_keys})


def as_chain(value: RoleChain | Role | str) -> RoleChain:
    """The chain that a chain, a role or a role's ARN stands for."""
    return value if isinstance(value, RoleChain) else RoleChain(value)


def _as_role(value: Role | str) -> Role:
    return value if isinstance(value, Role) else Role(value)
