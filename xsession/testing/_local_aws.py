"""AWS accounts on this machine, for tests and for trying things out."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import boto3
import botocore.session

from xsession import ConfigError
from xsession._aws import iam_arn, partitions
from xsession._base import public
from xsession.testing._cloudtrail import CloudTrail
from xsession.testing._http import Call, CallLog, Fault, Faults, serve
from xsession.testing._iam import AccessKey, Authorizer, Directory, LocalIAM, Principal, new_key
from xsession.testing._organizations import LocalOrganization, LocalOrganizations
from xsession.testing._sts import LocalSTS, make_token

from ._local_account import LocalAccount
from ._models import model_loader
from ._moto import load_moto
from ._server import Server

_HOME_REGION = {name: partition.first_region for name, partition in partitions().items()} | {"aws": "eu-west-1"}


class WallClock(Protocol):
    """What the server needs of a clock."""

    def wall(self) -> float:
        """Seconds since 1970."""


@public
class LocalAWS:
    """AWS on loopback: moto's server, and in front of it what moto lacks.

    That is: signatures are checked; temporary credentials expire; AssumeRole checks the role's trust policy and AWS's
    limits; each request needs what the caller's identity-based policies, its permissions boundary and its session
    policies allow; another account's bucket is closed; requests are counted, and CloudTrail's LookupEvents shows
    them (`trail`); failures are made on purpose. What it does not know, such as a condition key, is an error when the
    context ends, never a verdict. Resource-based policies other than trust policies and the policies of organizations
    are not evaluated.

    Use it as a context manager, one at a time: moto has one storage for a process. It does not touch the process's
    environment; see `applied`.

    Args:
        clock: Whose `wall()` it lives by, such as a `FakeClock`; None: the machine's.
        lifetime: Seconds that credentials live, whatever was asked for; None: as asked for.

    Raises:
        ConfigError: The extra `xsession[testing]` is missing or broken, or, when it is entered, another one runs.
    """

    _running = threading.Lock()

    def __init__(self, *, clock: WallClock | None = None, lifetime: float | None = None) -> None:
        self._clock = time.time if clock is None else clock.wall
        self._calls = CallLog()
        self._faults = Faults()
        self._organization_ids: dict[str, str] = {}
        self.organizations: LocalOrganizations = LocalOrganizations(self._now)
        self._moto = load_moto()
        self._directory = Directory(self._moto.iam, self._moto.all_iam)
        authorizer = Authorizer(self._directory, self._organization_ids)
        self._sts = LocalSTS(self._directory, authorizer, self._now, lifetime)
        self.trail: CloudTrail = CloudTrail(self._sts.find, self._now)
        self._server = Server(
            sts=self._sts,
            authorizer=authorizer,
            iam=LocalIAM(self._directory),
            moto=self._moto,
            now=self._now,
            calls=self._calls,
            faults=self._faults,
            trail=self.trail,
            organizations=self.organizations,
        )
        self._accounts: dict[str, LocalAccount] = {}
        self._http: Any = None
        self._thread: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        if not self._running.acquire(blocking=False):
            msg = "another local AWS runs in this process"
            raise ConfigError(msg, hint="leave that one first")
        self._moto.reset()
        self._http, self._thread = serve(self._server)
        self._folder = tempfile.TemporaryDirectory(prefix="xsession-local-aws-")
        lines = ["[default]", f"endpoint_url = {self.endpoint_url}", f"region = {_HOME_REGION['aws']}", ""]
        self._file("config").write_text("\n".join(lines))
        self._file("credentials").write_text("")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self._faults.clear()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._moto.reset()
        if self._folder is not None:
            self._folder.cleanup()
        self._running.release()
        if kind is None and self._server.failures:
            raise self._server.failures[0]

    @property
    def endpoint_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def account(self, account_id: str, *, partition: str = "aws") -> LocalAccount:
        """An account; made when it is asked for."""
        if account_id not in self._accounts:
            root = Principal(account_id, iam_arn(partition, account_id, "root"))
            key = new_key(root, account_id, own=True)
            self._sts.add(key)
            self._accounts[account_id] = LocalAccount(
                account_id,
                partition,
                root=lambda: self.session(key, region_name=_HOME_REGION[partition]),
                directory=self._directory,
                add_key=self._sts.add,
            )
        return self._accounts[account_id]

    def session(self, key: AccessKey | None = None, *, region_name: str | None = None) -> boto3.Session:
        """A boto3 session that talks to this AWS, and has no credentials of the environment.

        Args:
            key: What it signs with; None: it has no credentials.
            region_name: Its region; None: eu-west-1.

        Raises:
            ConfigError: The environment has an endpoint of another AWS, which botocore would use.
        """
        elsewhere = [
            name
            for name, value in os.environ.items()
            if name.startswith("AWS_ENDPOINT_URL") and value != self.endpoint_url
        ]
        if elsewhere:
            msg = f"the environment's {elsewhere[0]} would win over the local AWS"
            raise ConfigError(msg, hint=f"unset {elsewhere[0]} while tests run")
        session = botocore.session.Session()
        session.register_component("data_loader", model_loader())
        session.set_config_variable("config_file", str(self._file("config")))
        session.set_config_variable("credentials_file", str(self._file("credentials")))
        if key is not None:
            session.set_credentials(key.access_key_id, key.secret_access_key, key.session_token)
        return boto3.Session(botocore_session=session, region_name=region_name)

    def environ(self, key: AccessKey | None = None) -> dict[str, str]:
        """Environment variables by which any AWS SDK in another process talks to this AWS.

        Args:
            key: What it signs with; None: it has no credentials.
        """
        variables = {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CONFIG_FILE": str(self._file("config")),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._file("credentials")),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": _HOME_REGION["aws"],
            "AWS_DEFAULT_REGION": _HOME_REGION["aws"],
        }
        if key is not None:
            variables["AWS_ACCESS_KEY_ID"] = key.access_key_id
            variables["AWS_SECRET_ACCESS_KEY"] = key.secret_access_key
        return variables

    @contextmanager
    def applied(self, key: AccessKey | None = None) -> Iterator[None]:
        """Sets those variables in this process within the block, and hides all other AWS settings."""
        before = dict(os.environ)
        for name in before:
            if name.startswith("AWS_"):
                del os.environ[name]
        os.environ.update(self.environ(key))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def write_profiles(self, config: str) -> None:
        """Adds profiles to the AWS config file of its sessions, in that file's own form."""
        with self._file("config").open("a") as file:
            file.write(f"\n{config}\n")

    @property
    def calls(self) -> list[Call]:
        """All requests so far but those of the set-up."""
        return self._calls.all()

    def count(self, operation: str, **wanted: object) -> int:
        """How many requests of an operation there were.

        Args:
            operation: "AssumeRole", ...
            wanted: Fields of `Call` and their values.
        """
        return sum(
            call.operation == operation and all(getattr(call, name) == value for name, value in wanted.items())
            for call in self.calls
        )

    def clear_calls(self) -> None:
        """Forgets the requests so far."""
        self._calls.clear()

    def fail(self, fault: Fault) -> None:
        """Makes requests fail from now on."""
        self._faults.add(fault)

    def release(self) -> None:
        """Answers what a fault of kind "hang" holds back."""
        self._faults.release()

    def recover(self) -> None:
        """Makes nothing fail any more."""
        self._faults.clear()

    def set_lifetime(self, seconds: float | None) -> None:
        """Changes how long credentials live that are issued from now on."""
        self._sts.lifetime = seconds

    def expect_mfa_code(self, serial: str, code: str) -> None:
        """Accepts a code of an MFA device, once."""
        self._sts.expect_mfa_code(serial, code)

    def set_organization(self, organization_id: str, account_ids: Iterable[str]) -> None:
        """Puts accounts into an organization, which policies ask for as `aws:PrincipalOrgID`.

        Args:
            organization_id: "o-...".
            account_ids: The accounts; they leave the one that they were in.
        """
        self._organization_ids.update(dict.fromkeys(account_ids, organization_id))

    def organization(self, management_id: str, *, partition: str = "aws") -> LocalOrganization:
        """The organization of a management account, which AWS Organizations shows; made when it is asked for.

        Policies don't ask for it: see `set_organization`.

        Args:
            management_id: The management account.
            partition: Its partition.
        """
        return self.organizations.organization(management_id, partition)

    def disable_region(self, region_name: str, account_id: str | None = None) -> None:
        """Lets STS issue no credentials in a region.

        Args:
            region_name: The region.
            account_id: Only those of this account's users and roles; None: of any.
        """
        self._sts.disable_region(region_name, account_id)

    def set_clock_skew(self, seconds: float) -> None:
        """Sets the server's clock apart from the machine's; requests that are over 900 s apart are refused.

        Args:
            seconds: How far it is ahead; negative: behind.
        """
        self._server.skew = seconds

    def web_identity_token(
        self,
        issuer: str,
        subject: str,
        *,
        audience: str = "sts.amazonaws.com",
        seconds: float = 3_600,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A token for AssumeRoleWithWebIdentity, as an OIDC provider issues them; its signature is not verified here.

        Args:
            issuer: The provider's URL, "https://...".
            subject: Whom it is about.
            audience: Whom it is for.
            seconds: How long it is good for.
            claims: Its other claims, such as GitHub's `repository_owner_id`; those that are condition keys count.
        """
        return make_token(issuer, subject, audience, self._now() + seconds, claims)

    def add_key(self, key: AccessKey) -> AccessKey:
        """Makes a key known."""
        return self._sts.add(key)

    def delete_key(self, access_key_id: str) -> None:
        """Deletes a key, temporary ones too: requests signed with it are refused."""
        self._sts.forget(access_key_id)

    def _file(self, name: str) -> Path:
        if self._folder is None:
            msg = "the local AWS is not running"
            raise ConfigError(msg, hint="use it as a context manager: with LocalAWS() as aws: ...")
        return Path(self._folder.name, name)

    def _now(self) -> float:
        return self._clock() + self._server.skew
