from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from xsession.defaults import Defaults, as_defaults
from xsession.errors import ConfigError, InvalidRoleError
from xsession.policies import allow
from xsession.roles import Role, RoleChain

HUB = "arn:aws:iam::333333333333:role/Hub"
VEGETA = "arn:aws:iam::222222222222:role/R"
MFA = "arn:aws:iam::111111111111:mfa/bruce"
POLICY_ARN = "arn:aws:iam::222222222222:policy/ReadOnly"


def filled(defaults: Defaults, *roles: Role | str) -> list[Role]:
    """The chain's roles with the defaults in them."""
    return [hop.role for hop in defaults.fill(RoleChain(*roles))]


def test_each_default_goes_to_the_hop_where_it_belongs() -> None:
    """Name, duration and region everywhere; who we are at the start; what we may do at the end."""
    defaults = Defaults(
        role_session_name="bruce",
        duration_seconds=timedelta(hours=2),
        sts_region_name="eu-west-1",
        source_identity="bruce.wayne",
        tags={"team": "heroes"},
        transitive_tag_keys=["team"],
        mfa_serial=MFA,
        policy=allow("s3:*"),
        policy_arns=[POLICY_ARN],
    )
    everywhere: dict[str, Any] = {"role_session_name": "bruce", "sts_region_name": "eu-west-1"}
    assert filled(defaults, HUB, VEGETA) == [
        Role(
            HUB,
            **everywhere,
            duration_seconds=7_200,
            source_identity="bruce.wayne",
            tags={"team": "heroes"},
            transitive_tag_keys=["team"],
            mfa_serial=MFA,
        ),
        Role(VEGETA, **everywhere, duration_seconds=3_600, policy=allow("s3:*"), policy_arns=[POLICY_ARN]),
    ]


def test_what_a_role_says_itself_stays() -> None:
    """Defaults fill what is open and nothing else; a policy and its ARNs are one choice, as are tags and their keys."""
    defaults = Defaults(
        role_session_name="default",
        duration_seconds=900,
        tags={"team": "heroes"},
        transitive_tag_keys=["team"],
        policy_arns=[POLICY_ARN],
        source_identity="default",
        mfa_serial=MFA,
        sts_region_name="eu-west-1",
    )
    own = Role(
        VEGETA,
        role_session_name="own",
        duration_seconds=1_000,
        tags={"a": "b"},
        policy=allow("s3:*"),
        source_identity="own",
        mfa_serial="arn:aws:iam::111111111111:mfa/own",
        sts_region_name="us-east-1",
    )
    assert filled(defaults, own) == [own]
    by_arn = own.replace(policy=None, policy_arns=[POLICY_ARN])
    assert filled(Defaults(policy=allow("s3:*")), by_arn) == [by_arn]


@pytest.mark.parametrize(
    ("default", "own", "is_default"), [(None, None, True), (900, None, True), (900, 1_000, False), (None, 1_000, False)]
)
def test_a_hop_tells_whether_its_duration_was_chosen(default: int | None, own: int | None, is_default: bool) -> None:
    """Only a duration that nobody chose for the role may be shortened where AWS asks for it."""
    (hop,) = Defaults(duration_seconds=default).fill(RoleChain(Role(VEGETA, duration_seconds=own)))
    assert hop.duration_is_default is is_default
    assert hop.number == 1


def test_later_defaults_win() -> None:
    """A session's defaults are laid over a file's, option by option; halves of pairs are not mixed."""
    file = Defaults(role_session_name="file", policy=allow("s3:*"), tags={"a": "b"}, transitive_tag_keys=["a"])
    session = Defaults(source_identity="bruce", policy_arns=[POLICY_ARN], region_name="eu-west-1")
    assert file | session == Defaults(
        role_session_name="file",
        source_identity="bruce",
        policy_arns=[POLICY_ARN],
        tags={"a": "b"},
        transitive_tag_keys=["a"],
        region_name="eu-west-1",
    )
    assert (file | Defaults(tags={"c": "d"})).transitive_tag_keys == ()


@pytest.mark.parametrize(
    ("options", "kind", "problem"),
    [
        ({"duration_seconds": 10}, InvalidRoleError, "duration_seconds 10"),
        ({"region_name": "Europe"}, InvalidRoleError, "'Europe'"),
        ({"policy_arns": "arn"}, InvalidRoleError, "a list of ARNs"),
        ({"policy_arns": [5]}, InvalidRoleError, "policy_arns 5"),
        ({"policy_arns": ["arn:aws:iam::aws:policy/A", 5]}, InvalidRoleError, "policy_arns 5"),
        ({"external_id": "word"}, ConfigError, "external_id has no default"),
        ({"duration": 900}, ConfigError, "no default 'duration'; did you mean duration_seconds?"),
        ({"zzz": 900}, ConfigError, "no default 'zzz'; there are duration_seconds, mfa_serial"),
    ],
)
def test_bad_defaults_are_refused(options: dict[str, Any], kind: type[ConfigError], problem: str) -> None:
    """A message about a default names no role: it is about all of them."""
    with pytest.raises(kind) as caught:
        as_defaults(options)
    assert problem in str(caught.value)
    assert caught.value.role_arn is None


def test_options_become_defaults() -> None:
    """Names that are known are taken."""
    assert as_defaults({"role_session_name": "bruce"}) == Defaults(role_session_name="bruce")
