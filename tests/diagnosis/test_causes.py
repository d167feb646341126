from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.attempts import HUB_ROLE, SESSION, USER, attempt
from tests.support.worlds import BATMAN, HUB, VEGETA
from xsession.diagnosis import Cause
from xsession.diagnosis._causes import Facts, InspectedRole, Permission, causes_at_source, causes_of, unseen
from xsession.errors import AssumeRoleError, CredentialsError, WrongAccountError
from xsession.policies import Policy, trust
from xsession.policies._trust_verdict import CallingPrincipal
from xsession.roles import Role

ROLE = f"arn:aws:iam::{VEGETA}:role/Reader"
START = f"User: {USER.arn} is not authorized to perform:"
NOTHING = Facts()


def denial(words: str = f"sts:AssumeRole on resource: {ROLE}") -> AssumeRoleError:
    """STS's refusal."""
    return AssumeRoleError(f"AccessDenied: {START} {words}", code="AccessDenied", hop=1, role_arn=ROLE)


def causes(words: str, of: Any = None, facts: Facts = NOTHING) -> list[tuple[str, bool]]:
    """The kinds of the causes of a denial, and whether they are certain."""
    return [(cause.kind, cause.certain) for cause in causes_of(denial(words), of or attempt(), facts)]


def facts(trusts: Policy | None = None, *permissions: Permission) -> Facts:
    """What was seen of the role, and of the caller's permissions."""
    return Facts(role=InspectedRole(arn=ROLE, trust=trusts), permissions=permissions or None)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("because no identity-based policy allows the sts:AssumeRole action", "identity-policy"),
        ("because no session policy allows the sts:AssumeRole action", "session-policy"),
        ("because no permissions boundary allows the sts:AssumeRole action", "permissions-boundary"),
        ("because no resource-based policy allows the sts:AssumeRole action", "not-trusted"),
        ("because no service control policy allows the sts:AssumeRole action", "service-control-policy"),
        ("because no VPC endpoint policy allows the sts:AssumeRole action", "other-policy"),
        ("with an explicit deny in an identity-based policy", "explicit-deny"),
        ("with an explicit deny in a resource-based policy", "explicit-deny"),
        ("with an explicit deny in a resource control policy", "resource-control-policy"),
        ("with an explicit deny in a VPC endpoint policy", "explicit-deny"),
        ("with an explicit deny", "explicit-deny"),
    ],
)
def test_a_reason_that_aws_gives_is_the_cause(reason: str, kind: str) -> None:
    """The only one."""
    assert causes(f"sts:AssumeRole on resource: {ROLE} {reason}") == [(kind, True)]


@pytest.mark.parametrize(
    ("of", "kind"),
    [
        ("an identity-based policy", "explicit-deny"),
        ("a permissions boundary", "permissions-boundary"),
        ("a session policy", "session-policy"),
        ("a service control policy", "service-control-policy"),
    ],
)
def test_a_policy_that_aws_names_is_named(of: str, kind: str) -> None:
    """AWS does since January 2026, where the policy has an ARN; the kind of the cause is the same."""
    words = f"sts:AssumeRole on resource: {ROLE} with an explicit deny in {of}"
    arn = f"arn:aws:iam::{BATMAN}:policy/NoRoles"
    (named,) = causes_of(denial(f"{words}: {arn}"), attempt(), NOTHING)
    (nameless,) = causes_of(denial(words), attempt(), NOTHING)
    assert (named.kind, nameless.kind) == (kind, kind)
    assert (named.arn, nameless.arn) == (arn, None)
    assert f"{of} ({arn}) denies sts:AssumeRole" in named.message


@pytest.mark.parametrize("known", [True, False])
def test_a_tag_that_is_inherited_is_named(*, known: bool) -> None:
    """Or said to be one of those that are sent, where the session before is not of this chain."""
    words = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key"
    error = AssumeRoleError(f"InvalidParameterValue: {words}", code="InvalidParameterValue")
    inherited = {"Team": "red"} if known else {}
    of = attempt(role={"tags": {"a": "b", "team": "blue"}}, inherited_tags=inherited, tags_known=known)
    cause = only(causes_of(error, of, NOTHING))
    assert (cause.kind, cause.certain) == ("tags", True)
    assert cause.message.startswith("the session tag team is" if known else "one of the session tags a, team is")


