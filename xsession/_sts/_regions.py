"""Which region's STS is asked for a role."""

from __future__ import annotations

from xsession._aws import first_region, partition_of_region
from xsession.roles import Role


def sts_region(role: Role | None, *candidates: str | None) -> str:
    """The region whose STS is asked for a role: the first candidate in the role's partition, else that partition's own.

    Args:
        role: Its own `sts_region_name` comes first.
        candidates: The session's region, the source's region; never the client's or the target account's, which
            may be regions that must be enabled first.
    """
    partition = role.partition if role is not None else None
    wanted = (role.sts_region_name if role is not None else None, *candidates)
    for region in wanted:
        if region and partition in (None, partition_of_region(region)):
            return region
    # An unknown partition must name its region.
    return first_region(partition) or "us-east-1"
