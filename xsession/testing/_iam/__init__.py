"""The local IAM: roles and policies as they are at the moment, and what they allow."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._access import Access as Access
    from ._actions import Asked as Asked
    from ._actions import listed as listed
    from ._context import Circumstances as Circumstances
    from ._context import keys_of as keys_of
    from ._directory import Directory as Directory
    from ._directory import KnownRole as KnownRole
    from ._not_judged import NotJudgedError as NotJudgedError
    from ._not_judged import UnknownRequestError as UnknownRequestError
    from ._patterns import Context as Context
    from ._permissions import decide as decide
    from ._required_actions import RequiredAction as RequiredAction
    from ._simulation import answer_simulation as answer_simulation
    from ._trust import Principal as Principal
    from ._trust import TrustLevel as TrustLevel
    from ._trust import decide_both as decide_both
    from ._trust import trust_in as trust_in

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_access": ("Access",),
        "_actions": ("Asked", "listed"),
        "_context": ("Circumstances", "keys_of"),
        "_directory": ("Directory", "KnownRole"),
        "_not_judged": ("NotJudgedError", "UnknownRequestError"),
        "_patterns": ("Context",),
        "_permissions": ("decide",),
        "_required_actions": ("RequiredAction",),
        "_simulation": ("answer_simulation",),
        "_trust": ("Principal", "TrustLevel", "decide_both", "trust_in"),
    },
)
