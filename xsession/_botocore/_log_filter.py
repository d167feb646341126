"""Keeps botocore's own log records of our STS calls out of every log: at DEBUG they hold keys, tokens and codes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_calls = threading.local()


class _OwnCalls(logging.Filter):
    """Drops what a thread logs while it calls STS for us."""

    def filter(self, _record: logging.LogRecord, /) -> bool:
        """Whether the record is of other calls."""
        return not getattr(_calls, "depth", 0)


_FILTER = _OwnCalls("xsession")


@contextmanager
def unlogged() -> Iterator[None]:
    """Drops botocore's and urllib3's log records of this thread within the block."""
    _calls.depth = getattr(_calls, "depth", 0) + 1
    try:
        yield
    finally:
        _calls.depth -= 1


def install_log_filter() -> None:
    """Sets the filter on every logger of botocore that exists; harmless when it is there already."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("botocore", "boto3", "urllib3"):
            logging.getLogger(name).addFilter(_FILTER)
