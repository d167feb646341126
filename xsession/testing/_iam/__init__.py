"""The local IAM: users, roles, access keys and policies as they are at the moment, and what they allow."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._access_keys import AccessKey as AccessKey
    from ._access_keys import new_id as new_id
    from ._access_keys import new_key as new_key
    from ._authorization import Authorizer as Authorizer
    from ._context import RequestEnvironment as RequestEnvironment
    from ._context import environment_keys as environment_keys
    from ._directory import Directory as Directory
    from ._directory import KnownRole as KnownRole
    from ._documents import session_policy_refusal as session_policy_refusal
    from ._local_iam import LocalIAM as LocalIAM
    from ._local_iam import check_token as check_token
    from ._not_judged import NotJudgedError as NotJudgedError
    from ._not_judged import UnknownRequestError as UnknownRequestError
    from ._patterns import Context as Context
    from ._permissions import NamedPolicy as NamedPolicy
    from ._permissions import decide as decide
    from ._required_actions import RequiredAction as RequiredAction
    from ._trust import Principal as Principal
    from ._trust import TrustLevel as TrustLevel
    from ._trust import decide_role_assumption as decide_role_assumption
    from ._trust import trust_in as trust_in

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_access_keys": ("AccessKey", "new_id", "new_key"),
        "_authorization": ("Authorizer",),
        "_context": ("RequestEnvironment", "environment_keys"),
        "_directory": ("Directory", "KnownRole"),
        "_documents": ("session_policy_refusal",),
        "_local_iam": ("LocalIAM", "check_token"),
        "_not_judged": ("NotJudgedError", "UnknownRequestError"),
        "_patterns": ("Context",),
        "_permissions": ("NamedPolicy", "decide"),
        "_required_actions": ("RequiredAction",),
        "_trust": ("Principal", "TrustLevel", "decide_role_assumption", "trust_in"),
    },
)
