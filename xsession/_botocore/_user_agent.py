"""Where credentials came from, in the User-Agent of the requests that they sign: AWS counts it by botocore's ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import botocore.useragent

from ._template_copies import copied

# botocore's ids, by the method of its credentials.
_FEATURES = {
    "assume-role": "CREDENTIALS_STS_ASSUME_ROLE",
    "assume-role-with-web-identity": "CREDENTIALS_STS_ASSUME_ROLE_WEB_ID",
    "boto-config": "CREDENTIALS_BOTO2_CONFIG_FILE",
    "config-file": "CREDENTIALS_PROFILE",
    "container-role": "CREDENTIALS_HTTP",
    "custom-process": "CREDENTIALS_PROCESS",
    "env": "CREDENTIALS_ENV_VARS",
    "explicit": "CREDENTIALS_CODE",
    "iam-role": "CREDENTIALS_IMDS",
    "login": "CREDENTIALS_LOGIN",
    "shared-credentials-file": "CREDENTIALS_PROFILE",
    "sso": "CREDENTIALS_SSO",
}


def tell_methods(client: Any, methods: Iterable[str]) -> None:
    """Has a client that botocore made tell by which methods its credentials were obtained."""
    _tell(getattr(client, "_user_agent_creator", None), methods)


def telling(creator: Any, methods: Iterable[str]) -> Any:
    """A maker of User-Agent headers that tells these methods, besides what `creator` does; for many clients."""
    made = copied(creator)
    _tell(made, methods)
    return made


def _tell(creator: Any, methods: Iterable[str]) -> None:
    # The ids are not in every botocore.
    known = getattr(botocore.useragent, "_USERAGENT_FEATURE_MAPPINGS", {})
    codes = {known[feature] for feature in map(_FEATURES.get, methods) if feature in known}
    if codes and hasattr(creator, "set_client_features"):
        creator.set_client_features(codes.union(getattr(creator, "_client_features", None) or ()))
