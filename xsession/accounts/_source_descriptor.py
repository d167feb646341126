"""What names a source in all processes of a machine, without its credentials being read and without boto3.

The order in which credentials are looked for is botocore's; whatever is not certain has no descriptor.
https://docs.aws.amazon.com/boto3/latest/guide/credentials.html
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

from xsession._base import digest_of, frozen, sha256
from xsession.errors import ConfigError

from ._aws_config import AwsFiles, Sections, read_sections
from ._profile import Profile, ProfileSettings

SettingsReader: TypeAlias = Callable[[str | None], Sections | None]
"""Reads AWS's files with a config file, None: the environment's; returns None where they can't be read."""

_KEY = "aws_access_key_id"
# Not even digests of these leave the process.
_SECRET = ("aws_secret_access_key", "aws_session_token", "aws_security_token")
_LOGINS = ("login_session", "sso_session", "sso_start_url")
# Whose credentials these lead to can change without any sign in the files.
_OPAQUE = ("credential_process", "web_identity_token_file")


@frozen
class SourceDescriptor:
    """A source's name in all processes: other settings, another key or another login are another descriptor.

    Args:
        digest: 64 hex digits.
        access_key_id: The key, where it is known to be this one; None: it is known once credentials are read.
        is_session: Whether that key is a temporary one: what its session carries is known to nobody, and so what it
            leads to is its own.
        is_role: Whether it is a role that a profile assumes: by its ARN alone, nobody knows who that was.
    """

    digest: str
    access_key_id: str | None = None
    is_session: bool = False
    is_role: bool = False

    @classmethod
    def of_key(cls, access_key_id: str, *, is_session: bool) -> SourceDescriptor:
        """That of a key, wherever it is from.

        Args:
            access_key_id: Its id.
            is_session: Whether a session token belongs to it.
        """
        return cls(digest_of(["key", access_key_id]), access_key_id, is_session)

    def principal_key(self, sts_endpoint: str | None) -> str:
        """Under what a store remembers whose credentials these are.

        Args:
            sts_endpoint: The endpoint that says so; None: AWS's own.
        """
        return digest_of(["descriptor", self.digest, sts_endpoint])

    def source_key(self, sts_endpoint: str | None, principal: Callable[[str], str | None]) -> str | None:
        """What the keys of all chains begin with that start here; None: nobody knows yet whose credentials these are.

        Args:
            sts_endpoint: The endpoint that is asked with them; None: AWS's own.
            principal: What a store remembers under a key.
        """
        if self.is_session:
            return source_key(f"key {self.access_key_id}", sts_endpoint)
        known = principal(self.principal_key(sts_endpoint))
        return None if known is None else source_key(known, sts_endpoint)


def source_key(principal: str, sts_endpoint: str | None) -> str:
    """What the keys of all chains begin with that start with a principal's credentials.

    Args:
        principal: Its ARN.
        sts_endpoint: The endpoint that is asked with them; None: AWS's own.
    """
    return digest_of(["source", principal, sts_endpoint])


def turn_key(source: Profile | str | None, environ: Mapping[str, str]) -> str:
    """What processes take turns by that read the same source, whose tokens may rotate.

    Args:
        source: A profile or its name; None: where boto3 looks by default.
        environ: The process's environment variables.
    """
    files = AwsFiles.of(source.config_file if isinstance(source, Profile) else None, environ)
    name = _default_profile(environ) if source is None else str(source)
    return digest_of(["turn", name, str(files.config), str(files.credentials)])


def settings_state(source: Profile | str | None, environ: Mapping[str, str]) -> tuple[object, ...]:
    """What changes whenever AWS's files do, which programs read once.

    Args:
        source: A profile or its name; None: where boto3 looks by default.
        environ: The process's environment variables.
    """
    files = AwsFiles.of(source.config_file if isinstance(source, Profile) else None, environ)
    return _state_of(files.config), _state_of(files.credentials)


def settings_reader(environ: Mapping[str, str]) -> SettingsReader:
    """Reads each file once, for those who ask several things at one time: some have thousands of profiles.

    Args:
        environ: The process's environment variables.
    """
    return cache(partial(_read, environ=environ))


def describe_source(
    source: Profile | str | None, environ: Mapping[str, str], read: SettingsReader | None = None
) -> SourceDescriptor | None:
    """The descriptor of a source; None: it has none before its credentials are read.

    Args:
        source: A profile or its name; None: where boto3 looks by default.
        environ: The process's environment variables.
        read: Reads the files of that environment; None: they are read now.
    """
    read = read or settings_reader(environ)
    if isinstance(source, Profile):
        return _of_own(source, environ, read)
    if source is None and environ.get("AWS_ACCESS_KEY_ID"):
        return _of_environment(environ)
    if source is None and environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return None
    sections = read(None)
    return None if sections is None else _of_profile(source or _default_profile(environ), sections, environ)


