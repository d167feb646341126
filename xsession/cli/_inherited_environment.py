"""The variables that this process was started with."""

from __future__ import annotations

import os
from pathlib import Path

_OF_LOCALE = "LC_CTYPE"
_STARTED_WITH = Path("/proc/self/environ")


def inherited_environment() -> dict[str, str]:
    """All variables, without the one that Python adds for its children where the locale is C.

    https://docs.python.org/3/using/cmdline.html#envvar-PYTHONCOERCECLOCALE
    """
    variables = dict(os.environ)
    if _OF_LOCALE in variables:
        try:
            names = {pair.partition(b"=")[0] for pair in _STARTED_WITH.read_bytes().split(b"\0")}
        except OSError:
            return variables  # other systems don't say
        if _OF_LOCALE.encode() not in names:
            del variables[_OF_LOCALE]
    return variables
