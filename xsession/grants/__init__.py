"""Grants: credentials made for another person, narrowed, written down, and over at a deadline; and their revocation."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._grant import Grant
    from ._granting import Grants as Grants
    from ._revocation import Revocation
    from ._revocation_policy import REVOCATION_PREFIX as REVOCATION_PREFIX
    from ._revoker import Revoker as Revoker
    from ._sign_in_link import sign_in_link as sign_in_link

__all__ = ["Grant", "Revocation"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_grant": ("Grant",),
        "_granting": ("Grants",),
        "_revocation": ("Revocation",),
        "_revocation_policy": ("REVOCATION_PREFIX",),
        "_revoker": ("Revoker",),
        "_sign_in_link": ("sign_in_link",),
    },
)
