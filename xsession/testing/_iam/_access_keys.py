"""Access keys, long-term and temporary, with the session that each stands for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import field

from xsession._base import frozen

from ._permissions import NamedPolicy
from ._trust import Principal

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@frozen(kw_only=True)
class AccessKey:
    """An access key that this AWS knows.

    Args:
        access_key_id: Its id.
        secret_access_key: Its secret.
        session_token: The token, for temporary ones.
        principal: Whose it is.
        user_id: The unique id of the user or of the role's session.
        issued: When it was made, in seconds since 1970; None: it is a long-term key.
        expires: When it ends, by the server's clock, in seconds since 1970; None: never.
        mfa: Whether its session passed MFA; None: it is a long-term key.
        chained: Whether a role assumed with it is a chained one.
        source_identity: The source identity of its session.
        tags: The session tags.
        transitive_tags: Those of them that go on to the next role.
        session_policies: Its session policies, which add up; none: nothing narrows it.
        own: Whether it is for the server's own set-up, which is not counted.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    principal: Principal
    user_id: str
    issued: float | None = None
    expires: float | None = None
    mfa: bool | None = None
    chained: bool = False
    source_identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: Mapping[str, str] = field(default_factory=dict)
    session_policies: Sequence[NamedPolicy] = ()
    own: bool = False

    @property
    def is_user_session(self) -> bool:
        """Whether it is one of GetSessionToken: temporary, and no role's."""
        return self.session_token is not None and self.principal.role_arn is None


def new_id(prefix: str) -> str:
    """A unique id of AWS's form: four letters and sixteen more characters."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(16))


def new_key(principal: Principal, user_id: str, *, own: bool = False) -> AccessKey:
    """A new long-term access key."""
    return AccessKey(
        access_key_id=new_id("AKIA"),
        secret_access_key=secrets.token_urlsafe(30),
        principal=principal,
        user_id=user_id,
        own=own,
    )
