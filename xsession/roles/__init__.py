"""Roles to assume, chains of them, what they take where an option is left open, and what tells two of them apart."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._defaults import COMMAND_OPTIONS as COMMAND_OPTIONS
    from ._defaults import DEFAULT_OPTIONS as DEFAULT_OPTIONS
    from ._defaults import Defaults
    from ._defaults import as_defaults as as_defaults
    from ._durations import MAX_CHAINED_DURATION_SECONDS as MAX_CHAINED_DURATION_SECONDS
    from ._durations import MIN_DURATION_SECONDS as MIN_DURATION_SECONDS
    from ._hops import Hop as Hop
    from ._hops import HopResolver as HopResolver
    from ._options import DefaultOptions, RoleOptions
    from ._role import ROLE_OPTIONS as ROLE_OPTIONS
    from ._role import Role
    from ._role import second_session_policy as second_session_policy
    from ._role_chain import RoleChain
    from ._role_chain import as_chain as as_chain
    from ._session_name import Runner as Runner
    from ._session_name import sanitised as sanitised
    from ._tags import checked_tags as checked_tags
    from ._tags import inherited_key as inherited_key
    from ._this_runner import this_runner as this_runner

__all__ = ["DefaultOptions", "Defaults", "Role", "RoleChain", "RoleOptions"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_defaults": ("COMMAND_OPTIONS", "DEFAULT_OPTIONS", "Defaults", "as_defaults"),
        "_durations": ("MAX_CHAINED_DURATION_SECONDS", "MIN_DURATION_SECONDS"),
        "_hops": ("Hop", "HopResolver"),
        "_options": ("DefaultOptions", "RoleOptions"),
        "_role": ("ROLE_OPTIONS", "Role", "second_session_policy"),
        "_role_chain": ("RoleChain", "as_chain"),
        "_session_name": ("Runner", "sanitised"),
        "_tags": ("checked_tags", "inherited_key"),
        "_this_runner": ("this_runner",),
    },
)
