"""One account of a local AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import boto3

from xsession._aws import iam_arn
from xsession._base import public
from xsession.policies import Policy, Statement, allow, as_policy, trust
from xsession.testing._iam import AccessKey, Directory, Principal, new_key

PolicyLike: TypeAlias = Policy | Mapping[str, Any] | str

_IMAGE = "ami-12c6146b"


@public
class LocalAccount:
    """One account of a `LocalAWS`; made by `LocalAWS.account`.

    Args:
        account_id: Its id.
        partition: Its partition.
        root: Makes a session that may do everything in it.
        directory: Where its users are.
        add_key: Makes a key known.
    """

    def __init__(
        self,
        account_id: str,
        partition: str,
        *,
        root: Callable[[], boto3.Session],
        directory: Directory,
        add_key: Callable[[AccessKey], AccessKey],
    ) -> None:
        self.account_id = account_id
        self._partition = partition
        self._root = root
        self._directory = directory
        self._add_key = add_key
        self._clients: dict[str, Any] = {}

    @property
    def root(self) -> boto3.Session:
        """A session that may do everything in the account and is not counted: for further set-up."""
        return self._root()

    def user(self, name: str, permissions: PolicyLike | None = None) -> AccessKey:
        """A user's long-term access key.

        Args:
            name: The user's name; one who is there gets a further key, and these permissions.
            permissions: What the user may do; None: everything.
        """
        arn = iam_arn(self._partition, self.account_id, f"user/{name}")
        policy = allow("*") if permissions is None else as_policy(permissions)
        user_id = self._directory.add_user(arn, policy)
        if user_id is None:  # IAM refuses it in boto3's way
            user_id = str(self._client("iam").create_user(UserName=name)["User"]["UserId"])
        return self._add_key(new_key(Principal(self.account_id, arn, unique_id=user_id), user_id))

    def oidc_provider(self, url: str, client_ids: Iterable[str] = ("sts.amazonaws.com",)) -> str:
        """An OIDC identity provider.

        Args:
            url: "https://...".
            client_ids: The audiences that its tokens may have.

        Returns:
            Its ARN, for trust policies.
        """
        made = self._client("iam").create_open_id_connect_provider(
            Url=url, ClientIDList=list(client_ids), ThumbprintList=["0" * 40]
        )
        return str(made["OpenIDConnectProviderArn"])

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
            permissions: What it may do; None: everything.
            external_id: The external id that the trust policy asks for.
            max_session_duration: In seconds.

        Returns:
            Its ARN.
        """
        if not isinstance(trusts, Policy):
            principals = [trusts] if isinstance(trusts, str) else list(trusts)
            trusts = _open_trust(principals, external_id, self._partition)
        permits = allow("*") if permissions is None else as_policy(permissions)
        made = self._directory.add_role(
            (self.account_id, self._partition), name, trusts, permits, max_session_duration=max_session_duration
        )
        return made or self._role_over_http(name, trusts, permits, max_session_duration)

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

    def _role_over_http(self, name: str, trusts: Policy, permissions: Policy, max_session_duration: int) -> str:
        # What IAM refuses is then refused in boto3's way.
        iam = self._client("iam")
        made = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trusts.to_json(), MaxSessionDuration=max_session_duration
        )
        iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=permissions.to_json())
        return str(made["Role"]["Arn"])

    def _client(self, service_name: str) -> Any:
        if service_name not in self._clients:
            self._clients[service_name] = self.root.client(service_name)  # type: ignore[call-overload]  # one of three
        return self._clients[service_name]


def _open_trust(principals: Sequence[str], external_id: str | None, partition: str) -> Policy:
    policy = trust(*principals, external_id=external_id, session_tags=["*"], partition=partition)
    named = policy.statements[0].principals
    return Policy([*policy.statements, Statement(effect="Allow", principals=named, actions=["sts:SetSourceIdentity"])])
