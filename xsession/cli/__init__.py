"""The command line. Needs the extra `xsession[cli]`, but for `credential-process`."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._main import main

__all__ = ["main"]

__getattr__, __dir__ = lazy(__name__, {"_main": ("main",)})
