"""What goes wrong with the credentials of a source, as an error of ours: whether it stays, and what to do.

botocore reads them: files, logins, processes, a machine's metadata. What needs a person or another file stays as it is;
the network, a machine's metadata and whatever is not known may be better the next time.

AWS's words, botocore's and the operating system's are passed on. A session that a caller made may raise anything else,
with what it knows of a secret in it: then the class is named, and the line, and neither its text nor the error itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    InvalidIMDSEndpointError,
    InvalidIMDSEndpointModeError,
    MissingDependencyException,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    UnknownCredentialError,
)

from xsession._aws import hint_for, is_dead_caller, is_final, is_skewed, same_code
from xsession._base import without_frames, without_text
from xsession.errors import SourceCredentialsError

_LONGEST_SHOWN = 1_000
_PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
_REMEDIES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (MissingDependencyException, "run: pip install 'botocore[crt]'"),
    (ProfileNotFound, "see `aws configure list-profiles`"),
    (RefreshWithMFAUnsupportedError, "pass profile_name= and mfa_code=, so that the next code can be asked for"),
    (
        (ConfigNotFound, ConfigParseError, InvalidConfigError, PartialCredentialsError, UnknownCredentialError),
        "correct the profile",
    ),
    ((InvalidIMDSEndpointError, InvalidIMDSEndpointModeError), "correct where the instance metadata service is"),
)
_NOT_SENT_BY_BOTOCORE = ("policy", "policy_arns", "source_identity")
_OS_MODULES = frozenset({"builtins", "socket", "ssl"})
_NO_SUCH_FILE = (FileNotFoundError, NotADirectoryError, PermissionError)
# By name: older releases of botocore lack some of them.
_SSO = frozenset({"SSOError", "NoAuthTokenError", "TokenRetrievalError"})
_LOGIN = frozenset(
    {"LoginAuthorizationCodeError", "LoginInsufficientPermissions", "LoginRefreshRequired", "LoginTokenLoadError"}
)
# Those of the portal of IAM Identity Center, which has codes of its own.
_FINAL_IN_SSO = frozenset({"ForbiddenException", "ResourceNotFoundException", "UnauthorizedException"})


def source_error(error: Exception, profile: str | None, profiles: Mapping[str, Any]) -> SourceCredentialsError:
    """The error of a source whose credentials could not be read or refreshed.

    Args:
        error: What was raised.
        profile: The profile that was asked for, or chosen by the environment; None: none was.
        profiles: All profiles of the files, by name.
    """
    said = _said(error)
    if isinstance(error, BotoCoreError):
        hint, final = _of_botocore(error, profile, profiles)
        failure = SourceCredentialsError(said, hop=0, retryable=not final, hint=hint)
    elif isinstance(error, ClientError):
        failure = _of_aws(error)
    elif isinstance(error, _NO_SUCH_FILE):
        hint = "install or correct what the profile names"
        failure = SourceCredentialsError(said, hop=0, hint=hint)
    elif isinstance(error, ValueError) and hasattr(error, "doc"):
        # The whole output is in the exception.
        msg = "the source's credential_process printed something that is no JSON"
        failure = SourceCredentialsError(msg, hop=0, hint="run the credential_process by hand")
    else:
        hint = None if _may_be_told(error) else "ask the source by itself for what it says: its text may hold a secret"
        failure = SourceCredentialsError(f"the source's own refresh failed: {said}", hop=0, retryable=True, hint=hint)
    if _may_be_told(error):
        # What led to it may be anybody's.
        error.__cause__ = None
        failure.__cause__ = without_frames(error)
    return failure


def no_credentials(profile: str | None, metadata_problem: str | None = None) -> SourceCredentialsError:
    """The error of a source that has none.

    Args:
        profile: The profile that was asked for, or chosen by the environment; None: none was.
        metadata_problem: Why the machine's metadata gave none, where they may do so later.
    """
    msg = f"the source has no credentials (profile {profile or 'default'!r})"
    if metadata_problem is not None:
        msg = f"{msg}, and the instance metadata service gave none: {metadata_problem}"
        hint = "see whether the machine has a role and its metadata service can be reached from here"
        return SourceCredentialsError(msg, hop=0, retryable=True, hint=hint)
    hint = "configure the profile, set AWS_ACCESS_KEY_ID and its companions, or pass session="
    return SourceCredentialsError(msg, hop=0, hint=hint)


def refuse_dropped_options(profile: str | None, profiles: Mapping[str, Any]) -> None:
    """Refuses a profile whose role is assumed by botocore without an option that narrows or binds its session.

    Args:
        profile: The profile; None: the default one.
        profiles: All profiles of the files, by name.

    Raises:
        SourceCredentialsError: It, or one behind it, has such an option.
    """
    visited: list[str] = []
    name: str | None = profile or "default"
    while name is not None and name not in visited:
        settings = profiles.get(name) or {}
        if not settings.get("role_arn") or (visited and settings.get("aws_access_key_id")):
            return
        dropped = [option for option in _NOT_SENT_BY_BOTOCORE if settings.get(option)]
        if dropped:
            msg = f"profile {name!r} has {' and '.join(dropped)}, which botocore does not send with its role"
            hint = "use the profile as an account (Accounts.from_aws_config), or take the option out of it"
            raise SourceCredentialsError(msg, hop=0, role_arn=settings["role_arn"], hint=hint)
        visited.append(name)
        name = settings.get("source_profile")


def no_profile(error: ProfileNotFound, asked: str | None) -> SourceCredentialsError:
    """The error of a profile that is in no file.

    Args:
        error: botocore's.
        asked: The profile that was asked for by name; None: the environment chose it.
    """
    hint = "see `aws configure list-profiles`"
    if asked is None:
        variable = next((name for name in _PROFILE_VARIABLES if os.environ.get(name)), None)
        hint = hint if variable is None else f"{variable} names it: unset or correct it, or pass profile_name="
    failure = SourceCredentialsError(str(error), hop=0, hint=hint)
    failure.__cause__ = without_frames(error)
    return failure


def _may_be_told(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno is not None and type(error).__module__ in _OS_MODULES
    return isinstance(error, BotoCoreError | ClientError) and type(error).__module__.startswith("botocore.")


def _said(error: Exception) -> str:
    if not _may_be_told(error):
        return without_text(error)
    said = str(error).strip()
    return said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]}..."


def _of_botocore(error: BotoCoreError, profile: str | None, profiles: Mapping[str, Any]) -> tuple[str | None, bool]:
    """What to do, and whether it stays."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _SSO:
        return f"run: aws sso login{_with_profile(profile, profiles, 'sso_')}", True
    if names & _LOGIN:
        return f"run: aws login{_with_profile(profile, profiles, 'login_session')}", True
    if isinstance(error, CredentialRetrievalError) and error.kwargs.get("provider") == "custom-process":
        return "do what the profile's credential_process says, or run it by hand", True
    hint = next((hint for kinds, hint in _REMEDIES if isinstance(error, kinds)), None)
    return hint, hint is not None


def _of_aws(error: ClientError) -> SourceCredentialsError:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "Unknown")), str(details.get("Message", ""))
    final = is_final(code, message) or is_dead_caller(code) or is_skewed(code, message) or code in _FINAL_IN_SSO
    return SourceCredentialsError(
        f"the source's own role or login is refused: {_said(error)}",
        hop=0,
        code=same_code(code),
        request_id=error.response.get("ResponseMetadata", {}).get("RequestId"),
        retryable=not final,
        hint=hint_for(code),
    )


def _with_profile(profile: str | None, profiles: Mapping[str, Any], setting: str) -> str:
    # The profile that has the login: the one that was asked for may only name a role behind it.
    visited = [profile or "default"]
    while (found := profiles.get(visited[-1])) and not any(str(name).startswith(setting) for name in found):
        behind = found.get("source_profile")
        if behind is None or behind in visited or behind not in profiles:
            break
        visited.append(behind)
    return "" if profile is None and len(visited) == 1 else f" --profile {visited[-1]}"
