from __future__ import annotations

import os
import signal
import threading

import pytest

from tests.support.cells import until
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import SOURCE
from xsession._base import _fork
from xsession._base._fork import renew_after_fork
from xsession.testing import FakeClock, Fault, LocalAWS

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")


class Counter:
    """Counts the forks that it is told of."""

    forks = 0

    def after_fork(self) -> None:
        """Records one."""
        self.forks += 1


def exit_status_of_child(check: bool) -> int:
    """Ends a forked child with what it found."""
    os._exit(0 if check else 1)


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork of a process with threads is the point
def test_objects_hear_of_a_fork_in_the_child_alone() -> None:
    """The parent's state stays as it is."""
    counter = Counter()
    renew_after_fork(counter)
    child = os.fork()
    if child == 0:
        exit_status_of_child(counter.forks == 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert counter.forks == 0


def test_the_registry_keeps_nothing_alive() -> None:
    """An object that is not held any more is gone."""
    registry = _fork._Registry()
    registry.add(Counter())
    assert list(registry._objects) == []


def test_a_platform_without_fork_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to register with."""
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    registry = _fork._Registry()
    counter = Counter()
    registry.add(counter)
    registry._after_in_child()
    assert counter.forks == 1


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork of a process with threads is the point
@pytest.mark.parametrize(
    ("remaining", "under_way"),
    [(None, False), (1_800, False), (800, False), (50, False), (-1, False), (None, True), (50, True), (-1, True)],
)
def test_a_fork_in_each_state_of_the_credentials(remaining: float | None, *, under_way: bool) -> None:
    """The child is served as each account that it asks for, with clients made before and after; so is the parent.

    Also while a thread of the parent waits for STS, whose locks and connection are in use.
    """
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        xs = world.session(clock=clock)
        clients = {VEGETA: xs.get_client("sts", "vegeta"), BATMAN: xs.get_client("sts", SOURCE)}
        who(clients[BATMAN])
        if remaining is not None:
            who(clients[VEGETA])
        asking = threading.Thread(target=xs.get_frozen_credentials, args=("vegeta",), daemon=True)
        if under_way:
            aws.fail(Fault(operation="AssumeRole", kind="hang"))
        clock.advance(0 if remaining is None else 3_600 - remaining)
        if under_way:
            asking.start()
            until(lambda: aws._faults._armed[0][1] == [1])
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            right = [who(client) == account for account, client in clients.items() for _ in range(3)]
            exit_status_of_child(all(right) and who(xs["vegeta"].client("sts")) == VEGETA)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        aws.release()
        assert {who(client): account for account, client in clients.items()} == {VEGETA: VEGETA, BATMAN: BATMAN}
        world.close()
