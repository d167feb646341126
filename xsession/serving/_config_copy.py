"""A copy of `~/.aws/config` for a child: the settings stay, and nothing in it wins over the endpoint.

SDKs look for credentials in the default profile before they ask an endpoint. A profile that the child names itself
must lead to that profile's own identity or to an error, never to the account that is served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xsession.accounts import Sections

_HEADING = """\
# Made by xsession for a process that gets its credentials from an endpoint. Keys are left out, and profiles that have
# no other credentials than keys; the default profile has settings only.
"""
_SECRET = re.compile("access_key|secret|token|password")
_NO_SECRET = frozenset({"web_identity_token_file"})
_ABOUT_CREDENTIALS = frozenset(
    {
        "aws_account_id",
        "credential_process",
        "credential_source",
        "duration_seconds",
        "external_id",
        "login_session",
        "mfa_serial",
        "role_arn",
        "role_session_name",
        "source_profile",
        "sso_account_id",
        "sso_region",
        "sso_registration_scopes",
        "sso_role_name",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    }
)


def config_copy(sections: Sections, profile: str | None) -> str:
    """The text of the copy.

    Args:
        sections: What the user's two files have.
        profile: Whose settings the child has by default: that of the environment; None: the default profile's.
    """
    profiles = {name: section.settings for name, section in sections.profiles.items()}
    default = profiles.get(profile or "default", {})
    written = {"default": {name: value for name, value in default.items() if name not in _ABOUT_CREDENTIALS}}
    for name, settings in profiles.items():
        if name != "default" and _leads_elsewhere(settings):
            written[f"profile {_quoted(name)}"] = dict(settings)
    for kind, named in (("sso-session", sections.logins), ("services", sections.services)):
        written |= {f"{kind} {_quoted(name)}": dict(settings) for name, settings in named.items()}
    written |= {header: dict(settings) for header, settings in sections.others.items()}
    return _HEADING + "".join(
        f"\n[{header}]\n{''.join(_lines(settings))}" for header, settings in written.items() if "]" not in header
    )


def _leads_elsewhere(settings: Mapping[str, str]) -> bool:
    """Whether SDKs find credentials by the profile's own settings, or fail, once it has no keys."""
    names = settings.keys()
    if names & {"credential_process", "login_session"}:
        return True
    if names & {"sso_session", "sso_start_url"} and names & {"sso_account_id", "sso_role_name"}:
        return True
    if "role_arn" not in names:
        return False
    # Of the environment's and the container's there are no others than the served account's.
    of_machine = settings.get("credential_source") == "Ec2InstanceMetadata"
    return of_machine or bool(names & {"source_profile", "web_identity_token_file"})


def _lines(settings: Mapping[str, str]) -> Iterator[str]:
    for name, value in settings.items():
        if _is_secret(name):
            continue
        first, *nested = value.split("\n")
        yield f"{name} = {first}\n"
        for line in nested:
            if line.strip() and not _is_secret(line.partition("=")[0].strip()):
                yield f"    {line.strip()}\n"


def _is_secret(name: str) -> bool:
    return name not in _NO_SECRET and _SECRET.search(name.lower()) is not None


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.@:/+-]+", name) else f'"{name}"'
