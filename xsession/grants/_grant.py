"""Grants: credentials made for another person, narrowed, written down, and over at a deadline.

AWS enforces the deadline, by the session policy; so does every client made from the grant: it signs nothing after it.
What was copied out is held by AWS alone.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from xsession._base import Clock, Table, Tabular, public
from xsession._chain import ResolvedAccount
from xsession.credentials import Credentials
from xsession.refresh import RefreshState

from ._console import Post
from ._sign_in_link import AssumeOnce, sign_in_link
from ._terms import Terms

if TYPE_CHECKING:
    from xsession.account_session import AccountSession
    from xsession.accounts import AccountRef

    from ._revocation import Revocation

Revoke = Callable[["Grant", "AccountRef | None", bool], "Revocation"]


@public
class Grant(Tabular):
    """Credentials for another person; made by `CrossAccountSession.grant`.

    Its clients refresh them until the deadline, and sign nothing after it, nor after `revoke`. What is copied out of it
    ends with its STS session, most often within the hour. It belongs to the session that made it, whose `close()` ends
    its clients too.
    """

    __slots__ = ("__weakref__", "_assume_once", "_clock", "_post", "_resolved", "_revoke", "_session", "_terms")

    def __init__(
        self,
        terms: Terms,
        resolved: ResolvedAccount,
        session: AccountSession,
        *,
        clock: Clock,
        revoke: Revoke,
        post: Post,
        assume_once: AssumeOnce,
    ) -> None:
        self._terms = terms
        self._resolved = resolved
        self._session = session
        self._clock = clock
        self._revoke = revoke
        self._post = post
        self._assume_once = assume_once

    @property
    def id(self) -> str:
        """Its id, which the names of its sessions hold: `g-<id>-<to>`."""
        return self._terms.id

    @property
    def to(self) -> str:
        """Whom it was made to."""
        return self._terms.to

    @property
    def account(self) -> str:
        """The account's name."""
        return self._resolved.account.name

    @property
    def deadline(self) -> datetime:
        """Until when it holds, in UTC, if it is not revoked before."""
        return self._terms.deadline

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; 0 once it has passed, or the grant was revoked here."""
        ended = self._resolved.cells[-1].state is RefreshState.DEADLINE
        return 0.0 if ended else self._terms.ends.left(self._clock)

    @property
    def session(self) -> AccountSession:
        """The boto3 session of the grant."""
        return self._session

    def client(self, service_name: str, **kwargs: Any) -> Any:
        """A new boto3 client of a service.

        Args:
            service_name: "s3", "ec2", ...
            kwargs: What boto3's `client` takes, but no keys.
        """
        return self._session.client(service_name, **kwargs)

    def environ(self) -> dict[str, str]:
        """The environment variables that hand it to another program, which can't refresh it.

        `AWS_CREDENTIAL_EXPIRATION` says when they end: with their STS session, or at the deadline.

        Raises:
            DeadlinePassedError: The grant is over.
            CredentialsError: No credentials could be obtained.
        """
        return self._handed_on().environ(self._resolved.region_name)

    def to_credential_process(self) -> str:
        """The JSON object that `credential_process` in an AWS config file expects; it ends as `environ` does.

        Raises:
            DeadlinePassedError: The grant is over.
            CredentialsError: No credentials could be obtained.
        """
        return self._handed_on().to_credential_process()

    def console_url(self, destination: str | None = None, issuer: str | None = None) -> str:
        """A link that logs in to the AWS console; anyone who has it within 15 minutes is in, so send it safely.

        The console's session ends with the STS session; past the deadline, AWS denies everything in it. AWS makes no
        link for a session of a chosen duration that a role's session asked for: where the caller has no long-term keys,
        the role is assumed once more for the link, and that session lasts an hour.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

        Args:
            destination: The page of the console to open; None: its home.
            issuer: Your own page for logging in, which the console offers to those whose session has ended.

        Raises:
            ConfigError: An address that is not https, or a partition whose console is not known.
            CredentialsError: No credentials could be obtained.
            DeadlinePassedError: The grant is over.
            GrantError: AWS gave no link.
        """
        return sign_in_link(
            self._resolved,
            current=self._handed_on,
            assume_once=self._assume_once,
            destination=destination,
            issuer=issuer,
            post=self._post,
        )

    def revoke(self, using: AccountRef | None = None, *, block: bool = False) -> Revocation:
        """Ends the grant at once: here, and for what was copied out of it, by a call to IAM.

        Args:
            using: The account whose identity calls IAM, one that is allowed iam:PutRolePolicy on the role.
            block: Whether AWS denies its sessions until the revocation is undone.

        Raises:
            RevocationError: It has ended here, but AWS still accepts what was copied out of it; says until when.
        """
        return self._revoke(self, using, block)

    def _handed_on(self) -> Credentials:
        credentials = self._resolved.credentials.current()
        expiry = credentials.expiry
        return replace(credentials, expiry=self.deadline if expiry is None else min(expiry, self.deadline))

    def _table(self) -> Table:
        rows = [
            ("to", self.to),
            ("account", self.account),
            ("role", self._resolved.hops[-1].role.role_arn),
            ("deadline", self.deadline),
            ("remaining", timedelta(seconds=round(self.remaining))),
        ]
        return ("grant", self.id), rows

    def __repr__(self) -> str:
        return f"<Grant {self.id} of {self.account!r} to {self.to!r} until {self.deadline:%Y-%m-%d %H:%M:%S} UTC>"

    def __reduce__(self) -> NoReturn:
        msg = "a Grant is not pickled: a pickle would carry its credentials; hand it on by environ()"
        raise TypeError(msg)
