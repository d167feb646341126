"""Whether this runs inside of another `xsession exec`: judged by what lives, since variables outlive their process."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from xsession._base import frozen

MARKER = "XSESSION_EXEC"
"""Which process serves the child, and on which port."""
ACCOUNT = "XSESSION_ACCOUNT"
"""Which account the child acts in: for the prompt of a shell, say."""

_ENDPOINT = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_OF_ENDPOINT = (
    _ENDPOINT,
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
)
_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG")
_LOOPBACK = "127.0.0.1"
_SECONDS = 0.5


@frozen(kw_only=True)
class OuterExec:
    """An `xsession exec` that the variables tell of.

    Args:
        account: Its account.
        is_alive: Whether it runs and serves.
        stale: The variables that it has left behind, if it does not.
    """

    account: str
    is_alive: bool
    stale: tuple[str, ...]


def marker(served: Mapping[str, str]) -> str:
    """The marker's value for a child of this process.

    Args:
        served: The child's variables, with its endpoint.
    """
    return f"{os.getpid()}:{urlsplit(served[_ENDPOINT]).port}"


def outer_exec(environ: Mapping[str, str]) -> OuterExec | None:
    """The `xsession exec` that this process was started in; None: in none.

    Args:
        environ: The variables.
    """
    named = re.fullmatch(r"([1-9][0-9]{0,9}):([1-9][0-9]{0,4})", environ.get(MARKER, ""))
    if named is None:
        return None
    process, port = int(named[1]), int(named[2])
    is_alive = _runs(process) and _listens(port)
    stale = () if is_alive else tuple(_stale(environ, port))
    return OuterExec(account=environ.get(ACCOUNT, "?"), is_alive=is_alive, stale=stale)


def _stale(environ: Mapping[str, str], port: int) -> Iterator[str]:
    yield from (name for name in (MARKER, ACCOUNT) if name in environ)
    if environ.get(_ENDPOINT, "").startswith(f"http://{_LOOPBACK}:{port}/"):
        yield from (name for name in _OF_ENDPOINT if name in environ)
        yield from (name for name in _FILES if name in environ and not Path(environ[name]).exists())


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _listens(port: int) -> bool:
    try:
        socket.create_connection((_LOOPBACK, port), _SECONDS).close()
    except (OSError, OverflowError):
        return False
    return True
