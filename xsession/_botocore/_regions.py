"""Warns of regions that botocore does not know, before anything is sent there."""

from __future__ import annotations

import warnings
from typing import Any
from urllib.parse import urlsplit

import botocore
from botocore.exceptions import DataNotFoundError

from xsession._base import did_you_mean
from xsession.errors import UnknownRegionWarning


def warn_of_unknown_region(client: Any, loader: Any) -> None:
    """Warns where a client would talk to AWS in a region that botocore does not know.

    It is no error, as with boto3: AWS opens regions that an older botocore does not know. Clients with an endpoint of
    another vendor, and those of global services, do not depend on the region's name.

    Args:
        client: A client, as botocore made it.
        loader: botocore's loader of data.
    """
    region = client.meta.region_name
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    if region is None or region not in host.split(".")[1:]:
        return
    known, suffixes = _known(loader)
    if region in known or not host.endswith(suffixes):
        return
    hint = did_you_mean(region, sorted(known), "look it up in AWS's list of regions")
    msg = f"botocore {botocore.__version__} knows no region {region!r}: it is mistyped, or too new for it; {hint}"
    warnings.warn(msg, UnknownRegionWarning, stacklevel=2)


def _known(loader: Any) -> tuple[set[str], tuple[str, ...]]:
    """The regions that botocore knows, and what AWS's hosts end in; the latter is empty where it has no such data."""
    known: set[str] = set()
    suffixes: set[str] = set()
    try:
        for partition in loader.load_data("partitions")["partitions"]:
            known.update(partition["regions"])
            suffixes.update(f".{partition['outputs'][kind]}" for kind in ("dnsSuffix", "dualStackDnsSuffix"))
    except (DataNotFoundError, LookupError, TypeError):
        return set(), ()
    return known, tuple(suffixes)
