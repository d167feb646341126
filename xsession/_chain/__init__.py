"""From an account to the credentials of its clients: its hops, and how each is requested."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._chains import Chains as Chains
    from ._chains import Reached as Reached
    from ._chains import Route as Route
    from ._mfa_prompt import MfaCode as MfaCode
    from ._start import Start as Start
    from ._start import refuse_closed as refuse_closed

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_chains": ("Chains", "Reached", "Route"),
        "_mfa_prompt": ("MfaCode",),
        "_start": ("Start", "refuse_closed"),
    },
)
