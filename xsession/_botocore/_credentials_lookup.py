"""Looks for a session's credentials as botocore does, and notes what botocore keeps to itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import boto3
import botocore.session
from botocore.credentials import Credentials

from ._instance_metadata import watching
from ._token_files import guard_credentials, guard_providers
from ._user_agent import recorded_methods


class LookedUp(NamedTuple):
    """What was found.

    Args:
        credentials: The credentials; None: there are none.
        methods: How they were obtained, in botocore's ids; empty where they were there before.
        metadata_problem: Why the machine's metadata gave none, where they may do so later.
    """

    credentials: Credentials | None
    methods: frozenset[str]
    metadata_problem: str | None


def look_up(session: boto3.Session, *, held: object, expected_of_machine: bool) -> LookedUp:
    """A session's credentials; what refreshes them reads token files with care.

    Args:
        session: The session.
        held: Those that it was given, or has found already; None: it has none yet.
        expected_of_machine: Whether a profile says that the machine has them.
    """
    providers = _providers(session, held)
    guard_providers(providers)
    methods: set[str] = set()
    with watching(providers, expected=expected_of_machine) as metadata, recorded_methods(methods):
        found: Credentials | None = guard_credentials(session.get_credentials())
    return LookedUp(found, frozenset(methods), metadata.problem if found is None else None)


def _providers(session: boto3.Session, held: object) -> list[Any]:
    # None of botocore's where the session has found some, or has a way of its own.
    inner = session._session
    if type(inner).get_credentials is not botocore.session.Session.get_credentials:
        return []
    if held is not None and getattr(held, "method", None) != "container-role":
        return []
    return list(getattr(inner.get_component("credential_provider"), "providers", ()))
