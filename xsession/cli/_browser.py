"""Starts a browser, quietly and without waiting for one that stays."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

_WSL = ("WSL_DISTRO_NAME", "WSL_INTEROP")


def openers(environ: Mapping[str, str], platform: str, address: str) -> Iterator[list[str]]:
    """The commands that open an address, the one that the user named first.

    Args:
        environ: The variables, of which BROWSER counts: commands, in which %s stands for the address.
        platform: As `sys.platform`.
        address: What to open.
    """
    for named in environ.get("BROWSER", "").split(os.pathsep):
        try:
            words = shlex.split(named)
        except ValueError:  # a quote that does not end
            continue
        if words:
            yield [word.replace("%s", address) for word in words] if "%s" in named else [*words, address]
    if environ.get("BROWSER"):
        return
    if platform == "darwin":
        yield ["open", address]
    elif platform == "win32":
        yield ["rundll32", "url.dll,FileProtocolHandler", address]
    else:
        if any(name in environ for name in _WSL):
            yield ["wslview", address]
            yield ["rundll32.exe", "url.dll,FileProtocolHandler", address]
        yield ["xdg-open", address]


def start_browser(address: str) -> subprocess.Popen[bytes] | None:
    """Starts the first opener that there is; None: there is none.

    What it prints is dropped: it is about desktops and libraries, and nobody here can change them.

    Args:
        address: What to open.
    """
    for command in openers(os.environ, sys.platform, address):
        with suppress(OSError):
            # A session of its own: Ctrl-C here is not meant for a browser that was started here.
            return subprocess.Popen(  # noqa: S603 # the user's own opener, without a shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
    return None
