from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.activity._user_identity import UserIdentity, text

ACCOUNT = "222222222222"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ops/Operator"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
USER_ID = "5448a4e8-80c1-707f-0000-000000000001"
CENTER = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:bruce"


def session(name: str = "jane", *, role: str = ROLE, more: Any = None, **context: Any) -> dict[str, Any]:
    """The identity of a session of a role."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{name}",
        "arn": SESSION + name,
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": "Operator"}, **context},
        **(more or {}),
    }


def federated(issuer: dict[str, str]) -> dict[str, Any]:
    """The identity of a session of GetFederationToken."""
    return {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:bob",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
        "sessionContext": {"sessionIssuer": issuer},
    }


def issued(resource: str) -> dict[str, Any]:
    """That AWS gave a session's credentials to a resource."""
    return {"inScopeOf": {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": resource}}


ROOT = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
USER = {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": f"arn:aws:iam::{ACCOUNT}:user/dev/alice"}
ISSUERS = ({"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/broker", "userName": "broker"}, ROOT)


# Who, by type


@pytest.mark.parametrize(
    ("identity", "name", "vouched_for"),
    [
        (ROOT, "root", True),
        ({**ROOT, "userName": "the-accounts-alias"}, "root", True),
        ({**ROOT, "sessionContext": {"sourceIdentity": "carol"}}, "root", True),
        ({**ROOT, "sessionContext": {"assumedRoot": "false"}}, "root", True),
        ({**ROOT, "sessionContext": {"assumedRoot": "true"}}, "root", False),
        ({**ROOT, "sessionContext": {"assumedRoot": True, "sourceIdentity": "carol"}}, "carol", False),
        ({**USER, "userName": "alice"}, "alice", True),
        (USER, "alice", True),
        ({**USER, "userName": "alice", "invokedBy": "cloudformation.amazonaws.com"}, "alice", True),
        (session(), "jane", False),
        (session(sourceIdentity="bruce"), "bruce", False),
        (session(more={"invokedBy": "cloudformation.amazonaws.com", "userName": "x"}), "jane", False),
        ({"type": "Role", "arn": ROLE, "userName": "whatever"}, "whatever", False),
        ({"type": "Role", "arn": ROLE}, ROLE, False),
        *((federated(issuer), "bob", False) for issuer in ISSUERS),
        ({"type": "Directory", "accountId": ACCOUNT, "userName": "jane"}, "jane", False),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT}, "AIDAEXAMPLE", False),
        ({"type": "AWSAccount", "accountId": ACCOUNT}, ACCOUNT, False),
        ({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}, "autoscaling.amazonaws.com", True),
        ({"accountId": ACCOUNT, "invokedBy": "AWS Internal"}, "AWS Internal", True),
        ({"type": "AWSService"}, "unknown", False),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": USER_ID}, "credentialId": "c"}, USER_ID, True),
        ({"type": "IdentityCenterUser", "accountId": ACCOUNT, "userName": "x"}, "unknown", False),
        (
            {"type": "SAMLUser", "principalId": "qualifier:jane@example.com", "userName": "jane@example.com"},
            None,
            False,
        ),
        ({"type": "WebIdentityUser", "userName": "user-id", "identityProvider": "accounts.google.com"}, None, False),
        ({"type": "Unknown", "userName": "jane"}, "jane", False),
        ({"type": "Unknown", "accountId": ACCOUNT}, "unknown", False),
        ({"type": "MadeUpLater", "userName": "jane"}, "jane", False),
        ({}, "unknown", False),
    ],
)
def test_a_caller_is_named_by_its_type(identity: dict[str, Any], name: str | None, vouched_for: bool) -> None:
    """By what AWS documents for it, and no more; AWS vouches for what is its own."""
    caller = UserIdentity.of({"userIdentity": identity})
    assert (caller.name, caller.is_vouched_for) == (name or identity["userName"], vouched_for)


def test_a_session_of_a_role_has_many_names() -> None:
    """The source identity stays the same through a chain of roles; the session's name is new with each."""
    plain = UserIdentity.of({"userIdentity": session()})
    assert (plain.claim, plain.role_arn, plain.role_name) == ("session name", ROLE, "Operator")
    known = UserIdentity.of({"userIdentity": session(sourceIdentity="bruce")})
    assert known.claim == "source identity"
    assert known.names >= {"bruce", "jane", "ASIAEXAMPLE", ROLE, SESSION + "jane"}


@pytest.mark.parametrize("issuer", ISSUERS)
def test_who_asked_for_a_federated_user_is_no_role(issuer: dict[str, str]) -> None:
    """It chose the user's name, and is found by its own."""
    caller = UserIdentity.of({"userIdentity": federated(issuer)})
    assert (caller.role_arn, caller.role_name, caller.claim) == (None, None, "session name")
    assert caller.names >= {"bob", issuer["arn"]}
    assert ("broker" in caller.names) == (issuer is ISSUERS[0])


def test_a_session_with_a_users_context_is_found_by_the_users_id() -> None:
    """It keeps its own name.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/trustedidentitypropagation-identity-enhanced-iam-role-sessions.html
    """
    caller = UserIdentity.of({"userIdentity": session(more={"onBehalfOf": {"userId": USER_ID}})})
    assert caller.name == "jane"
    assert USER_ID in caller.names


@pytest.mark.parametrize(
    ("delegate", "name", "vouched_for"),
    [({"accountId": "999999999999"}, "999999999999", True), ({"accountId": "x"}, "x", False), ({}, "unknown", False)],
)
def test_a_product_provider_acts_itself(delegate: Any, name: str, vouched_for: bool) -> None:
    """In the name of the one whose session it was given."""
    caller = UserIdentity.of({"userIdentity": session(more={"invokedByDelegate": delegate})})
    assert (caller.name, caller.own_name, caller.is_vouched_for) == (name, "jane", vouched_for)
    assert {name, "jane"} <= caller.names | {"unknown"}


# What a service named


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        (session("bruce", more=issued(FUNCTION)), FUNCTION),
        (session("t1", more=issued(f"arn:aws-cn:ecs:cn-north-1:{ACCOUNT}:task/blue/t1")), None),
        (session("i-0123456789abcdef0", ec2RoleDelivery="2.0"), "i-0123456789abcdef0"),
    ],
)
def test_a_session_that_aws_gave_to_a_resource_is_the_resources(identity: dict[str, Any], name: str | None) -> None:
    """A function called bruce is not Bruce."""
    caller = UserIdentity.of({"userIdentity": identity})
    resource = name or identity["inScopeOf"]["credentialsIssuedTo"]
    assert (caller.name, caller.claim, caller.is_vouched_for) == (resource, None, True)
    assert {resource, identity["principalId"].partition(":")[2]} <= caller.names


