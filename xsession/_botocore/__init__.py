"""The only package that knows botocore's inside: clients that cost little, and whatever else leans on it."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._config import config_key as config_key
    from ._config import own_options as own_options
    from ._config import region_of as region_of
    from ._core import ClientCore as ClientCore
    from ._core import Loaders as Loaders
    from ._derived_settings import DerivedSettings as DerivedSettings
    from ._in_loop import register_in_loop as register_in_loop
    from ._log_filter import install_log_filter as install_log_filter
    from ._log_filter import unlogged as unlogged
    from ._profile_session import settings_session as settings_session
    from ._s3_settings import S3Settings as S3Settings
    from ._s3_settings import s3_settings as s3_settings
    from ._signing import CallerCredentials as CallerCredentials
    from ._signing import CurrentCredentials as CurrentCredentials
    from ._signing import SigningCredentials as SigningCredentials
    from ._signing import signing_credentials as signing_credentials
    from ._source_mfa import code_missing as code_missing
    from ._source_session import SourceSession as SourceSession
    from ._sso_login import SsoLogin as SsoLogin
    from ._sso_login import SsoProfile as SsoProfile
    from ._token_files import MAX_TOKEN_CHARACTERS as MAX_TOKEN_CHARACTERS
    from ._token_files import read_token_file as read_token_file
    from ._user_agent import called_with as called_with

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_config": ("config_key", "own_options", "region_of"),
        "_core": ("ClientCore", "Loaders"),
        "_derived_settings": ("DerivedSettings",),
        "_in_loop": ("register_in_loop",),
        "_profile_session": ("settings_session",),
        "_s3_settings": ("S3Settings", "s3_settings"),
        "_log_filter": ("install_log_filter", "unlogged"),
        "_signing": ("CallerCredentials", "CurrentCredentials", "SigningCredentials", "signing_credentials"),
        "_source_mfa": ("code_missing",),
        "_source_session": ("SourceSession",),
        "_sso_login": ("SsoLogin", "SsoProfile"),
        "_token_files": ("MAX_TOKEN_CHARACTERS", "read_token_file"),
        "_user_agent": ("called_with",),
    },
)
