"""Environment variables as text that a shell, or another program, reads back exactly as they are.

One line for each, ended by a line feed on each platform: a carriage return would become part of a token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from xsession.errors import ConfigError

Format = Literal["sh", "fish", "powershell", "dotenv", "json"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Of all readers of such files, some take quotes for a part of the value.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
# PowerShell takes each of them for the one that ends a string.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


def assignments(variables: Mapping[str, str], style: Format) -> str:
    """Text that sets variables, for programs that are started from there as well.

    Args:
        variables: Their values.
        style: Who reads it: "sh" is any POSIX shell.

    Raises:
        ConfigError: A name that is none, or a value with control characters, which no reader would give back.
    """
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise ConfigError.invalid(name, "variable", "letters, digits and underscores")
        if any(not character.isprintable() and character != " " for character in value):
            msg = f"the value of {name} has control characters"
            raise ConfigError(msg, hint="correct it where it comes from")
    if style == "json":
        return json.dumps(dict(variables), indent=2) + "\n"
    line = _LINES[style]
    return "".join(f"{line(name, value)}\n" for name, value in variables.items())


def removals(names: Iterable[str], style: Format) -> str:
    """Text that unsets variables, and does nothing where they are not set.

    Args:
        names: Which ones.
        style: Who reads it.

    Raises:
        ConfigError: That reader can only set variables.
    """
    if style == "sh":
        return f"unset {' '.join(names)}\n"
    if style == "fish":
        return f"set -e -g {' '.join(names)}; or true\n"
    if style == "powershell":
        return "".join(f"$Env:{name} = $null\n" for name in names)
    msg = f"nothing can be unset in the format {style}"
    raise ConfigError(msg, hint="use sh, fish or powershell")


def _sh(name: str, value: str) -> str:
    quoted = value.replace("'", "'\\''")
    return f"export {name}='{quoted}'"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    quoted = _POWERSHELL_QUOTES.sub(r"\1\1", value)
    return f"$Env:{name} = '{quoted}'"


def _dotenv(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    if "'" not in value:
        return f"{name}='{value}'"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'{name}="{quoted}"'


_LINES: Mapping[str, Callable[[str, str], str]] = {
    "sh": _sh,
    "fish": _fish,
    "powershell": _powershell,
    "dotenv": _dotenv,
}
