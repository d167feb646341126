from __future__ import annotations

from re import fullmatch

import pytest

from xsession._aws._arns import (
    POLICY_ARN,
    ROLE_ARN,
    Arn,
    account_of,
    iam_arn,
    is_account_id,
    is_region,
    name_of,
    partition_of,
)

ROLE = "arn:aws-cn:iam::222222222222:role/team/Reader"


def test_an_arn_is_taken_apart() -> None:
    """Into what its parts are called, and put together again."""
    arn = Arn.of(ROLE)
    assert arn == Arn("aws-cn", "iam", "", "222222222222", "role/team/Reader")
    assert (arn.kind, arn.path, arn.name, str(arn)) == ("role", "/team/", "Reader", ROLE)
    assert (partition_of(ROLE), account_of(ROLE), name_of(ROLE)) == ("aws-cn", "222222222222", "Reader")


@pytest.mark.parametrize(
    ("text", "kind", "path", "name"),
    [
        ("arn:aws:iam::222222222222:root", "root", "", "root"),
        ("arn:aws:iam::222222222222:role/R", "role", "/", "R"),
        ("arn:aws:sts::222222222222:assumed-role/R/s", "assumed-role", "/R/", "s"),
        ("arn:aws:s3:::bucket/a:b/c", "bucket", "/a:b/", "c"),
    ],
)
def test_a_resource_has_a_kind_a_path_and_a_name(text: str, kind: str, path: str, name: str) -> None:
    """What has no slash is all three."""
    arn = Arn.of(text)
    assert arn is not None
    assert (arn.kind, arn.path, arn.name) == (kind, path, name)


@pytest.mark.parametrize(
    "text", [None, "", "R", "arn:aws:iam::222222222222", "urn:aws:iam::222222222222:root", "arn::a:b:c:d"]
)
def test_what_is_no_arn_is_none(text: str | None) -> None:
    """Whatever it is."""
    assert Arn.of(text) is None


@pytest.mark.parametrize(
    ("resource", "role"),
    [
        ("sts::222222222222:assumed-role/Reader/bruce", "Reader"),
        ("sts::222222222222:assumed-role/Reader/", None),
        ("sts::222222222222:assumed-role/Reader", None),
        ("sts::222222222222:assumed-role//bruce", None),
        ("sts::222222222222:federated-user/bruce", None),
        ("iam::222222222222:assumed-role/Reader/bruce", None),
    ],
)
def test_the_role_of_a_session(resource: str, role: str | None) -> None:
    """Other callers have none."""
    arn = Arn.of(f"arn:aws:{resource}")
    assert arn is not None
    assert arn.session_role == role


def test_an_arn_of_iam_is_put_together() -> None:
    """It has no region."""
    assert iam_arn("aws", "222222222222", "root") == "arn:aws:iam::222222222222:root"


@pytest.mark.parametrize(
    ("value", "expected"), [("222222222222", True), ("22222222222", False), ("22222222222\u0662", False), (2, False)]
)
def test_the_id_of_an_account(value: object, *, expected: bool) -> None:
    """Twelve digits, and those of ASCII."""
    assert is_account_id(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("eu-west-1", True),
        ("eusc-de-east-1", True),
        ("us-gov-west-1", True),
        ("eu", False),
        ("EU-WEST-1", False),
        (1, False),
    ],
)
def test_the_name_of_a_region(value: object, *, expected: bool) -> None:
    """Also of one that AWS will add."""
    assert is_region(value) is expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (ROLE, True),
        ("arn:aws-iso-b:iam::222222222222:role/R", True),
        ("arn:aws:iam::222222222222:role/", False),
        ("arn:aws:iam::222222222222:role/a//R", False),
        ("arn:aws:iam::222222222222:user/R", False),
        (f"arn:aws:iam::222222222222:role/{'r' * 65}", False),
    ],
)
def test_the_form_of_a_roles_arn(arn: str, *, expected: bool) -> None:
    """A path has no empty part."""
    assert (ROLE_ARN.fullmatch(arn) is not None) is expected


def test_a_hostile_arn_is_looked_through_once() -> None:
    """Each part of a path ends at a slash, and so there is one way to divide it."""
    assert ROLE_ARN.fullmatch("arn:aws:iam::222222222222:role/" + "a/" * 100_000 + "\n") is None


def test_the_pattern_of_policies_has_the_account() -> None:
    """AWS's own have its name there."""
    own, aws = (fullmatch(POLICY_ARN, f"arn:aws:iam::{account}:policy/p/P") for account in ("222222222222", "aws"))
    assert own is not None
    assert aws is not None
    assert (own[1], aws[1]) == ("222222222222", "aws")
