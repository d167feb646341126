"""The credentials that chains start from: a boto3 session's, refreshed by itself."""

from __future__ import annotations

import threading
import uuid

import boto3
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError

from xsession._base import renew_after_fork
from xsession.accounts import Profile
from xsession.errors import SourceCredentialsError, XSessionError


class SourceSession:
    """One boto3 session as the beginning of chains.

    Args:
        session: The session, or a profile or the name of one to make it of; None: boto3's default.
        region_name: The region of a session that is made here.

    Raises:
        SourceCredentialsError: There is no such profile.
    """

    def __init__(self, session: boto3.Session | Profile | str | None = None, *, region_name: str | None = None) -> None:
        self._profile_itself = session if isinstance(session, Profile) else None
        # Only what botocore read out of files and the environment can be read again.
        self._reloadable = not isinstance(session, boto3.Session)
        try:
            if isinstance(session, boto3.Session):
                self.boto3_session = session
            elif isinstance(session, Profile):
                self.boto3_session = _profile_session(session)
            else:
                self.boto3_session = boto3.Session(profile_name=session, region_name=region_name)
        except XSessionError:
            raise
        except BotoCoreError as error:
            raise SourceCredentialsError(str(error), hop=0, hint="see `aws configure list-profiles`") from error
        # Static keys are the same source wherever they are; else made up, so that no other source ever has it: neither
        # now nor after this one is gone.
        self.identity = f"source:{_static_key_id(self.boto3_session) or uuid.uuid4()}"
        # What the credentials said of it when they were read last.
        self.account_id: str | None = None
        # How often others were found in the place of rejected ones.
        self.found = 0
        self._lock = threading.Lock()
        self._credentials: BotocoreCredentials | None = None
        renew_after_fork(self)

    @property
    def region_name(self) -> str | None:
        """The session's region."""
        region: str | None = self.boto3_session.region_name
        return region

    @property
    def method(self) -> str | None:
        """How botocore obtained the credentials; None: it has not looked for them yet."""
        return getattr(getattr(self.boto3_session._session, "_credentials", None), "method", None)

    @property
    def has_credentials(self) -> bool:
        """Whether there are any, or something that should have led to some."""
        try:
            return self.boto3_session.get_credentials() is not None
        except (XSessionError, BotoCoreError):
            return True

    def frozen(self) -> ReadOnlyCredentials:
        """The current credentials; the session refreshes them where they need it.

        Raises:
            SourceCredentialsError: There are none, or they could not be refreshed.
        """
        failure: XSessionError
        try:
            with self._lock:
                if self._credentials is None:
                    self._credentials = self.boto3_session.get_credentials()
                credentials = self._credentials
            if credentials is not None:
                frozen = credentials.get_frozen_credentials()
                self.account_id = getattr(frozen, "account_id", None)
                return frozen
        except XSessionError:
            raise
        except BotoCoreError as error:
            hint = self._login_hint(error)
            failure = SourceCredentialsError(str(error), hop=0, retryable=not hint, hint=hint)
            failure.__cause__ = error
        except Exception as error:  # noqa: BLE001 # a session's refresh may raise anything
            message = f"the source's own refresh failed: {type(error).__name__}: {error}"
            failure = SourceCredentialsError(message, hop=0, retryable=True)
            failure.__cause__ = error
        else:
            msg = f"the source has no credentials (profile {self.boto3_session.profile_name!r})"
            hint = "configure the profile, set AWS_ACCESS_KEY_ID and its companions, or pass session="
            failure = SourceCredentialsError(msg, hop=0, hint=hint)
        raise failure

    def rejected(self, access_key_id: str) -> bool:
        """Looks for other credentials after STS rejected these.

        Args:
            access_key_id: The key id that was rejected.

        Returns:
            Whether there are others now.
        """
        if self.frozen().access_key != access_key_id:
            return True
        if not self._reloadable:
            return False
        # A login or a rotated key may be in the files now; botocore read them once.
        profile = self._profile_itself
        session = boto3.Session(profile_name=self._profile) if profile is None else _profile_session(profile)
        fresh = session.get_credentials()
        if fresh is None or fresh.get_frozen_credentials().access_key == access_key_id:
            return False
        with self._lock:
            self._credentials = fresh
            self.found += 1
        return True

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        self._lock = threading.Lock()

    @property
    def _profile(self) -> str | None:
        # boto3 says "default" where none was chosen, and asking for that by name fails where no file has it.
        name = self.boto3_session.profile_name
        return None if name == "default" else name

    def _login_hint(self, error: BotoCoreError) -> str | None:
        if "SSO" in type(error).__name__ or "Token" in type(error).__name__:
            return f"run: aws sso login{f' --profile {self._profile}' if self._profile else ''}"
        return None


def _profile_session(profile: Profile) -> boto3.Session:
    from ._profile_session import profile_session  # noqa: PLC0415 # it is for accounts that profiles define

    return profile_session(profile)


def _static_key_id(session: boto3.Session) -> str | None:
    # Those that were passed in, and are known without a network call.
    credentials: object = getattr(session._session, "_credentials", None)
    return credentials.access_key if type(credentials) is BotocoreCredentials else None