def test_without_a_reason_the_likely_ones_come_first() -> None:
    """Both sides, then what the trust policy may ask for, then what is rare."""
    assert [kind for kind, _ in causes(f"sts:AssumeRole on resource: {ROLE}")] == [
        "not-trusted",
        "identity-policy",
        "external-id-missing",
        "mfa-missing",
        "session-name",
        "source-identity",
        "tags",
        "explicit-deny",
        "role-missing",
    ]


def test_what_is_sent_is_not_missing() -> None:
    """But an external id may be wrong."""
    sent = attempt(role={"external_id": "agreed", "mfa_serial": "123456789", "tags": {"a": "b"}})
    kinds = [kind for kind, _ in causes(f"sts:AssumeRole on resource: {ROLE}", sent)]
    assert "external-id-wrong" in kinds
    assert "external-id-missing" not in kinds
    assert "mfa-missing" not in kinds


@pytest.mark.parametrize(("action", "kind"), [("sts:TagSession", "tags"), ("sts:SetSourceIdentity", "source-identity")])
def test_a_denied_tag_or_identity_is_no_question_of_the_principal(action: str, kind: str) -> None:
    """One of the two sides does not allow that action."""
    sent = attempt(role={"tags": {"a": "b"}, "source_identity": "bruce"})
    found = causes_of(denial(f"{action} on resource: {ROLE}"), sent, NOTHING)
    assert [cause.kind for cause in found] == [kind, "identity-policy", "explicit-deny"]
    assert found[0].policy is not None
    assert found[0].policy.statements[0].actions == (action,)


def test_inherited_tags_of_unknown_origin_are_all_allowed() -> None:
    """A condition on their keys would be a guess."""
    found = causes_of(denial(f"sts:TagSession on resource: {ROLE}"), attempt(tags_known=False), NOTHING)
    assert found[0].policy is not None
    assert found[0].policy.statements[0].conditions == {}


def test_a_source_identity_can_not_be_replaced() -> None:
    """That is certain, whatever the policies say."""
    held = attempt(SESSION, hop=2, source_identity="bruce", role={"source_identity": "robin"})
    assert causes(f"sts:SetSourceIdentity on resource: {ROLE}", held) == [("source-identity", True)]


def test_root_assumes_no_role() -> None:
    """STS says so in other words than of others."""
    root = attempt(CallingPrincipal(f"arn:aws:iam::{BATMAN}:root"))
    error = AssumeRoleError("AccessDenied: Roles may not be assumed by root accounts.", code="AccessDenied")
    assert [cause.kind for cause in causes_of(error, root, NOTHING)] == ["root-user"]


def test_a_simulation_that_was_not_told_all_is_not_certain() -> None:
    """A policy may ask for what it was not told of."""
    trusts = trust(BATMAN)
    no = Permission(action="sts:AssumeRole", allowed=False)
    assert causes(f"sts:AssumeRole on resource: {ROLE}", facts=facts(trusts, no)) == [("identity-policy", True)]
    vague = Permission(action="sts:AssumeRole", allowed=False, missing=["aws:SourceIp"])
    found = causes(f"sts:AssumeRole on resource: {ROLE}", facts=facts(trusts, vague))
    assert found[0] == ("identity-policy", False)


def test_where_both_sides_are_as_they_should_be_the_rest_is_left() -> None:
    """Policies of others, and time."""
    yes = Permission(action="sts:AssumeRole", allowed=True)
    assert causes(f"sts:AssumeRole on resource: {ROLE}", facts=facts(trust(BATMAN), yes)) == [
        ("explicit-deny", False),
        ("not-in-force-yet", False),
    ]


def test_a_trust_policy_that_can_not_be_read_leaves_its_causes_open() -> None:
    """But the role is there."""
    kinds = [kind for kind, _ in causes(f"sts:AssumeRole on resource: {ROLE}", facts=facts())]
    assert "external-id-missing" in kinds
    assert "role-missing" not in kinds


def test_a_role_that_is_not_there_may_have_no_like() -> None:
    """Then there is nothing to propose."""
    gone = Facts(role=InspectedRole(arn=None, others=["Unlike"]))
    found = causes_of(denial(), attempt(), gone)
    assert [(cause.kind, cause.certain) for cause in found] == [("role-missing", True)]
    assert "compare the role's ARN" in found[0].hint


