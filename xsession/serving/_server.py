"""`CredentialServer`: credentials for processes that speak no Python."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

from xsession._base import public, renew_after_fork, without_frames
from xsession.accounts import Account, AccountRef, AwsFiles, read_sections
from xsession.errors import ConfigError, RefusedAddressWarning, SessionClosedError, XSessionError

from ._child_environment import child_environment
from ._config_copy import config_copy
from ._container_endpoint import ContainerEndpoint
from ._listen_address import host_headers, in_url, is_asked_by_sdks, listen_address
from ._listener import HOST, Listener
from ._private_folder import PrivateFolder
from ._served_accounts import ServedAccount, ServedAccounts, new_token

if TYPE_CHECKING:
    from xsession._chain import ResolvedAccount

_BOTO2_FILES = ("/etc/boto.cfg", "~/.boto")
_BOTO2_KEY = b"aws_access_key_id"


@public
class CredentialServer:
    """Hands out current credentials on loopback, as a container's endpoint does; made by `CrossAccountSession.serve`.

    Use it as a context manager: with the block, the endpoint, its tokens and its files are gone. It belongs to the
    process that made it; a forked child has no part in it.

    Whoever may read the environment of the child, or the files of this user, gets an account's credentials while the
    server runs: root, and other programs of the same user.

    Args:
        reach: What an account in a call stands for.
        accounts: Which ones are served; None: all that are registered.
        wall: The wall clock, in seconds since 1970.
        host: The IP address that it listens on.
        port: The port; 0: a free one.

    Raises:
        ConfigError: The host is no address or stands for several, or there is no such port.
        OSError: The port is taken, the address is not of this machine, or there is no port or no file left.
    """

    def __init__(
        self,
        reach: Callable[[AccountRef], ResolvedAccount],
        accounts: Iterable[Account] | None,
        *,
        wall: Callable[[], float],
        host: str = HOST,
        port: int = 0,
    ) -> None:
        address = listen_address(host, port)
        if not is_asked_by_sdks(address):
            msg = f"AWS's SDKs ask no endpoint on {address}: over HTTP, they take loopback and containers' addresses"
            warnings.warn(msg, RefusedAddressWarning, stacklevel=3)
        self._reach = reach
        self._allowed = None if accounts is None else frozenset(accounts)
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._endpoints: dict[Account, ContainerEndpoint] = {}
        self._folder = PrivateFolder()
        self._served = ServedAccounts(wall)
        try:
            listener = Listener(self._served.respond, host=str(address), port=port)
            listener.start()
        except (OSError, RuntimeError):
            self._folder.remove()
            raise
        self._listener = listener
        self._netloc = f"{in_url(address)}:{listener.port}"
        self._served.hosts = host_headers(address, listener.port)
        # Also where it is not closed: when it is collected, and when the program ends.
        self._end = weakref.finalize(self, _end, listener, self._folder, os.getpid())
        renew_after_fork(self)

    def endpoint(self, account: AccountRef) -> ContainerEndpoint:
        """What a library needs to ask for one account's credentials; the same while the server runs.

        Gets the credentials first, so that they are there when they are asked for; a person may be asked for an MFA
        code.

        Args:
            account: As for `CrossAccountSession.get_client`, of those that are served.

        Raises:
            UnknownAccountError: No account has that name.
            ConfigError: The account is not served, or can't work.
            CredentialsError: They could not be obtained.
            SessionClosedError: The server or its session is closed, or this is a forked child.
        """
        return self._endpoint(self._warmed(account))

    def environ(self, account: AccountRef, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The whole environment of a child process which acts in one account, ready for `env=`.

        Gets the credentials first, as `endpoint` does. What would lead the child to other credentials is gone: the
        variables that name some, the keys of its default profile and of all others.

        Args:
            account: As for `endpoint`.
            base: The variables that it would have.

        Raises:
            ConfigError: As for `endpoint`; or the AWS config or credentials file of `base` is not of that format.
            XSessionError: As for `endpoint`.
        """
        try:
            return self._environ(account, base)
        except XSessionError as error:
            failure = without_frames(error)
            # It holds the keys of this process, and error reporters send the variables of each frame.
            del base
        raise failure

    def close(self) -> None:
        """Ends the endpoint and removes its files; children that still run get no new credentials."""
        if self._end.alive:
            self._end()
            self._listener.wait()

    def after_fork(self) -> None:
        """Closes what a forked child has of the parent's server, which goes on there."""
        self._end.detach()
        self._lock = threading.RLock()
        self._listener.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = f"on port {self._listener.port}" if self._end.alive else "closed"
        return f"<CredentialServer: {len(self._endpoints)} accounts, {state}>"

    def __reduce__(self) -> NoReturn:
        msg = "a CredentialServer is not pickled: it belongs to this process"
        raise TypeError(msg)

    def _warmed(self, ref: AccountRef) -> ResolvedAccount:
        self._check_open()
        resolved = self._reach(ref)
        account = resolved.account
        if account not in self._allowed if self._allowed is not None else not account.registered:
            msg = f"the account {account.name!r} is not among those that are served"
            raise ConfigError(msg, account=account.name, hint="name it in serve([...])")
        resolved.credentials.current()
        return resolved

    def _endpoint_of(self, resolved: ResolvedAccount) -> ContainerEndpoint:
        self._check_open()
        resolved.credentials.current()
        return self._endpoint(resolved)

    def _environ(self, account: AccountRef, base: Mapping[str, str]) -> dict[str, str]:
        resolved = self._warmed(account)
        profile = base.get("AWS_PROFILE") or base.get("AWS_DEFAULT_PROFILE")
        config = config_copy(read_sections(AwsFiles.of(None, base)), profile)
        with self._lock:
            endpoint = self._endpoint(resolved)
            # By its content: another one has another name, and is not changed while a child reads it.
            config_file = self._folder.write(f"config-{sha256(config.encode()).hexdigest()[:16]}", config)
            empty_file = self._folder.write("empty", "")
        return child_environment(
            base,
            endpoint,
            config_file=config_file,
            empty_file=empty_file,
            region_name=resolved.region_name,
            hides_boto_config=_boto2_has_keys(base),
        )

    def _endpoint(self, resolved: ResolvedAccount) -> ContainerEndpoint:
        with self._lock:
            self._check_open()
            known = self._endpoints.get(resolved.account)
            if known is not None:
                return known
            # Names alone may be double: accounts that are not registered get theirs from a role's.
            number = len(self._endpoints) + 1
            path, token = f"/{number}/{resolved.account.name}", new_token()
            endpoint = ContainerEndpoint(
                uri=f"http://{self._netloc}{path}",
                token=token,
                token_file=self._folder.write(f"token-{number}", token),
            )
            self._served.add(ServedAccount(path, token, resolved.credentials))
            self._endpoints[resolved.account] = endpoint
            return endpoint

    def _check_open(self) -> None:
        if not self._end.alive:
            msg = "the CredentialServer is closed, or belongs to the process that this one was forked from"
            raise SessionClosedError(msg, hint="call serve() again, in this process")


def _end(listener: Listener, folder: PrivateFolder, process: int) -> None:
    # A forked child whose hooks did not run must not take the parent's files.
    if os.getpid() == process:
        # Not waited for: it may be the garbage collector that calls this, in the middle of anything.
        listener.end()
        folder.remove()


def _boto2_has_keys(base: Mapping[str, str]) -> bool:
    named = base.get("BOTO_CONFIG")
    for name in _BOTO2_FILES if named is None else (named,):
        try:
            if _BOTO2_KEY in Path(name).expanduser().read_bytes().lower():
                return True
        except (OSError, RuntimeError):
            continue
    return False
