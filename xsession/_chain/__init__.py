"""From an account to the credentials of its clients: its hops, and how each is requested."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._account_credentials import AccountCredentials as AccountCredentials
    from ._chains import Chains as Chains
    from ._resolved_account import ResolvedAccount as ResolvedAccount
    from ._resolved_account import UncachedChain as UncachedChain
    from ._settings import ChainSettings as ChainSettings
    from ._settings import MfaCode as MfaCode
    from ._settings import Runtime as Runtime
    from ._source import Source as Source
    from ._source import SourceClients as SourceClients

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_account_credentials": ("AccountCredentials",),
        "_chains": ("Chains",),
        "_resolved_account": ("ResolvedAccount", "UncachedChain"),
        "_settings": ("ChainSettings", "MfaCode", "Runtime"),
        "_source": ("Source", "SourceClients"),
    },
)
