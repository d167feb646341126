"""Where a chain begins: a source with what is made from it once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from xsession import events
from xsession._aws import is_dead_caller
from xsession._base import Clock, renew_after_fork, under_lock
from xsession._botocore import ClientCore, Loaders, SourceSession
from xsession._sts import Sts, partition_of, region_in, sts_region
from xsession.accounts import ProfileSettings
from xsession.credentials import Identity
from xsession.errors import CredentialsError, SessionClosedError, SourceCredentialsError, reaching

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import Credentials as BotocoreCredentials
    from botocore.credentials import ReadOnlyCredentials

    from xsession.roles import Role

    from ._stored_source import StoredSource

NOBODY = "nobody"
# In a role of IAM Identity Center, the session's name is the person.
_OF_IDENTITY_CENTER = ":assumed-role/AWSReservedSSO_"


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
        changed: Called when the source has other credentials that are, or may be, another identity's; None: never.
        holds: Returns whether anything is held that was given to the source; None: nothing ever is.
        is_passing: Whether it is a boto3 session that a caller passed for an account: only what uses it holds it.
        region_name: The session's region.
        sts_region_name: The region of STS that the session's defaults name.
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
        holds: Callable[[Source], bool] | None = None,
        is_passing: bool = False,
        region_name: str | None = None,
        sts_region_name: str | None = None,
    ) -> None:
        self.session = session
        self.has_region = session.region_name is not None
        self.mfa_serial = session.mfa_serial
        self._changed = changed
        self._holds = holds
        self.is_passing = is_passing
        self.core, self.sts = clients.core, clients.sts
        # A profile's region is its account's: another one's, which has the same settings, must not count.
        own_region = settings is None or not settings.has_region
        self.region_name = clients.region_name if own_region else None
        self._sts_digest = "" if settings is None else settings.sts_digest
        self._clock = clock
        self._emit = emit
        self.expected: str | None = None
        self._expected_key: str | None = None
        self._known_person: tuple[str | None, str] | None = None
        self._partition: str | None = None
        self._sts_region_name = sts_region_name
        self._regions: tuple[str | None, ...] = (region_name,)
        self._closed = False
        self.stored: StoredSource | None = None
        # What asks STS under it uses no credentials but those that are given.
        self._lock = threading.RLock()
        renew_after_fork(self)

    def frozen(self) -> ReadOnlyCredentials:
        """The source's current credentials, for calls of STS: what it gives belongs to whoever they belong to.

        Raises:
            SourceCredentialsError: There are none, or they are for another identity than the expected one.
            SessionClosedError: The session is closed.
        """
        frozen = self.own()
        seen = self.session.seen
        if seen is None or seen[0].access_key != frozen.access_key:
            with under_lock(), self._lock:
                self._meet(frozen)
        return frozen

    def own(self) -> ReadOnlyCredentials:
        """The source's current credentials, for requests that they sign themselves.

        Raises:
            SourceCredentialsError: There are none, or they are for another identity than the expected one.
            SessionClosedError: The session is closed.
        """
        if self._closed:
            raise SessionClosedError.closed()
        frozen = self.session.frozen()
        if self.expected is not None and self._expected_key != frozen.access_key:
            who = person_of(self.identity(frozen))
            if who != self.expected:
                msg = f"the source is {who} here, and was {self.expected} where the session was pickled"
                raise SourceCredentialsError(msg, hop=0, hint="give the copy the same source, or make a new session")
            self._expected_key = frozen.access_key
        return frozen

    def rejected(self, access_key_id: str) -> bool:
        """Looks for other credentials after these were rejected; returns whether there are any.

        Raises:
            SourceCredentialsError: What was asked for can't be read any more.
        """
        before = self.session.found
        others = self.session.rejected(access_key_id)
        if self.session.found != before:
            self.session.seen = None
            if self._changed is not None:
                self._changed(self)
        return others

    def accepted(self) -> None:
        """Nothing is remembered of rejections of a source's credentials."""

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return self.session.is_being_read

    @property
    def methods(self) -> frozenset[str]:
        """How its credentials are obtained, in botocore's words, as far as that is known."""
        return self.session.methods_as_source

    @property
    def settling(self) -> bool:
        """Whether its credentials are so new that STS may not know them yet: nobody says so of a source's."""
        return False

    def use(self, role: Role | None, regions: tuple[str | None, ...], sts_region_name: str | None) -> None:
        """Records what it is used for, which says whose STS knows it: no role is in another partition.

        Args:
            role: The first one; None: there is none.
            regions: The session's and the source's region.
            sts_region_name: The region that the defaults name.
        """
        self._regions = regions
        self._sts_region_name = sts_region_name or self._sts_region_name
        if role is not None:
            self._partition = role.partition
            self._sts_region_name = role.sts_region_name or self._sts_region_name
            if not self.has_region:
                self.session.use_region(sts_region(role, *regions))

    @property
    def sts_region_name(self) -> str:
        """The region whose STS is asked who the source is."""
        partition = self._partition or partition_of(self.session.profile_region, self.region_name, *self._regions)
        return region_in(partition, self._sts_region_name, *self._regions, self.region_name)

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        self._lock = threading.RLock()

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

    def identity(
        self, caller: ReadOnlyCredentials, region_name: str | None = None, methods: Iterable[str] | None = None
    ) -> Identity:
        """Whose credentials these are, asked of STS.

        Args:
            caller: The credentials.
            region_name: The region whose STS knows them; None: that of the source's own.
            methods: How they were obtained, in botocore's words; None: as the source's own.
        """
        methods = self.session.methods if methods is None else methods
        return self.sts.caller_identity(caller, region_name=region_name or self.sts_region_name, methods=methods)

    def principal(self) -> str:
        """Who the source is, asked of STS; `NOBODY` without credentials, which a web identity needs none of."""
        with reaching():  # which drops the frames that have them
            return self._person(self.frozen()) if self.session.has_credentials else NOBODY

    def _person(self, frozen: ReadOnlyCredentials) -> str:
        # Pickles ask for it again and again.
        if self._known_person is None or self._known_person[0] != frozen.access_key:
            self._known_person = frozen.access_key, person_of(self.identity(frozen))
        return self._known_person[1]

    def _meet(self, frozen: ReadOnlyCredentials) -> None:
        # Others than before. Only where something was given to the one before, it matters whose they are.
        seen, session = self.session.seen, self.session
        if seen is not None and seen[0].access_key == frozen.access_key:
            return
        if seen is None or self._holds is None or not self._holds(self):
            session.seen = frozen, None
            return
        try:
            who = person_of(self.identity(frozen))
        except CredentialsError as error:
            if not is_dead_caller(error.code):
                raise
            # The call that they are for is told the same, and knows what to do.
            return
        if who != (seen[1] or self._person_before(seen[0])) and self._changed is not None:
            self._changed(self)
        session.seen = frozen, who

    def _person_before(self, frozen: ReadOnlyCredentials) -> str | None:
        # Nobody had to know so far. Where it can't be found out any more, nobody vouches for them.
        try:
            return person_of(self.identity(frozen))
        except CredentialsError:
            return None

    def client(
        self, service_name: str, credentials: BotocoreCredentials, region_name: str | None, **kwargs: Any
    ) -> Any:
        """A new client of a service.

        Args:
            service_name: "s3", "ec2", ...
            credentials: What it asks at each signing.
            region_name: Its region; where the source has none, that of STS for a role that its own profile names too.
            kwargs: Whatever else boto3's `client` takes.
        """
        if not self.has_region:
            self.session.use_region(region_name)
        return self.core.client(service_name, credentials, region_name, **kwargs)

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


def person_of(identity: Identity) -> str:
    """Who it is, the same for all sessions of one: a user, a role, or the person who is logged in with it."""
    return identity.arn if _OF_IDENTITY_CENTER in identity.arn else identity.principal
