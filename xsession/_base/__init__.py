"""What knows nothing of AWS: values, maps, clocks, forks, files, tables, close matches."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._after_locks import after_locks as after_locks
    from ._after_locks import under_lock as under_lock
    from ._clock import SYSTEM_CLOCK as SYSTEM_CLOCK
    from ._clock import Clock as Clock
    from ._clock import Waitable as Waitable
    from ._close_matches import did_you_mean as did_you_mean
    from ._digest import digest_of as digest_of
    from ._digest import sha256 as sha256
    from ._fork import renew_after_fork as renew_after_fork
    from ._frames import hides_frames as hides_frames
    from ._frames import without_frames as without_frames
    from ._frames import without_text as without_text
    from ._frozen_map import FrozenMap as FrozenMap
    from ._locks import Latch as Latch
    from ._locks import held_here as held_here
    from ._locks import is_held as is_held
    from ._made_once import made_once as made_once
    from ._notebook import notebook_kernel as notebook_kernel
    from ._own_file import open_own_file as open_own_file
    from ._private_file import NEW_PREFIX as NEW_PREFIX
    from ._private_file import kept_by_us as kept_by_us
    from ._private_file import write_private_file as write_private_file
    from ._rate_limit import RateLimit as RateLimit
    from ._regular_file import read_regular_file as read_regular_file
    from ._shortened import shortened as shortened
    from ._table import table as table
    from ._tabular import Table as Table
    from ._tabular import Tabular as Tabular
    from ._text_of import text_of as text_of
    from ._value import frozen as frozen
    from .lazy import public as public

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_after_locks": ("after_locks", "under_lock"),
        "_clock": ("SYSTEM_CLOCK", "Clock", "Waitable"),
        "_close_matches": ("did_you_mean",),
        "_digest": ("digest_of", "sha256"),
        "_fork": ("renew_after_fork",),
        "_frames": ("hides_frames", "without_frames", "without_text"),
        "_frozen_map": ("FrozenMap",),
        "_locks": ("Latch", "held_here", "is_held"),
        "_made_once": ("made_once",),
        "_notebook": ("notebook_kernel",),
        "_own_file": ("open_own_file",),
        "_private_file": ("NEW_PREFIX", "kept_by_us", "write_private_file"),
        "_rate_limit": ("RateLimit",),
        "_regular_file": ("read_regular_file",),
        "_shortened": ("shortened",),
        "_table": ("table",),
        "_tabular": ("Table", "Tabular"),
        "_text_of": ("text_of",),
        "_value": ("frozen",),
        "lazy": ("public",),
    },
)
