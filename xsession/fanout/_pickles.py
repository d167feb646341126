"""What travels to other processes, and back: checked where it is written, so that nothing fails where it is read."""

from __future__ import annotations

import functools
import pickle
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from io import BytesIO
from itertools import islice
from typing import Any

from xsession._base import text_of
from xsession.credentials import Credentials
from xsession.errors import ConfigError, RemoteCallError
from xsession.redaction import redacted

from ._calls import failed
from ._outcomes import Outcome
from ._plan import Unit

_MAX_TRACEBACK_CHARACTERS = 16_384
_MOST_LOOKED_AT = 10_000
_CREDENTIALS = ("botocore.credentials", "aiobotocore.credentials")
_PLAIN = frozenset({bool, bytes, dict, float, int, list, set, str, tuple, type(None)})
_TAKE = "make it in the function: it is given the account's session, whose client() and get_client() make clients"


def dumps(value: Any) -> bytes:
    """A pickle; by cloudpickle where that is installed, which takes functions of scripts and notebooks too.

    Raises:
        Exception: The value can't be pickled, or holds credentials, wherever they lie.
    """
    file = BytesIO()
    _pickler()(file).dump(value)
    return file.getvalue()


@functools.cache
def _pickler() -> Any:
    """The class that pickles; made once."""
    base: Any = pickle.Pickler
    if find_spec("cloudpickle") is not None:
        import cloudpickle  # noqa: PLC0415 # there may be none

        base = cloudpickle.Pickler

    class WithoutCredentials(base):  # type: ignore[misc]  # whichever there is
        def persistent_id(self, value: object) -> None:
            # Asked of each object, also of what functions close over. Our own credentials refuse by themselves.
            if type(value) not in _PLAIN and _is_of(value, *_CREDENTIALS):
                msg = "credentials are not pickled: a pickle would carry the secret"
                raise pickle.PicklingError(msg)

    return WithoutCredentials


def check_travels(func: Any, arguments: Mapping[str, Any]) -> None:
    """Refuses a function or arguments that another process could not have.

    Raises:
        ConfigError: They can't be pickled, or hold a client, a session or credentials.
    """
    for name, value in arguments.items():
        if (found := held(value)) is not None:
            msg = f"arguments[{name!r}] holds {found}, which is for this process"
            raise ConfigError(msg, hint=_TAKE)
    main = sys.modules.get("__main__")
    by_value = find_spec("cloudpickle") is not None
    if getattr(func, "__module__", None) == "__main__" and not by_value and not hasattr(main, "__file__"):
        msg = f"the function {_name(func)} is of a notebook or a prompt, where other processes don't find it"
        raise ConfigError(msg, hint="install cloudpickle, or put it in a module")
    try:
        dumps((func, dict(arguments)))
    except Exception as error:
        msg = f"the function {_name(func)} and its arguments can't be sent to another process: {text_of(error)}"
        raise ConfigError(msg, hint=f"pass what can be pickled; a client, a lock or an open file: {_TAKE}") from error


def held(value: Any) -> str | None:
    """What a value holds that belongs to this process or is a secret: a client, a session, credentials; None: nothing.

    Looks into mappings, lists, tuples and sets, as far as they let themselves be looked into.
    """
    waiting, looked_at = [value], 0
    while waiting and looked_at < _MOST_LOOKED_AT:
        one = waiting.pop()
        looked_at += 1
        if (found := _kind(one)) is not None:
            return found
        with suppress(Exception):  # its own code
            waiting += islice(_inside(one), max(0, _MOST_LOOKED_AT - len(waiting)))
    return None


def _kind(value: object) -> str | None:
    if issubclass(type(value), Credentials) or _is_of(value, *_CREDENTIALS):
        return "credentials"
    if _is_of(value, "botocore.client", "aiobotocore.client", "boto3.resources"):
        return "a client"
    return "a session" if _is_of(value, "boto3.session", "botocore.session", "aiobotocore.session") else None


def _inside(value: Any) -> Iterable[Any]:
    # By its type: what a value says of its class is its own code, too.
    kind = type(value)
    if issubclass(kind, Mapping):
        values: Iterable[Any] = value.values()
        return values
    return value if issubclass(kind, list | tuple | set | frozenset) else ()


def _is_of(value: object, *modules: str) -> bool:
    return any(_within(cls.__module__, modules) for cls in type(value).__mro__)


def _within(module: object, modules: Iterable[str]) -> bool:
    return isinstance(module, str) and any(module == name or module.startswith(f"{name}.") for name in modules)


def _name(func: object) -> str:
    return repr(getattr(func, "__qualname__", None) or type(func).__name__)


def pack(outcome: Outcome[Any]) -> bytes:
    """An outcome as bytes that can be read where xsession is installed, whatever it holds."""
    if outcome.error is not None:
        outcome = outcome.with_error(_portable(outcome.error))
    try:
        data = dumps(outcome)
        pickle.loads(data)  # noqa: S301 # our own
    except (Exception, SystemExit) as error:  # noqa: BLE001 # a value's own code
        msg = f"the function returned a {type(outcome.value).__name__}, which can't be sent back: {text_of(error)}"
        unit = Unit(outcome.account, outcome.region, (0, 0))
        hint = "return numbers, strings, lists and mappings"
        return pickle.dumps(failed(unit, RemoteCallError(msg, account=outcome.account, hint=hint), "call"))
    return data


def _portable(error: Exception) -> Exception:
    """The error, or another one that says the same, where a pickle of it can't be read."""
    text = redacted("".join(traceback.format_exception(error)))[-_MAX_TRACEBACK_CHARACTERS:]
    error = error.with_traceback(None)
    try:
        read = pickle.loads(dumps(error))  # noqa: S301 # our own
    except Exception:  # noqa: BLE001 # an exception's own code
        read = None
    if type(read) is type(error) and str(read) == str(error):
        error.add_note(f"raised in another process:\n{text}")
        return error
    made = RemoteCallError(redacted(f"{type(error).__name__}: {error}"))
    made.kind, made.traceback_text = type(error).__name__, text
    return made
