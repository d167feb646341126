"""Transfers of S3 by boto3's classic manager: its other one, of the AWS Common Runtime, is one for the process.

boto3 keeps the credentials of whoever transfers first in it, and compares everybody else's with them at each transfer:
with an account's in it, a refresh that hangs or is refused would be met by all, plain boto3 included.
https://boto3.amazonaws.com/v1/documentation/api/latest/reference/customizations/s3.html
"""

from __future__ import annotations

import copy
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from xsession.errors import ConfigError

_METHODS = ("download_file", "download_fileobj", "upload_file", "upload_fileobj")
_CLASSIC = "classic"
_OTHER_MANAGER = "create_crt_transfer_manager"


def register(events: Any) -> None:
    """Registers the handler on the event emitter that clients' emitters are made from."""
    # After boto3's own, which adds the methods.
    events.register_last("creating-client-class.s3", _use_classic_manager)


def _use_classic_manager(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
    for name in _METHODS:
        if name in class_attributes:
            class_attributes[name] = _with_classic_manager(class_attributes[name])
    class_attributes["_get_credentials"] = _credentials_for_common_runtime
    _pass_common_runtime_by()


def _with_classic_manager(method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @functools.wraps(method)
    def transfer(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return method(*args, **kwargs)
        bound.arguments["Config"] = _classic(bound.arguments.get("Config"))
        return method(*bound.args, **bound.kwargs)

    return transfer


def _classic(config: Any) -> Any:
    if config is None:
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 # as boto3: at the first transfer

        return TransferConfig(preferred_transfer_client=_CLASSIC)
    _refuse_by_name(config)
    if getattr(config, "preferred_transfer_client", _CLASSIC) == _CLASSIC:
        return config
    config = copy.copy(config)
    config.preferred_transfer_client = _CLASSIC
    return config


def _pass_common_runtime_by() -> None:
    # S3Transfer(client) and create_transfer_manager(client, config) take the machine's lock and make the process's CRT
    # client before they ask anything of a client: whom boto3 asks for that manager must know ours.
    module: Any = sys.modules.get("boto3.s3.transfer")
    create = getattr(module, _OTHER_MANAGER, None)  # None: awscrt is not installed
    if create is None or (isinstance(create, functools.partial) and create.func is _create_unless_ours):
        return
    setattr(module, _OTHER_MANAGER, functools.partial(_create_unless_ours, create))


def _create_unless_ours(create: Callable[..., Any], client: Any, config: Any, *args: Any, **kwargs: Any) -> Any:
    if getattr(type(client), "_get_credentials", None) is not _credentials_for_common_runtime:
        return create(client, config, *args, **kwargs)
    _refuse_by_name(config)
    return None  # boto3 goes on with the classic one


def _credentials_for_common_runtime(self: Any) -> Any:
    # Only boto3.crt asks: to make the process's client, or to compare credentials with those of one made before.
    runtime = sys.modules.get("boto3.crt")
    if runtime is None:
        return self._request_signer._credentials
    if getattr(runtime, "CRT_S3_CLIENT", None) is None:
        raise _refusal()
    return None


def _refuse_by_name(config: Any) -> None:
    if str(getattr(config, "preferred_transfer_client", _CLASSIC)).lower() == "crt":
        raise _refusal()


def _refusal() -> ConfigError:
    msg = "accounts' clients don't transfer by boto3's CRT client: it would keep an account's credentials for everybody"
    return ConfigError(msg, hint="leave preferred_transfer_client out, or pass preferred_transfer_client='classic'")
