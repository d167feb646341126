"""A boto3 session with the credentials that a profile has by itself, without the role that it may name."""

from __future__ import annotations

import boto3
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    EnvProvider,
    ProfileProviderBuilder,
    create_credential_resolver,
)
from botocore.exceptions import ProfileNotFound
from botocore.session import Session

from xsession.accounts import Profile, ProfileSettings
from xsession.errors import SourceCredentialsError

_CREDENTIALS = frozenset(
    {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "credential_process",
        "credential_source",
        "login_session",
        "role_arn",
        "source_profile",
        "web_identity_token_file",
    }
)


def profile_session(profile: Profile) -> boto3.Session:
    """A session for a profile, as botocore uses a `source_profile` or a `credential_source`.

    A session of the profile's name would assume the profile's role first, and look at the machine's role last.

    Raises:
        ProfileNotFound: There is no such profile any more.
    """
    session = Session(profile=profile.name)
    if profile.config_file is not None:
        session.set_config_variable("config_file", profile.config_file)
    if profile.sso_role_name is not None:
        _choose_permission_set(session, profile)
    session.get_scoped_config()
    session.lazy_register_component("credential_provider", lambda: CredentialResolver(_providers(session, profile)))
    return boto3.Session(botocore_session=session)


def settings_session(settings: ProfileSettings) -> boto3.Session:
    """A session with the settings of a profile; its credentials are not meant to be used.

    Raises:
        SourceCredentialsError: There is no such profile any more.
    """
    session = Session(profile=settings.profile)
    if settings.config_file is not None:
        session.set_config_variable("config_file", settings.config_file)
    try:
        session.get_scoped_config()
    except ProfileNotFound as error:
        raise SourceCredentialsError(str(error), hop=0, hint="see `aws configure list-profiles`") from error
    return boto3.Session(botocore_session=session)


def _choose_permission_set(session: Session, profile: Profile) -> None:
    """Has a session's own copy of the configuration give a permission set, and nothing that would come before it."""
    profiles = session.full_config["profiles"]
    kept = {key: value for key, value in profiles.get(profile.name, {}).items() if key not in _CREDENTIALS}
    chosen = {"sso_account_id": profile.sso_account_id, "sso_role_name": profile.sso_role_name}
    profiles[profile.name] = {**kept, **chosen}


def _providers(session: Session, profile: Profile) -> list[CredentialProvider]:
    # Of the first client, as botocore itself goes by where no region is set.
    region = getattr(session, "_last_client_region_used", None)
    if profile.credential_source is None:
        return ProfileProviderBuilder(session, region_name=region).providers(profile.name, disable_env_vars=True)
    # Where a profile was chosen, botocore's own resolver lacks the environment.
    every = [EnvProvider(), *create_credential_resolver(session, region_name=region).providers]
    return [provider for provider in every if profile.credential_source == provider.CANONICAL_NAME]
