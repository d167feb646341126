"""Where the user's own files are, as each platform has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from ._found_file import FILE_NAME


def user_file(environ: Mapping[str, str], platform: str) -> PurePath | None:
    """The user's own file, whether it is there or not; None: there is no home.

    Args:
        environ: The process's environment variables.
        platform: As `sys.platform`.
    """
    kind: type[PurePath] = PureWindowsPath if platform == "win32" else PurePosixPath
    folder = kind(environ.get("APPDATA" if platform == "win32" else "XDG_CONFIG_HOME", ""))
    if not folder.is_absolute():  # which the specification of XDG_CONFIG_HOME says to ignore
        home = home_folder(environ, platform)
        if home is None:
            return None
        below = {"win32": "AppData/Roaming", "darwin": "Library/Application Support"}.get(platform, ".config")
        folder = home / below
    return folder / "xsession" / FILE_NAME


def home_folder(environ: Mapping[str, str], platform: str) -> PurePath | None:
    """The user's home; None: the environment names none, as in some containers.

    Args:
        environ: The process's environment variables.
        platform: As `sys.platform`.
    """
    kind: type[PurePath] = PureWindowsPath if platform == "win32" else PurePosixPath
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME")
    return kind(home) if home else None
