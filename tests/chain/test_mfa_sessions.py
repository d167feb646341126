from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from xsession._chain._mfa_sessions import MfaSessions
from xsession.stores import MemoryStore
from xsession.testing import FakeClock

THREADS = 16


@pytest.fixture
def short_turns() -> Iterator[None]:
    """Threads take turns as often as they can: more races."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("short_turns")
@pytest.mark.parametrize("passing", [False, True])
def test_threads_that_come_at_once_get_the_same_session(*, passing: bool) -> None:
    """Else each would ask its person for a code of its own; sources that callers pass along are no exception."""
    barrier = threading.Barrier(THREADS)
    sessions = MfaSessions(None, store=MemoryStore(), clock=FakeClock())

    def come(source: Any) -> object:
        barrier.wait(10)
        return sessions.of("arn:aws:iam::111111111111:mfa/bruce", source)

    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(200):
            source = SimpleNamespace(is_passing=passing, key=f"source-{number}")
            assert len(set(pool.map(come, [source] * THREADS))) == 1
