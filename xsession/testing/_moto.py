"""moto's storage, and its application."""

from __future__ import annotations

from typing import Any

from xsession import ConfigError


class Moto:
    """moto's storage.

    Args:
        get_backend: A service's storage, by its name.
        reset: Empties all.
    """

    def __init__(self, get_backend: Any, reset: Any) -> None:
        self._get_backend = get_backend
        self._reset = reset

    def reset(self) -> None:
        """Empties it."""
        self._reset()

    def iam(self, account_id: str, partition: str) -> Any:
        """An account's IAM."""
        return self._get_backend("iam")[account_id][partition]

    def bucket_owner(self, bucket: str) -> str | None:
        """The account that a bucket is in."""
        _, account_id = self._get_backend("s3").bucket_accounts.get(bucket, (None, None))
        return account_id  # type: ignore[no-any-return]  # moto is not typed for us


def load_moto() -> tuple[Moto, Any]:
    """The storage, and the WSGI application in front of it.

    Raises:
        ConfigError: The extra `xsession[testing]` is not installed.
    """
    try:
        from moto.backends import get_backend  # noqa: PLC0415 # comes with the extra, and takes a second
        from moto.core.base_backend import BackendDict  # noqa: PLC0415
        from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415
    except ImportError as error:
        msg = f"the local AWS needs {error.name}"
        raise ConfigError(msg, hint="pip install 'xsession[testing]'") from error
    return Moto(get_backend, BackendDict.reset), DomainDispatcherApplication(create_backend_app)
