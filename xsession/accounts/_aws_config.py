"""Reads `~/.aws/config` and `~/.aws/credentials`: profiles, their settings, and where each one stands.

The rules are botocore's, which has no line numbers and may not be imported here; a test holds both together.
https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from xsession._base import FrozenMap, frozen
from xsession.errors import ConfigError

_HEADER = re.compile(r"\[(?P<header>.+)\]")


@frozen
class AwsFiles:
    """The two files.

    Args:
        config: Usually `~/.aws/config`.
        credentials: Usually `~/.aws/credentials`.
        named: Whether the caller named the config file, so that it must be there.
    """

    config: Path
    credentials: Path
    named: bool = False

    @classmethod
    def of(cls, path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> AwsFiles:
        """The files that botocore would read, unless a path says otherwise."""
        config = os.fspath(path) if path is not None else environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
        credentials = environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
        return cls(_expanded(config), _expanded(credentials), named=path is not None)


@frozen
class Section:
    """The settings of one profile, the place of its header, and which settings the credentials file has."""

    settings: Mapping[str, str]
    origin: str
    in_credentials_file: frozenset[str] = frozenset()


@frozen
class Sections:
    """What the two files have, each by its name."""

    profiles: Mapping[str, Section]
    logins: Mapping[str, Mapping[str, str]]
    services: Mapping[str, Mapping[str, str]]
    others: Mapping[str, Mapping[str, str]] = FrozenMap()
    """Those of the config file that are none of these, by the whole header."""


def read_sections(files: AwsFiles) -> Sections:
    """All that both have: the credentials file adds to the profiles of the config file, as with botocore.

    Raises:
        ConfigError: A file can't be read or is not of that format.
    """
    profiles: dict[str, Section] = {}
    logins: dict[str, dict[str, str]] = {}
    services: dict[str, dict[str, str]] = {}
    others: dict[str, dict[str, str]] = {}
    for header, section in _sections(files.config, must_exist=files.named).items():
        name = _named(header, "profile") if header != "default" else header
        if name is not None:
            profiles[name] = replace(section, origin=f"{section.origin}: profile {name}")
        elif (login := _named(header, "sso-session")) is not None:
            logins[login] = dict(section.settings)
        elif (service := _named(header, "services")) is not None:
            services[service] = dict(section.settings)
        else:
            others[header] = dict(section.settings)
    for name, section in _sections(files.credentials).items():
        known = profiles.get(name)
        own = frozenset(section.settings)
        if known is None:
            profiles[name] = replace(section, origin=f"{section.origin}: profile {name}", in_credentials_file=own)
        else:
            settings = {**known.settings, **section.settings}
            profiles[name] = replace(known, settings=settings, in_credentials_file=own)
    return Sections(profiles, logins, services, others)


def _sections(file: Path, *, must_exist: bool = False) -> dict[str, Section]:
    if not must_exist and not file.is_file():
        return {}
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{file} can't be read: {error.strerror}"
        raise ConfigError(msg) from error
    except UnicodeDecodeError:
        msg = f"{file} is not text in UTF-8"
        raise ConfigError(msg) from None
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # Its own message quotes the line, which may hold a secret.
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
        msg = f"{file}{f':{line}' if line else ''} is not of the form that AWS's files have: {type(error).__name__}"
        raise ConfigError(msg, hint="write profiles under [profile name], and settings as key = value") from None
    lines = _header_lines(text.split("\n"))
    return {
        header: Section(dict(parser.items(header)), f"{file}:{lines[header]}" if header in lines else str(file))
        for header in parser.sections()
    }


def _header_lines(lines: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        match = _HEADER.match(line)
        if match:
            found.setdefault(match["header"], number)
    return found


def _named(header: str, kind: str) -> str | None:
    """The name in a header such as `profile vegeta`."""
    if not header.startswith(kind):
        return None
    try:
        words = shlex.split(header)
    except ValueError:  # a quote that does not end
        return None
    return words[1] if len(words) == 2 else None


def _expanded(path: str) -> Path:
    file = Path(os.path.expandvars(path))
    try:
        return file.expanduser()
    except RuntimeError:  # there is no home, as in some containers; and so no such file
        return file
