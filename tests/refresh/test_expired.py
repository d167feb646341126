from __future__ import annotations

import pytest

from tests.support.cells import Bench, advisory, refusal
from xsession import events
from xsession.errors import AssumeRoleError


def test_an_older_answer_is_dropped() -> None:
    """Credentials that end before those held are a failed refresh."""
    bench = Bench()
    advisory(bench)
    bench.fetch.lifetime = 600
    bench.key()
    failed = bench.events.wait_for(events.RefreshFailed)
    assert "end before those held" in failed.message
    assert bench.key() == "ASIA1"


def test_an_older_answer_is_better_than_dead_credentials() -> None:
    """Where nothing usable is held, it is taken."""
    bench = Bench()
    bench.read()
    bench.to_remaining(-10)
    bench.fetch.lifetime = 30
    assert bench.key() == "ASIA2"


def test_past_the_end_a_reader_gets_the_cause() -> None:
    """STS down past the expiry: an error within 22 s with cause, tries and next try; then it recovers."""
    bench = Bench(auto=True)
    bench.read()
    bench.to_remaining(-1)
    bench.fetch.error = refusal()
    began = bench.clock.boot()
    with pytest.raises(
        AssumeRoleError, match=r"InternalFailure: no; failed after \d+ tr(?:y|ies), the next in \d"
    ) as caught:
        bench.read()
    assert bench.clock.boot() - began <= 22
    assert caught.value.code == "InternalFailure"
    bench.fetch.error = None
    bench.clock.advance(5)
    assert bench.key().startswith("ASIA")


def test_dead_credentials_are_never_served() -> None:
    """From the hard end on a reader waits, whatever happens."""
    bench = Bench(auto=True)
    bench.read()
    bench.to_remaining(4)
    bench.fetch.error = refusal(retryable=False)
    with pytest.raises(AssumeRoleError):
        bench.read()
