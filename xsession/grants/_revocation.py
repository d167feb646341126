"""Revocation: sessions of a role that AWS refuses before they end by themselves.

Issued credentials can't be cancelled. What can be done is to have the role deny everything to sessions issued before a
moment, by an inline policy of the role, which its sessions are held to at each request. A grant that was made before is
denied whenever its sessions are issued: whoever made it may refresh it for as long as it lasts.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

from __future__ import annotations

import threading
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from xsession._aws import iso, read_denial
from xsession._base import Clock, frozen
from xsession.errors import RevocationError, XSessionError

from ._revocation_policy import REVOCATION_PREFIX, Scope, size_of
from ._role_policies import RolePolicies

if TYPE_CHECKING:
    import boto3

    from xsession.policies import Policy

_SECONDS_BETWEEN_LOOKS = 1.0


@frozen(kw_only=True)
class Revocation:
    """Sessions of a role that AWS was told to refuse.

    It takes IAM some seconds to tell all of AWS. Until then it is pending; `confirm` finds out.

    Args:
        id: Its id; that of the grant where it revokes one, so that a second revocation takes the place of the first.
        account: The account's name.
        role_arn: The role.
        scope: Which sessions.
        at: When it was made, by IAM's clock.
        revives_until: Until when `undo` would let sessions live again that it ended.
    """

    id: str
    account: str
    role_arn: str
    scope: Scope
    at: datetime
    revives_until: datetime
    _policies: RolePolicies = field(repr=False)
    _policy: Policy = field(repr=False)
    _clock: Clock = field(repr=False)
    _seen: threading.Event = field(repr=False, compare=False)

    @property
    def policy_name(self) -> str:
        """The name of the inline policy on the role."""
        return f"{REVOCATION_PREFIX}{self.id}"

    @property
    def confirmed(self) -> bool:
        """Whether `confirm` has seen it in force; makes no network call."""
        return self._seen.is_set()

    @property
    def pending(self) -> bool:
        """Whether it was not seen in force yet; makes no network call."""
        return not self.confirmed

    def confirm(self, session: boto3.Session | None = None, *, timeout: float = 30.0) -> bool:
        """Looks until it is in force, once a second.

        Args:
            session: One with keys that are revoked: then EC2's DescribeRegions is asked until it is denied for this
                reason, in the session's region. None: IAM is asked whether it shows the policy, which says that it is
                there, and not that every service in every region knows it.
            timeout: Seconds to look for; 0: once.

        Returns:
            Whether it was seen.

        Raises:
            RevocationError: IAM refuses to show the policy.
        """
        ends = self._clock.boot() + timeout
        client = None if session is None else session.client("ec2")
        while not (self._is_shown() if client is None else _is_denied(client)):
            left = ends - self._clock.boot()
            if left <= 0:
                return False
            self._clock.wait(threading.Event(), min(left, _SECONDS_BETWEEN_LOOKS))
        self._seen.set()
        return True

    def undo(self, *, force: bool = False) -> None:
        """Removes it from the role: sessions that have not ended are accepted again.

        Args:
            force: Whether to do so while that would let sessions live again.

        Raises:
            RevocationError: It would, or IAM refuses.
        """
        if not force:
            now = self._policies.facts().now
            if now < self.revives_until:
                msg = (
                    f"to undo this revocation before {iso(self.revives_until)} would revive the sessions that it ended"
                )
                hint = "wait until then, or pass force=True"
                raise RevocationError(msg, account=self.account, role_arn=self.role_arn, hint=hint)
        self._policies.delete(self.policy_name)

    def _is_shown(self) -> bool:
        document = self._policies.document(self.policy_name)
        return document is not None and size_of(document) == self._policy.size


def _is_denied(client: Any) -> bool:
    try:
        client.describe_regions()
    except XSessionError:
        raise
    except client.exceptions.ClientError as error:
        denial = read_denial(str(error))
        return denial.explicit and denial.policy == "identity-based"
    return False