@pytest.mark.parametrize(
    "identity",
    [
        session("i-0123456789abcdef0"),
        session("jane", ec2RoleDelivery="2.0"),
        session("jane", more=issued(FUNCTION)),
        session("jane", more=issued("jane")),
        session("jane", more={"inScopeOf": "jane"}),
        session("botocore-session-1700000000"),
        session("i-0123456789abcdef0", sourceIdentity="jane", ec2RoleDelivery="2.0"),
    ],
)
def test_a_name_like_a_services_is_a_claim_all_the_same(identity: dict[str, Any]) -> None:
    """Whoever may assume the role may call a session whatever it likes, also with a function's credentials."""
    caller = UserIdentity.of({"userIdentity": identity})
    assert caller.claim is not None
    assert not caller.is_vouched_for


def test_identity_center_names_its_sessions_itself() -> None:
    """Others may only give their role the like of its name."""
    assert UserIdentity.of({"userIdentity": session(role=CENTER)}).is_vouched_for
    for role in (CENTER.replace("aws-reserved/", ""), CENTER.replace(":role/", ":user/")):
        assert not UserIdentity.of({"userIdentity": session(role=role)}).is_vouched_for


# What is no person


@pytest.mark.parametrize(
    "identity",
    [
        {"type": "IAMUser", "accountId": ACCOUNT, "accessKeyId": "", "userName": HIDDEN},
        {"type": "Unknown", "userName": HIDDEN, "principalId": HIDDEN},
        {"type": "IdentityCenterUser", "onBehalfOf": {"userId": HIDDEN}},
        {"type": "SAMLUser", "userName": HIDDEN},
    ],
)
def test_a_name_that_is_hidden_is_nobodys(identity: dict[str, Any]) -> None:
    """It stands for what was mistyped."""
    caller = UserIdentity.of({"userIdentity": identity})
    assert (caller.name, caller.is_vouched_for) == ("unknown", False)
    assert HIDDEN not in caller.names


