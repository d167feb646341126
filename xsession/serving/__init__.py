"""Credentials for other processes: an endpoint on loopback that AWS's SDKs and tools ask, as containers do."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._container_endpoint import ContainerEndpoint
    from ._server import CredentialServer

__all__ = ["ContainerEndpoint", "CredentialServer"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_container_endpoint": ("ContainerEndpoint",),
        "_server": ("CredentialServer",),
    },
)
