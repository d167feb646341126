"""The sentence by which AWS denies a request: read and written.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
"""

from __future__ import annotations

import re

from xsession._base import frozen

# "identity-based", "service control", "VPC endpoint", ...: bounded, so that no message takes long to read.
_KIND = r"([A-Za-z][A-Za-z -]{0,40}?)"
_ACTION = re.compile(r"not authorized to perform: ([\w-]{1,128}:\w+)(?: on resource: (\S+))?")
_SILENT = re.compile(rf"because no {_KIND} polic(?:y|ies) allows? the|because no (permissions boundary) allows the")
# Since January 2026 the policy's ARN follows, where it has one; what follows an ARN may be another sentence.
_EXPLICIT = re.compile(
    rf"with an explicit deny in an? (?:{_KIND} policy|(permissions boundary))(?:: (arn:[!-~]{{1,2048}}))?"
)


@frozen
class Denial:
    """What a denial says.

    Args:
        action: The action that was denied; None: it says none.
        resource: The resource, likewise.
        policy: The kind of policy that is the reason, such as "identity-based" or "service control"; None: it says
            none.
        explicit: Whether a statement denies it, rather than none allows it.
        policy_arn: The policy with that statement; None: it says none.
    """

    action: str | None = None
    resource: str | None = None
    policy: str | None = None
    explicit: bool = False
    policy_arn: str | None = None


def read_denial(message: str) -> Denial:
    """What AWS's message says.

    Args:
        message: The error's message, or a string that holds it.
    """
    denied = _ACTION.search(message)
    explicit = _EXPLICIT.search(message)
    reason = explicit or _SILENT.search(message)
    return Denial(
        action=None if denied is None else denied[1],
        resource=None if denied is None or denied[2] is None else denied[2].strip('"'),
        policy=None if reason is None else reason[1] or reason[2],
        explicit="explicit deny" in message,
        policy_arn=None if explicit is None or explicit[3] is None else explicit[3].rstrip(".,"),
    )


def denial_sentence(caller_arn: str, action: str, resource: str | None = None, reason: str = "") -> str:
    """What AWS writes where a caller may not.

    Args:
        caller_arn: The caller.
        action: What.
        resource: On what; None: it names nothing.
        reason: "because ..." or "with ..."; "": it gives none.
    """
    about = "" if resource is None else f" on resource: {resource}"
    return f"User: {caller_arn} is not authorized to perform: {action}{about}" + (f" {reason}" if reason else "")
