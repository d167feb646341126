from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cells import Bench
from xsession import events
from xsession.refresh import Rejection, RejectionMemory, no_rejections
from xsession.refresh._rejections import NEW_SECONDS, Verdict

S3 = ("https://s3.eu-west-1.amazonaws.com", "eu-west-1/s3")
EC2 = ("https://ec2.eu-west-1.amazonaws.com", "eu-west-1/ec2")
REPLACE = Verdict(0.0, replaces=True)
GIVE_UP = Verdict(None)


def after(
    memory: RejectionMemory, key: str = "ASIA1", endpoint: tuple[str, ...] = S3, age: float = 60.0, now: float = 0.0
) -> tuple[RejectionMemory, Verdict]:
    """What becomes of the rejection of the key that is held."""
    return memory.after(Rejection(key, endpoint), held=key, age=age, now=now)


def test_an_old_key_is_replaced_at_once() -> None:
    """The first time; it is held by everybody."""
    assert after(no_rejections())[1] == REPLACE


@pytest.mark.parametrize("held", ["ASIA2", None])
def test_a_late_rejection_costs_nothing(held: str | None) -> None:
    """The next signing has another key; so nothing is remembered."""
    assert no_rejections().after(Rejection("ASIA1", S3), held=held, age=60.0, now=0.0) == (
        no_rejections(),
        Verdict(0.0),
    )


@pytest.mark.parametrize(("earlier", "delay"), [(0, 0.5), (1, 1.5), (2, None)])
def test_a_new_key_is_waited_for_twice(earlier: int, delay: float | None) -> None:
    """And never thrown away."""
    _, verdict = no_rejections().after(Rejection("ASIA1", S3, earlier), held="ASIA1", age=9.9, now=0.0)
    assert verdict == Verdict(delay)


def test_a_key_that_grew_old_meanwhile_is_replaced() -> None:
    """However often it was waited for."""
    assert no_rejections().after(Rejection("ASIA1", S3, 2), held="ASIA1", age=10.0, now=0.0)[1] == REPLACE


def test_an_unknown_old_key_stays() -> None:
    """To be unknown is no reason; and it does not count."""
    rejection = Rejection("ASIA1", S3, says="unknown")
    assert no_rejections().after(rejection, held="ASIA1", age=60.0, now=0.0) == (no_rejections(), GIVE_UP)


def test_two_keys_count_against_their_endpoint_alone() -> None:
    """Until it accepts one."""
    memory, _ = after(no_rejections())
    memory, verdict = after(memory, "ASIA2", now=1_000.0)
    assert (verdict, memory.gave_up(S3), memory.gave_up(EC2)) == (GIVE_UP, True, False)
    assert after(memory, "ASIA3", age=0.0, now=2_000.0) == (memory, GIVE_UP)
    assert after(memory, "ASIA3", EC2, now=2_000.0)[1] == REPLACE
    assert after(memory.accepted(S3), "ASIA3", now=2_000.0)[1] == REPLACE


def test_a_key_that_an_endpoint_rejects_again_counts_once() -> None:
    """As when many threads meet the same."""
    memory, _ = after(no_rejections(), now=0.0)
    memory, _ = after(memory, now=1.0)
    assert not memory.gave_up(S3)


def test_the_pause_doubles_and_begins_again_after_a_quiet_time() -> None:
    """From half a minute to ten minutes."""
    memory, now, pauses = no_rejections(), 0.0, []
    for number in range(8):
        memory, verdict = after(memory, f"ASIA{number}", now=now)
        assert verdict == REPLACE
        assert after(memory, f"ASIA{number}", EC2, now=now + memory.pause - 0.1)[1] == GIVE_UP
        pauses.append(memory.pause)
        now += memory.pause
        memory = memory.accepted(S3)
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600]
    assert after(memory, "ASIA9", now=now + 1_200)[0].pause == 30


def test_so_many_endpoints_are_remembered() -> None:
    """The ones that rejected something last."""
    memory = no_rejections()
    for number in range(100):
        memory, _ = after(memory, "ASIA1", (str(number),))
    assert [endpoint for endpoint, _ in memory.rejected] == [(str(number),) for number in range(36, 100)]


Steps = st.lists(
    st.tuples(
        st.floats(0.0, 100.0),
        st.sampled_from([S3, EC2]),
        st.sampled_from(["dead", "replace", "unknown"]),
        st.booleans(),
    ),
    max_size=60,
)


@given(Steps)
def test_whatever_is_rejected_the_key_is_replaced_only_once_in_a_while(
    steps: list[tuple[float, tuple[str, ...], str, bool]],
) -> None:
    """Half a minute lies between two of them; none is new unless others were asked for."""
    memory, now, issued, key, replaced = no_rejections(), 1_000.0, 0.0, 1, []
    for seconds, endpoint, says, accepts in steps:
        now += seconds
        if accepts:
            memory = memory.accepted(endpoint)
            assert not memory.gave_up(endpoint)
            continue
        gave_up = memory.gave_up(endpoint)
        rejection = Rejection(f"ASIA{key}", endpoint, earlier=2, says=says)  # type: ignore[arg-type]  # one of three
        memory, verdict = memory.after(rejection, held=f"ASIA{key}", age=now - issued, now=now)
        if verdict.replaces:
            assert not gave_up
            assert says == "replace" or (says == "dead" and now - issued >= NEW_SECONDS)
            replaced.append(now)
            issued, key = now, key + 1
    assert all(later - earlier >= 30 for earlier, later in itertools.pairwise(replaced))


def test_a_cell_forgets_an_old_key_once_and_says_why() -> None:
    """Then its new key is waited for."""
    bench = Bench()
    bench.read()
    assert bench.cell.is_new("ASIA1")
    bench.clock.advance(11)
    assert not bench.cell.is_new("ASIA1")
    assert bench.cell.rejected(Rejection("ASIA1", S3), reason="rejected by STS") == 0.0
    assert bench.key() == "ASIA2"
    assert bench.cell.rejected(Rejection("ASIA2", S3)) == 0.5
    assert bench.cell.rejected(Rejection("ASIA1", S3)) == 0.0
    assert [event.reason for event in bench.events.of(events.Invalidated)] == ["rejected by STS"]
    assert bench.calls == 2


def test_what_somebody_invalidates_is_not_counted() -> None:
    """Nor does the pause after a rejection hold it back."""
    bench = Bench()
    for number in range(1, 4):
        bench.read()
        bench.clock.advance(11)
        bench.cell.rejected(Rejection(f"ASIA{number}", S3))
        bench.cell.accepted(S3)
        assert bench.cell.rejections.keys_of(S3) == frozenset()
        assert bench.cell.invalidate() is True
    assert bench.calls == 3
