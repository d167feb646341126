"""Where credentials came from, in the User-Agent of the requests that they sign: AWS counts it by botocore's ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import botocore.useragent

from xsession.accounts import Profile

from ._template_copies import copied

try:
    from botocore.context import ClientContext, get_context, reset_context, set_context
except ImportError:  # the ids are not in every botocore
    ClientContext = None  # type: ignore[assignment, misc]  # as above
else:

    class _CallContext(ClientContext):
        """What botocore copies at each call, and deeply, which takes longer than it must."""

        def __deepcopy__(self, _memo: object) -> _CallContext:
            return _CallContext(features=set(self.features))


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

_PROFILE = "CREDENTIALS_PROFILE"
_OF_SOURCE_PROFILE = frozenset({_PROFILE, "CREDENTIALS_PROFILE_SOURCE_PROFILE"})
_OF_NAMED_SOURCE = frozenset({"CREDENTIALS_PROFILE_NAMED_PROVIDER"})
_NAMED_SOURCES = {
    "Ec2InstanceMetadata": "CREDENTIALS_IMDS",
    "EcsContainer": "CREDENTIALS_HTTP",
    "Environment": "CREDENTIALS_ENV_VARS",
}
# In botocore's order but for keys, which come last: in the credentials file, they are before the last two.
_OF_SETTINGS = (
    ("web_identity_token_file", ("CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN", "CREDENTIALS_STS_ASSUME_ROLE_WEB_ID")),
    ("sso_session", ("CREDENTIALS_PROFILE_SSO", "CREDENTIALS_SSO")),
    ("sso_role_name", ("CREDENTIALS_PROFILE_SSO_LEGACY", "CREDENTIALS_SSO_LEGACY")),
    ("login_session", ("CREDENTIALS_PROFILE_LOGIN", "CREDENTIALS_LOGIN")),
    ("credential_process", ("CREDENTIALS_PROFILE_PROCESS", "CREDENTIALS_PROCESS")),
)


def methods_of_profile(profile: Profile, settings: Mapping[str, Any]) -> frozenset[str]:
    """How the credentials that a profile has by itself will be obtained, in botocore's ids.

    Args:
        profile: The profile.
        settings: What it says.
    """
    if profile.credential_source is not None:
        return frozenset({_NAMED_SOURCES[profile.credential_source]})
    return frozenset(next((ids for setting, ids in _OF_SETTINGS if setting in settings), (_PROFILE,)))


def methods_of_naming(profile: Profile) -> frozenset[str]:
    """How a profile with a role names what assumes it: as a `source_profile` or a `credential_source`."""
    return _OF_SOURCE_PROFILE if profile.credential_source is None else _OF_NAMED_SOURCE


@contextmanager
def recorded_methods(methods: set[str]) -> Iterator[None]:
    """Adds to `methods`, in botocore's ids, how credentials are obtained within the block."""
    if ClientContext is None:
        yield
        return
    outer = get_context()
    context = ClientContext()
    token = set_context(context)
    try:
        yield
    finally:
        reset_context(token)
        names = {code: name for name, code in _known().items()}
        methods.update(name for code in context.features if (name := names.get(code, "")).startswith("CREDENTIALS_"))
        if outer is not None:
            # The request that they are for tells of them, as botocore has it.
            outer.features.update(context.features)


@contextmanager
def within_request() -> Iterator[None]:
    """Has what botocore calls within the block for credentials tell how it obtains them, in a thread of ours too."""
    if ClientContext is None or get_context() is not None:
        yield
    else:
        with called_with(()):
            yield


@contextmanager
def called_with(methods: Iterable[str]) -> Iterator[None]:
    """Calls within the block tell how the credentials that sign them were obtained, and nothing of the caller's own."""
    if ClientContext is None:
        yield
        return
    token = set_context(_CallContext(features=_codes(methods)))
    try:
        yield
    finally:
        reset_context(token)


def tell_methods(client: Any, methods: Iterable[str]) -> None:
    """Has a client that botocore made tell by which methods its credentials were obtained."""
    _tell(getattr(client, "_user_agent_creator", None), methods)


def telling(creator: Any, methods: Iterable[str]) -> Any:
    """A maker of User-Agent headers that tells these methods, besides what `creator` does; for many clients."""
    made = copied(creator)
    _tell(made, methods)
    return made


def _tell(creator: Any, methods: Iterable[str]) -> None:
    codes = _codes(methods)
    if codes and hasattr(creator, "set_client_features"):
        creator.set_client_features(codes.union(getattr(creator, "_client_features", None) or ()))


def _codes(methods: Iterable[str]) -> set[str]:
    # A method of botocore's credentials, or one of its ids.
    known = _known()
    return {known[feature] for method in methods if (feature := _FEATURES.get(method, method)) in known}


def _known() -> Mapping[str, str]:
    # The ids are not in every botocore.
    known: Mapping[str, str] = getattr(botocore.useragent, "_USERAGENT_FEATURE_MAPPINGS", {})
    return known
