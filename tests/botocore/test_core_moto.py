"""moto's mocks, on both paths, in processes of their own: moto changes botocore when it is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import boto3
from xsession import SOURCE, CrossAccountSession

def refuse(event, args):
    if event == "socket.getaddrinfo":
        raise RuntimeError(f"a request went out to {args[0]}")

sys.addaudithook(refuse)
role = "arn:aws:iam::222222222222:role/Reader"
xs = CrossAccountSession({"vegeta": role}, session=boto3.Session("AKIAEXAMPLE", "s", region_name="eu-west-1"))
early = xs["vegeta"]
if "made" in sys.argv:
    # A client that exists before moto is imported is not mocked, nor is plain boto3's; those that follow are.
    early.client("ec2")

from moto import mock_aws

def use():
    with mock_aws():
        assert xs.get_client("sts", "vegeta").get_caller_identity()["Account"] == "222222222222"
        s3 = early.client("s3")
        s3.create_bucket(Bucket="vegeta", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert [bucket.name for bucket in early.resource("s3").buckets.all()] == ["vegeta"]
        assert xs.get_client("s3", SOURCE).list_buckets()["Buckets"] == []

use()
xs.invalidate()
use()
"""


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("when", "fast"),
    [("made", "1"), pytest.param("new", "1", marks=SLOW), pytest.param("made", "0", marks=SLOW), ("new", "0")],
)
def test_a_session_made_before_moto_is_imported_is_mocked(fast: str, when: str) -> None:
    """Its clients, resources and AssumeRole."""
    environ = {**os.environ, "XSESSION_FAST_CLIENTS": fast}
    subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM, when], env=environ, check=True, timeout=60)
