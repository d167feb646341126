"""Where a chain begins: a source with what is made from it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.config import Config

from xsession import events
from xsession._base import Clock
from xsession._botocore import ClientCore, Loaders, SourceSession
from xsession._sts import Sts, sts_region
from xsession.accounts import ProfileSettings
from xsession.credentials import Identity
from xsession.errors import SessionClosedError, SourceCredentialsError

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials

NOBODY = "nobody"


class SourceClients:
    """What makes the clients of a source: the core and its STS, with the settings of one boto3 session.

    Args:
        boto3_session: Whose settings count; its credentials do not.
        config: Client configuration for all accounts.
        loaders: Where the models of services are read; None: a place of its own.
        clock: Both clocks.
    """

    def __init__(
        self, boto3_session: boto3.Session, config: Config | None, *, loaders: Loaders | None = None, clock: Clock
    ) -> None:
        self.region_name: str | None = boto3_session.region_name
        self.core = ClientCore(boto3_session, config, loaders=loaders)
        self.sts = Sts(self.core, clock=clock, config=config)


class Source:
    """Where a chain begins: whose credentials sign its first call, and what makes its clients.

    Args:
        session: The source session.
        clients: Makes clients; may be shared by sources.
        settings: The profile whose settings they have; None: those of the source session.
        clock: Both clocks.
        emit: Takes events.
        changed: Called when other credentials were found for the source, which may be somebody else's; None: nobody is.
    """

    def __init__(
        self,
        session: SourceSession,
        clients: SourceClients,
        *,
        settings: ProfileSettings | None = None,
        clock: Clock,
        emit: events.Hook,
        changed: Callable[[Source], None] | None = None,
    ) -> None:
        self.session = session
        self._changed = changed
        self.core, self.sts = clients.core, clients.sts
        # A profile's region is its account's: another one's, which has the same settings, must not count.
        own_region = settings is None or not settings.has_region
        self.region_name = clients.region_name if own_region else None
        self._sts_digest = "" if settings is None else settings.sts_digest
        self._clock = clock
        self._emit = emit
        self.expected: str | None = None
        self._closed = False

    def frozen(self) -> ReadOnlyCredentials:
        """The source's current credentials.

        Raises:
            SourceCredentialsError: There are none, or they are somebody else's than was expected.
            SessionClosedError: The session is closed.
        """
        if self._closed:
            raise SessionClosedError.closed()
        frozen = self.session.frozen()
        if self.expected is not None:
            principal = self.identity(frozen).principal
            if principal != self.expected:
                msg = f"the source is {principal} here, and was {self.expected} where the session was pickled"
                raise SourceCredentialsError(msg, hop=0, hint="give the copy the same source, or make a session anew")
            self.expected = None
        return frozen

    def rejected(self, access_key_id: str) -> bool:
        """Looks for other credentials after these were rejected; returns whether there are any."""
        before = self.session.found
        others = self.session.rejected(access_key_id)
        if self.session.found != before and self._changed is not None:
            self._changed(self)
        return others

    @property
    def key(self) -> str:
        """What tells it from all other sources: whose credentials it has, and which STS is asked with them."""
        return f"{self.session.identity}:{self._sts_digest}" if self._sts_digest else self.session.identity

    @property
    def sts_key(self) -> str:
        """What tells the STS that is asked from others, for what needs no credentials."""
        return self._sts_digest

    @property
    def quota_account_id(self) -> str:
        """The source's account, where its credentials say it."""
        return self.session.account_id or self.session.identity

    def identity(self, caller: ReadOnlyCredentials, *regions: str | None) -> Identity:
        """Whose credentials these are, asked of STS."""
        return self.sts.caller_identity(caller, region_name=sts_region(None, *regions, self.region_name))

    def principal(self, *regions: str | None) -> str:
        """Who the source is, asked of STS; `NOBODY` without credentials, which a web identity needs none of."""
        return self.identity(self.frozen(), *regions).principal if self.session.has_credentials else NOBODY

    def report(self) -> None:
        """Tells the hooks of what the core met since it was asked last; called where no lock is held."""
        problem = self.core.take_problem()
        if problem is None:
            return
        self._emit(
            events.NeedsAttention(
                at=datetime.fromtimestamp(self._clock.wall(), UTC),
                account=None,
                role_arn=None,
                hop=None,
                message=f"clients are made in botocore's own way, slower and bigger: {problem}",
                hint="install another version of botocore or xsession; XSESSION_FAST_CLIENTS=0 ends this warning",
            )
        )

    def close(self) -> None:
        """Hands out no credentials any more, and closes connections."""
        self._closed = True
        self.core.close()
