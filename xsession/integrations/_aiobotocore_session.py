"""The session itself, and the credentials object that its clients have; importing this imports aiobotocore."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession

from xsession._base import hides_frames
from xsession._botocore import DerivedSettings, own_options, register_in_loop
from xsession.errors import ConfigError

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from botocore.credentials import ReadOnlyCredentials

    from xsession._chain import AccountCredentials, ResolvedAccount

Refuse = Callable[[dict[str, Any], str], None]

_CREATE_CLIENT = inspect.signature(AioSession._create_client)  # noqa: SLF001 # the public one has no names


class AioAccountCredentials(AioCredentials):  # type: ignore[misc]  # aiobotocore has no types
    """The credentials object of one account's clients in event loops: they await current ones at each signing.

    Its properties wait for nothing: they have what was awaited last, and raise before that.

    Args:
        own: The account's.
    """

    def __init__(self, own: AccountCredentials) -> None:
        # Not the base's: it would copy the secret.
        self._own = own
        self.method = own.method

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """What the next request is signed with."""
        return await self._own.awaited()

    async def get_access_key(self) -> str | None:
        """The current key id."""
        return (await self._own.awaited()).access_key

    async def get_secret_key(self) -> str | None:
        """The current secret key."""
        return (await self._own.awaited()).secret_key

    async def get_token(self) -> str | None:
        """The current session token."""
        return (await self._own.awaited()).token

    async def get_account_id(self) -> str | None:
        """The account's id, as far as the credentials say it."""
        return getattr(await self._own.awaited(), "account_id", None)

    access_key = property(lambda self: self._own.awaited_last.access_key)
    secret_key = property(lambda self: self._own.awaited_last.secret_key)
    token = property(lambda self: self._own.awaited_last.token)
    account_id = property(lambda self: getattr(self._own.awaited_last, "account_id", None))

    async def awaited_issue(self) -> object:
        """As the account's own `issue`."""
        await self._own.awaited()
        return self._own.issue()

    def __getattr__(self, name: str) -> Any:
        # What a client does when a service rejects them: rejected, accepted, denied, aside, methods, ...
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._own, name)

    def __reduce__(self) -> tuple[object, ...]:
        msg = "credentials are not pickled: a pickle would carry the secret"
        raise TypeError(msg)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._own!r})"


class AioAccountSession(DerivedSettings, AioSession):  # type: ignore[misc]  # aiobotocore has no types
    """An aiobotocore session for one account: whatever takes one takes it, and it never expires.

    Many event loops and threads may use it, one after the other or at the same time; each client belongs to one loop.

    Args:
        owner: The account's `AccountSession`, by which it is pickled.
        resolved: The account.
        refuse: Refuses keys among the arguments of a client.
    """

    def __init__(self, owner: boto3.Session, resolved: ResolvedAccount, refuse: Refuse) -> None:
        super().__init__()
        self._owner = owner
        self._account = resolved.account.name
        self._refuse = refuse
        self._own = AioAccountCredentials(resolved.credentials)
        source = resolved.source
        # Libraries cache by what this session prints as: where another session has the same account, what they keep
        # must not end with that one.
        self._identity = f"{hash((resolved.key, resolved.region_name, id(source))) & 0xFFFFFFFFFFFFFFFF:016x}"
        config = source.core.give_settings(self)
        register_in_loop(self.get_component("event_emitter"))
        self.set_default_client_config(_as_aio(config))
        self.set_config_variable("region", resolved.region_name)
        if not source.has_region:
            source.session.use_region(resolved.region_name)
        self.make_components()

    async def get_credentials(self) -> AioAccountCredentials:  # type: ignore[override]  # as AioSession has it
        """The account's; makes no network call."""
        return self._own

    def set_credentials(self, *_keys: object, **_more: object) -> None:
        """Refuses them: the account says whose credentials are used."""
        self._refuse({"aws_access_key_id": None}, self._account)

    @hides_frames(ConfigError)
    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """A client as aiobotocore's own session makes it, to be entered by `async with`; takes no keys."""
        given = dict(_CREATE_CLIENT.bind(self, *args, **kwargs).arguments)
        del given["self"]
        self._refuse({name: value for name, value in given.items() if value is not None}, self._account)
        # Past the shared settings' way, which is boto3's.
        return super().create_client(**{**given, "config": self.as_passed(given.get("config"))})

    async def _create_client(self, *args: Any, **kwargs: Any) -> Any:
        client = await super()._create_client(*args, **kwargs)
        own_options(client.meta.config)
        self.look_at(client)
        return client

    def __reduce__(self) -> tuple[object, ...]:
        return operator.methodcaller("aio"), (self._owner,)

    def __dask_tokenize__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        owner: Any = self._owner
        return (
            f"AioAccountSession({self._account!r}, account_id={owner.account_id!r}, "
            f"region_name={owner.region_name!r}, identity={self._identity})"
        )


def _as_aio(config: Config) -> Any:
    # Only one of aiobotocore's own keeps what aiobotocore's callers merge into it.
    options: Mapping[str, Any] = config._user_provided_options  # type: ignore[attr-defined]  # noqa: SLF001
    return AioConfig(**options)
