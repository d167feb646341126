"""The credentials that chains start from: a boto3 session's, refreshed by itself."""

from __future__ import annotations

import functools
import hmac
import json
import os
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import boto3
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ProfileNotFound, RefreshWithMFAUnsupportedError

from xsession._base import renew_after_fork, under_lock
from xsession.accounts import Profile, SourceDescriptor, describe_source, settings_state, turn_key
from xsession.errors import SourceCredentialsError, XSessionError

from ._copied_locks import renew_locks
from ._credentials_lookup import look_up
from ._source_errors import no_credentials, no_profile, refuse_dropped_options, source_error
from ._source_mfa import KeptRole, RoleBehindMfa, mfa_serial_of
from ._sts_endpoint import named_sts_endpoint
from ._user_agent import methods_of_naming, methods_of_profile, within_request

# What a machine gives to whoever asks: a profile that lost its keys is not the machine.
_OF_THE_MACHINE = frozenset({"container-role", "iam-role"})
# What calls of STS see of a session's settings, beside their endpoint.
_SEEN_BY_STS = ("ca_bundle", "ignore_configured_endpoint_urls", "use_dualstack_endpoint", "use_fips_endpoint")


class SourceSession:
    """One boto3 session as the beginning of chains.

    Whatever makes the session a second time goes by what was asked for: a profile that was asked for by its name stays
    that profile, whatever the environment says.

    Args:
        session: The session, or a profile or the name of one to make it of; None: boto3's default.
        region_name: The region of a session that is made here.
        wall: Reads the wall clock, in seconds since 1970.

    Raises:
        SourceCredentialsError: There is no such profile.
    """

    def __init__(
        self,
        session: boto3.Session | Profile | str | None = None,
        *,
        region_name: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._asked = session
        self._region_name = region_name
        self._wall = wall
        self._fallback_region: str | None = None
        self._settings: tuple[object, ...] = ()
        self.boto3_session = self._opened()
        # Static keys are the same source wherever they are; else made up, so that no other source ever has it: neither
        # now nor after this one is gone.
        self.identity = f"source:{_static_identity(self.boto3_session) or uuid.uuid4()}"
        # What the credentials said of it when they were read last.
        self.account_id: str | None = None
        # How often others were found in the place of rejected ones.
        self.found = 0
        # Those that were last known to be of one person, and who that is; None: nobody had to know yet.
        self.seen: tuple[ReadOnlyCredentials, str | None] | None = None
        # Taken to read or refresh credentials that rotate, where other processes may do so at once; None: nobody does.
        self.turn: Callable[[], AbstractContextManager[object]] | None = None
        # Where other processes find the credentials of its role behind MFA, and this one theirs; None: nowhere.
        self.kept_role: KeptRole | None = None
        self._descriptor: SourceDescriptor | None = None
        self._readers: set[int] = set()
        # Foreign code runs under it, and may come back here.
        self._lock = threading.RLock()
        self._credentials: BotocoreCredentials | None = None
        self._is_checked = False
        self._methods: frozenset[str] = frozenset()
        # Why the machine's metadata gave none, where they may do so later.
        self._metadata_problem: str | None = None
        renew_after_fork(self)

    @property
    def region_name(self) -> str | None:
        """The session's region."""
        region: str | None = self.boto3_session.region_name
        return region

    @property
    def profile_region(self) -> str | None:
        """A region of the partition that the profile itself is of; None: it names none, or there is no profile."""
        with suppress(BotoCoreError):
            scoped = self.boto3_session._session.get_scoped_config()
            region: str | None = scoped.get("region") or scoped.get("sso_region")
            return region
        return None

    @property
    def is_passed_in(self) -> bool:
        """Whether the boto3 session is the caller's own, and not made here."""
        return isinstance(self._asked, boto3.Session)

    @property
    def methods(self) -> frozenset[str]:
        """How botocore obtained the credentials, or will, as far as that is known without looking; in its words."""
        if self._methods:
            return self._methods
        if isinstance(self._asked, Profile):
            return methods_of_profile(self._asked, self._profiles.get(self._asked.name) or {})
        if self._mfa is not None:
            return frozenset({self._mfa.METHOD})
        return frozenset(filter(None, [getattr(_held_by(self.boto3_session), "method", None)]))

    @property
    def methods_as_source(self) -> frozenset[str]:
        """Likewise, for a role that they assume."""
        return self.methods | methods_of_naming(self._asked) if isinstance(self._asked, Profile) else self.methods

    @property
    def is_being_read(self) -> bool:
        """Whether a thread waits for its credentials just now."""
        return bool(self._readers)

    @property
    def is_static(self) -> bool:
        """Whether its credentials were read and are keys that never change: to read them again waits for nothing."""
        return type(self._credentials) is BotocoreCredentials and self._is_checked

    @property
    def descriptor(self) -> SourceDescriptor | None:
        """What names it in all processes: as it was when its credentials were read, or now; None: it has none."""
        return self._described() if self._credentials is None else self._descriptor

    def take_turns(self, turn: Callable[[str], AbstractContextManager[object]]) -> None:
        """Has other processes wait while credentials that rotate are read or refreshed here, and the other way round.

        Args:
            turn: Called with what tells this source from others; held meanwhile.
        """
        asked = self._asked
        if not isinstance(asked, boto3.Session):
            self.turn = functools.partial(turn, turn_key(asked, os.environ))

    def _described(self) -> SourceDescriptor | None:
        asked = self._asked
        if not isinstance(asked, boto3.Session):
            described = describe_source(asked, os.environ)
            if described is None or described.access_key_id is not None:
                return described
            # botocore read the files when the session was opened: what they say by now names none of its credentials.
            return described if settings_state(asked, os.environ) == self._settings else None
        held = _held_by(asked)
        if type(held) is not BotocoreCredentials:
            return None
        return SourceDescriptor.of_key(held.access_key, is_session=bool(held.token))

    @property
    def has_credentials(self) -> bool:
        """Whether there are any, or something that should have led to some."""
        try:
            return self._mfa is not None or self._loaded() is not None or self._metadata_problem is not None
        except Exception:  # noqa: BLE001 # a session's credentials may raise anything
            return True

    @property
    def mfa_serial(self) -> str | None:
        """The MFA device that the profile's own role asks for; None: none does."""
        if self._mfa is not None:
            return self._mfa.serial
        # What a session has got with a code that it asked for itself takes another one when it ends.
        asked_itself = getattr(_held_by(self.boto3_session), "method", None) == "assume-role"
        return mfa_serial_of(self._profile, self._profiles) if asked_itself else None

    @property
    def needs_code(self) -> bool:
        """Whether the next credentials take a code of the MFA device."""
        return self._mfa is not None and self._mfa.needs_code

    def use_region(self, region_name: str | None) -> None:
        """Names the region whose STS is asked for a role that the profile itself names, where no region is set.

        As in botocore, that of the first client counts.
        """
        if self._fallback_region is None and region_name is not None and self.region_name is None:
            self._fallback_region = region_name
            _name_region(self.boto3_session, region_name)

    def frozen(self, mfa_code: str | None = None) -> ReadOnlyCredentials:
        """The current credentials; the session refreshes them where they need it.

        Args:
            mfa_code: A code to spend on them now.

        Raises:
            SourceCredentialsError: There are none, or they could not be refreshed.
            MfaError: They need a code of an MFA device.
        """
        failure: XSessionError
        reader = threading.get_ident()
        self._readers.add(reader)
        try:
            frozen = self._frozen(mfa_code)
        except XSessionError:
            raise
        except Exception as error:  # noqa: BLE001 # a session's refresh may raise anything
            failure = self._failure(error)
        else:
            if frozen is not None:
                self.account_id = getattr(frozen, "account_id", None)
                return frozen
            failure = no_credentials(self._profile, self._metadata_problem)
        finally:
            self._readers.discard(reader)
        # Raised here, outside of the handler: frames that it passed through hold secrets.
        raise failure

    def rejected(self, access_key_id: str) -> bool:
        """Looks for other credentials after STS rejected these.

        Args:
            access_key_id: The key id that was rejected.

        Returns:
            Whether there are others now.

        Raises:
            SourceCredentialsError: What was asked for can't be read any more.
        """
        if self._mfa is not None and self._mfa.is_usable:
            if self.frozen().access_key == access_key_id:
                self._mfa.forget()
            return True
        if self.frozen().access_key != access_key_id:
            return True
        if self.is_passed_in:
            # Only what botocore read out of files and the environment can be read again.
            return False
        failure: XSessionError
        try:
            return self._read_again(access_key_id)
        except XSessionError:
            raise
        except Exception as error:  # noqa: BLE001 # processes and logins run here too
            failure = self._failure(error)
        raise failure

    def after_fork(self) -> None:
        """Gives a forked child locks that nobody holds, botocore's own ones included."""
        self._lock = threading.RLock()
        if threading.get_ident() not in self._readers:
            # Another thread may have been refreshing them.
            renew_locks(self._credentials)
            renew_locks(_held_by(self.boto3_session))
        self._readers = set()

    @functools.cached_property
    def _mfa(self) -> RoleBehindMfa | None:
        # The role of a profile that is an account is a hop of ours; what a session has got already is not asked for.
        if isinstance(self._asked, Profile) or _held_by(self.boto3_session) is not None:
            return None
        return self._made_mfa()

    def _made_mfa(self) -> RoleBehindMfa | None:
        serial = mfa_serial_of(self._profile, self._profiles)
        if serial is None:
            return None
        role_arn = (self._profiles.get(self._profile or "default") or {}).get("role_arn")
        return RoleBehindMfa(
            self.boto3_session, serial, role_arn=role_arn, kept=lambda: self.kept_role, wall=self._wall
        )

    @property
    def _profile(self) -> str | None:
        """The profile that was asked for, or that the environment chose; None: none was."""
        if isinstance(self._asked, Profile):
            return self._asked.name
        name: str | None = self.boto3_session._session.profile
        return name

    @property
    def _profiles(self) -> Mapping[str, Any]:
        with suppress(BotoCoreError):
            profiles: Mapping[str, Any] = self.boto3_session._session.full_config.get("profiles", {})
            return profiles
        return {}

    def _failure(self, error: Exception) -> SourceCredentialsError:
        return source_error(error, self._profile, self._profiles)

    def _opened(self) -> boto3.Session:
        failure: XSessionError
        asked = self._asked
        try:
            if isinstance(asked, boto3.Session):
                return asked
            self._settings = settings_state(asked, os.environ)
            if isinstance(asked, Profile):
                session = _profile_session(asked)
            else:
                session = boto3.Session(profile_name=asked, region_name=self._region_name)
            _name_region(session, self._fallback_region)
        except XSessionError:
            raise
        except ProfileNotFound as error:
            failure = no_profile(error, None if asked is None else str(asked))
        except BotoCoreError as error:
            failure = source_error(error, None if asked is None else str(asked), {})
        else:
            return session
        raise failure

    def _loaded(self) -> BotocoreCredentials | None:
        if self._credentials is None:
            with under_lock(), self._lock:
                if self._credentials is None:
                    turn = self.turn
                    self._credentials = self._looked_up(self.boto3_session) if turn is None else self._read_in(turn)
        return self._credentials

    def _read_in(self, turn: Callable[[], AbstractContextManager[object]]) -> BotocoreCredentials | None:
        # What is named in files may change while it is read: then nothing names these.
        before = self._described()
        # A key that is written down is nothing to wait for.
        with nullcontext() if before is not None and before.access_key_id is not None else turn():
            found = self._looked_up(self.boto3_session)
        self._descriptor = before if before == self._described() else None
        return found

    def _looked_up(self, session: boto3.Session) -> BotocoreCredentials | None:
        named = getattr(self._asked, "credential_source", None) == "Ec2InstanceMetadata"
        found = look_up(session, held=_held_by(session), expected_of_machine=named)
        self._metadata_problem, self._methods = found.metadata_problem, found.methods
        return found.credentials

    def _frozen(self, mfa_code: str | None) -> ReadOnlyCredentials | None:
        loaded = self._loaded() if self._mfa is None else self._mfa.load(mfa_code)
        if not self._is_checked:
            self._check_options(loaded)
        if loaded is None or isinstance(loaded, ReadOnlyCredentials):
            return loaded
        if type(loaded) is BotocoreCredentials:
            # Keys that never change: nothing is called for them.
            return loaded.get_frozen_credentials()
        try:
            with within_request(), self._turn_for(loaded):
                return loaded.get_frozen_credentials()
        except RefreshWithMFAUnsupportedError:
            # botocore asks once; from now on we do.
            self._mfa = self._made_mfa()
            if self._mfa is None:
                raise
        return self._frozen(mfa_code)

    def _turn_for(self, loaded: object) -> AbstractContextManager[object]:
        if self.turn is None:
            return nullcontext()
        # Credentials that no botocore made may lack it.
        due = getattr(loaded, "refresh_needed", None)
        return nullcontext() if due is None or not due() else self.turn()

    def _check_options(self, loaded: object) -> None:
        # A session that a caller passed is boto3's own business; the roles of profiles that are accounts are our own.
        if isinstance(self._asked, str | None):
            assumes_role = isinstance(loaded, ReadOnlyCredentials) or "assume-role" in getattr(loaded, "method", "")
            if assumes_role:
                refuse_dropped_options(self._profile, self._profiles)
        self._is_checked = True

    def _read_again(self, access_key_id: str) -> bool:
        # A login or a rotated key may lie in the files by now; botocore read them once.
        session = self._opened()
        described = None if self.turn is None else self._described()
        fresh = self._looked_up(session)
        before = self._credentials
        if fresh is None or (
            isinstance(self._asked, str)
            and fresh.method in _OF_THE_MACHINE
            and getattr(before, "method", None) not in _OF_THE_MACHINE
        ):
            raise no_credentials(self._profile, self._metadata_problem)
        if fresh.get_frozen_credentials().access_key == access_key_id:
            return False
        with self._lock:
            self._credentials = fresh
            self._descriptor = described
            self.found += 1
        return True


def _profile_session(profile: Profile) -> boto3.Session:
    from ._profile_session import profile_session  # noqa: PLC0415 # it is for accounts that profiles define

    return profile_session(profile)


def _held_by(session: boto3.Session) -> Any:
    return getattr(session._session, "_credentials", None)


def _name_region(session: boto3.Session, region_name: str | None) -> None:
    # botocore itself keeps the region of the first client here, for the roles that profiles name.
    inner: Any = session._session
    if region_name is not None and getattr(inner, "_last_client_region_used", "") is None:
        inner._last_client_region_used = region_name


@functools.cache
def _digest_key() -> bytes:
    return secrets.token_bytes(32)


def _static_identity(session: boto3.Session) -> str | None:
    """What tells static keys from all others; nobody can guess them from it. None: they were not passed in."""
    credentials = _held_by(session)
    if type(credentials) is not BotocoreCredentials:
        return None
    keys = [credentials.access_key, credentials.secret_key, credentials.token]
    try:
        settings = [
            named_sts_endpoint(session._session),
            *(session._session.get_config_variable(name) for name in _SEEN_BY_STS),
        ]
    except (XSessionError, BotoCoreError, ImportError, AttributeError, TypeError):
        # The installed botocore has another way, or the profile is not valid: then no other is equal.
        return None
    return hmac.digest(_digest_key(), json.dumps([keys, settings], default=str).encode(), "sha256").hex()
