"""Which region's STS is asked for a role."""

from __future__ import annotations

from xsession._aws import first_region, partition_of_region
from xsession.roles import Role


def sts_region(role: Role | None, *candidates: str | None) -> str:
    """The region whose STS is asked for a role: the first candidate in the role's partition, else that partition's own.

    Args:
        role: Its own `sts_region_name` is the answer.
        candidates: The session's region, the source's region; never the client's or the target account's, which
            may be regions that must be enabled first.
    """
    if role is None:
        return region_in(None, None, *candidates)
    return role.sts_region_name or region_in(role.partition, None, *candidates)


def region_in(partition: str | None, named: str | None, *candidates: str | None) -> str:
    """The region whose STS is asked in a partition: the first one of those that is there, else the partition's first.

    Args:
        partition: The partition; None: that of the first one.
        named: A region that was named for STS, maybe for roles of another partition.
        candidates: Others.
    """
    for region in (named, *candidates):
        if region and partition in (None, partition_of_region(region)):
            return region
    # An unknown partition must name its region.
    return first_region(partition) or named or "us-east-1"


def partition_of(*regions: str | None) -> str | None:
    """The partition of the first region that is known; None: none is."""
    return next((partition_of_region(region) for region in regions if region), None)
