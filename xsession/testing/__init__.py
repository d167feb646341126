"""What tests of code that uses xsession need: AWS accounts on this machine, a clock to turn, events to look at.

Needs the extra: `pip install 'xsession[testing]'`. With it, pytest has the fixtures `local_aws`, `fake_clock` and
`captured_events`.
"""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._event_capture import EventCapture
    from ._fake_clock import FakeClock
    from ._http import Call, Fault
    from ._iam import NotJudgedError
    from ._local_account import LocalAccount
    from ._local_aws import LocalAWS
    from ._store_contract import SharedStoreContract, StoreContract
    from ._story import Story

__all__ = [
    "Call",
    "EventCapture",
    "FakeClock",
    "Fault",
    "LocalAWS",
    "LocalAccount",
    "NotJudgedError",
    "SharedStoreContract",
    "StoreContract",
    "Story",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_event_capture": ("EventCapture",),
        "_fake_clock": ("FakeClock",),
        "_http": ("Call", "Fault"),
        "_iam": ("NotJudgedError",),
        "_local_account": ("LocalAccount",),
        "_local_aws": ("LocalAWS",),
        "_store_contract": ("SharedStoreContract", "StoreContract"),
        "_story": ("Story",),
    },
)
