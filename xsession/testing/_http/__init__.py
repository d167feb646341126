"""The local AWS over HTTP: requests, their signatures, and what is answered."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._answers import Answer as Answer
    from ._answers import RefusedError as RefusedError
    from ._answers import denied as denied
    from ._answers import sts_answer as sts_answer
    from ._answers import unknown_key as unknown_key
    from ._calls import Call as Call
    from ._calls import CallLog as CallLog
    from ._exchange import Exchange as Exchange
    from ._faults import Fault as Fault
    from ._faults import Faults as Faults
    from ._server import Server as Server
    from ._server import serve as serve
    from ._signatures import Request as Request
    from ._signatures import Signature as Signature

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_answers": ("Answer", "RefusedError", "denied", "sts_answer", "unknown_key"),
        "_calls": ("Call", "CallLog"),
        "_exchange": ("Exchange",),
        "_faults": ("Fault", "Faults"),
        "_server": ("Server", "serve"),
        "_signatures": ("Request", "Signature"),
    },
)
