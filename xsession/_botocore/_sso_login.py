"""The login of a profile at IAM Identity Center, which `aws sso login` has made: its token."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import SSOProvider
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.session import Session
from botocore.tokens import SSOTokenProvider
from botocore.utils import JSONFileCache, SSOTokenLoader

from xsession._base import frozen, hides_frames
from xsession.errors import ConfigError, SourceCredentialsError, XSessionError


@frozen
class SsoLogin:
    """Who is logged in.

    Args:
        client: A client of the portal, which tries once.
        token: What it proves the login by.
    """

    client: Any = field(repr=False)
    token: str = field(repr=False)


class SsoProfile:
    """A profile that names a login.

    Args:
        name: The profile, with an `sso_session` or an `sso_start_url`; None: the environment's.

    Raises:
        ConfigError: It names no login.
        SourceCredentialsError: There is no such profile.
    """

    def __init__(self, name: str | None) -> None:
        self._session = Session(profile=name)
        self._settings = _settings(self._session)

    @property
    def portal(self) -> str:
        """Which portal of IAM Identity Center it names, whether anybody is logged in there or not."""
        return f"{self._settings['sso_start_url']} {self._settings['sso_region']}"

    @hides_frames(XSessionError)
    def login(self) -> SsoLogin:
        """The login.

        Raises:
            SourceCredentialsError: Nobody is logged in.
        """
        session, name = self._session, self._session.profile or "default"
        try:
            token = _token(session, name, self._settings)
        except XSessionError:
            raise
        except BotoCoreError as error:
            hint = f"run: aws sso login --profile {name}"
            raise SourceCredentialsError(str(error), hop=0, hint=hint) from error
        config = Config(
            region_name=self._settings["sso_region"],
            signature_version=UNSIGNED,
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        return SsoLogin(session.create_client("sso", config=config), token)


def _settings(session: Session) -> dict[str, Any]:
    try:
        profile = dict(session.get_scoped_config())
        sessions = session.full_config.get("sso_sessions", {})
    except XSessionError:
        raise
    except ProfileNotFound as error:
        raise SourceCredentialsError(str(error), hop=0, hint="see `aws configure list-profiles`") from error
    except BotoCoreError as error:
        raise SourceCredentialsError(str(error), hop=0) from error
    settings = {**profile, **sessions.get(profile.get("sso_session"), {})}
    if not settings.get("sso_start_url") or not settings.get("sso_region"):
        msg = f"profile {session.profile or 'default'!r} names no login of IAM Identity Center"
        raise ConfigError(msg, hint="give it sso_session, with sso_start_url and sso_region: aws configure sso")
    return settings


def _token(session: Session, name: str, settings: dict[str, Any]) -> str:
    if "sso_session" in settings:
        return str(SSOTokenProvider(session, profile_name=name).load_token().get_frozen_token().token)
    folder: str = SSOProvider._SSO_TOKEN_CACHE_DIR  # type: ignore[attr-defined]  # the stubs have none of it
    loader = SSOTokenLoader(cache=JSONFileCache(folder))
    return str(loader(settings["sso_start_url"])["accessToken"])
