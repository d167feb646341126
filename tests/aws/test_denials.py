from __future__ import annotations

import pytest

from xsession._aws._denials import Denial, denial_sentence, read_denial

ROLE = "arn:aws:iam::222222222222:role/Reader"
START = "User: arn:aws:iam::111111111111:user/bruce is not authorized to perform: sts:AssumeRole"
ACTION = "sts:AssumeRole"
POLICY = "arn:aws:iam::111111111111:policy/team/No.Roles"
SCP = "arn:aws:organizations::333333333333:policy/o-abcdefghij/service_control_policy/p-12345678"


@pytest.mark.parametrize(
    ("message", "denial"),
    [
        (f"{START} on resource: {ROLE}", Denial(ACTION, ROLE)),
        (START, Denial(ACTION)),
        (
            f"{START} on resource: {ROLE} because no identity-based policy allows the {ACTION} action",
            Denial(ACTION, ROLE, "identity-based"),
        ),
        (
            f"{START} on resource: {ROLE} because no session policy allows the {ACTION} action",
            Denial(ACTION, ROLE, "session"),
        ),
        (
            f"{START} on resource: {ROLE} because no permissions boundary allows the {ACTION} action",
            Denial(ACTION, ROLE, "permissions boundary"),
        ),
        (
            f"{START} on resource: {ROLE} because no resource-based policy allows the {ACTION} action",
            Denial(ACTION, ROLE, "resource-based"),
        ),
        (
            f"{START} on resource: {ROLE} because no service control policy allows the {ACTION} action",
            Denial(ACTION, ROLE, "service control"),
        ),
        (
            f"{START} on resource: {ROLE} with an explicit deny in an identity-based policy",
            Denial(ACTION, ROLE, "identity-based", explicit=True),
        ),
        (
            f"{START} on resource: {ROLE} with an explicit deny in a service control policy: {SCP}",
            Denial(ACTION, ROLE, "service control", explicit=True, policy_arn=SCP),
        ),
        (
            f"{START} with an explicit deny in an identity-based policy: {POLICY}. Encoded authorization failure: x",
            Denial(ACTION, None, "identity-based", explicit=True, policy_arn=POLICY),
        ),
        (
            f"{START} with an explicit deny in a permissions boundary: {POLICY}",
            Denial(ACTION, None, "permissions boundary", explicit=True, policy_arn=POLICY),
        ),
        (
            f"{START} on resource: {ROLE} with an explicit deny in a permissions boundary",
            Denial(ACTION, ROLE, "permissions boundary", explicit=True),
        ),
        (
            f"{START} on resource: {ROLE} with an explicit deny in a VPC endpoint policy",
            Denial(ACTION, ROLE, "VPC endpoint", explicit=True),
        ),
        (f"{START} on resource: {ROLE} with an explicit deny", Denial(ACTION, ROLE, explicit=True)),
        (
            '... not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k"',
            Denial("s3:GetObject", "arn:aws:s3:::b/k"),
        ),
        ("Access denied", Denial()),
    ],
)
def test_a_denial_is_read(message: str, denial: Denial) -> None:
    """The action, the resource, the kind of policy and its ARN, where AWS says them."""
    assert read_denial(message) == denial


@pytest.mark.parametrize(
    ("resource", "reason", "denial"),
    [
        (ROLE, "with an explicit deny in a session policy", Denial(ACTION, ROLE, "session", explicit=True)),
        (f'"{ROLE}"', "", Denial(ACTION, ROLE)),
        (None, f"because no identity-based policy allows the {ACTION} action", Denial(ACTION, None, "identity-based")),
    ],
)
def test_what_is_written_is_read(resource: str | None, reason: str, denial: Denial) -> None:
    """The local AWS writes what the diagnosis reads."""
    assert read_denial(denial_sentence("arn:aws:iam::111111111111:user/bruce", ACTION, resource, reason)) == denial


@pytest.mark.parametrize(
    "start",
    [
        "because no a ",
        "with an explicit deny in an a ",
        "not authorized to perform: a-",
        "not authorized to perform: a:b on resource: ",
        "a-",
    ],
)
def test_a_hostile_message_is_read_too(start: str) -> None:
    """In time that grows with its length, and not with its square."""
    assert read_denial(start * 100_000).policy is None
    assert (
        len(read_denial("with an explicit deny in a session policy: arn:" + start * 100_000).policy_arn or "") < 2_053
    )
