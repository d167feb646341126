from __future__ import annotations

import warnings
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import DataNotFoundError

from xsession import Account, CrossAccountSession
from xsession._botocore import ClientCore
from xsession._botocore._regions import warn_of_unknown_region
from xsession.errors import UnknownRegionWarning

KEYS: dict[str, Any] = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret"}
ROLE = "arn:aws:iam::222222222222:role/Reader"


def session(region_name: str = "eu-west-1", **options: Any) -> CrossAccountSession:
    """With one account, whose clients would talk to AWS itself; none of them sends anything."""
    source = boto3.Session(region_name="eu-west-1", **KEYS)
    return CrossAccountSession([Account("vegeta", ROLE, region_name=region_name)], session=source, **options)


def plain(region_name: str) -> Any:
    """boto3's own client."""
    return boto3.Session(**KEYS).client("ec2", region_name=region_name)


@pytest.mark.parametrize(
    ("region_name", "hint"),
    [
        ("eu-wset-1", "did you mean eu-west-1?"),
        ("us-east-11", "did you mean us-east-1?"),
        ("cn-nroth-1", "did you mean cn-north-1?"),
        ("zz-qqqqqq-8", "look it up in AWS's list of regions"),
    ],
)
def test_an_unknown_region_is_told_before_anything_is_sent(region_name: str, hint: str) -> None:
    """With the close match; the client is the one that boto3 makes, since the region may be newer than botocore."""
    with pytest.warns(UnknownRegionWarning, match=f"knows no region '{region_name}': .*; {hint[:-1]}"):
        client = session(region_name).get_client("ec2", "vegeta")
    assert client.meta.endpoint_url == plain(region_name).meta.endpoint_url


def test_a_region_of_a_call_is_told_too() -> None:
    """And that of a client of boto3's own kind, and with botocore's own way of making clients."""
    xs = session()
    with pytest.warns(UnknownRegionWarning, match="eu-wset-1"):
        xs.get_client("ec2", "vegeta", region_name="eu-wset-1")
    with pytest.warns(UnknownRegionWarning, match="eu-wset-2"):
        xs["vegeta"].client("ec2", region_name="eu-wset-2")
    core = ClientCore(boto3.Session(**KEYS), fast=False)
    with pytest.warns(UnknownRegionWarning, match="eu-wset-3"):
        core.client("ec2", Credentials("AKIAEXAMPLE", "secret"), "eu-wset-3")


def test_the_region_of_sts_is_told_too() -> None:
    """Before it is asked."""
    core = ClientCore(boto3.Session(**KEYS))
    with pytest.warns(UnknownRegionWarning, match="eu-wset-1"):
        core.sts_client(Credentials("AKIAEXAMPLE", "secret"), "eu-wset-1", Config())


def test_it_is_told_once() -> None:
    """By default, as other warnings: not by each of a thousand accounts."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default", UnknownRegionWarning)
        xs = session("eu-wsst-1")
        for service in ("ec2", "sqs", "s3"):
            xs.get_client(service, "vegeta")
    assert len(told) == 1


@pytest.mark.parametrize("partition", boto3.Session().get_available_partitions())
def test_regions_that_botocore_knows_are_no_news(partition: str) -> None:
    """All of them."""
    xs = session()
    for region_name in boto3.Session().get_available_regions("sts", partition):
        xs.get_client("sts", "vegeta", region_name=region_name)


@pytest.mark.parametrize(
    ("service_name", "options"),
    [
        ("s3", {"region_name": "mars-1", "endpoint_url": "https://s3.mars-1.example.com"}),  # another vendor's
        ("s3", {"region_name": "s3-external-1"}),
        ("s3", {"region_name": "aws-global"}),
        ("iam", {"region_name": "eu-wset-1"}),  # it has one endpoint
        ("s3", {"region_name": "us-gov-west-1", "config": Config(use_fips_endpoint=True)}),
        ("ec2", {"region_name": "il-central-1", "config": Config(use_dualstack_endpoint=True)}),
    ],
)
def test_where_the_name_does_not_matter_nothing_is_told(service_name: str, options: dict[str, Any]) -> None:
    """Warnings are errors in these tests."""
    session().get_client(service_name, "vegeta", **options)


def test_a_botocore_without_that_data_knows_all_regions() -> None:
    """As one may be that keeps it elsewhere."""

    class NoData:
        def load_data(self, name: str) -> object:
            raise DataNotFoundError(data_path=name)

    class Other:
        def load_data(self, _name: str) -> object:
            return {"partitions": [{"regions": {"eu-west-1": {}}}]}

    client = plain("eu-wset-1")
    for loader in (NoData(), Other()):
        warn_of_unknown_region(client, loader)
