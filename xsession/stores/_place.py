"""Where the store of a user lies."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

from xsession.errors import ConfigError, shown

STORE_VARIABLE = "XSESSION_STORE"
_PACKAGES = ("cryptography", "filelock", "keyring", "platformdirs")


def named_store(environ: Mapping[str, str]) -> str | None:
    """Which store `XSESSION_STORE` says that a session has, "file" or "memory"; None: it says nothing.

    Args:
        environ: The process's environment variables.
    """
    named = environ.get(STORE_VARIABLE)
    if not named:
        return None
    return "memory" if named == "memory" else "file"  # `store_path` reads a path in it


def store_path(path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> Path | None:
    """The folder of a store; None: there is no place for one, since the user has no home.

    Args:
        path: What the caller named; None: what `XSESSION_STORE` names, else the user's folder for caches.
        environ: The process's environment variables.

    Raises:
        ConfigError: What was named is not an absolute path.
    """
    if path is not None:
        return _absolute(os.fspath(path), "path")
    named = environ.get(STORE_VARIABLE, "")
    if named not in {"", "file", "memory"}:
        return _absolute(named, STORE_VARIABLE)
    from platformdirs import user_cache_dir  # noqa: PLC0415 # an extra's

    try:
        folder = Path(user_cache_dir("xsession", appauthor=False), "store")
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None  # older versions of platformdirs raise nothing


def check_installed() -> None:
    """Refuses to go on without the packages of the extra.

    Raises:
        ConfigError: One is missing; says what to install.
    """
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            msg = f"FileStore needs {package}, which is not installed"
            raise ConfigError(msg, hint='pip install "xsession[store]"')


def _absolute(path: str, name: str) -> Path:
    try:
        place = Path(path).expanduser()
    except RuntimeError:  # the user has no home
        place = Path(path)
    if not place.is_absolute() or "\0" in path:
        msg = f"{name} must be an absolute path, not {shown(path)}"
        raise ConfigError(msg, hint="the store must be the same one wherever the program is started")
    return place
