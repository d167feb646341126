from __future__ import annotations

import os

import pytest

from xsession import _fork
from xsession._fork import renew_after_fork

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")


class Counter:
    """Counts the forks that it is told of."""

    forks = 0

    def after_fork(self) -> None:
        """Takes note of one."""
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
    """An object that nobody holds any more is gone."""
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
