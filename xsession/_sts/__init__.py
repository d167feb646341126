"""The only package that calls STS, and that reads what it answers."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._answers import DEFAULT_DURATION_SECONDS as DEFAULT_DURATION_SECONDS
    from ._calls import Sts as Sts
    from ._regions import partition_of as partition_of
    from ._regions import region_in as region_in
    from ._regions import sts_region as sts_region

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_answers": ("DEFAULT_DURATION_SECONDS",),
        "_calls": ("Sts",),
        "_regions": ("partition_of", "region_in", "sts_region"),
    },
)
