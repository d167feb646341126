"""Ray's workers as an executor: Ray has none of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from xsession._base import public
from xsession.errors import ConfigError

P = ParamSpec("P")
T = TypeVar("T")


@public
class RayExecutor(Executor):
    """Makes calls in Ray's workers, each of them once: what a worker that died was at is not called again.

    Uses the cluster that `ray.init()` connected to. Its shutdown leaves Ray as it is.

    Args:
        options: What `ray.remote` takes beside, such as `num_cpus`.

    Raises:
        ConfigError: Ray is not installed, or not connected; or `max_retries` is among the options.
    """

    def __init__(self, **options: Any) -> None:
        try:
            import ray  # noqa: PLC0415 # an extra
        except ImportError:
            msg = "ray is not installed"
            raise ConfigError(msg, hint='pip install "xsession[ray]"') from None
        if not ray.is_initialized():
            msg = "Ray is not connected to a cluster"
            raise ConfigError(msg, hint="call ray.init() first")
        if "max_retries" in options:
            msg = "each call is made once"
            raise ConfigError(msg, hint="leave max_retries out, and use retries= of the run")
        self._ray = ray
        self._options = options
        self._call = ray.remote(max_retries=0, **options)(_call)
        self._closed = False

    @property
    def num_workers(self) -> int:
        """How many calls are made at once: as many as the cluster has CPUs for."""
        cpus = self._ray.cluster_resources().get("CPU", 1.0)
        return max(1, int(cpus / (self._options.get("num_cpus", 1) or 1)))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Has a call made.

        Raises:
            RuntimeError: It was shut down.
        """
        if self._closed:
            msg = "cannot schedule new futures after shutdown"
            raise RuntimeError(msg)
        future: Future[T] = self._call.remote(fn, args, kwargs).future()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 # as its base has it
        """Takes no more calls; Ray itself goes on."""
        self._closed = True


def _call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return function(*args, **kwargs)
