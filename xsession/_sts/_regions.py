"""Which region's STS is asked for a role."""

from __future__ import annotations

from xsession.roles import Role

# The first region of each partition that STS has; an unknown partition must name its region.
_PARTITION_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
_PARTITION_PREFIXES = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


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
        if region and partition in (None, _partition_of(region)):
            return region
    return _PARTITION_REGIONS.get(partition or "aws", "us-east-1")


def _partition_of(region: str) -> str:
    return next((name for prefix, name in _PARTITION_PREFIXES.items() if region.startswith(prefix)), "aws")
