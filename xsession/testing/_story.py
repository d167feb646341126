"""The accounts that the documentation tells of: Batman, Vegeta, and a hub between them."""

from __future__ import annotations

import boto3

from xsession._base import frozen
from xsession.policies import allow
from xsession.testing._iam import AccessKey

from ._local_aws import LocalAWS

BATMAN = "111111111111"
VEGETA = "222222222222"
HUB = "333333333333"


@frozen
class Story:
    """Batman develops in one account, Vegeta runs production in another, a hub stands between.

    Args:
        key: Batman's own access key.
        session: A boto3 session with that key.
        vegeta_role: May read Vegeta's bucket, and list buckets and instances; trusts Batman.
        operator_role: May do everything with instances; trusts Batman.
        admin_role: May change roles and read the trail; trusts Batman.
        chain: Three roles that lead from Batman over Batman's own account and the hub to Vegeta.
        bucket: Vegeta's bucket.
        object_key: The CSV object in it.
        instances: The ids of Vegeta's two EC2 instances.
    """

    key: AccessKey
    session: boto3.Session
    vegeta_role: str
    operator_role: str
    admin_role: str
    chain: tuple[str, str, str]
    bucket: str
    object_key: str
    instances: tuple[str, ...]

    @classmethod
    def told_by(cls, aws: LocalAWS) -> Story:
        """Sets the accounts up: each with roles, trust policies, a bucket and two instances."""
        batman, vegeta, hub = (aws.account(account_id) for account_id in (BATMAN, VEGETA, HUB))
        batman.bucket("batman-cave", {"gadgets.csv": b"name,ready\nbatarang,yes\n"})
        vegeta.bucket("vegeta-power-levels", {"scouter.csv": b"name,level\ngoku,9001\nvegeta,8000\n"})
        hub.bucket("hub-inventory", {"accounts.csv": b"id,name\n111111111111,batman\n"})
        batman.instances(2)
        hub.instances(2)
        read = allow("s3:GetObject", "s3:ListBucket", resources=["arn:aws:s3:::vegeta-power-levels*"])
        read += allow("s3:ListAllMyBuckets", "ec2:DescribeInstances")
        first = batman.role("Hub", trusts=BATMAN)
        second = hub.role("Hub", trusts=first)
        last = vegeta.role("HubReadsBucket", trusts=second, permissions=read)
        key = batman.user("bruce")
        return cls(
            key=key,
            session=aws.session(key),
            vegeta_role=vegeta.role("BatmanReadsBucket", trusts=BATMAN, permissions=read),
            operator_role=vegeta.role("Operator", trusts=BATMAN, permissions=allow("ec2:*")),
            admin_role=vegeta.role("Admin", trusts=BATMAN, permissions=allow("iam:*", "cloudtrail:LookupEvents")),
            chain=(first, second, last),
            bucket="vegeta-power-levels",
            object_key="scouter.csv",
            instances=tuple(vegeta.instances(2)),
        )
