"""Options of a profile that say nothing where they stand: boto3 ignores them, and so do we, but a person should know.

An `external_id` beside keys, or a `credential_process` beside an SSO login, is a mistake most likely.
https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from xsession._base import did_you_mean

STATIC = ("aws_access_key_id", "aws_secret_access_key")
ROLE_OPTIONS = (
    "role_session_name",
    "external_id",
    "mfa_serial",
    "source_identity",
    "policy",
    "policy_arns",
    "duration_seconds",
)
_ROLE_SOURCES = ("source_profile", "credential_source")
_KEYS = (*STATIC, "aws_session_token", "aws_security_token")
_SSO = ("sso_account_id", "sso_role_name")
# In botocore's order; keys come before the others only in the credentials file.
_ORDER = (_SSO, _KEYS, ("login_session",), ("credential_process",))
_ALIKE = 0.85
# What may be a misspelt one: most profiles have none, and need not wait for a search.
_BEGINNINGS = tuple({option[:3] for option in ROLE_OPTIONS})


def notes_on_profile(
    name: str, settings: Mapping[str, str], *, keys_in_credentials_file: bool, sends_own_request: bool
) -> Iterator[str]:
    """Which options of a profile have no effect, and why, in words.

    Args:
        name: The profile.
        settings: What it says.
        keys_in_credentials_file: Whether its keys are in `~/.aws/credentials`.
        sends_own_request: Whether the role of its web identity is assumed by us, with all options, and not by botocore.
    """
    order = _ORDER if keys_in_credentials_file else (_SSO, *_ORDER[2:], _KEYS)
    everything = [key for kind in order for key in kind]
    if "web_identity_token_file" in settings:
        yield from _note(settings, (*_ROLE_SOURCES, *everything), "since web_identity_token_file comes first")
        if not sends_own_request:
            yield from _note(settings, ("duration_seconds",), "since botocore sends none with a web identity")
    elif "role_arn" not in settings:
        yield from _note(settings, (*ROLE_OPTIONS, *_ROLE_SOURCES), f"since profile {name!r} assumes no role")
        yield from _behind_the_first(settings, order)
    elif settings.get("source_profile") == name:
        yield from _behind_the_first(settings, order)
    else:
        where = next((key for key in _ROLE_SOURCES if key in settings), "the role")
        yield from _note(settings, everything, f"since {where} says whose credentials assume the role")
    for key in settings:
        if key.startswith(_BEGINNINGS) and key not in (*ROLE_OPTIONS, *_ROLE_SOURCES, "role_arn"):
            meant = did_you_mean(key.replace("-", "_"), ROLE_OPTIONS, alike=_ALIKE)
            if meant:
                yield from _note(settings, (key,), f"since it is no option; {meant}")


def note_on_source(name: str) -> str:
    """That the role of a profile is not assumed, since it is used as a source."""
    return f"role_arn of profile {name!r}: no effect here, since as a source its own keys come first"


def _behind_the_first(settings: Mapping[str, str], order: Iterable[tuple[str, ...]]) -> Iterator[str]:
    kinds = [kind for kind in order if any(key in settings for key in kind)]
    later = [key for kind in kinds[1:] for key in kind]
    if later:
        first = next(key for key in kinds[0] if key in settings)
        yield from _note(settings, later, f"since {first} comes first")


def _note(settings: Mapping[str, str], options: Iterable[str], why: str) -> Iterator[str]:
    given = [option for option in options if option in settings]
    if given:
        yield f"{', '.join(given)}: no effect, {why}"
