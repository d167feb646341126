"""How the account of each profile of `~/.aws/config` is reached: its chain of roles, and whose credentials start it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from xsession._base import digest_of, frozen, without_frames
from xsession.errors import ConfigError
from xsession.roles import MAX_CHAINED_DURATION_SECONDS, Role, RoleChain

from ._aws_config import AwsFiles, Sections, read_sections
from ._entry import Entry
from ._names import valid_name
from ._no_effect import STATIC, note_on_source, notes_on_profile
from ._profile import Profile, ProfileSettings

CREDENTIAL_SOURCES = ("Environment", "Ec2InstanceMetadata", "EcsContainer")

_SSO = ("sso_account_id", "sso_role_name")
_SSO_LOGIN = ("sso_start_url", "sso_region")
_OTHER_CREDENTIALS = ("credential_process", "web_identity_token_file", "login_session")
# Options of a role; botocore ignores the last two of them.
_TEXT_OPTIONS = ("role_session_name", "external_id", "mfa_serial", "source_identity", "policy")
# Keys that say whose credentials are used and where, or that only the AWS CLI reads: clients are made without them.
_NO_SETTINGS = {
    "role_arn", "source_profile", "credential_source", "external_id", "mfa_serial", "role_session_name",
    "duration_seconds", "source_identity", "policy", "policy_arns", "region", "aws_access_key_id",
    "aws_secret_access_key", "aws_session_token", "aws_security_token", "aws_account_id", "credential_process",
    "web_identity_token_file", "login_session", "services", "output",
}  # fmt: skip
_NO_SETTINGS_BEGIN = ("cli_", "sso_")
_STS_SETTINGS = (
    "endpoint_url",
    "ignore_configured_endpoint_urls",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "ca_bundle",
)
# What narrows a role's session or binds it to a person: never left out, though botocore leaves some of them out.
_BINDING = ("external_id", "mfa_serial", "source_identity", "policy", "policy_arns")
_NEVER_EMPTY = ("external_id", "mfa_serial")  # what binds a session is not dropped; boto3 refuses an empty one, too


@frozen
class _Start:
    """Where the chain of a profile starts."""

    profile: Profile
    is_role_session: bool


def read_profiles(files: AwsFiles) -> tuple[list[Entry], dict[str, ConfigError]]:
    """The accounts of all profiles, and what is wrong with the others, by name.

    A profile with neither a role nor credentials is in neither.

    Raises:
        ConfigError: A file can't be read or is not of this format; says which one and in which line.
    """
    sections = _without_empty(read_sections(files))
    profiles = sections.profiles
    reader = _Reader(sections, str(files.config.absolute()) if files.named else None)
    entries: list[Entry] = []
    unusable: dict[str, ConfigError] = {}
    names = _account_names(profiles)
    for profile, section in profiles.items():
        if not _names_role(section.settings) and not _has_credentials(section.settings):
            continue
        try:
            if profile not in names:
                _refuse_name(profile)
            entries.append(Entry(names[profile], reader.options(profile), section.origin))
        except ConfigError as error:
            error.account = names.get(profile, profile)
            error.within(section.origin)
            unusable[error.account] = without_frames(error)
    return entries, unusable


def names_of_profiles(files: AwsFiles, but_for: Collection[Path] = ()) -> dict[str, str]:
    """The account name that each profile has or would have, and where the profile stands.

    Args:
        files: AWS's own.
        but_for: Files of ours: a profile that `xsession aws-config` made for an account of theirs does not count.

    Raises:
        ConfigError: A file can't be read or is not of this format; says which one and in which line.
    """
    profiles = read_sections(files).profiles
    return {
        valid_name(profile): section.origin
        for profile, section in profiles.items()
        if not (but_for and _is_made_for(profile, section.settings, but_for))
    }


def _is_made_for(profile: str, settings: Mapping[str, str], files: Collection[Path]) -> bool:
    """Whether a profile only asks us for the account that has its name in one of these files."""
    command = settings.get("credential_process", "")
    named = {f"--config {quote}{file}{quote} " for file in files for quote in ("", "'", '"')}
    asks_us = " credential-process --config " in command and command.endswith(f" {profile}")
    return asks_us and settings.keys() <= {"credential_process", "region"} and any(each in command for each in named)


class _Reader:
    """Follows the profiles of one pair of files."""

    def __init__(self, sections: Sections, config_file: str | None) -> None:
        self._profiles = sections.profiles
        self._logins = sections.logins
        self._services = sections.services
        self._config_file = config_file

    def options(self, name: str) -> dict[str, Any]:
        """The arguments of `Account` for a profile."""
        steps, start = self._follow(name)
        settings = self._profiles[name].settings
        chain = None
        narrowed = self._narrowed_web_identity(start.profile)
        if steps or narrowed:
            roles = [*narrowed, *(self._role(step) for step in reversed(steps))]
            first = roles[0]
            if start.is_role_session and not narrowed:
                first = _capped(first)
            chain = RoleChain(first, *map(_capped, roles[1:]))
        return {
            "chain": chain,
            "source": start.profile,
            "account_id": _account_id(settings) if chain is None else None,
            "region_name": settings.get("region"),
            "settings": self._settings(name, settings),
            "notes": tuple(self._notes(name, start.profile, sends_own_request=bool(narrowed))),
        }

    def _notes(self, name: str, source: Profile, *, sends_own_request: bool) -> Iterator[str]:
        """Which options have no effect, and why."""
        section = self._profiles[name]
        in_file = "aws_access_key_id" in section.in_credentials_file
        yield from notes_on_profile(
            name, section.settings, keys_in_credentials_file=in_file, sends_own_request=sends_own_request
        )
        if source.name != name and _names_role(self._profiles[source.name].settings):
            yield note_on_source(source.name)

    def _follow(self, name: str) -> tuple[list[str], _Start]:
        """The profiles whose roles are assumed, the last one first, and where their chain starts."""
        steps: list[str] = []
        while True:
            settings = self._profiles[name].settings
            # As a source, a profile's own keys come before its role.
            if not _names_role(settings) or (steps and _has_keys(settings)):
                return steps, self._start(name)
            steps.append(name)
            credential_source, following = settings.get("credential_source"), settings.get("source_profile")
            if credential_source is not None and following is not None:
                _refuse(f"profile {name!r} has both source_profile and credential_source", "remove one of them")
            if credential_source is not None:
                return steps, self._named_source(name, credential_source)
            if following is None:
                hint = "add source_profile; where the keys are in the profile itself, name itself"
                _refuse(f"profile {name!r} has a role_arn, and nothing says whose credentials assume it", hint)
            if following not in self._profiles:
                _refuse(f"source_profile {following!r} of profile {name!r} does not exist", "check its spelling")
            if following == name and _has_keys(settings):
                return steps, self._start(name)
            if following in steps:
                _refuse_loop([*steps, following])
            name = following

    def _start(self, name: str) -> _Start:
        settings = dict(self._profiles[name].settings)
        if not _has_credentials(settings):
            _refuse(f"source_profile {name!r} has no credentials", "give it keys, an SSO login or a credential_process")
        if _has_keys(settings):
            for key in STATIC:
                if not settings.get(key):
                    _refuse(f"profile {name!r} has only half of a key: {key} is missing")
        if _is_web_identity(settings) and "role_arn" not in settings:
            _refuse(f"profile {name!r} has a web_identity_token_file and no role_arn", "add role_arn")
        if _is_sso(settings):
            settings.update(self._login(name, settings))
        return _Start(self._profile(name, settings), _is_sso(settings) or _is_web_identity(settings))

    def _narrowed_web_identity(self, profile: Profile) -> list[Role]:
        """The role of a source's web identity, where the profile binds or narrows it in a way that botocore drops."""
        settings = self._profiles[profile.name].settings
        if profile.credential_source is not None or not _is_web_identity(settings):
            return []
        return [self._role(profile.name)] if any(map(settings.get, _BINDING)) else []

    def _named_source(self, name: str, credential_source: str) -> _Start:
        if credential_source not in CREDENTIAL_SOURCES:
            rule = f"one of {', '.join(CREDENTIAL_SOURCES)}"
            refused = ConfigError.invalid(credential_source, "credential_source", rule)
            raise refused.within(_place(name))
        profile = Profile(name, credential_source, self._config_file)
        # An instance's role does not count as a role that assumes another one; what a container has may be a pod's.
        return _Start(profile, credential_source == "EcsContainer")

    def _login(self, name: str, settings: Mapping[str, str]) -> dict[str, str]:
        """The settings of the Identity Center login that a profile uses, with what it says itself."""
        session = settings.get("sso_session")
        if session is not None and session not in self._logins:
            _refuse(f"sso_session {session!r} of profile {name!r} does not exist", f"add [sso-session {session}]")
        login = {**(self._logins[session] if session is not None else {}), **settings}
        for key in (*_SSO, *_SSO_LOGIN):
            if not login.get(key):
                place = f"[sso-session {session}]" if session is not None and key in _SSO_LOGIN else f"profile {name!r}"
                _refuse(f"{key} is missing in {place}", "run: aws configure sso")
        return {key: login[key] for key in (*_SSO, *_SSO_LOGIN)}

    def _profile(self, name: str, settings: Mapping[str, str]) -> Profile:
        keys = ("aws_access_key_id", *_SSO, *_SSO_LOGIN, *_OTHER_CREDENTIALS, "aws_account_id")
        identity = {key: settings[key] for key in keys if key in settings}
        if _is_web_identity(settings):
            identity["role_arn"] = settings["role_arn"]
        return Profile(name, None, self._config_file, digest_of(identity))

    def _settings(self, name: str, settings: Mapping[str, str]) -> ProfileSettings:
        """What a profile says about clients."""
        said: dict[str, object] = {key: value for key, value in settings.items() if _is_setting(key)}
        services = self._services.get(settings.get("services", ""), {})
        if services:
            said["services"] = dict(services)
        of_sts = {key: settings[key] for key in _STS_SETTINGS if key in settings}
        if "sts" in services:
            of_sts["services"] = services["sts"]
        sts_digest = digest_of(of_sts) if of_sts else ""
        return ProfileSettings(name, self._config_file, digest_of(said), sts_digest, bool(settings.get("region")))

    def _role(self, name: str) -> Role:
        section = self._profiles[name]
        settings = section.settings
        options: dict[str, Any] = {key: settings[key] for key in _TEXT_OPTIONS if key in settings}
        if "policy_arns" in settings:
            options["policy_arns"] = settings["policy_arns"].replace(",", " ").split()
        if _is_web_identity(settings):
            options["web_identity_token_file"] = settings["web_identity_token_file"]
        duration = settings.get("duration_seconds")
        if duration is not None:
            options["duration_seconds"] = int(duration) if re.fullmatch("[0-9]{1,9}", duration) else duration
        try:
            return Role(settings["role_arn"], sts_region_name=settings.get("region"), **options)
        except ConfigError as error:
            if error.option == "sts_region_name":
                error.option = "region"  # as these files spell it
            error.within(_place(name))
            raise


