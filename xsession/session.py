"""`CrossAccountSession`: the wiring of everything else."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack
from weakref import WeakSet

import boto3
from botocore.config import Config

from ._account_sessions import AccountSessions
from ._base import SYSTEM_CLOCK, Clock, Table, Tabular, hides_frames, made_once, renew_after_fork
from ._base.lazy import lazy_modules
from ._chain import Chains, ChainSettings, MfaCode, Runtime
from ._client_cache import ClientCache, shared_client
from ._session_owner import CrossAccountOwner
from ._worker_copies import check_worker_session, made_by_worker
from .account_session import AccountSession, refuse_keys
from .accounts import SOURCE, Account, AccountRef, Accounts, AccountsLike, Profile, required_role
from .credentials import Credentials, Identity
from .errors import ConfigError, SessionClosedError, WrongAccountError, XSessionError, reaching
from .events import Hook, Hooks, LoggingHook
from .refresh import SHARED_LANES, SHARED_WORKERS, Lanes, RefreshPolicy, Workers
from .roles import RoleChain, as_defaults, second_session_policy, this_runner
from .stores import Store, as_store, is_portable, named_store

if TYPE_CHECKING:
    from xsession._service_clients import CrossAccountClients  # absolute: a folder of stubs may have its own

    from . import _session_options, audit, diagnosis, fanout, grants, policies, refresh, roles, serving
    from . import accounts as _accounts  # the class has members of these names
    from . import activity as _activity
    from ._enabled_regions import AccountRegions
    from ._kept_lists import KeptLists
    from ._organization_lists import OrganizationLists
else:
    CrossAccountClients = object
    # Frameworks read hints; what few programs need is imported then.
    _accounts, _activity, audit, diagnosis, fanout = lazy_modules(
        "accounts", "activity", "audit", "diagnosis", "fanout"
    )
    grants, policies, refresh, roles, serving = lazy_modules("grants", "policies", "refresh", "roles", "serving")
    (_session_options,) = lazy_modules("_session_options")

__all__ = ["CrossAccountSession"]

T = TypeVar("T")

MAX_CLIENTS = 1_024


class CrossAccountSession(Tabular, CrossAccountClients):
    """Knows accounts by name and hands out boto3 clients for them whose credentials never expire.

    It may be pickled, without secrets and without the clients: then STS is asked who its source is, and a copy whose
    source turns out to be another identity refuses to work.

    Args:
        accounts: As `Accounts` takes them, such as names to role ARNs; or `Accounts`.
        session: The source, whose credentials the chains start from; None: boto3's default.
        profile_name: The source by the name of a profile, instead of `session`.
        region_name: The region of clients where neither the call nor the account names one.
        config: botocore client configuration for all clients.
        refresh: When credentials are refreshed.
        store: Where credentials are kept between calls: "file" for a `FileStore`, which other processes use too, or the
            path of its folder; or a store. None, "memory": in this session's memory.
        mfa_code: Called with an MFA device's serial number, in the thread of a caller; returns its six digits. None:
            `mfa_command` of the defaults, else a prompt in the notebook or the terminal.
        hooks: Called with every event, see `xsession.events`.
        max_clients: How many clients `get_client` keeps.
        worker_session: "module:function", which makes the session wherever this one, or one of its accounts, is
            unpickled: for sessions with hooks and the like, which do not travel. None: the configuration travels.
        clock: Both clocks, for tests; None: the machine's.
        defaults: Role options for what the roles of registered accounts leave open.

    Raises:
        ConfigError: An argument that can't work; nothing was asked of the network.
        SourceCredentialsError: There is no profile of that name.
    """

    @hides_frames(ConfigError)
    def __init__(
        self,
        accounts: AccountsLike | None = None,
        *,
        session: boto3.Session | None = None,
        profile_name: str | None = None,
        region_name: str | None = None,
        config: Config | None = None,
        refresh: RefreshPolicy | None = None,
        store: Store | str | None = None,
        mfa_code: MfaCode | None = None,
        hooks: Iterable[Hook] = (),
        max_clients: int = MAX_CLIENTS,
        worker_session: str | None = None,
        clock: Clock | None = None,
        **defaults: Unpack[roles.DefaultOptions],
    ) -> None:
        _check_source(session, profile_name)
        check_worker_session(worker_session)
        self._accounts = accounts if isinstance(accounts, Accounts) else Accounts(accounts or {})
        hooks = tuple(hooks)
        # What a pickle carries, and what keeps a session from being pickled.
        self._portable: dict[str, Any] = {
            "accounts": self._accounts,
            "profile_name": profile_name,
            "region_name": region_name,
            "config": config,
            "refresh": refresh,
            "store": store if is_portable(store) else None,
            "max_clients": max_clients,
            **defaults,
        }
        self._worker_session = worker_session
        self._owner = CrossAccountOwner(self)
        own_store = None if is_portable(store) else store
        self._bound = {
            "session": session,
            "store": own_store,
            "mfa_code": mfa_code,
            "hooks": hooks or None,
            "clock": clock,
        }
        clock = self._clock = SYSTEM_CLOCK if clock is None else clock
        self._hooks = Hooks((LoggingHook(), *hooks))
        self.store: Store = as_store(store, self._hooks, clock.wall)
        self._chains = Chains(
            profile_name if session is None else session,
            ChainSettings(
                region_name=region_name,
                config=config,
                defaults=as_defaults(defaults),
                runner=this_runner(),
                refresh=RefreshPolicy() if refresh is None else refresh,
                mfa_code=mfa_code,
            ),
            Runtime(
                clock=clock,
                emit=self._hooks,
                store=self.store,
                workers=SHARED_WORKERS if clock is SYSTEM_CLOCK else Workers(clock),
                lanes=SHARED_LANES if clock is SYSTEM_CLOCK else Lanes(clock),
            ),
        )
        # Re-entrant, as all locks here are: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._clients = ClientCache(max_clients)
        self._by_arguments = self._clients.by_arguments
        self._account_sessions = AccountSessions(self._chains, self._clients, self._owner)
        self._resolve = self._account_sessions.resolve
        self._servers: WeakSet[serving.CredentialServer] = WeakSet()
        self._made_grants: grants.Grants | None = None
        self._made_regions: dict[Account | None, AccountRegions] = {}
        self._config: _accounts.Discovery | None = None
        # What it read last: what else there is was set by a caller.
        self._configured = self._accounts
        renew_after_fork(self)

    @classmethod
    def from_config(
        cls,
        path: str | os.PathLike[str] | None = None,
        accounts: AccountsLike | None = None,
        *,
        combine: bool | None = None,
        offline: bool = False,
        default_store: str | None = None,
        **overrides: Unpack[_session_options.SessionOptions],
    ) -> Self:
        """A session with the accounts of a file, or of everything that this machine has.

        With a path, that file alone counts. Without one, all of these do, and of two accounts with one name the first
        one's counts: the file that `XSESSION_CONFIG` names; `xsession.toml` in this folder; `[tool.xsession]` of the
        nearest `pyproject.toml`; the user's own `xsession.toml`; the profiles of `~/.aws/config`.

        Makes no network call, but where the `[organization]` of a file was never listed.

        Args:
            path: The file.
            accounts: Accounts in code, as `CrossAccountSession` takes them; they come before all files.
            combine: Whether all of those count; None: where there is no path. True puts the path's accounts before
                theirs; False, without a path, has the first of the files count alone.
            offline: Whether AWS Organizations is not asked either, where a file has an `[organization]` that was never
                listed: its accounts are missing then.
            default_store: The `store` where nobody names one.
            overrides: Whatever else `CrossAccountSession` takes; defaults given here win over the files'. `store` comes
                before `XSESSION_STORE`, and that before the first file with a `store`.

        Raises:
            OrganizationError: AWS Organizations was to be asked for the first time, and refused or could not be.
            ConfigError: A file is missing or wrong, and the message says where in it; or there is no account at all;
                or a project's file has an account of a name that the user's own file or a profile has too, says what
                only a file that the user trusts may, or can be written by other users.
        """
        known = accounts if isinstance(accounts, Accounts) else Accounts(accounts or {})
        from .accounts import Discovery  # noqa: PLC0415 # accounts in code need no reader of files

        config = Discovery.of(path, known, combine=combine)
        clock = overrides.get("clock") or SYSTEM_CLOCK
        found = config.discover(os.environ, clock.wall())
        if overrides.get("store") is None:
            overrides["store"] = named_store(os.environ) or found.store or default_store
        session = cls(found.accounts, **overrides)
        session._config = config
        if not offline and any(not ask.is_kept for ask in session.accounts.asks):
            session.accounts = session._organization_lists.accounts_of(config, session.accounts, again=False)
            session._configured = session.accounts
        return session

    @property
    def accounts(self) -> Accounts:
        """The accounts that it knows. May be set: those that did not change keep their credentials and clients.

        Clients that were handed out go on acting in the account that they were made for.
        """
        return self._accounts

    @accounts.setter
    def accounts(self, accounts: Accounts) -> None:
        if not isinstance(accounts, Accounts):
            raise ConfigError.invalid(accounts, "accounts", "Accounts", hint="make them with Accounts(...)")
        with self._lock:
            # In this order: see _client.
            self._accounts = self._portable["accounts"] = accounts
            self._clients.forget_shortcuts()

    def organization(self, account: AccountRef = SOURCE, *, need_tags: bool = False) -> _accounts.Organization:
        """Asks AWS Organizations for all accounts and organizational units, and keeps the answer on disk.

        Where AWS refuses or can't be asked, the answer before counts: its `age` says how old it is, its `problem` why,
        and hooks get a `NeedsAttention`. See `Accounts.from_organization`, which says which permissions it needs.

        Args:
            account: Who asks: the management account, or one of a delegated administrator.
            need_tags: Whether tags are asked for account by account where the tagging API does not have them.

        Raises:
            OrganizationError: AWS refused or could not be asked, and nothing was kept.
            CredentialsError: The account could not be reached, and nothing was kept.
            ConfigError: The account is in no organization, or its partition is not known.
        """
        return self._organization_lists.ask(self.accounts.find(account), need_tags=need_tags)

    def identity_center(self, profile_name: str | None = None) -> tuple[_accounts.IdentityCenterAccount, ...]:
        """Asks IAM Identity Center which accounts and permission sets a login has, and keeps the answer on disk.

        Where it can't be asked, the answer before counts, and hooks get a `NeedsAttention` that says how old it is. See
        `Accounts.from_identity_center`.

        Args:
            profile_name: The profile that names the login; None: the environment's.

        Raises:
            OrganizationError: Identity Center refused or could not be asked, and nothing was kept.
            SourceCredentialsError: There is no such profile; or nobody is logged in, and nothing was kept.
            ConfigError: The profile names no login.
        """
        from ._identity_center import identity_center_accounts  # noqa: PLC0415 # few programs ask

        kept = self._kept_lists("identity-center", "the list of the login's accounts")
        return identity_center_accounts(profile_name, self._clock, kept)

    def enabled_regions(self, account: AccountRef, *, central: AccountRef | None = None) -> tuple[str, ...]:
        """The regions that an account has enabled; asked of the account once a day, and kept on disk meanwhile.

        Where AWS can't be asked, the answer before counts, and hooks get a `NeedsAttention` that says how old it is.
        Needs `ec2:DescribeRegions`, or `account:ListRegions`: of the account's own role or, with `central`, of that
        account.

        Args:
            account: As for `get_client`.
            central: The organization's management account, or one that it has made a delegated administrator of Account
                Management: asked where the account's own role may not describe regions. None: the account itself is.

        Returns:
            Their names, sorted.

        Raises:
            OrganizationError: AWS refused or could not be asked, and nothing was kept; or it names none.
            CredentialsError: The account could not be reached, and nothing was kept.
        """
        return self._regions_of(central)(self.accounts.find(account))

    if not TYPE_CHECKING:  # for them `_service_clients` has the type of each service's client

        def get_client(
            self,
            service_name: str,
            account: AccountRef,
            *,
            region_name: str | None = None,
            config: Config | None = None,
            **client_kwargs: Any,
        ) -> Any:
            """The boto3 client of a service in an account, shared by all who ask for the same one.

            It asks for current credentials at each signing, so it never expires. Handlers registered on it are seen
            by all who share it: use `xs[account].client(service_name)` for one of your own. Makes no network call.

            Args:
                service_name: "s3", "ec2", ...
                account: A name, a 12-digit id, `SOURCE`, or a `Role`, `RoleChain` or `Account`.
                region_name: The client's region; None: the account's, else the session's, else the source's.
                config: Laid over the session's configuration.
                client_kwargs: Whatever else boto3's `client` takes, but no keys.

            Raises:
                UnknownAccountError: No account has that name.
                ConfigError: The account or an argument can't work.
                SessionClosedError: The session is closed.
            """
            # A config may be changed after its first use: what it says now counts, and reading it takes longer.
            if config is None and not client_kwargs:
                try:
                    return self._by_arguments[service_name, account, region_name]
                except (KeyError, TypeError):
                    pass  # Not there yet; or a list or the like as account, which find() refuses in words.
            return self._client(service_name, account, region_name, config, client_kwargs)

    @hides_frames(ConfigError)
    def session(
        self,
        account: AccountRef,
        *,
        region_name: str | None = None,
        replace_policy: bool = False,
        **options: Unpack[roles.RoleOptions],
    ) -> AccountSession:
        """A new boto3 session of its own for an account.

        Args:
            account: As for `get_client`.
            region_name: The region of its clients where a call names none; None: the account's.
            replace_policy: Whether `policy` and `policy_arns` may take the place of those that the role has.
            options: Role options for the last hop, such as `policy`, `duration_seconds` or `tags`.

        Raises:
            ConfigError: It is no region.
            InvalidRoleError: An option that STS would refuse; a second session policy, which would not narrow the
                first one but add to it; or options where there is no role.
        """
        found = self.accounts.find(account)
        if region_name is not None:
            found = replace(found, region_name=region_name)
        if options:
            found = self._with_options(found, dict(options), replace_policy=replace_policy)
        return self._account_sessions.new(self._resolve(found))

    def __contains__(self, name: object) -> bool:
        return name in self.accounts

    def __iter__(self) -> Iterator[str]:
        """The names of the accounts, as they are now: `reload` may change them meanwhile."""
        return iter(self.accounts)

    def __len__(self) -> int:
        return len(self.accounts)

    def __bool__(self) -> bool:
        # Without accounts it is still a session: for the source, and for roles that are not registered.
        return True

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.accounts)

    def __getitem__(self, account: AccountRef) -> AccountSession:
        """The boto3 session of an account; the same object while it is in use."""
        return self._account_sessions.kept(self.accounts.find(account))

    def get_frozen_credentials(self, account: AccountRef) -> Credentials:
        """The account's current credentials, as a value that does not change.

        Raises:
            CredentialsError: They could not be obtained.
        """
        return self._resolve(self.accounts.find(account)).credentials.current()

    def whoami(self, account: AccountRef = SOURCE) -> Identity:
        """Asks STS who we are in an account; needs no permission.

        Raises:
            CredentialsError: No credentials could be obtained, or STS refused them.
        """
        resolved = self._resolve(self.accounts.find(account))
        with reaching(resolved.account.name):
            credentials = resolved.credentials
            # What it signs with is in no variable of this frame: its caller gets the error with it.
            identity = resolved.source.identity(
                credentials.get_frozen_credentials(), resolved.sts_region_name, credentials.methods
            )
            if not resolved.hops:
                # Where it is another identity by now, what it was given before is thrown away.
                resolved.source.frozen()
        return identity

    def verify(
        self,
        accounts: AccountRef | Iterable[AccountRef] | None = None,
        *,
        max_workers: int = 16,
        progress: fanout.ProgressLike[Identity] = None,
    ) -> fanout.Outcomes[Identity]:
        """Asks in many accounts who we are, and compares that with the account that was expected.

        Args:
            accounts: Which one or ones; None: all.
            max_workers: How many at a time.
            progress: True: a bar in a notebook or at a terminal, nothing elsewhere; or a function that is called with
                each outcome once it is known, in this thread; or a `fanout.Progress`.

        Returns:
            For each account an `Identity`, or the error; and in its `notes`, which options of its profile have no
            effect, and why.
        """

        def check(account: Account) -> Identity:
            identity = self.whoami(account)
            expected = account.account_id
            if expected is not None and identity.account_id != expected:
                raise WrongAccountError.between(identity.account_id, expected, arn=identity.arn, account=account.name)
            return identity

        return self._for_each(check, accounts, max_workers, progress, notes=lambda account: account.notes)

    def warm(
        self,
        accounts: AccountRef | Iterable[AccountRef] | None = None,
        *,
        max_workers: int = 16,
        progress: fanout.ProgressLike[Credentials] = None,
    ) -> fanout.Outcomes[Credentials]:
        """Gets credentials ahead of time, in parallel.

        Args:
            accounts: Which one or ones; None: all.
            max_workers: How many at a time.
            progress: True: a bar in a notebook or at a terminal, nothing elsewhere; or a function that is called with
                each outcome once it is known, in this thread; or a `fanout.Progress`.

        Returns:
            For each account its credentials, or the error.
        """
        return self._for_each(self.get_frozen_credentials, accounts, max_workers, progress)

    def run(
        self,
        func: Callable[..., T],
        accounts: AccountRef | Iterable[AccountRef] | None = None,
        *,
        regions: str | Iterable[str] | None = None,
        arguments: Mapping[str, Any] | None = None,
        max_workers: int = 32,
        max_accounts: int | None = None,
        rate: float | None = None,
        timeout: float | None = None,
        total_timeout: float | None = None,
        retries: int = 0,
        stop_after: float | None = None,
        executor: Executor | None = None,
        journal: str | os.PathLike[str] | None = None,
        journal_key: str | None = None,
        journal_max_age: timedelta | None = timedelta(hours=24),
        retry_failed: bool = True,
        progress: fanout.ProgressLike[T] = None,
    ) -> fanout.Run[T]:
        """Calls a function for many accounts, and in each of them for many regions; tells what came of each call.

        The function is called once for each, unless `retries` says more, in daemon threads; nothing that it raises
        ends the others. Of a generator it tells the list; a coroutine runs on one event loop.

        Args:
            func: Called with the `AccountSession`, whose clients are in the region, and `arguments`.
            accounts: Which one or ones; None: all.
            regions: Names of regions, or "enabled": those that each account has enabled, which needs
                ec2:DescribeRegions or account:ListRegions there. None: the account's own region, and no other.
            arguments: What the function gets by name beside the session.
            max_workers: How many calls at a time. Where AWS throttles, fewer are made for a while.
            max_accounts: In how many accounts at a time; None: as many.
            rate: How many requests a second the clients of one account send to one service in one region; None: as
                many as they can.
            timeout: Seconds that one call may take. One that takes longer is left to itself.
            total_timeout: Seconds that all may take.
            retries: How many more times a call is made that was throttled, took too long, or lost its worker.
            stop_after: The share of all calls which, failing in the same way, ends the run; from 0 to 1.
            executor: Where the calls are made, such as a `ProcessPoolExecutor`; it is not shut down. None: in threads.
            journal: A file that keeps what came of each call, so that the next run with it does only the rest.
            journal_key: The function's name in the journal; None: its own.
            journal_max_age: How old a journal may be to be gone on with; None: of any age.
            retry_failed: Whether calls that failed by the journal are made again.
            progress: As for `verify`; lines in the log where nobody looks.

        Returns:
            An iterator of outcomes, as they come; `collect()` has all of them at the end.

        Raises:
            ConfigError: An argument can't work; nothing was called.
            JournalError: The journal can't be used, or has nothing left to do.
        """
        from ._session_runs import SessionRuns  # noqa: PLC0415 # few programs work in many accounts at once
        from .fanout import JournalOptions, RunArguments, as_progress, by_distinct_names, start  # noqa: PLC0415

        told = as_progress(progress, log=True)
        wanted = RunArguments(
            regions=regions,
            arguments=arguments,
            max_workers=max_workers,
            max_accounts=max_accounts,
            rate=rate,
            timeout=timeout,
            total_timeout=total_timeout,
            retries=retries,
            stop_after=stop_after,
        )
        by_name = by_distinct_names(self.accounts.find_all(accounts))
        return start(
            func,
            tuple(by_name),
            SessionRuns(
                self,
                by_name,
                resolve=self._resolve,
                clients=self._clients,
                owner=self._owner,
                principals=self._chains.principals,
                own_clients=regions is not None,
                rate=rate,
            ),
            wanted,
            executor=executor,
            journal=JournalOptions(path=journal, key=journal_key, max_age=journal_max_age, retry_failed=retry_failed),
            told=told,
            wall=self._clock.wall,
        )

    def diagnose(
        self,
        account: AccountRef,
        *,
        using: AccountRef | boto3.Session | Sequence[AccountRef | boto3.Session] | None = None,
    ) -> diagnosis.Diagnosis:
        """Asks again for each role on the way to an account, and says which is refused, why, and what to change.

        It uses no credentials that are kept, and keeps none: one AssumeRole for each role. Where a role needs MFA, the
        `mfa_code` of this session is asked; where the source's own profile does, as for any client, in this thread.

        Args:
            account: As for `get_client`.
            using: An account or a boto3 session that may read IAM, or a list of them, to look at the policies
                themselves; each looks in its own account. It needs iam:GetRole, and iam:ListRoles for a role that
                does not exist, in the role's account; iam:SimulatePrincipalPolicy in the caller's.

        Returns:
            How each hop stands. A refusal is a result, not an error.

        Raises:
            UnknownAccountError: No account has that name.
            ConfigError: The account's roles and defaults do not fit together.
            SessionClosedError: The session is closed.
        """
        from .diagnosis import diagnose  # noqa: PLC0415 # seldom needed

        found, wall = self.accounts.find(account), self._clock.wall
        return diagnose(found, chain_of=self._chains.uncached, as_session=self.__getitem__, using=using, wall=wall)

    def grant(
        self,
        account: AccountRef,
        *,
        to: str,
        duration: timedelta | float,
        policy: policies.PolicyLike | None = None,
        policy_arns: Sequence[str] = (),
        reason: str | None = None,
        allow_chaining: bool = False,
    ) -> grants.Grant:
        """Makes credentials for another person: narrowed, written down, and over at a deadline that AWS enforces.

        Hooks with a `write` of their own, such as `AuditLog`, must write it down before STS is asked, and again before
        it is handed over. Its clients end with this session's `close()`.

        Args:
            account: As for `get_client`; one that is reached by a role.
            to: Whom it is for, in one line; ends up in CloudTrail.
            duration: How long it holds: a timedelta or seconds, up to 7 days.
            policy: What it may do, of what the role may; None: all that the role may, or the role's own session policy.
            policy_arns: Managed policies that say what it may do, beside `policy`.
            reason: Why; for hooks and the audit log, never sent to AWS.
            allow_chaining: Whether it may assume other roles and make credentials, which outlive the deadline.

        Raises:
            ConfigError: Bad input, or a policy beside the role's own, which would not narrow it but add to it.
            CredentialsError: STS refused or failed.
            GrantError: It could not be written down, or was revoked meanwhile, and so it was not made.
        """
        found = self.accounts.find(account)
        return self._grants().grant(
            found,
            to=to,
            duration=duration,
            policy=policy,
            policy_arns=policy_arns,
            reason=reason,
            allow_chaining=allow_chaining,
            revoke=lambda grant, using, block: self.revoke(found, using=using, grant=grant.id, block=block),
        )

    def revoke(
        self,
        account: AccountRef,
        *,
        using: AccountRef | None,
        grant: str | None = None,
        who: str | None = None,
        before: datetime | None = None,
        block: bool = False,
    ) -> grants.Revocation:
        """Has AWS refuse sessions of an account's role that were issued before now; grants among them end here at once.

        One grant is refused whenever its sessions are issued, so that no process refreshes it back to life.

        Needs `iam:GetRole`, `iam:ListRolePolicies`, `iam:GetRolePolicy` and `iam:PutRolePolicy`, and
        `iam:DeleteRolePolicy` to clear away old revocations.

        Args:
            account: Whose last role it is about.
            using: Whose identity calls IAM: an account with the same id. None: IAM is not called, and so it fails.
            grant: The id of the one grant to revoke; None: not one grant alone.
            who: The one person whose sessions to revoke, by their source identity; None: everybody.
            before: Sessions issued before this moment, which has a time zone; None: now. Not with `grant`.
            block: Whether to deny whenever they are issued, until it is undone.

        Raises:
            ConfigError: Arguments that don't fit together, or a role whose policies only AWS changes.
            RevocationError: AWS still accepts the keys; says until when, and what is missing.
        """
        from .grants import Revoker  # noqa: PLC0415 # few programs revoke

        found = self.accounts.find(account)
        by = None if using is None else self.accounts.find(using)
        revoker = Revoker(
            self.__getitem__,
            self._grants(),
            emit=self._hooks,
            clock=self._clock,
            random=secrets.token_bytes,
        )
        return revoker.revoke(found, by, grant=grant, who=who, before=before, block=block)

    def status(self) -> refresh.Status:
        """How things stand with the credentials of all accounts used so far; makes no network call.

        Returns:
            For each account and hop its state, expiry, last error and next try. Prints as a table.
        """
        from .refresh import Status  # noqa: PLC0415 # for people who look, and no request needs it

        everything = self._account_sessions.resolved()
        return Status(
            replace(cell.status(), account=resolved.account.name) for resolved in everything for cell in resolved.cells
        )

    def activity(
        self,
        account: AccountRef,
        *,
        since: datetime | timedelta,
        until: datetime | None = None,
        who: str | None = None,
        grant: str | None = None,
        regions: Iterable[str] | None = None,
        using: AccountRef | None = None,
        log: Iterable[audit.AuditRecord] = (),
    ) -> _activity.Activities:
        """Who did what in an account, by CloudTrail; read while it is iterated over, printed or shown.

        Needs `cloudtrail:LookupEvents`, and with `using` also `iam:GetRole`.

        Args:
            account: As for `get_client`.
            since: From when on, with a time zone; or how long ago. 90 days at most.
            until: Until when; None: now.
            who: A name, a key id or an ARN; None: anyone.
            grant: The id of a grant.
            regions: Which regions; None: the account's own, and that of the global services.
            using: Whose identity reads CloudTrail and the roles' trust policies, an account with the same id; None: the
                account's own, and no trust policy is read.
            log: Our own audit log, such as an `AuditLog`, which knows whose grants keys belong to.

        Raises:
            ConfigError: A time without a zone, or further back than 90 days; or another argument that can't work.
        """
        from .activity import ask  # noqa: PLC0415 # few programs ask

        found, reader = self.accounts.find(account), self.accounts.find(account if using is None else using)
        return ask(
            found,
            reader,
            lambda service, region: self.get_client(service, reader, region_name=region),
            since=since,
            until=until,
            who=who,
            grant=grant,
            regions=regions,
            trusts_too=using is not None,
            log=log,
            wall=self._clock.wall,
        )

    def serve(
        self, accounts: AccountRef | Iterable[AccountRef] | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> serving.CredentialServer:
        """An endpoint on loopback from which other processes get current credentials, as in a container.

        Use it as a context manager. Makes no network call: credentials are obtained as they are asked for.

        Args:
            accounts: Which one or ones it serves; None: all that are registered.
            host: The IP address that it listens on. Whoever reaches another one than loopback, and has a token, gets
                credentials over plain HTTP. AWS's SDKs ask few others; for those that they don't, a
                `RefusedAddressWarning` says so.
            port: The port; 0: a free one.

        Raises:
            UnknownAccountError: No account has that name.
            ConfigError: The host is no address or stands for several, or there is no such port.
            OSError: The port is taken, or the address is not of this machine.
            SessionClosedError: The session is closed.
        """
        from .serving import CredentialServer  # noqa: PLC0415 # few programs serve others

        if self._account_sessions.closed:
            raise SessionClosedError.closed()
        chosen = None if accounts is None else self.accounts.find_all(accounts)
        reach, wall = lambda ref: self._resolve(self.accounts.find(ref)), self._clock.wall
        server = CredentialServer(reach, chosen, wall=wall, host=host, port=port)
        self._servers.add(server)
        return server

    def console_url(self, account: AccountRef, *, path: str | None = None, issuer: str | None = None) -> str:
        """A link that logs in to the account's AWS console; anyone who has it within 15 minutes is in.

        The console's session ends with that of the credentials. AWS makes no link for a session of a chosen duration
        that a role's session asked for: there the role is assumed once more for the link, for an hour.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

        Args:
            account: As for `get_client`.
            path: The page to open, in the account's region: a service such as "s3", or a path behind one; None: the
                console's home.
            issuer: Your own page for logging in, which the console offers to those whose session has ended.

        Raises:
            ConfigError: A path that leads elsewhere, an issuer that is not https, a partition whose console is not
                known, or an account of long-term keys, for which AWS makes no link.
            CredentialsError: No credentials could be obtained.
            GrantError: AWS gave no link.
        """
        from .grants import sign_in_link  # noqa: PLC0415 # few programs open the console

        resolved = self._resolve(self.accounts.find(account))
        with reaching(resolved.account.name):
            return sign_in_link(
                resolved,
                current=resolved.credentials.current,
                assume_once=self._chains.assumed_once,
                path=path,
                issuer=issuer,
            )

    def invalidate(self, account: AccountRef | None = None) -> None:
        """Throws credentials away, so that the next signing gets new ones.

        Args:
            account: Its own, and those of the hops that no other account uses; None: all.
        """
        everything = self._account_sessions.resolved()
        if account is None:
            for resolved in everything:
                self._chains.invalidate(resolved, ())
            self._chains.invalidate_passing()
            return
        resolved = self._resolve(self.accounts.find(account))
        self._chains.invalidate(resolved, [other for other in everything if other.key != resolved.key])

    def reload(self) -> None:
        """Reads again what `from_config` read.

        AWS Organizations is asked again, where a file has an `[organization]`; where it can't be, its list counts.
        Enabled regions are asked for again, too, once they are needed.
        Accounts that did not change keep their credentials and clients; those that are gone are no longer found. What
        was done to `accounts` in code stays done: what was added or replaced is there, what was taken away is not.
        Clients that were handed out go on acting in the account that they were made for. Where anything is wrong with a
        file, this raises and all stays as it was.

        Raises:
            ConfigError: A file is missing or wrong, or has changed and must be trusted again; or this session was not
                made by `from_config`.
            SessionClosedError: The session is closed.
        """
        if self._config is None:
            msg = "this session has nothing to read again: its accounts came from code"
            raise ConfigError(msg, hint="make it with CrossAccountSession.from_config")
        if self._account_sessions.closed:
            raise SessionClosedError.closed()
        from .accounts import with_changes  # noqa: PLC0415 # what reads files is there

        accounts = self._config.read(os.environ, self._clock.wall())
        if accounts.asks:
            accounts = self._organization_lists.accounts_of(self._config, accounts, again=True)
        with self._lock:
            self.accounts = with_changes(accounts, self._configured, self.accounts)
            self._configured = accounts
            made = list(self._made_regions.values())
        for regions in made:
            regions.forget()

    def close(self) -> None:
        """Ends the session: credentials are thrown away, and clients made from it sign nothing more."""
        self._account_sessions.closed = True
        for server in list(self._servers):
            server.close()
        self._clients.close()
        self._chains.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _above(self) -> Iterable[str]:
        return (repr(self),)

    def _table(self) -> Table:
        from .accounts import accounts_table  # noqa: PLC0415 # few programs show anything

        return accounts_table(self.accounts)

    def __repr__(self) -> str:
        return f"<CrossAccountSession: {len(self.accounts)} accounts>"

    def __reduce__(self) -> tuple[object, ...]:
        if self._worker_session is not None:
            return made_by_worker, (self._worker_session,)
        bound = [name for name, value in self._bound.items() if value is not None]
        if bound:
            msg = (
                f"a CrossAccountSession with {bound[0]}= is not pickled: it belongs to this process; "
                'worker_session="module:function" says what makes the session of another one'
            )
            raise TypeError(msg)
        for account in self.accounts.values():
            if account.has_own_session:
                msg = f"a CrossAccountSession is not pickled: the source of {account.name!r} is a boto3 session"
                raise TypeError(msg)
        return _copy, (type(self), self._portable, self._chains.principals(), self._config, self._configured)

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        self._lock = threading.RLock()

    @made_once
    def _organization_lists(self) -> OrganizationLists:
        from ._organization_lists import OrganizationLists  # noqa: PLC0415 # few programs have an organization

        return OrganizationLists(
            # As it was found: it may be of accounts that this session does not have yet.
            lambda found: self._account_sessions.new(self._resolve(found)),
            lambda found: self.whoami(found).account_id,
            self._hooks,
            self._clock,
        )

    def _regions_of(self, central: AccountRef | None = None) -> AccountRegions:
        from ._enabled_regions import AccountRegions  # noqa: PLC0415 # few programs ask for regions

        found = None if central is None else self.accounts.find(central)
        with self._lock:
            regions = self._made_regions.get(found)
            if regions is None:
                asked = None if found is None else lambda: self[found]
                kept = self._kept_lists("regions", "the list of its enabled regions")
                regions = self._made_regions[found] = AccountRegions(self.__getitem__, self._clock, asked, kept)
            return regions

    def _kept_lists(self, kind: str, what: str) -> KeptLists:
        from ._kept_lists import KeptLists  # noqa: PLC0415 # few programs have any
        from .accounts import KeptAnswers  # noqa: PLC0415 # likewise

        return KeptLists(KeptAnswers.named_by(os.environ, kind), what, self._hooks, self._clock)

    def _grants(self) -> grants.Grants:
        from .grants import Grants  # noqa: PLC0415 # few programs make grants

        with self._lock:
            if self._made_grants is None:
                self._made_grants = Grants(
                    self._chains,
                    # Clients of their own: kept here, they would keep a grant that nobody has any more.
                    lambda resolved: AccountSession(resolved, ClientCache(MAX_CLIENTS)),
                    hooks=self._hooks,
                    clock=self._clock,
                    random=secrets.token_bytes,
                )
            return self._made_grants

    def _client(
        self,
        service_name: str,
        account: AccountRef,
        region_name: str | None,
        config: Config | None,
        kwargs: dict[str, Any],
    ) -> Any:
        # Before the accounts: what is found in those of before a reload must not be found again after it.
        epoch = self._clients.epoch
        found = self.accounts.find(account)
        if kwargs:
            refuse_keys(kwargs, found.name)
        shortcut = None if kwargs or config is not None else (service_name, account, region_name)
        return shared_client(
            self._clients,
            self._resolve(found),
            service_name,
            region_name=region_name,
            config=config,
            kwargs=kwargs,
            shortcut=shortcut,
            epoch=epoch,
        )

    def _with_options(self, account: Account, options: dict[str, Any], *, replace_policy: bool) -> Account:
        last = required_role(account, f"that {min(options)} could apply to")
        # Those of the defaults are for roles that have none: a call's own takes their place.
        if last.has_session_policy and options.keys() & {"policy", "policy_arns"}:
            if not replace_policy:
                raise second_session_policy(last, account.name, "pass replace_policy=True to use yours in its place")
            options = {"policy": None, "policy_arns": (), **options}
        with reaching(account.name):
            return replace(account, chain=RoleChain(*account.roles[:-1], last.replace(**options)))

    def _for_each(
        self,
        func: Callable[[Account], T],
        accounts: AccountRef | Iterable[AccountRef] | None,
        max_workers: int,
        progress: fanout.ProgressLike[T],
        *,
        notes: Callable[[Account], tuple[str, ...]] = lambda _account: (),
    ) -> fanout.Outcomes[T]:
        from .fanout import as_progress, by_distinct_names, fan_out  # noqa: PLC0415 # few programs work in many accounts at once

        told = as_progress(progress)
        by_name = by_distinct_names(self.accounts.find_all(accounts))
        for account in by_name.values():
            # People are asked here, in the caller's thread, where Ctrl-C works. Errors come up again below.
            with suppress(XSessionError):
                self._resolve(account).credentials.ask_for_mfa()
        return fan_out(func, by_name, max_workers=max_workers, notes=notes, progress=told)


def _copy(
    cls: type[CrossAccountSession],
    arguments: dict[str, Any],
    principals: dict[str | Profile | None, str],
    config: _accounts.Discovery | None,
    configured: Accounts,
) -> object:
    session = cls(**arguments)
    session._chains.expect(principals)
    session._config, session._configured = config, configured
    return session


def _check_source(session: object, profile_name: object) -> None:
    if session is not None and profile_name is not None:
        msg = "session and profile_name both say where the credentials come from"
        raise ConfigError(msg, hint="pass one of them")
    if session is not None and not isinstance(session, boto3.Session):
        # Not its repr: a custom object may show keys there.
        raise ConfigError.invalid(type(session), "session", "a boto3.Session")
    if profile_name is not None and not (isinstance(profile_name, str) and profile_name):
        raise ConfigError.invalid(profile_name, "profile_name", "the name of a profile")
