"""What an account resolves to: for its clients, and for a caller that keeps nothing."""

from __future__ import annotations

from collections.abc import Callable

from xsession._base import frozen
from xsession._botocore import SigningCredentials
from xsession._sts import partition_of, region_in, sts_region
from xsession.accounts import Account
from xsession.refresh import Cell, Issued
from xsession.roles import Hop

from ._account_credentials import AccountCredentials
from ._assume_role import Signer
from ._source import Source


@frozen
class ResolvedAccount:
    """An account with everything that its clients and its status need.

    Args:
        account: The account.
        key: What tells its identity from all others.
        hops: The resolved roles, in order.
        cells: Their credentials, in order.
        credentials: What its clients ask at each signing.
        region_name: The region of its clients where a call names none.
        source: Where its chain begins.
        regions: The session's and the source's region, as the STS region after the role's own.
        named_sts_region: The region of STS that the defaults name.
    """

    account: Account
    key: str
    hops: tuple[Hop, ...]
    cells: tuple[Cell[SigningCredentials], ...]
    credentials: AccountCredentials
    region_name: str | None
    source: Source
    regions: tuple[str | None, ...]
    named_sts_region: str | None

    @property
    def sts_region_name(self) -> str:
        """The region whose STS is asked who we are there."""
        if self.hops:
            return sts_region(self.hops[-1].role, *self.regions)
        return region_without_role(self.account, self.source, self.regions, self.named_sts_region)


@frozen
class UncachedChain:
    """An account's chain for a caller that only wants to know whether it works: nothing of it is kept or reused.

    Args:
        account: The account.
        source: Where it begins.
        hops: The resolved roles, in order.
        regions: The session's and the source's region, as the STS region after the role's own.
        assume: Assumes one hop with a signer's credentials, by the very request that clients cause; but a code of an
            MFA device goes with it where clients ask with an MFA session.
        source_region_name: The region whose STS is asked who the source is.
        ask_for_mfa: Has a person asked for an MFA code, where the source's own profile needs one.
    """

    account: Account
    source: Source
    hops: tuple[Hop, ...]
    regions: tuple[str | None, ...]
    assume: Callable[[Hop, Signer], Issued]
    source_region_name: str
    ask_for_mfa: Callable[[], None]


def region_without_role(account: Account, source: Source, regions: tuple[str | None, ...], named: str | None) -> str:
    """The region whose STS knows a source's own credentials, where no role says which partition they are of.

    Args:
        account: Its region is in its partition.
        source: The source.
        regions: The session's and the source's region.
        named: The region of STS that the defaults name.
    """
    known = account.region_name, source.session.profile_region, source.region_name, *regions
    return region_in(partition_of(*known), named, account.region_name, *regions, *known)
