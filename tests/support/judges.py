"""Two judges that know nothing of each other: the local AWS, and MiniStack in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.config import Config

from xsession.policies import Policy
from xsession.testing import FakeClock, LocalAWS

MINISTACK = Path(__file__).parents[2] / ".venvs" / "ministack" / "bin" / "ministack"
ONCE = Config(
    retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=False, s3={"addressing_style": "path"}
)
_START_SECONDS = 30.0


class Judge(Protocol):
    """An AWS that says who may what."""

    shortest_session: int

    def root(self, account_id: str) -> boto3.Session:
        """A session that may do everything in an account."""

    def user(self, account_id: str, name: str, permissions: Policy) -> boto3.Session:
        """A session with a user's long-term key."""

    def session(self, *credentials: str) -> boto3.Session:
        """A session with an access key id, a secret, and a token."""

    def mfa_code(self, serial: str) -> str:
        """A code of an MFA device that is good for one call."""

    def pass_time(self, seconds: float) -> None:
        """Lets time go by."""


class LocalJudge:
    """The local AWS.

    Args:
        aws: It, running.
        clock: The clock that it lives by.
    """

    shortest_session = 900

    def __init__(self, aws: LocalAWS, clock: FakeClock) -> None:
        self._aws = aws
        self._clock = clock

    def root(self, account_id: str) -> boto3.Session:
        """A session that may do everything in an account."""
        return self._aws.account(account_id).root

    def user(self, account_id: str, name: str, permissions: Policy) -> boto3.Session:
        """A session with a user's long-term key."""
        return self._aws.session(self._aws.account(account_id).user(name, permissions))

    def session(self, *credentials: str) -> boto3.Session:
        """A session with an access key id, a secret, and a token."""
        session = self._aws.session()
        session._session.set_credentials(*credentials)
        return session

    def mfa_code(self, serial: str) -> str:
        """A code of an MFA device that is good for one call."""
        self._aws.expect_mfa_code(serial, "123456")
        return "123456"

    def pass_time(self, seconds: float) -> None:
        """Lets time go by."""
        self._clock.advance(seconds)


class MiniStackJudge:
    """MiniStack: an account's root has the account's id as its key.

    Args:
        endpoint_url: Where it listens.
        folder: Where a file of its clients may be.
    """

    shortest_session = 1

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self._config_file = folder / "config"
        # One for all sessions: it keeps the models of services that it has read.
        self._loader = botocore.session.Session().get_component("data_loader")
        self._config_file.write_text(f"[default]\nendpoint_url = {endpoint_url}\nregion = eu-west-1\n")

    def root(self, account_id: str) -> boto3.Session:
        """A session that may do everything in an account."""
        return self.session(account_id, "test")

    def user(self, account_id: str, name: str, permissions: Policy) -> boto3.Session:
        """A session with a user's long-term key."""
        iam = self.root(account_id).client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="permissions", PolicyDocument=permissions.to_json())
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return self.session(key["AccessKeyId"], key["SecretAccessKey"])

    def session(self, *credentials: str) -> boto3.Session:
        """A session with an access key id, a secret, and a token."""
        session = botocore.session.Session()
        session.register_component("data_loader", self._loader)
        session.set_config_variable("config_file", str(self._config_file))
        session.set_credentials(*credentials)
        return boto3.Session(botocore_session=session)

    def mfa_code(self, serial: str) -> str:
        """A code of an MFA device that is good for one call."""
        assert serial
        return "123456"

    def pass_time(self, seconds: float) -> None:
        """Lets time go by: it has the machine's clock."""
        time.sleep(seconds + 0.1)


@contextmanager
def running_ministack() -> Iterator[MiniStackJudge]:
    """MiniStack on a free port of loopback, with its enforcement switched on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        settings = {"AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, **settings}
        process = subprocess.Popen(
            [MINISTACK], env=environ, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port, process)
            yield MiniStackJudge(f"http://127.0.0.1:{port}", Path(folder))
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "MiniStack ended before it listened"
            assert time.monotonic() < ends, f"MiniStack did not listen within {_START_SECONDS} s"
            time.sleep(0.05)
        else:
            return


def client(session: boto3.Session, service_name: str) -> Any:
    """A client that asks once, and leaves it to the judge to refuse bad values."""
    return session.client(service_name, config=ONCE)  # type: ignore[call-overload]  # one of several
