"""AWS accounts on this machine, for tests and for trying things out."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import boto3
import botocore.session

from xsession import ConfigError
from xsession.policies import Policy, Statement, allow, as_policy, trust

from .calls import Call, CallLog
from .cloudtrail import CloudTrail
from .faults import Fault, Faults
from .server import Server, serve
from .sts import Key, KnownRole, LocalSTS, new_id, new_key
from .trust import Principal

PolicyLike = Policy | Mapping[str, Any] | str

_HOME_REGION = {"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_IMAGE = "ami-12c6146b"


class WallClock(Protocol):
    """What the server needs of a clock."""

    def wall(self) -> float:
        """Seconds since 1970."""


class LocalAWS:
    """AWS on loopback: moto's server, and in front of it what moto lacks.

    That is: signatures are checked; temporary credentials expire; AssumeRole asks the role's trust policy and has AWS's
    limits; another account's bucket is closed; requests are counted, and CloudTrail's LookupEvents tells of them
    (`trail`); failures are made on purpose. A condition in a trust policy that it does not know is an error when the
    context ends, never a verdict. What a role may do once it is assumed is not evaluated, nor are session policies.

    Use it as a context manager, one at a time: moto has one storage for a process. It does not touch the process's
    environment; see `applied`.

    Args:
        clock: Whose `wall()` it lives by, such as a `FakeClock`; None: the machine's.
        lifetime: Seconds that credentials live, whatever was asked for; None: as asked for.

    Raises:
        ConfigError: The extra `xsession[testing]` is not installed, or, when it is entered, another one runs.
    """

    _running = threading.Lock()

    def __init__(self, *, clock: WallClock | None = None, lifetime: float | None = None) -> None:
        now = time.time if clock is None else clock.wall
        self._calls = CallLog()
        self._faults = Faults()
        self._sts = LocalSTS(self._find_role, now, lifetime)
        self.trail = CloudTrail(self._sts.find, now)
        self._backend, storage = _moto()
        self._server = Server(
            sts=self._sts,
            storage=storage,
            bucket_owner=self._backend.bucket_owner,
            now=now,
            calls=self._calls,
            faults=self._faults,
            trail=self.trail,
        )
        self._accounts: dict[str, LocalAccount] = {}
        self._http: Any = None
        self._thread: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        # One for all sessions: it keeps the models of services that it has read.
        self._loader = botocore.session.Session().get_component("data_loader")

    def __enter__(self) -> Self:
        if not self._running.acquire(blocking=False):
            msg = "another local AWS runs in this process"
            raise ConfigError(msg, hint="leave that one first")
        self._backend.reset()
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
        self._backend.reset()
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
            root = Principal(account_id, f"arn:{partition}:iam::{account_id}:root")
            key = new_key(root, account_id, own=True)
            self._accounts[account_id] = LocalAccount(self, account_id, partition, self._sts.add(key))
        return self._accounts[account_id]

    def session(self, key: Key | None = None, *, region_name: str | None = None) -> boto3.Session:
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
        session.register_component("data_loader", self._loader)
        session.set_config_variable("config_file", str(self._file("config")))
        session.set_config_variable("credentials_file", str(self._file("credentials")))
        if key is not None:
            session.set_credentials(key.access_key_id, key.secret_access_key, key.session_token)
        return boto3.Session(botocore_session=session, region_name=region_name)

    def environ(self, key: Key | None = None) -> dict[str, str]:
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
    def applied(self, key: Key | None = None) -> Iterator[None]:
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

    def add_key(self, key: Key) -> Key:
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

    def _find_role(self, partition: str, account_id: str, name: str) -> KnownRole | None:
        roles = self._backend.iam(account_id, partition).roles.values()
        found = next((role for role in roles if role.name == name), None)
        if found is None:
            return None
        policy = as_policy(found.assume_role_policy_document)
        return KnownRole(found.arn, found.id, policy, int(found.max_session_duration or 3_600))


class LocalAccount:
    """One account of a `LocalAWS`; made by `LocalAWS.account`."""

    def __init__(self, aws: LocalAWS, account_id: str, partition: str, key: Key) -> None:
        self._aws = aws
        self.account_id = account_id
        self._partition = partition
        self._key = key
        self._clients: dict[str, Any] = {}

    @property
    def root(self) -> boto3.Session:
        """A session that may do everything in the account and is not counted: for further set-up."""
        return self._aws.session(self._key, region_name=_HOME_REGION[self._partition])

    def user(self, name: str) -> Key:
        """A user's long-term access key."""
        principal = Principal(self.account_id, f"arn:{self._partition}:iam::{self.account_id}:user/{name}")
        return self._aws.add_key(new_key(principal, new_id("AIDA")))

    def role(
        self,
        name: str,
        *,
        trusts: str | Iterable[str] | Policy,
        permissions: PolicyLike | None = None,
        external_id: str | None = None,
        max_session_duration: int = 3_600,
    ) -> str:
        """A role.

        Args:
            name: Its name.
            trusts: Who may assume it, with whatever tags and source identity: account ids or ARNs, as for
                `policies.trust`; or a whole trust policy.
            permissions: What it may do; not evaluated. None: everything.
            external_id: The external id that the trust policy asks for.
            max_session_duration: In seconds.

        Returns:
            Its ARN.
        """
        if not isinstance(trusts, Policy):
            principals = [trusts] if isinstance(trusts, str) else list(trusts)
            trusts = _open_trust(principals, external_id, self._partition)
        iam = self._client("iam")
        made = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trusts.to_json(), MaxSessionDuration=max_session_duration
        )
        document = (allow("*") if permissions is None else as_policy(permissions)).to_json()
        iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=document)
        return str(made["Role"]["Arn"])

    def set_trust(self, role_name: str, trusts: PolicyLike) -> None:
        """Replaces a role's trust policy."""
        document = json.dumps(as_policy(trusts).to_dict())
        self._client("iam").update_assume_role_policy(RoleName=role_name, PolicyDocument=document)

    def bucket(self, name: str, objects: Mapping[str, bytes] | None = None) -> str:
        """A bucket with objects; returns its name."""
        s3 = self._client("s3")
        region = s3.meta.region_name
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        for key, body in (objects or {}).items():
            s3.put_object(Bucket=name, Key=key, Body=body)
        return name

    def instances(self, count: int = 1) -> list[str]:
        """EC2 instances; returns their ids."""
        ec2 = self._client("ec2")
        started = ec2.run_instances(ImageId=_IMAGE, MinCount=count, MaxCount=count, InstanceType="t3.micro")
        return [instance["InstanceId"] for instance in started["Instances"]]

    def _client(self, service_name: str) -> Any:
        if service_name not in self._clients:
            self._clients[service_name] = self.root.client(service_name)  # type: ignore[call-overload]  # one of three
        return self._clients[service_name]


def _open_trust(principals: Sequence[str], external_id: str | None, partition: str) -> Policy:
    policy = trust(*principals, external_id=external_id, session_tags=["*"], partition=partition)
    named = policy.statements[0].principals
    return Policy([*policy.statements, Statement(effect="Allow", principals=named, actions=["sts:SetSourceIdentity"])])


class _Moto:
    """moto's storage."""

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


def _moto() -> tuple[_Moto, Any]:
    try:
        from moto.backends import get_backend  # noqa: PLC0415 # comes with the extra, and takes a second
        from moto.core.base_backend import BackendDict  # noqa: PLC0415
        from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415
    except ImportError as error:
        msg = f"the local AWS needs {error.name}"
        raise ConfigError(msg, hint="pip install 'xsession[testing]'") from error
    return _Moto(get_backend, BackendDict.reset), DomainDispatcherApplication(create_backend_app)
