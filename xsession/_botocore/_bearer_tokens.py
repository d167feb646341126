"""Bearer tokens: those of the source would act in the source's account, so no client of ours ever uses one."""

from __future__ import annotations

import os
from typing import Any


class NoTokens:
    """Stands for "no bearer token" among a session's components."""

    def load_token(self, **_kwargs: Any) -> None:
        """Never finds one."""


def register(events: Any) -> None:
    """Registers the handler on the event emitter that clients' emitters are made from."""
    events.register_first("choose-signer", _sign_as_without_token)


def _sign_as_without_token(signing_name: str, signature_version: Any, **_kwargs: Any) -> Any:
    # botocore prefers a token wherever the environment has one for the service.
    if signing_name and f"AWS_BEARER_TOKEN_{signing_name.replace('-', '_').upper()}" in os.environ:
        return signature_version
    return None
