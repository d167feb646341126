"""A profile of `~/.aws/config`: as a source of credentials, and as what says how clients are made."""

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
        sso_account_id: The account whose permission set it gives, in the place of the profile's own; None: the latter.
        sso_role_name: That permission set.
        fingerprint: Changes with all that says whose credentials these are.
    """

    name: str
    credential_source: str | None = None
    config_file: str | None = None
    sso_account_id: str | None = None
    sso_role_name: str | None = None
    fingerprint: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.name


@frozen
class ProfileSettings:
    """What a profile says about clients and calls of STS: endpoints, retries, checksums, ...; nothing of credentials.

    Two are equal if they say the same, whichever profiles they come from; only whether there is a region counts, not
    which one.

    Args:
        profile: A profile that says so.
        config_file: The file that it was read from, where that is not the default one.
        digest: Of all settings.
        sts_digest: Of those that calls of STS see, such as their endpoint; "" where there are none.
        has_region: Whether the profile has a region, which is the account's then.
    """

    profile: str = field(compare=False)
    config_file: str | None = None
    digest: str = ""
    sts_digest: str = ""
    has_region: bool = True
