"""The names and types of options, for type checkers: what is mistyped in a call is found before it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypedDict

from xsession._base import public
from xsession.policies import PolicyLike


class _CommonOptions(TypedDict, total=False):
    role_session_name: str | None
    duration_seconds: int | timedelta | None
    policy: PolicyLike | None
    policy_arns: Sequence[str]
    tags: Mapping[str, str]
    transitive_tag_keys: Sequence[str]
    source_identity: str | None
    mfa_serial: str | None
    sts_region_name: str | None


@public
class RoleOptions(_CommonOptions, total=False):
    """The options of a `Role`, as `CrossAccountSession.session` takes them."""

    external_id: str | None
    web_identity_token: Callable[[], str] | None
    web_identity_token_file: str | os.PathLike[str] | None


@public
class DefaultOptions(_CommonOptions, total=False):
    """The options of `Defaults`, as `CrossAccountSession` takes them beside its own arguments."""

    mfa_command: str | Sequence[str] | None
    mfa_duration_seconds: int | timedelta | None
