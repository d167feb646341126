from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import World
from xsession.fanout import Rate


@given(st.floats(0.1, 1_000), st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=50))
def test_each_kind_has_its_own_pace(per_second: float, story: list[tuple[str, float]]) -> None:
    """Two of a kind are never nearer than its distance; none waits for another kind."""
    now = [0.0]
    rate = Rate(per_second, lambda: now[0])
    sent: dict[str, list[float]] = {"a": [], "b": []}
    for kind, later in story:
        now[0] += later
        sent[kind].append(now[0] + rate.wait(kind))
    for times in sent.values():
        assert all(after - before >= 1 / per_second - 1e-6 for before, after in pairwise(times))
    assert Rate(per_second, lambda: 5.0).wait("a") == 0


def test_clients_of_a_run_keep_to_its_rate(world: World) -> None:
    """Those that are shared in it, and private ones; others go as fast as before."""
    xs = world.session()

    def work(session: object) -> int:
        shared, own = session.get_client("sts"), session.client("sts")  # type: ignore[attr-defined]
        assert session.get_client("sts") is shared  # type: ignore[attr-defined]
        for client in (shared, own, shared):
            client.get_caller_identity()
        return 3

    xs.run(work, "vegeta").collect()
    began = time.monotonic()
    assert xs.run(work, "vegeta", rate=20).collect().results == {"vegeta": 3}
    assert time.monotonic() - began >= 0.09
    assert xs.get_client("sts", "vegeta") is not None
