from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from xsession.errors import ConfigError, InvalidRoleError
from xsession.policies import allow
from xsession.roles import Defaults, Role, RoleChain
from xsession.roles import _hops as hops
from xsession.roles._defaults import COMMAND_OPTIONS, DEFAULT_OPTIONS, as_defaults

HUB = "arn:aws:iam::333333333333:role/Hub"
VEGETA = "arn:aws:iam::222222222222:role/R"
MFA = "arn:aws:iam::111111111111:mfa/bruce"
POLICY_ARN = "arn:aws:iam::222222222222:policy/ReadOnly"


def filled(defaults: Defaults, *roles: Role | str) -> list[Role]:
    """The chain's roles with the defaults in them."""
    return [hop.role for hop in hops.filled(RoleChain(*roles), defaults)]


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
        mfa_command="ask {serial}",
        mfa_duration_seconds=900,
        policy=allow("s3:*"),
        policy_arns=[POLICY_ARN],
    )
    everywhere: dict[str, Any] = {"role_session_name": "bruce", "sts_region_name": "eu-west-1"}
    assert filled(defaults, HUB, VEGETA) == [
        Role(
            HUB,
            **everywhere,
            duration_seconds=3_600,
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
    """Only a duration that was not chosen for the role may be shortened where AWS asks for it."""
    (hop,) = hops.filled(RoleChain(Role(VEGETA, duration_seconds=own)), Defaults(duration_seconds=default))
    assert hop.duration_is_default is is_default
    assert hop.number == 1


@pytest.mark.parametrize(("mfa", "expected"), [(None, [7_200, 3_600]), (MFA, [3_600, 3_600])])
def test_a_default_duration_is_an_hour_where_aws_allows_no_more(mfa: str | None, expected: list[int]) -> None:
    """From the second hop on, and behind an MFA session."""
    roles = filled(Defaults(duration_seconds=7_200), Role(HUB, mfa_serial=mfa), VEGETA)
    assert [role.duration_seconds for role in roles] == expected
    by_default = filled(Defaults(duration_seconds=7_200, mfa_serial=mfa), HUB, VEGETA)
    assert [role.duration_seconds for role in by_default] == expected
    own = Role(HUB, mfa_serial=MFA, duration_seconds=7_200)
    assert filled(Defaults(duration_seconds=900), own) == [own]


def test_a_web_identity_takes_what_its_call_takes() -> None:
    """Names, durations and policies; neither who we are nor MFA, which the token says; no hour's limit."""
    defaults = Defaults(
        role_session_name="bruce",
        duration_seconds=7_200,
        source_identity="bruce",
        tags={"team": "heroes"},
        transitive_tag_keys=["team"],
        mfa_serial=MFA,
        policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    )
    role = Role(VEGETA, web_identity_token_file="token")
    assert filled(defaults, role) == [
        role.replace(
            role_session_name="bruce",
            duration_seconds=7_200,
            policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        )
    ]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ykman oath accounts code -s 'AWS bruce'", ("ykman", "oath", "accounts", "code", "-s", "AWS bruce")),
        (["op", "item get"], ("op", "item get")),
        (("op",), ("op",)),
        (None, None),
    ],
)
def test_an_mfa_command_is_a_program_and_its_arguments(command: Any, expected: tuple[str, ...] | None) -> None:
    """A string is split as a shell would; no shell ever runs it."""
    assert Defaults(mfa_command=command).mfa_command == expected


def test_a_command_is_not_shown() -> None:
    """Some programs take the device's secret as an argument."""
    assert "JBSWY3DP" not in repr(Defaults(mfa_command=["oathtool", "--totp", "JBSWY3DP"]))
    with pytest.raises(ConfigError) as caught:
        Defaults(mfa_command="oathtool 'JBSWY3DP")
    assert "JBSWY3DP" not in str(caught.value)


@pytest.mark.parametrize("command", ["", "'", [], [""], ["op", 5], 5, {"op": 1}, ["op", "a\0b"]])
def test_what_is_no_command_is_refused(command: Any) -> None:
    """Before a caller waits for a code."""
    with pytest.raises(ConfigError, match="mfa_command"):
        Defaults(mfa_command=command)


@pytest.mark.parametrize(("value", "expected"), [(900, 900), (timedelta(hours=36), 129_600), (None, None)])
def test_an_mfa_session_lives_as_long_as_sts_allows(value: Any, expected: int | None) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html."""
    assert Defaults(mfa_duration_seconds=value).mfa_duration_seconds == expected


@pytest.mark.parametrize("value", [899, 129_601, True, "900", 900.5, timedelta(days=2)])
def test_an_mfa_duration_that_sts_refuses_is_refused(value: Any) -> None:
    """With the rule."""
    with pytest.raises(InvalidRoleError, match="900 to 129600"):
        Defaults(mfa_duration_seconds=value)


def test_options_that_run_programs_are_known_by_name() -> None:
    """Readers of files that others may write refuse them there."""
    assert {"mfa_command"} == COMMAND_OPTIONS
    assert COMMAND_OPTIONS < DEFAULT_OPTIONS


def test_behind_an_mfa_session_a_role_needs_no_device() -> None:
    """The session has passed MFA; everything else stays."""
    (hop,) = hops.filled(
        RoleChain(Role(VEGETA, mfa_serial=MFA, external_id="word")), Defaults(role_session_name="bruce")
    )
    assert hop.behind_session().role == Role(VEGETA, role_session_name="bruce", external_id="word")


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
        ({"zzz": 900}, ConfigError, "no default 'zzz'; use one of duration_seconds, mfa_command"),
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
