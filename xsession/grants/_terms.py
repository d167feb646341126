"""What a grant is made of: its id, names that AWS sees, its duration, and the session policy that holds it to them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime, timedelta

from xsession._aws import iso
from xsession._base import frozen
from xsession.errors import ConfigError, InvalidPolicyError
from xsession.policies import MAX_SESSION_POLICY_CHARACTERS, Policy, allow, deny
from xsession.refresh import Deadline
from xsession.roles import sanitised

GRANT_TAG = "xsession:grant"
"""The key of the session tag that holds the grant's id."""

MAX_GRANT_SECONDS = 7 * 86_400
MAX_TO_CHARACTERS = 256
MAX_REASON_CHARACTERS = 1_024

# Reading of IAM begins with Get, List, Generate or Simulate. The rest is denied by its first letters and not by a list
# of verbs, which ages. NotAction would deny all other services too. After G, L and S: second letters that no read has,
# which stand for Q too, as u comes after it.
_CHANGES_OF_IAM = (*"ABCDEFHIJKMNOPRTUVWXYZ", *(f"?{letter}" for letter in "achortuwy"), "Le", "Se", "Sig")
_SERVICES_OF_IDENTITIES = (
    "identitystore",
    "organizations",
    "rolesanywhere",
    "signin",
    "sso",
    "sso-directory",
    "sso-oauth",
    "sts",
)

OUTLIVING = (
    *(f"iam:{letters}*" for letters in _CHANGES_OF_IAM),
    *(f"{service}:*" for service in _SERVICES_OF_IDENTITIES),
)
"""Actions by which a session gets, or gives others, access that neither deadline nor session policy reaches.

Of IAM everything but reading: access keys and passwords are credentials; trust, tags and policies let others in, or
lift a revocation; to pass a role to an instance or a function is to assume it by another way. Of the other services
that decide who may do what everything, reading included: denied by first letters, they would leave no room for a
policy. No deny reaches sts:GetCallerIdentity.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

_ID_CHARACTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_SOURCE_IDENTITY = re.compile(r"(?!aws:)[\w+=,.@-]{2,256}", re.ASCII)
_SECOND_DIGITS = 8
# Those that may differ between two grants that are there at once: they count up to 12 days.
_VARYING_DIGITS = 5
_DIGEST_CHARACTERS = 8


@frozen(kw_only=True)
class Terms:
    """What a grant was made for.

    Args:
        id: Its id.
        to: Whom it was made to.
        reason: Why.
        deadline: Until when it holds, in UTC.
        ends: The same on both clocks.
    """

    id: str
    to: str
    reason: str | None
    deadline: datetime
    ends: Deadline


def make_id(random: bytes) -> str:
    """An id of as many letters and digits as there are bytes; none of them looks like another one."""
    return "".join(_ID_CHARACTERS[byte % len(_ID_CHARACTERS)] for byte in random)


def make_grant_id(made: datetime, random: bytes) -> str:
    """An id that begins with the second in which the grant is made, in hexadecimal: so older ones are found."""
    return f"{int(made.timestamp()):0{_SECOND_DIGITS}x}{make_id(random)}"


def ids_before(moment: datetime) -> tuple[str, ...]:
    """Patterns of the ids of all grants that were made in earlier seconds, and that may last beyond the moment.

    IAM compares strings by wildcards alone: a pattern stands for all ids that have a lesser digit where it ends.
    """
    second = f"{int(moment.timestamp()):0{_SECOND_DIGITS}x}"
    fixed = _SECOND_DIGITS - _VARYING_DIGITS
    before = [f"{int(second[:fixed], 16) - 1:0{fixed}x}*"]
    for place in range(fixed, _SECOND_DIGITS):
        before += [f"{second[:place]}{digit:x}*" for digit in range(int(second[place], 16))]
    return tuple(before)


def checked_id(value: object) -> str:
    """The id of a grant, as the caller gave it.

    Raises:
        ConfigError: It is none.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ConfigError.invalid(value, "grant", "an id of letters and digits, as in its sessions' names g-<id>-<to>")
    return value


