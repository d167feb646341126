"""Children that are forked while threads of the parent are busy."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager


def exit_code_of_child(use: Callable[[], object], held: AbstractContextManager[object]) -> int:
    """Forks a child while a thread of the parent holds a lock; 0: the child used what the lock is for, in time.

    Args:
        use: What the child does.
        held: The lock.
    """
    taken, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with held:
            taken.set()
            forked.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        failed = 1
        try:
            use()
            failed = 0
        finally:
            os._exit(failed)
    forked.set()
    thread.join()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
