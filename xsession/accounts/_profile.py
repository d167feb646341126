"""A profile of `~/.aws/config` as a source."""

from __future__ import annotations

from dataclasses import field

from xsession._base import frozen


@frozen
class Profile:
    """The credentials that a profile has by itself, as a source: never those of the role that it may name.

    Args:
        name: The profile's name.
        credential_source: Where its role's credentials start, in the words of `~/.aws/config`; None: in the profile.
        config_file: The file that it was read from, where that is not the default one.
        fingerprint: Changes with whatever says whose credentials these are.
    """

    name: str
    credential_source: str | None = None
    config_file: str | None = None
    fingerprint: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.name
