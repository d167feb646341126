from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from xsession.policies import Policy, allow, deny, trust
from xsession.testing._iam._not_judged import UnknownConditionError
from xsession.testing._iam._permissions import Decision, Layer, NamedPolicy
from xsession.testing._iam._trust import Principal, TrustLevel, decide_role_assumption, trust_in

ACCOUNT = "111111111111"
USER = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/bruce")
SESSION = Principal(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/Hub/name", f"arn:aws:iam::{ACCOUNT}:role/Hub")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/ci.example.com"
VISITOR = Principal("", "arn:aws:iam:::repo:bats/cave", provider=PROVIDER)
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/Reader"


def judged(principal: Principal = USER, context: dict[str, list[str]] | None = None, **statement: Any) -> TrustLevel:
    """What a policy of one statement says."""
    whole = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", **statement}
    whole = {name: value for name, value in whole.items() if value is not None}
    policy = Policy.from_dict({"Version": "2012-10-17", "Statement": [whole]})
    return trust_in(policy, principal, "sts:AssumeRole", context or {})


@pytest.mark.parametrize(
    ("named", "user", "session"),
    [
        (ACCOUNT, TrustLevel.ACCOUNT, TrustLevel.ACCOUNT),
        (f"arn:aws:iam::{ACCOUNT}:root", TrustLevel.ACCOUNT, TrustLevel.ACCOUNT),
        (USER.arn, TrustLevel.PRINCIPAL, TrustLevel.NOTHING),
        (SESSION.role_arn, TrustLevel.NOTHING, TrustLevel.ROLE),
        (SESSION.arn, TrustLevel.NOTHING, TrustLevel.PRINCIPAL),
        ("222222222222", TrustLevel.NOTHING, TrustLevel.NOTHING),
        ("*", TrustLevel.PRINCIPAL, TrustLevel.PRINCIPAL),
    ],
)
def test_principals_are_named_by_account_user_role_or_session(
    named: str, user: TrustLevel, session: TrustLevel
) -> None:
    """A session is its role's too; how a caller is named decides what else it needs."""
    assert judged(USER, Principal={"AWS": named}) is user
    assert judged(SESSION, Principal={"AWS": named}) is session


def test_a_unique_id_names_the_one_that_has_it() -> None:
    """As IAM takes it: a user's id, and a role's for all its sessions."""
    ids = ("AIDA0000000000000001", "AROA0000000000000002")
    user, session = replace(USER, unique_id=ids[0]), replace(SESSION, unique_id=ids[1])
    assert [judged(user, Principal={"AWS": one}) for one in ids] == [TrustLevel.PRINCIPAL, TrustLevel.NOTHING]
    assert [judged(session, Principal={"AWS": one}) for one in ids] == [TrustLevel.NOTHING, TrustLevel.ROLE]


def test_whom_a_provider_vouches_for_is_named_by_the_provider() -> None:
    """And is denied with all others."""
    assert judged(VISITOR, Principal={"Federated": PROVIDER}) is TrustLevel.PRINCIPAL
    assert judged(VISITOR, Principal={"AWS": ACCOUNT}) is TrustLevel.NOTHING
    assert judged(USER, Principal={"Federated": PROVIDER}) is TrustLevel.NOTHING
    assert judged(VISITOR, Principal="*") is TrustLevel.NOTHING
    assert judged(VISITOR, Principal="*", Effect="Deny") is TrustLevel.DENIED


def test_not_principal_names_those_to_whom_it_does_not_apply() -> None:
    """Here: deny to all but one."""
    policy: dict[str, Any] = {"Effect": "Deny", "Principal": None, "NotPrincipal": {"AWS": [ACCOUNT]}}
    assert judged(USER, **policy) is TrustLevel.NOTHING
    assert judged(Principal("2" * 12, f"arn:aws:iam::{'2' * 12}:user/x"), **policy) is TrustLevel.DENIED


def test_a_denial_wins() -> None:
    """However many statements allow it."""
    statements = [
        {"Effect": effect, "Principal": {"AWS": "*"}, "Action": "sts:*"} for effect in ("Allow", "Deny", "Allow")
    ]
    policy = Policy.from_dict({"Version": "2012-10-17", "Statement": statements})
    assert trust_in(policy, USER, "sts:AssumeRole", {}) is TrustLevel.DENIED


def test_a_condition_that_is_not_met_leaves_nothing() -> None:
    """And one that is not known is not judged."""
    condition = {"StringEquals": {"sts:ExternalId": "agreed"}}
    assert judged(context={"sts:externalid": ["agreed"]}, Condition=condition) is TrustLevel.ACCOUNT
    assert judged(Condition=condition) is TrustLevel.NOTHING
    with pytest.raises(UnknownConditionError, match="aws:Moon"):
        judged(Condition={"StringEquals": {"aws:Moon": "full"}})


def both(
    policy: Policy,
    own: Policy | None,
    *,
    principal: Principal = USER,
    same_account: bool = True,
    session_policy: Policy | None = None,
) -> Decision:
    """What comes of a trust policy and of the caller's own policies."""
    layers = [Layer("identity-based policy", [] if own is None else [NamedPolicy("own", "user", own)])]
    layers += [] if session_policy is None else [Layer("session policy", [NamedPolicy("s", "none", session_policy)])]
    return decide_role_assumption(
        policy,
        principal,
        layers,
        action="sts:AssumeRole",
        role_arn=ROLE_ARN,
        context={},
        same_account=same_account,
    )


ASSUME = allow("sts:AssumeRole", resources=ROLE_ARN)


@pytest.mark.parametrize(
    ("trusted", "own", "same_account", "allowed"),
    [
        (ACCOUNT, ASSUME, True, True),
        (ACCOUNT, None, True, False),
        (ACCOUNT, ASSUME, False, True),
        (ACCOUNT, None, False, False),
        (USER.arn, None, True, True),
        (USER.arn, None, False, False),
        (USER.arn, ASSUME, False, True),
        (USER.arn, allow("sts:AssumeRole", resources=f"{ROLE_ARN}2"), False, False),
        ("222222222222", ASSUME, True, False),
        (USER.arn, deny("sts:*"), True, False),
    ],
)
def test_across_accounts_both_sides_must_allow_it(
    trusted: str, own: Policy | None, *, same_account: bool, allowed: bool
) -> None:
    """Within one, a trust policy that names the caller itself is enough."""
    assert both(trust(trusted), own, same_account=same_account).allowed is allowed


def test_a_session_policy_limits_a_caller_that_is_trusted_as_a_role() -> None:
    """But not one that is trusted as this very session."""
    assert SESSION.role_arn is not None
    narrow = allow("s3:*")
    assert not both(trust(SESSION.role_arn), None, principal=SESSION, session_policy=narrow).allowed
    assert both(trust(SESSION.role_arn), None, principal=SESSION).allowed
    assert both(trust(SESSION.arn), None, principal=SESSION, session_policy=narrow).allowed


def test_a_refusal_has_the_reason_that_aws_gives() -> None:
    """None, where the trust policy is silent."""
    action = "sts:AssumeRole"
    denying = Policy.from_dict(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]}
    )
    assert both(trust("222222222222"), ASSUME).because(action) == ""
    assert both(trust(ACCOUNT), None).because(action) == f"because no identity-based policy allows the {action} action"
    assert both(denying, ASSUME).because(action) == "with an explicit deny in a resource-based policy"
    assert both(trust(ACCOUNT), deny("*")).because(action) == "with an explicit deny in an identity-based policy"