def sts_endpoint(
    source: Profile | ProfileSettings | str | None, environ: Mapping[str, str], read: SettingsReader | None = None
) -> str | None:
    """The STS endpoint that the environment or a profile names, by botocore's order; None: none, or it is ignored.

    Args:
        source: The profile whose settings count, or its name; None: boto3's default.
        environ: The process's environment variables.
        read: As for `describe_source`.
    """
    named = source.profile if isinstance(source, ProfileSettings) else None if source is None else str(source)
    config_file = source.config_file if isinstance(source, Profile | ProfileSettings) else None
    sections = (read or settings_reader(environ))(config_file)
    profile = None if sections is None else sections.profiles.get(named or _default_profile(environ))
    settings: Mapping[str, str] = {} if profile is None else profile.settings
    ignored = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or settings.get("ignore_configured_endpoint_urls", "")
    if ignored.lower() == "true":
        return None
    services = {} if sections is None else sections.services.get(settings.get("services", ""), {})
    return (
        environ.get("AWS_ENDPOINT_URL_STS")
        or environ.get("AWS_ENDPOINT_URL")
        or _nested(services.get("sts", ""), "endpoint_url")
        or settings.get("endpoint_url")
        or None
    )


def _of_own(profile: Profile, environ: Mapping[str, str], read: SettingsReader) -> SourceDescriptor | None:
    """That of the credentials which a profile has by itself."""
    if profile.sso_role_name is not None:
        return None  # another permission set than the profile's own
    if profile.credential_source == "Environment":
        return _of_environment(environ)
    sections = None if profile.credential_source is not None else read(profile.config_file)
    known = None if sections is None else sections.profiles.get(profile.name)
    return None if sections is None or known is None else _of_settings(dict(known.settings), sections, environ, [])


def _of_profile(name: str, sections: Sections, environ: Mapping[str, str]) -> SourceDescriptor | None:
    """That of a profile, along its source profiles."""
    along: list[tuple[str, dict[str, str]]] = []
    while True:
        section = sections.profiles.get(name)
        if section is None or name in (visited for visited, _ in along):
            return None
        settings = dict(section.settings)
        # As a source, a profile's own keys come before its role.
        if "role_arn" not in settings or (along and _KEY in settings):
            return _of_settings(settings, sections, environ, along)
        along.append((name, settings))
        following = settings.get("source_profile")
        if settings.get("credential_source") == "Environment" and following is None:
            end = _of_environment(environ)
            return None if end is None else _of_role(along, end)
        if following == name and _KEY in settings:
            return _of_settings(settings, sections, environ, along)
        if following is None:
            return None
        name = following


def _of_settings(
    settings: dict[str, str],
    sections: Sections,
    environ: Mapping[str, str],
    along: list[tuple[str, dict[str, str]]],
) -> SourceDescriptor | None:
    if any(name in settings for name in _OPAQUE):
        return None
    end: SourceDescriptor | None = None
    if any(name in settings for name in _LOGINS):
        end = _of_login(settings, sections, environ)
    elif _KEY in settings:
        is_session = any(settings.get(name) for name in _SECRET[1:])
        end = SourceDescriptor.of_key(settings[_KEY], is_session=is_session)
    return end if end is None or not along else _of_role(along, end)


def _of_role(along: list[tuple[str, dict[str, str]]], end: SourceDescriptor) -> SourceDescriptor:
    """That of a role which botocore assumes: by all settings on the way, and by whose credentials begin it."""
    return SourceDescriptor(
        digest_of(["role", [[name, _without_secrets(each)] for name, each in along], end.digest]), is_role=True
    )


def _of_environment(environ: Mapping[str, str]) -> SourceDescriptor | None:
    access_key_id = environ.get("AWS_ACCESS_KEY_ID")
    if not access_key_id:
        return None
    is_session = bool(environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN"))
    return SourceDescriptor.of_key(access_key_id, is_session=is_session)


def _of_login(settings: dict[str, str], sections: Sections, environ: Mapping[str, str]) -> SourceDescriptor | None:
    """That of a login of IAM Identity Center or of the console: another person's has another token."""
    login = sections.logins.get(settings.get("sso_session", ""), {})
    session = settings.get("login_session")
    if session is not None:
        folder = environ.get("AWS_LOGIN_CACHE_DIRECTORY") or "~/.aws/login/cache"
        name = sha256(session.encode()).hexdigest()
    else:
        folder = "~/.aws/sso/cache"
        by = settings.get("sso_session") or settings.get("sso_start_url") or ""
        from hashlib import sha1  # noqa: PLC0415 # it takes long

        name = sha1(by.encode(), usedforsecurity=False).hexdigest()  # the name that botocore gives the file
    try:
        token = Path(os.path.expandvars(folder), f"{name}.json").expanduser().read_bytes()
    except (OSError, RuntimeError):  # nobody is logged in; or there is no home
        return None
    return SourceDescriptor(digest_of(["login", _without_secrets(settings), dict(login), sha256(token).hexdigest()]))


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(config_file: str | None, environ: Mapping[str, str]) -> Sections | None:
    try:
        return read_sections(AwsFiles.of(config_file, environ))
    except ConfigError:
        # Whoever reads the credentials says what is wrong.
        return None


def _default_profile(environ: Mapping[str, str]) -> str:
    return environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"


def _without_secrets(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in _SECRET}


def _nested(text: str, wanted: str) -> str | None:
    """A setting of a service, which these files indent below its name."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == wanted:
            return value.strip()
    return None