def checked_to(value: object, name: str = "to") -> str:
    """Whom a grant is made to, as the caller gave it; `name` is that argument's name.

    Raises:
        ConfigError: It is empty, or not one line of plain text.
    """
    return _line(name, value, MAX_TO_CHARACTERS)


def checked_reason(value: object) -> str | None:
    """Why a grant is made, as the caller gave it; None: it gave no reason.

    Raises:
        ConfigError: It is not one line of plain text.
    """
    return None if value is None else _line("reason", value, MAX_REASON_CHARACTERS)


def checked_duration(value: object) -> float:
    """How long a grant holds, in seconds.

    Raises:
        ConfigError: It is not a duration, too short or too long.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 1 <= seconds <= MAX_GRANT_SECONDS:
        return float(seconds)
    raise ConfigError.invalid(value, "duration", "a timedelta or seconds, from 1 second to 7 days")


def session_name(grant_id: str, to: str) -> str:
    """The name of a grant's sessions, `g-<id>-<to>`: what STS refuses becomes "-", cut at 64 characters."""
    return f"g-{grant_id}-{sanitised(to)}"[:64]


def source_identity_of(to: str) -> str:
    """The source identity of a person: the name itself where STS takes it, else one that is like no other name's."""
    if _SOURCE_IDENTITY.fullmatch(to):
        return to
    digest = hashlib.sha256(to.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{sanitised(to)[: 63 - _DIGEST_CHARACTERS]}-{digest}"


def narrowed(
    policy: Policy | None, *, deadline: datetime, has_policy_arns: bool = False, allow_chaining: bool = False
) -> Policy:
    """The session policy of a grant: what it may do, and the denies that hold it to its terms.

    Session policies add up, so a deny beside one takes away from it, and a deny alone permits nothing.

    Args:
        policy: What it may do; None: what the policy ARNs allow, or the role.
        deadline: From when on AWS denies everything.
        has_policy_arns: Whether there are policy ARNs beside it.
        allow_chaining: Whether it may do what outlives it.

    Raises:
        InvalidPolicyError: The policy allows nothing.
    """
    ends = {"DateGreaterThan": {"aws:CurrentTime": iso(deadline)}}
    denies = deny("*", conditions=ends)
    if not allow_chaining:
        denies += deny(*OUTLIVING)
    if policy is None:
        return denies if has_policy_arns else allow("*") + denies
    if not has_policy_arns and all(statement.effect == "Deny" for statement in policy.statements):
        msg = "the policy of the grant allows nothing: a session policy that only denies permits nothing"
        raise InvalidPolicyError(msg, hint='add what it may do, such as policies.allow("s3:GetObject")')
    # In the policy's own version, which says what ${...} means in it; the denies have none.
    return Policy((*policy.statements, *denies.statements), version=policy.version)


def check_size(policy: Policy, own: Policy | None, policy_arns: tuple[str, ...]) -> None:
    """Refuses a grant's session policies where STS would find them too long.

    Args:
        policy: The narrowed one.
        own: What the caller asked for.
        policy_arns: The ARNs beside it.

    Raises:
        InvalidPolicyError: They are; says how long they are, and how much of it is the grant's.
    """
    size = policy.size + sum(map(len, policy_arns))
    if size > MAX_SESSION_POLICY_CHARACTERS:
        added = policy.size - (0 if own is None else own.size)
        msg = (
            f"the session policies of a grant of {size} characters are too long: STS takes "
            f"{MAX_SESSION_POLICY_CHARACTERS} at most, and {added} of them hold it to its deadline"
        )
        raise InvalidPolicyError(msg, hint="use wildcards, or a managed policy by its ARN in policy_arns")


def _line(name: str, value: object, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError.invalid(value, name, "a string that is not empty")
    if len(value) > longest:
        raise ConfigError.invalid(value, name, f"{longest} characters at most, and these are {len(value)}")
    # Cc, Cf, Cs, Zl, Zp: what moves the cursor, turns the direction of writing, or ends a line.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in value):
        raise ConfigError.invalid(value, name, "one line without control characters")
    return value.strip()
