"""The local CloudTrail: what passed through the local AWS, as events."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._trail import CloudTrail as CloudTrail

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_trail": ("CloudTrail",),
    },
)
