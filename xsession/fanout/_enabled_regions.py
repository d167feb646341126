"""Which regions an account has enabled: asked of the account itself."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from xsession._aws import first_region as first_region_of
from xsession._aws import is_denied, partition_of

from ._rate import Rate

# https://docs.aws.amazon.com/accounts/latest/reference/quotas.html
LIST_REGIONS_PER_SECOND = 5.0
_FALLBACK = "us-east-1"


class EnabledRegions:
    """Asks accounts for their regions.

    Args:
        clock: Seconds of a clock that goes on evenly.
        sleep: Waits so many seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._rate = Rate(LIST_REGIONS_PER_SECOND, clock)
        self._sleep = sleep

    def __call__(self, session: Any) -> tuple[str, ...]:
        """The names of the regions that an account has enabled, in alphabetical order.

        Needs ec2:DescribeRegions, or else account:ListRegions.

        Args:
            session: The account's.

        Raises:
            ClientError: It may do neither; what EC2 said.
        """
        region = session.region_name or _first_region(session)
        try:
            answer = session.get_client("ec2", region_name=region).describe_regions()
            return tuple(sorted(item["RegionName"] for item in answer["Regions"]))
        except Exception as error:
            answered = getattr(error, "response", None)
            if answered is None or not is_denied(answered["Error"].get("Code")):
                raise
            try:
                return self._listed(session)
            except Exception:  # noqa: BLE001 # what is missing first is what a person should hear of
                raise error from None

    def _listed(self, session: Any) -> tuple[str, ...]:
        client = session.get_client("account", region_name=_first_region(session))
        token: dict[str, str] = {}
        names: list[str] = []
        while True:
            self._sleep(self._rate.wait("ListRegions"))
            page = client.list_regions(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"], **token)
            names += [item["RegionName"] for item in page["Regions"]]
            if not page.get("NextToken"):
                return tuple(sorted(names))
            token = {"NextToken": page["NextToken"]}


def _first_region(session: Any) -> str:
    chain = session.chain
    return (first_region_of(partition_of(chain.roles[-1].role_arn)) if chain else None) or _FALLBACK


def enabled_regions(session: Any) -> tuple[str, ...]:
    """The names of the regions that an account has enabled; asks at the pace of this process."""
    return _of_process()(session)


@functools.cache
def _of_process() -> EnabledRegions:
    return EnabledRegions()
