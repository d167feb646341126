"""The same thing done with each library: a client of a service in an account, reached by one role."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import boto3

REGION = "eu-west-1"
ACCOUNTS = 500
"""How many accounts xsession knows by name; how many are used is the scenario's to say."""


def role_arn(account: int) -> str:
    """The role of an account."""
    return f"arn:aws:iam::{account:012}:role/Bench"


class Contender(Protocol):
    """One library.

    Attributes:
        accounts: How many accounts are measured one after the other, with one service and with five; what is slow is
            measured with fewer.
        at_once: How many are measured at once.
    """

    accounts: tuple[int, int]
    at_once: int

    def client(self, service_name: str, account: int, region_name: str | None = None) -> Any:
        """What its users write to get a client."""


class PlainBoto3:
    """AssumeRole by hand, and a boto3 session for each account; nothing is refreshed."""

    accounts = 20, 10
    at_once = 96

    def __init__(self) -> None:
        self._sts = boto3.client("sts", region_name=REGION)
        self._sessions: dict[int, boto3.Session] = {}

    def client(self, service_name: str, account: int, region_name: str | None = None) -> Any:
        """A client of the account's session."""
        session = self._sessions.get(account)
        if session is None:
            issued = self._sts.assume_role(RoleArn=role_arn(account), RoleSessionName="bench")["Credentials"]
            keys = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
            session = self._sessions[account] = boto3.Session(*keys, region_name=REGION)
        return session.client(service_name, region_name)  # type: ignore[call-overload]  # any service


class AssumeRoleLib:
    """aws-assume-role-lib."""

    accounts = 20, 10
    at_once = 96

    def __init__(self) -> None:
        self._parent = boto3.Session(region_name=REGION)
        self._sessions: dict[int, boto3.Session] = {}

    def client(self, service_name: str, account: int, region_name: str | None = None) -> Any:
        """A client of the account's session."""
        import aws_assume_role_lib  # noqa: PLC0415 # each library is imported only where it is measured

        session = self._sessions.get(account)
        if session is None:
            session = aws_assume_role_lib.assume_role(
                self._parent, role_arn(account), RoleSessionName="bench", validate=False
            )
            self._sessions[account] = session
        return session.client(service_name, region_name)  # type: ignore[call-overload]  # any service


class RefreshSession:
    """boto3-refresh-session, which caches clients itself."""

    accounts = 20, 10
    at_once = 96

    def __init__(self) -> None:
        self._sessions: dict[int, Any] = {}

    def client(self, service_name: str, account: int, region_name: str | None = None) -> Any:
        """A client of the account's session."""
        from boto3_refresh_session import RefreshableSession  # noqa: PLC0415 # likewise

        session = self._sessions.get(account)
        if session is None:
            assume = {"RoleArn": role_arn(account), "RoleSessionName": "bench"}
            session = RefreshableSession(assume_role_kwargs=assume, region_name=REGION)
            self._sessions[account] = session
        return session.client(service_name, region_name=region_name)


class SessionManager:
    """boto_session_manager, asked to refresh; it caches clients itself, by the service alone."""

    accounts = 20, 10
    at_once = 96

    def __init__(self) -> None:
        from boto_session_manager.api import BotoSesManager  # noqa: PLC0415 # likewise

        self._source = BotoSesManager(region_name=REGION)
        self._managers: dict[int, Any] = {}
        # boto3's sessions make one client at a time.
        self._making = threading.Lock()

    def client(self, service_name: str, account: int, region_name: str | None = None) -> Any:
        """A client of the account's manager; of its boto3 session for a region, which its cache would mix up."""
        manager = self._managers.get(account)
        if manager is None:
            manager = self._source.assume_role(role_arn(account), role_session_name="bench", auto_refresh=True)
            self._managers[account] = manager
        if region_name is None:
            return manager.get_client(service_name)
        with self._making:
            return manager.boto_ses.client(service_name, region_name=region_name)


class XSession:
    """xsession."""

    accounts = 400, 400
    at_once = 500

    def __init__(self) -> None:
        from xsession import CrossAccountSession, Role  # noqa: PLC0415 # likewise

        accounts = {f"a{account}": Role(role_arn(account)) for account in range(1, ACCOUNTS + 1)}
        self.session = CrossAccountSession(accounts, region_name=REGION)
        self._names = [f"a{account}" for account in range(ACCOUNTS + 1)]

    def client(self, service_name: str, account: int, region_name: str | None = None) -> Any:
        """The account's client."""
        return self.session.get_client(service_name, self._names[account], region_name=region_name)


class PublicPath(XSession):
    """xsession with `XSESSION_FAST_CLIENTS=0`: botocore's own way of making clients, on one shared session."""

    accounts = 200, 200
    at_once = 200


class BarePool(XSession):
    """xsession's clients in a plain pool of threads, beside which `run` is measured."""


class Botocove:
    """botocove's decorator, with its defaults but for the accounts and regions; it has no clients of its own."""

    accounts = 2, 2
    at_once = 2
    workers: ClassVar[dict[str, int]] = {}

    def client(self, service_name: str, account: int, region_name: str | None = None) -> Any:
        """It has none."""
        raise NotImplementedError

    def everywhere(self, func: Callable[[Any], object], accounts: int, regions: Sequence[str]) -> list[object]:
        """What a function returned in each account and region."""
        from botocove import cove  # noqa: PLC0415 # likewise

        ids = [f"{account:012}" for account in range(1, accounts + 1)]
        found = cove(func, target_ids=ids, regions=list(regions), rolename="Bench", **self.workers)()
        assert not found["Exceptions"], found["Exceptions"][0]
        assert not found["FailedAssumeRole"], found["FailedAssumeRole"][0]
        results: list[object] = found["Results"]
        return results


class Botocove32(Botocove):
    """The same in 32 threads."""

    workers: ClassVar[dict[str, int]] = {"thread_workers": 32}


BARE_POOL = "xsession, bare pool"
BOTOCOVE, BOTOCOVE_32 = "botocove", "botocove, 32 threads"
PUBLIC_PATH = "xsession, public path"

FOR_RUN_ALONE = {BARE_POOL, BOTOCOVE, BOTOCOVE_32}
"""What `run` is compared with; they have no way of their own to have clients."""

CONTENDERS: dict[str, type[Contender]] = {
    "plain boto3": PlainBoto3,
    "aws-assume-role-lib": AssumeRoleLib,
    "boto3-refresh-session": RefreshSession,
    "boto_session_manager": SessionManager,
    PUBLIC_PATH: PublicPath,
    BARE_POOL: BarePool,
    BOTOCOVE: Botocove,
    BOTOCOVE_32: Botocove32,
    "xsession": XSession,
}
