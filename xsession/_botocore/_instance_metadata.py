"""Whether a machine that gives no credentials has none, or its metadata service (IMDS) does not answer.

botocore takes both for none.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.utils
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

_SYSTEM = Path("/sys")
_NO_CONNECTION = (ConnectTimeoutError, EndpointConnectionError)
_TOO_MANY_REQUESTS = 429
_UNAUTHORIZED = 401
_OK = 200


class InstanceMetadata:
    """What the metadata service said, as far as it was asked.

    Args:
        expected: Whether a profile says that it has credentials.
    """

    def __init__(self, *, expected: bool) -> None:
        self._expected = expected
        self._is_there = False
        self.problem: str | None = None
        """Why there was no answer where one may come later; None: it was not asked, or said that it has none."""

    def is_at(self, url: object) -> None:
        """Records where it is: at an address that was configured, there is one."""
        usual = (botocore.utils.METADATA_BASE_URL, getattr(botocore.utils, "METADATA_BASE_URL_IPv6", None))
        self._is_there = self._expected or url not in usual

    def failed(self, error: Exception) -> None:
        """Records that a request got no answer."""
        lost = not isinstance(error, _NO_CONNECTION) or self._is_there or is_ec2()
        self.problem = type(error).__name__ if lost else None

    def answered(self, status: int, text: str) -> None:
        """Records an answer."""
        if status == _UNAUTHORIZED:
            # It wants a token, and what came of asking for that is known already.
            return
        if status == _OK:
            self.problem = _said(text)
        else:
            self.problem = f"status {status}" if status >= 500 or status == _TOO_MANY_REQUESTS else None


class _Recorded:
    """An HTTP session that records what comes of its requests."""

    def __init__(self, session: Any, metadata: InstanceMetadata) -> None:
        self._session = session
        self._metadata = metadata

    def send(self, request: Any) -> Any:
        try:
            response = self._session.send(request)
        except Exception as error:
            self._metadata.failed(error)
            raise
        self._metadata.answered(response.status_code, response.text)
        return response


@contextmanager
def watching(providers: Iterable[Any], *, expected: bool) -> Iterator[InstanceMetadata]:
    """Records within the block what the metadata service says to botocore's providers of credentials.

    Args:
        providers: The providers.
        expected: Whether a profile says that the machine has credentials.
    """
    metadata = InstanceMetadata(expected=expected)
    fetchers = [found for one in providers if (found := getattr(one, "_role_fetcher", None)) is not None]
    before = [(fetcher, fetcher._session) for fetcher in fetchers if hasattr(fetcher, "_session")]
    for fetcher, session in before:
        metadata.is_at(getattr(fetcher, "_base_url", botocore.utils.METADATA_BASE_URL))
        fetcher._session = _Recorded(session, metadata)
    try:
        yield metadata
    finally:
        for fetcher, session in before:
            fetcher._session = session


def is_ec2() -> bool:
    """Whether this machine is an EC2 instance, by what its firmware says.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html
    """
    return _firmware("class/dmi/id/sys_vendor") == "amazon ec2" or _firmware("hypervisor/uuid").startswith("ec2")


def _firmware(name: str) -> str:
    try:
        return (_SYSTEM / name).read_text(encoding="ascii").strip().lower()
    except (OSError, ValueError):
        return ""


def _said(text: str) -> str:
    # Only the words of an error: what else is in there may be a secret.
    try:
        document = json.loads(text)
        code, message = document["Code"], document["Message"]
    except (ValueError, KeyError, TypeError):
        return "no credentials in its answer"
    return f"{code}: {message}"
