"""The local STS: AWS's rules for AssumeRole, and the credentials that it has issued."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._local_sts import LocalSTS as LocalSTS
    from ._web_identity import make_token as make_token

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_local_sts": ("LocalSTS",),
        "_web_identity": ("make_token",),
    },
)
