"""What AWS's words say of a request that it denied.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import re

from xsession._base import frozen

_DENIED = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?")
_SILENT = re.compile(
    r"because no ([A-Za-z][A-Za-z -]*?) polic(?:y|ies) allows? the|because no (permissions boundary) allows the"
)
_EXPLICIT = re.compile(r"with an explicit deny in an? (?:([A-Za-z][A-Za-z -]*?) policy|(permissions boundary))")


@frozen
class Denial:
    """What a denial says.

    Args:
        action: The action that was denied; None: it says none.
        resource: The resource, likewise.
        policy: The kind of policy that is the reason, such as "identity-based" or "service control"; None: it says
            none.
        explicit: Whether a statement denies it, rather than none allows it.
    """

    action: str | None = None
    resource: str | None = None
    policy: str | None = None
    explicit: bool = False


def read_denial(message: str) -> Denial:
    """What AWS's message says.

    Args:
        message: The error's message, or a text that holds it.
    """
    denied = _DENIED.search(message)
    explicit = _EXPLICIT.search(message)
    reason = explicit or _SILENT.search(message)
    return Denial(
        action=None if denied is None else denied[1],
        resource=None if denied is None or denied[2] is None else denied[2].strip('"'),
        policy=None if reason is None else reason[1] or reason[2],
        explicit="explicit deny" in message,
    )
