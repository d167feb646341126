"""AWS's partitions: their regions and where they answer.

https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from xsession._base import frozen


@frozen
class Console:
    """Where a partition's console is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

    Args:
        federation: Where links are made that log in.
        home: Where they lead when nothing else was asked for.
    """

    federation: str
    home: str


@frozen(kw_only=True)
class Partition:
    """A partition.

    Args:
        name: "aws", "aws-cn", ...
        region_prefix: What the names of its regions begin with; "" for "aws", which has all that no other has.
        first_region: Where it has STS, and where its global services, such as IAM, answer and leave their events.
        dns_suffix: What the names of its endpoints end in.
        console: Where its console is; None: that is not public.
        organizations_region: Where AWS Organizations answers, whichever region asks; None: in the first region.
    """

    name: str
    region_prefix: str
    first_region: str
    dns_suffix: str
    console: Console | None = None
    organizations_region: str | None = None


@functools.cache
def partitions() -> Mapping[str, Partition]:
    """All that are known, by name."""
    # Not made at import: few programs need them.
    found = (
        Partition(
            name="aws",
            region_prefix="",
            first_region="us-east-1",
            dns_suffix="amazonaws.com",
            console=Console("https://signin.aws.amazon.com/federation", "https://console.aws.amazon.com/"),
        ),
        Partition(
            name="aws-cn",
            region_prefix="cn-",
            first_region="cn-north-1",
            dns_suffix="amazonaws.com.cn",
            console=Console("https://signin.amazonaws.cn/federation", "https://console.amazonaws.cn/"),
            organizations_region="cn-northwest-1",
        ),
        Partition(
            name="aws-us-gov",
            region_prefix="us-gov-",
            first_region="us-gov-west-1",
            dns_suffix="amazonaws.com",
            console=Console("https://signin.amazonaws-us-gov.com/federation", "https://console.amazonaws-us-gov.com/"),
        ),
        Partition(
            name="aws-eusc",
            region_prefix="eusc-",
            first_region="eusc-de-east-1",
            dns_suffix="amazonaws.eu",
            # It has no sign-in outside of its regions.
            console=Console(
                "https://eusc-de-east-1.signin.amazonaws-eusc.eu/federation", "https://console.amazonaws-eusc.eu/"
            ),
        ),
        Partition(name="aws-iso", region_prefix="us-iso-", first_region="us-iso-east-1", dns_suffix="c2s.ic.gov"),
        Partition(
            name="aws-iso-b", region_prefix="us-isob-", first_region="us-isob-east-1", dns_suffix="sc2s.sgov.gov"
        ),
        Partition(
            name="aws-iso-e", region_prefix="eu-isoe-", first_region="eu-isoe-west-1", dns_suffix="cloud.adc-e.uk"
        ),
        Partition(
            name="aws-iso-f", region_prefix="us-isof-", first_region="us-isof-south-1", dns_suffix="csp.hci.ic.gov"
        ),
    )
    return {partition.name: partition for partition in found}


def consoles() -> Mapping[str, Console]:
    """The consoles that are known, by partition."""
    return {name: known.console for name, known in partitions().items() if known.console is not None}


@functools.lru_cache(maxsize=256)  # few regions, and each hop asks several times
def partition_of_region(region_name: str) -> str:
    """The partition that a region is in, by its name: also of regions that AWS will add."""
    # "us-gov-" is no beginning of "us-", so that the order says nothing; only "aws" matches everything.
    found = (name for name, known in partitions().items() if known.region_prefix)
    return next((name for name in found if region_name.startswith(partitions()[name].region_prefix)), "aws")


def first_region(partition: str | None) -> str | None:
    """The first region of a partition; None: the partition is not known."""
    known = partitions().get(partition or "aws")
    return None if known is None else known.first_region


def organizations_region(partition: str) -> str | None:
    """Where AWS Organizations answers for a partition; None: the partition is not known.

    https://docs.aws.amazon.com/general/latest/gr/ao.html
    """
    known = partitions().get(partition)
    return None if known is None else known.organizations_region or known.first_region


def service_of(domain: str) -> str:
    """The service in a domain of AWS, such as "ec2" in "ec2.amazonaws.com"; other domains stay as they are."""
    suffixes = sorted({f".{known.dns_suffix}" for known in partitions().values()}, key=len, reverse=True)
    return next((domain.removesuffix(suffix) for suffix in suffixes if domain.endswith(suffix)), domain)
