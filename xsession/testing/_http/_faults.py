"""Makes the local AWS fail on purpose."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Literal

from xsession._base import frozen


@frozen(kw_only=True)
class Fault:
    """A failure to answer with.

    Args:
        kind: "error": an AWS error of `status`, `code` and `message`; "reset": the connection is cut; "garbage": an
            answer that is not what it claims; "hang": no answer until `LocalAWS.release`; "latency": an answer after
            `seconds`.
        service: Only for this service; None: any.
        operation: Only for this operation; None: any.
        role_arn: Only for AssumeRole of this role; None: any.
        times: How often; None: for ever.
        rate: The share of the requests that it hits, from 0 to 1.
        status: The error's HTTP status.
        code: The error's code.
        message: The error's message.
        seconds: Of "latency".
    """

    kind: Literal["error", "reset", "garbage", "hang", "latency"] = "error"
    service: str | None = "sts"
    operation: str | None = None
    role_arn: str | None = None
    times: int | None = 1
    rate: float = 1.0
    status: int = 500
    code: str = "InternalFailure"
    message: str = "made to fail"
    seconds: float = 0.0


class Faults:
    """The faults in force.

    Args:
        draw: A random number from 0 to 1.
    """

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self._lock = threading.Lock()
        self._armed: list[tuple[Fault, list[int]]] = []
        self.released = threading.Event()

    def add(self, fault: Fault) -> None:
        """Arms a fault."""
        with self._lock:
            self._armed.append((fault, [0]))

    def clear(self) -> None:
        """Disarms all, and lets go what hangs."""
        with self._lock:
            self._armed.clear()
        self.release()

    def release(self) -> None:
        """Lets go what hangs."""
        with self._lock:
            self.released.set()
            self.released = threading.Event()

    def hit(self, service: str, operation: str, role_arn: str | None) -> Fault | None:
        """The fault that this request meets; counted."""
        with self._lock:
            for fault, hits in self._armed:
                if fault.service not in (None, service) or fault.operation not in (None, operation):
                    continue
                if fault.role_arn not in (None, role_arn) or (fault.times is not None and hits[0] >= fault.times):
                    continue
                if fault.rate >= 1 or self._draw() < fault.rate:
                    hits[0] += 1
                    return fault
        return None
