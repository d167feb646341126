"""What makes other libraries work with ours: one file for each, imported when it is asked for."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._aiobotocore import aio_session as aio_session
    from ._data import DataLibraries
    from ._opentelemetry import OpenTelemetryHook
    from ._ray import RayExecutor

__all__ = ["DataLibraries", "OpenTelemetryHook", "RayExecutor"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_aiobotocore": ("aio_session",),
        "_data": ("DataLibraries",),
        "_opentelemetry": ("OpenTelemetryHook",),
        "_ray": ("RayExecutor",),
    },
)
