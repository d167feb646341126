"""What tests of code that uses xsession need: AWS accounts on this machine, a clock to turn, events to look at.

Needs the extra: `pip install 'xsession[testing]'`. With it, pytest has the fixtures `local_aws`, `fake_clock` and
`captured_events`.
"""

from .calls import Call
from .capture import EventCapture
from .clock import FakeClock
from .faults import Fault
from .local_account import LocalAccount
from .local_aws import LocalAWS
from .story import Story
from .unjudged import NotJudgedError

__all__ = ["Call", "EventCapture", "FakeClock", "Fault", "LocalAWS", "LocalAccount", "NotJudgedError", "Story"]