def test_an_unknown_condition_is_named() -> None:
    """One of which a value is known is judged, one of which none is known is not."""
    known = trust(BATMAN, conditions={"Bool": {"aws:ViaAWSService": "true"}})
    assert causes(f"sts:AssumeRole on resource: {ROLE}", facts=facts(known)) == [("condition", True)]
    old_mfa = trust(BATMAN, conditions={"NumericGreaterThan": {"aws:MultiFactorAuthAge": "5"}})
    found = causes_of(denial(), attempt(role={"mfa_serial": "123456789"}), facts(old_mfa))
    assert [cause.kind for cause in found] == ["mfa-missing"]
    assert "this long ago" in found[0].hint


def test_a_permission_set_is_trusted_by_its_name() -> None:
    """The role behind it is replaced now and then, on a path, with another end to its name."""
    name = "AWSReservedSSO_Admin_0123456789abcdef"
    caller = CallingPrincipal(f"arn:aws:sts::{HUB}:assumed-role/{name}/bruce")
    found = causes_of(denial(), attempt(caller), NOTHING)
    assert found[0].policy is not None
    only = found[0].policy.statements[0]
    assert only.principals == {"AWS": (f"arn:aws:iam::{HUB}:root",)}
    assert only.conditions == {
        "ArnLike": {
            "aws:PrincipalArn": (f"arn:aws:iam::{HUB}:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_*",)
        }
    }
    assert "the permission set 'Admin'" in found[1].hint
    assert "with its path" in found[0].hint


def test_any_roles_path_may_stand_in_a_statement() -> None:
    """IAM allows all that can be printed."""
    odd = f"arn:aws:iam::{VEGETA}:role/a!b~c/Reader"
    of = replace(attempt(), role=Role(odd, role_session_name="bruce"))
    assert [cause.policy is not None for cause in causes_of(denial(), of, NOTHING)[:2]] == [True, True]
    hop = replace(attempt(SESSION), caller=replace(SESSION, role=odd))
    assert causes_of(denial(), hop, NOTHING)[0].policy is not None


def test_a_statement_to_add_has_no_external_id() -> None:
    """Something stands in its place."""
    found = causes_of(denial(), attempt(SESSION, role={"external_id": "agreed-on-secret"}), NOTHING)
    assert found[0].policy is not None
    assert found[0].policy.statements[0].principals == {"AWS": (HUB_ROLE,)}
    assert "the-external-id" in found[0].policy.to_json()
    assert "agreed-on-secret" not in repr(found)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RegionDisabledException", "region-off"),
        ("ExpiredTokenException", "credentials-expired"),
        ("UnrecognizedClientException", "key-unknown"),
        ("SignatureDoesNotMatch", "secret-wrong"),
        ("MalformedPolicyDocument", "policy-malformed"),
        ("PackedPolicyTooLarge", "policy-too-large"),
        ("Unheard", "other"),
    ],
)
def test_a_code_says_it_all(code: str, kind: str) -> None:
    """For the source as for a later hop, of which the words say who it is about."""
    error = AssumeRoleError(f"{code}: no", code=code)
    assert only(causes_of(error, attempt(), NOTHING)).kind == kind
    later = only(causes_of(error, attempt(SESSION, hop=2), NOTHING))
    assert "the source's" not in later.message
    assert only(causes_at_source(error, "eu-west-1")).kind == kind


def test_what_may_pass_by_itself_is_not_answered() -> None:
    """At the source as at a role."""
    error = CredentialsError("STS could not be asked", retryable=True)
    assert only(causes_of(error, attempt(), NOTHING)).kind == "not-answered"
    assert only(causes_at_source(error, "eu-west-1")).hint == "try again later"


def test_credentials_for_another_account_are_said() -> None:
    """No matter where they came from."""
    error = WrongAccountError("STS answered with credentials for another account", hop=1)
    assert only(causes_of(error, attempt(), NOTHING)).kind == "wrong-account"
    assert only(causes_at_source(error, "eu-west-1")).kind == "wrong-account"


def test_who_would_see_more_is_said() -> None:
    """For what was not looked at."""
    assert [BATMAN in note for note in unseen(attempt(), NOTHING)] == [False, True]
    yes = Permission(action="sts:AssumeRole", allowed=True)
    assert list(unseen(attempt(), facts(trust(BATMAN), yes))) == []


def only(found: tuple[Cause, ...]) -> Cause:
    """The one cause."""
    (cause,) = found
    return cause
