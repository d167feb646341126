"""Sets up what cross-account access needs: the role over there, its permissions, and whom it trusts."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._comparison import Comparison
    from ._role_spec import RoleSpec

__all__ = ["Comparison", "RoleSpec"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_comparison": ("Comparison",),
        "_role_spec": ("RoleSpec",),
    },
)
