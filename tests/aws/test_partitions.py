from __future__ import annotations

import pytest

from xsession._aws._partitions import (
    consoles,
    first_region,
    organizations_region,
    partition_of_region,
    partitions,
    service_of,
)


@pytest.mark.parametrize("name", sorted(partitions()))
def test_a_partitions_first_region_is_its_own(name: str) -> None:
    """By its prefix."""
    assert partition_of_region(partitions()[name].first_region) == name
    assert first_region(name) == partitions()[name].first_region


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-isob-west-1", "aws-iso-b"),
        ("eusc-fr-west-1", "aws-eusc"),
        ("mars-north-1", "aws"),
        ("", "aws"),
    ],
)
def test_a_region_tells_its_partition(region: str, partition: str) -> None:
    """Also one that AWS will add."""
    assert partition_of_region(region) == partition


def test_an_unknown_partition_has_no_first_region() -> None:
    """None at all is AWS's own."""
    assert first_region("aws-new") is None
    assert first_region(None) == "us-east-1"


def test_consoles_are_where_the_public_is() -> None:
    """All of them by https."""
    assert sorted(consoles()) == ["aws", "aws-cn", "aws-eusc", "aws-us-gov"]
    for console in consoles().values():
        assert console.federation.startswith("https://")
        assert console.federation.endswith("/federation")
        assert console.home.startswith("https://console.")


@pytest.mark.parametrize(
    ("domain", "service"),
    [
        ("ec2.amazonaws.com", "ec2"),
        ("ec2.amazonaws.com.cn", "ec2"),
        ("sts.amazonaws.eu", "sts"),
        ("lambda.c2s.ic.gov", "lambda"),
        ("unknown", "unknown"),
        ("example.com", "example.com"),
    ],
)
def test_a_domain_tells_its_service(domain: str, service: str) -> None:
    """In every partition."""
    assert service_of(domain) == service


def test_organizations_answers_in_one_region_of_each_partition() -> None:
    """In China not the first one; of a partition that is not known, nobody knows."""
    assert organizations_region("aws") == "us-east-1"
    assert organizations_region("aws-cn") == "cn-northwest-1"
    assert organizations_region("aws-us-gov") == "us-gov-west-1"
    assert organizations_region("aws-moon") is None
