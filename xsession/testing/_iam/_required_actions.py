"""What a request needs permission for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from xsession._base import frozen


@frozen
class RequiredAction:
    """One action that a request takes.

    Args:
        action: "s3:GetObject", ...
        resource: The ARN that it is about; "*": actions of this kind have none; None: it is not known.
        keys: Condition keys of this action alone, in lower case, to values.
    """

    action: str
    resource: str | None
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
