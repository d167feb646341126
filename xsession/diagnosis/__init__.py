"""Finds out which hop on the way to an account is refused, why, and what to change."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._report import Cause, Diagnosis, HopDiagnosis, HopState
    from ._walk import diagnose as diagnose

__all__ = ["Cause", "Diagnosis", "HopDiagnosis", "HopState"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_report": ("Cause", "Diagnosis", "HopDiagnosis", "HopState"),
        "_walk": ("diagnose",),
    },
)