def test_a_session_that_is_called_hidden_is_seen() -> None:
    """Its name is allowed, and its ARN is not hidden."""
    assert UserIdentity.of({"userIdentity": session(HIDDEN)}).name == SESSION + HIDDEN


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:sts::1:assumed-role", SESSION, "arn:aws:iam::1:assumed-role/R/jane", "jane", "arn:aws:sts::1:user/jane"],
)
def test_what_is_no_sessions_arn_names_no_session(arn: str) -> None:
    """It is shown as it is."""
    caller = UserIdentity.of({"userIdentity": {**session(), "arn": arn}})
    assert (caller.name, caller.session_name, caller.claim) == (arn, None, None)


# Whatever is written there

TYPES = (
    *("Root", "IAMUser", "AssumedRole", "Role", "FederatedUser", "Directory", "AWSAccount", "AWSService"),
    *("IdentityCenterUser", "SAMLUser", "WebIdentityUser", "Unknown", "MadeUpLater", ""),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
SAMPLES = (
    *("jane", "root", "unknown", "true", "", HIDDEN, ACCOUNT, USER_ID, "AROAEXAMPLE:jane", "i-0123456789abcdef0"),
    *(ROLE, CENTER, FUNCTION, SESSION, SESSION + "jane", SESSION + "bruce", SESSION + HIDDEN, "arn:::::"),
    *(ROOT["arn"], USER["arn"], federated({})["arn"]),
)
STRINGS = st.sampled_from(SAMPLES) | st.text(max_size=8)


def blocks(*keys: str, **nested: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with some of these keys, or something else in their place."""
    known: dict[str, Any] = dict.fromkeys(keys, STRINGS | ANY_JSON)
    return st.fixed_dictionaries({}, optional={**known, **nested}) | ANY_JSON


IDENTITIES = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={
        **dict.fromkeys(
            ("principalId", "arn", "accountId", "accessKeyId", "userName", "invokedBy"), STRINGS | ANY_JSON
        ),
        "sessionContext": blocks(
            "sourceIdentity", "assumedRoot", "ec2RoleDelivery", sessionIssuer=blocks("type", "arn")
        ),
        "onBehalfOf": blocks("userId", "identityStoreArn"),
        "inScopeOf": blocks("issuerType", "credentialsIssuedTo"),
        "invokedByDelegate": blocks("accountId"),
    },
)


def strings_in(value: Any) -> Iterator[str]:
    """All strings of a document, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)


def test_a_delegate_that_is_hidden_is_unknown() -> None:
    """As everybody whose name CloudTrail hides."""
    hidden = {"type": "Root", "invokedByDelegate": {"accountId": "HIDDEN_DUE_TO_SECURITY_REASONS"}}
    assert UserIdentity.of({"userIdentity": hidden}).name == "unknown"


@given(IDENTITIES)
def test_nobody_is_named_whom_the_event_does_not_carry(identity: Any) -> None:
    """Every name is a string of the event or the end of one; what is hidden is none."""
    caller = UserIdentity.of({"userIdentity": identity})
    written = set(strings_in(identity))
    carried = written | {one.rpartition("/")[2] for one in written} | {one.partition(":")[2] for one in written}
    assert caller.names <= carried | {"root", "unknown"}
    assert caller.name in caller.names | {"unknown", caller.account_id}
    assert HIDDEN not in (*caller.names, caller.name, caller.own_name)
    if caller.role_arn is not None:
        assert identity["type"] in ("AssumedRole", "Role")


@given(IDENTITIES)
def test_aws_vouches_for_what_is_its_own_alone(identity: Any) -> None:
    """Never for what a caller may have chosen."""
    caller = UserIdentity.of({"userIdentity": identity})
    if not caller.is_vouched_for or caller.delegate is not None:
        return
    assert caller.source_identity is None
    assert caller.own_name != "unknown" or "unknown" in strings_in(identity)
    if identity["type"] == "AssumedRole":
        assert caller.issued_to is not None or re.search(":role/aws-reserved/sso.amazonaws.com/", caller.role_arn or "")
    else:
        assert caller.kind in ("Root", "IAMUser", "AWSService", "IdentityCenterUser")


@given(st.dictionaries(st.sampled_from(["userIdentity", "type"]), ANY_JSON) | ANY_JSON)
def test_any_document_has_a_caller(document: Any) -> None:
    """No matter who wrote it."""
    caller = UserIdentity.of(document)
    assert caller.name
    assert all(isinstance(name, str) for name in caller.names)


def test_a_string_is_found_at_its_place_only() -> None:
    """Something else there is None."""
    document = {"a": {"b": "c", "n": 1, "e": ""}}
    assert text(document, "a", "b") == "c"
    for path in (("a",), ("a", "n"), ("a", "e"), ("a", "b", "c"), ("x", "y")):
        assert text(document, *path) is None
