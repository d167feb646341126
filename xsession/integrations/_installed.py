"""Which libraries are installed, and what to install where one is missing."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

from xsession.errors import ConfigError

NEEDED: dict[str, dict[str, str]] = {
    "s3fs": {"s3fs": "2026.9", "aiobotocore": "3.10"},
    "pandas": {"pandas": "3.1", "s3fs": "2026.9", "aiobotocore": "3.10"},
    "polars": {"polars": "2.1"},
    "obstore": {"obstore": "0.12"},
    "pyarrow": {"pyarrow": "25.0", "s3fs": "2026.9", "aiobotocore": "3.10"},
    "duckdb": {"duckdb": "1.5", "s3fs": "2026.9", "aiobotocore": "3.10"},
    "deltalake": {"deltalake": "1.6"},
    "pyiceberg": {"pyiceberg": "0.12", "pyarrow": "25.0", "s3fs": "2026.9", "aiobotocore": "3.10"},
}
"""The extras, each with the packages that its accessor needs and the first version of them that is tested."""


def installed(extra: str) -> str | None:
    """The version of an extra's own library; None: it is not installed."""
    try:
        return version(extra)
    except PackageNotFoundError:
        return None


def require(extra: str, account: str) -> None:
    """Refuses to go on without an extra's packages.

    Args:
        extra: The extra.
        account: The account's name, for the error.

    Raises:
        ConfigError: One is missing or too old; names both versions and what to install.
    """
    for package, minimum in NEEDED[extra].items():
        found = installed(package)
        if found is not None and _numbers(found) >= _numbers(minimum):
            continue
        state = "is not installed" if found is None else f"is installed as {found}, and must be {minimum} or newer"
        msg = f"{package} {state}"
        hint = f'pip install "xsession[{extra}]", or "xsession[data]" for all of them'
        raise ConfigError(msg, account=account, hint=hint)


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:2])
