"""Who runs this process."""

from __future__ import annotations

import getpass
import os
import sys

from ._session_name import Runner, runner


def this_runner() -> Runner:
    """Who runs this process: the job of a platform, else its user and its program."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id may have no name
        user = f"uid{os.getuid()}" if hasattr(os, "getuid") else "user"
    program = sys.argv[0] if sys.argv else ""
    return runner(os.environ, user=user, program=program, host=_host())


def _host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    import platform  # noqa: PLC0415 # it takes long, and only Windows needs it

    return platform.node()
