"""The local AWS Organizations: accounts, their OUs, tags and regions, and who may ask for them."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._answers import LocalOrganizations as LocalOrganizations
    from ._local_organization import LocalOrganization as LocalOrganization

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_answers": ("LocalOrganizations",),
        "_local_organization": ("LocalOrganization",),
    },
)