def _account_names(profiles: Iterable[str]) -> dict[str, str]:
    """The name of each profile's account; none where two profiles would share one."""
    wished: dict[str, list[str]] = {}
    for profile in profiles:
        wished.setdefault(valid_name(profile), []).append(profile)
    return {
        profile: name for name, sharing in wished.items() for profile in sharing if profile == name or len(sharing) == 1
    }


def _without_empty(sections: Sections) -> Sections:
    return Sections(
        {name: replace(section, settings=_given(section.settings)) for name, section in sections.profiles.items()},
        {name: _given(settings) for name, settings in sections.logins.items()},
        sections.services,
    )


def _given(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that say something: tools write others with nothing behind the =, and boto3 lives with most."""
    return {key: value for key, value in settings.items() if value or key in _NEVER_EMPTY}


def _refuse_name(profile: str) -> NoReturn:
    msg = f"profile {profile!r} would have the name of another profile's account"
    _refuse(msg, "name it with letters, digits, dots, underscores and hyphens alone")


def _refuse_loop(visited: list[str]) -> NoReturn:
    loop = visited[visited.index(visited[-1]) :]
    _refuse(f"source_profile makes a loop: {' -> '.join(loop)}", "give one of them credentials of its own")


def _place(profile: str) -> str:
    return f"profile {profile!r}"


def _refuse(problem: str, hint: str | None = None) -> NoReturn:
    raise ConfigError(problem, hint=hint)


def _capped(role: Role) -> Role:
    """The role with a duration that AWS allows a role assumed by a role; botocore asks in vain."""
    seconds = role.duration_seconds
    if isinstance(seconds, int) and seconds > MAX_CHAINED_DURATION_SECONDS:
        return role.replace(duration_seconds=MAX_CHAINED_DURATION_SECONDS)
    return role


def _account_id(settings: Mapping[str, str]) -> str | None:
    if _is_web_identity(settings):
        return Role(settings["role_arn"]).account_id
    return settings.get("sso_account_id") if _is_sso(settings) else settings.get("aws_account_id")


def _is_setting(key: str) -> bool:
    return key not in _NO_SETTINGS and not key.startswith(_NO_SETTINGS_BEGIN)


def _names_role(settings: Mapping[str, str]) -> bool:
    return "role_arn" in settings and not _is_web_identity(settings)


def _has_credentials(settings: Mapping[str, str]) -> bool:
    return any(key in settings for key in (*STATIC, *_SSO, *_OTHER_CREDENTIALS))


def _has_keys(settings: Mapping[str, str]) -> bool:
    return any(key in settings for key in STATIC)


def _is_sso(settings: Mapping[str, str]) -> bool:
    return any(key in settings for key in _SSO)


def _is_web_identity(settings: Mapping[str, str]) -> bool:
    return "web_identity_token_file" in settings
