"""aiobotocore: a session for one account, whose clients await the account's credentials at each signing."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from xsession.errors import ConfigError

if TYPE_CHECKING:
    import boto3

    from xsession._chain import ResolvedAccount

OLDEST = (2, 11)
"""The first version that works beside the oldest botocore that xsession takes."""


def aio_session(owner: boto3.Session, resolved: ResolvedAccount, refuse: Callable[[dict[str, Any], str], None]) -> Any:
    """A new aiobotocore session of an account.

    Args:
        owner: The account's `AccountSession`, by which the new one is pickled.
        resolved: The account.
        refuse: Refuses keys among the arguments of a client of that account.

    Raises:
        ConfigError: aiobotocore is not installed, or too old.
    """
    _check_installed()
    from ._aiobotocore_session import AioAccountSession  # noqa: PLC0415 # it imports aiobotocore, which takes 0.6 s

    return AioAccountSession(owner, resolved, refuse)


def _check_installed() -> None:
    oldest = ".".join(map(str, OLDEST))
    try:
        installed = version("aiobotocore")
    except PackageNotFoundError:
        problem = "and it is not installed"
    else:
        if tuple(int(part) for part in installed.split(".")[:2]) >= OLDEST:
            return
        problem = f"and {installed} is installed"
    msg = f"aio() needs aiobotocore {oldest} or later, {problem}"
    raise ConfigError(msg, hint='pip install "xsession[aio]"')
