"""Set-ups in which an account can't be reached, each for a reason of its own: what a diagnosis must tell apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession import Account, Role, RoleChain
from xsession.policies import Policy, Statement, allow, deny, trust
from xsession.testing import Fault
from xsession.testing._iam import AccessKey

SECRET = "agreed-on-and-secret"
WRONG = "wrong-and-secret-too"
CODE = "987654"
SERIAL = f"arn:aws:iam::{BATMAN}:mfa/bruce"
BRUCE = f"arn:aws:iam::{BATMAN}:user/bruce"
VEGETAS = f"arn:aws:iam::{VEGETA}:role/"
OPEN = trust(BATMAN, session_tags=["*"])


@dataclass(frozen=True, slots=True)
class Broken:
    """A set-up that does not work.

    Args:
        account: What leads there.
        hop: Which hop is refused.
        kind: What the cause is.
        told: Whether AWS's own words, or ours, say so without a look at IAM.
        seen: Whether an identity that may read IAM on both sides sees it for certain.
        says: What the cause's message or hint holds then.
        options: Of the session.
        before: Done after the session was made.
    """

    account: Any
    kind: str
    hop: int = 1
    told: bool = False
    seen: bool = True
    says: str = ""
    options: Any = None
    before: Callable[[], object] | None = None


def not_trusted(world: World) -> Broken:
    """The trust policy names another caller."""
    return Broken(world.vegeta.role("R", trusts=HUB), "not-trusted", says=f"does not name {BRUCE}")


def deleted_principal(world: World) -> Broken:
    """It names a user who was deleted and created again."""
    return Broken(world.vegeta.role("R", trusts=trust("AIDAQWERTYUIOPASDFGH")), "not-trusted", says="was deleted")


def principal_condition(world: World) -> Broken:
    """It names the account, but wants another one of its users."""
    wanted = trust(BATMAN, conditions={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{BATMAN}:role/*"}})
    return Broken(world.vegeta.role("R", trusts=wanted), "not-trusted", says=f"the request has {BRUCE}")


def external_id_missing(world: World) -> Broken:
    """The trust policy asks for an external id."""
    return Broken(world.vegeta.role("R", trusts=trust(BATMAN, external_id=SECRET)), "external-id-missing")


def external_id_wrong(world: World) -> Broken:
    """Another one is sent."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, external_id=SECRET))
    return Broken(Role(arn, external_id=WRONG), "external-id-wrong", says="another one is sent")


def mfa_missing(world: World) -> Broken:
    """The trust policy asks for MFA."""
    return Broken(world.vegeta.role("R", trusts=trust(BATMAN, mfa_required=True)), "mfa-missing", says="mfa_serial=")


def mfa_code_wrong(world: World) -> Broken:
    """The code is an old one."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, mfa_required=True))
    options = {"mfa_code": lambda _serial: CODE}
    return Broken(Role(arn, mfa_serial=SERIAL), "mfa-code", told=True, says=SERIAL, options=options)


def mfa_nobody_to_ask(world: World) -> Broken:
    """There is no way to ask for the code."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, mfa_required=True))
    return Broken(Role(arn, mfa_serial=SERIAL), "mfa-code", told=True, says="pass mfa_code=")


def session_name(world: World) -> Broken:
    """The trust policy asks for another session name."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, role_session_name="bat-*"))
    return Broken(Role(arn, role_session_name="robin"), "session-name", says="bat-*; the request has robin")


def session_name_is_the_user(world: World) -> Broken:
    """It asks for the caller's own name, by a policy variable."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, role_session_name="${aws:username}"))
    return Broken(Role(arn, role_session_name="robin"), "session-name", says="${aws:username}")


def source_identity_missing(world: World) -> Broken:
    """The trust policy asks for a source identity."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, source_identity="bruce"))
    return Broken(arn, "source-identity", says="the request has none")


def source_identity_not_allowed(world: World) -> Broken:
    """It does not allow one."""
    return Broken(
        Role(world.vegeta.role("R", trusts=trust(BATMAN)), source_identity="bruce"),
        "source-identity",
        says="sts:SetSourceIdentity",
    )


def source_identity_replaced(world: World) -> Broken:
    """The session has another one already, and that can't be replaced."""
    first = world.hub.role("First", trusts=BATMAN)
    last = Role(world.vegeta.role("R", trusts=first), source_identity="robin")
    return Broken(
        RoleChain(Role(first, source_identity="bruce"), last), "source-identity", hop=2, told=True, says="bruce"
    )


def tags_not_allowed(world: World) -> Broken:
    """The trust policy does not allow session tags."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN))
    return Broken(Role(arn, tags={"team": "heroes"}), "tags", says="sts:TagSession")


def tag_key_not_allowed(world: World) -> Broken:
    """It allows others."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, session_tags=["cost"]))
    return Broken(Role(arn, tags={"team": "heroes"}), "tags", says="aws:TagKeys cost; the request has team")


def tag_missing(world: World) -> Broken:
    """It asks for one."""
    wanted = trust(BATMAN, session_tags=["*"], conditions={"StringEquals": {"aws:RequestTag/team": "heroes"}})
    return Broken(world.vegeta.role("R", trusts=wanted), "tags", says="aws:RequestTag/team heroes")


def inherited_tag_not_allowed(world: World) -> Broken:
    """The second role does not allow the tag that the first one passes on."""
    first = world.hub.role("First", trusts=OPEN)
    sent = Role(first, tags={"team": "heroes"}, transitive_tag_keys=["team"])
    return Broken(RoleChain(sent, world.vegeta.role("R", trusts=trust(first))), "tags", hop=2, says="sts:TagSession")


def denied_by_trust(world: World) -> Broken:
    """The trust policy denies it explicitly."""
    no = Statement(effect="Deny", principals={"AWS": [BRUCE]}, actions=["sts:AssumeRole"], sid="NotBruce")
    policy = Policy([*OPEN.statements, no])
    return Broken(world.vegeta.role("R", trusts=policy), "explicit-deny", told=True, says="trust policy")


def denied_by_own_policy(world: World) -> Broken:
    """The caller's own policy denies it explicitly."""
    world.batman.user("bruce", permissions=allow("*") + deny("sts:AssumeRole"))
    return Broken(world.role, "explicit-deny", told=True, says="identity-based policy denies")


def no_permission(world: World) -> Broken:
    """No policy of the caller's allows it."""
    world.batman.user("bruce", permissions=allow("s3:*"))
    return Broken(world.role, "identity-policy", told=True, says=BRUCE)


def session_policy_in_the_way(world: World) -> Broken:
    """The first role's session policy does not allow to go on."""
    first, last = world.chain.roles
    return Broken(RoleChain(first.replace(policy=allow("s3:*")), last), "session-policy", hop=2, told=True, seen=True)


def boundary_in_the_way(world: World) -> Broken:
    """Its permissions boundary does not."""
    iam = world.hub.root.client("iam")
    document = allow("s3:*").to_json()
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="Hub", PermissionsBoundary=boundary)
    return Broken(world.chain, "permissions-boundary", hop=2, told=True)


def organization_denies(world: World) -> Broken:
    """A service control policy denies it."""
    message = (
        f"User: {BRUCE} is not authorized to perform: sts:AssumeRole on resource: {world.role} "
        "with an explicit deny in a service control policy"
    )
    fault = Fault(operation="AssumeRole", code="AccessDenied", status=403, message=message)
    return Broken(world.role, "service-control-policy", told=True, says=BATMAN, before=lambda: world.aws.fail(fault))


def role_misspelt(world: World) -> Broken:
    """There is one of nearly that name."""
    world.vegeta.role("BatmanReadsBucket", trusts=BATMAN)
    return Broken(f"{VEGETAS}BatmanReadBuckets", "role-missing", says="did you mean BatmanReadsBucket?")


def role_on_another_path(world: World) -> Broken:
    """It is on a path."""
    iam = world.vegeta.root.client("iam")
    iam.create_role(RoleName="R", Path="/partners/", AssumeRolePolicyDocument=OPEN.to_json())
    return Broken(f"{VEGETAS}R", "role-missing", says=f"{VEGETAS}partners/R")


def duration_over_maximum(world: World) -> Broken:
    """Longer than the role allows."""
    arn = world.vegeta.role("R", trusts=BATMAN, max_session_duration=7_200)
    return Broken(Role(arn, duration_seconds=14_400), "duration-over-maximum", told=True, says="14400 s")


def duration_over_chain_limit(world: World) -> Broken:
    """Longer than a role's session may ask for."""
    source = role_session(world)
    arn = world.vegeta.role("R", trusts=BATMAN, max_session_duration=14_400)
    account = Account("vegeta", Role(arn, duration_seconds=14_400), source=source)
    return Broken(account, "duration-over-chain-limit", told=True, says="3600")


def region_off(world: World) -> Broken:
    """STS is off in the region."""
    world.aws.disable_region("eu-west-1")
    return Broken(world.role, "region-off", told=True, says="eu-west-1")


def region_condition(world: World) -> Broken:
    """The trust policy wants another one."""
    wanted = trust(BATMAN, conditions={"StringEquals": {"aws:RequestedRegion": "eu-central-1"}})
    return Broken(world.vegeta.role("R", trusts=wanted), "region", says="sts_region_name=")


def time_condition(world: World) -> Broken:
    """The trust has ended."""
    wanted = trust(BATMAN, conditions={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})
    return Broken(world.vegeta.role("R", trusts=wanted), "time", says="2020-01-01")


def organization_condition(world: World) -> Broken:
    """The caller must be of an organization, which nothing here can tell."""
    arn = world.vegeta.role("R", trusts=trust(BATMAN, organization_id="o-abcdefghij"))
    return Broken(arn, "not-judged", seen=False, says="aws:PrincipalOrgID o-abcdefghij")


def clock_skewed(world: World) -> Broken:
    """The local clock is behind."""
    world.aws.set_clock_skew(3_600)
    return Broken(world.role, "clock", hop=0, told=True, says=" s behind AWS's")


def source_expired(world: World) -> Broken:
    """The source's session has ended."""
    ended = replace(session_key(world), expires=time.time() - 1)
    world.aws.add_key(ended)
    return Broken(
        Account("vegeta", world.role, source=world.aws.session(ended)), "credentials-expired", hop=0, told=True
    )


def source_deleted(world: World) -> Broken:
    """The source's key is gone."""
    world.aws.delete_key(world.key.access_key_id)
    return Broken(world.role, "key-unknown", hop=0, told=True, says="the source's")


def secret_wrong(world: World) -> Broken:
    """Its secret is another one."""
    wrong = replace(world.key, secret_access_key="another-one")
    return Broken(Account("vegeta", world.role, source=world.aws.session(wrong)), "secret-wrong", hop=0, told=True)


def no_credentials(world: World) -> Broken:
    """It has none."""
    account = Account("vegeta", world.role, source=world.aws.session())
    return Broken(account, "source-credentials", hop=0, told=True, says="no credentials")


def no_profile(world: World) -> Broken:
    """There is no such profile."""
    account = Account("vegeta", world.role, source="missing")
    return Broken(account, "source-credentials", hop=0, told=True, says="missing")


def wrong_account(world: World) -> Broken:
    """It is for another account."""
    account = Account("vegeta", source=world.source, account_id=VEGETA)
    return Broken(account, "wrong-account", hop=0, told=True, says=BRUCE)


def hub_not_trusted(world: World) -> Broken:
    """The second role trusts the source, not the first role."""
    first = world.hub.role("First", trusts=BATMAN)
    chain = RoleChain(first, world.vegeta.role("R", trusts=BATMAN))
    return Broken(chain, "not-trusted", hop=2, says=f"does not name {first}")


def hub_lacks_permission(world: World) -> Broken:
    """The first role may not assume the second."""
    first = world.hub.role("First", trusts=BATMAN, permissions=allow("s3:*"))
    chain = RoleChain(first, world.vegeta.role("R", trusts=first))
    return Broken(chain, "identity-policy", hop=2, told=True, says=first)


def mfa_from_a_role(world: World) -> Broken:
    """A role's session never has MFA."""
    first = world.hub.role("First", trusts=BATMAN)
    chain = RoleChain(first, world.vegeta.role("R", trusts=trust(first, mfa_required=True)))
    return Broken(chain, "mfa-missing", hop=2, says="never has MFA")


def managed_policy_missing(world: World) -> Broken:
    """STS does not take the request."""
    role = Role(world.role, policy_arns=[f"arn:aws:iam::{VEGETA}:policy/gone"])
    return Broken(role, "other", told=True, says="does not exist")


def sts_fails(world: World) -> Broken:
    """STS does not answer."""
    fault = Fault(operation="AssumeRole", times=None)
    return Broken(world.role, "not-answered", told=True, before=lambda: world.aws.fail(fault))


def session_key(world: World) -> AccessKey:
    """A temporary key of Bruce's own."""
    answer = world.source.client("sts").get_session_token()["Credentials"]
    return replace(
        world.key,
        access_key_id=answer["AccessKeyId"],
        secret_access_key=answer["SecretAccessKey"],
        session_token=answer["SessionToken"],
    )


def role_session(world: World) -> Any:
    """A boto3 session of a role of Batman's."""
    arn = world.batman.role("Worker", trusts=BATMAN)
    issued = world.source.client("sts").assume_role(RoleArn=arn, RoleSessionName="worker")["Credentials"]
    session = world.aws.session()
    session._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    return session


SETUPS: list[Callable[[World], Broken]] = [
    not_trusted,
    deleted_principal,
    principal_condition,
    external_id_missing,
    external_id_wrong,
    mfa_missing,
    mfa_code_wrong,
    mfa_nobody_to_ask,
    session_name,
    session_name_is_the_user,
    source_identity_missing,
    source_identity_not_allowed,
    source_identity_replaced,
    tags_not_allowed,
    tag_key_not_allowed,
    tag_missing,
    inherited_tag_not_allowed,
    denied_by_trust,
    denied_by_own_policy,
    no_permission,
    session_policy_in_the_way,
    boundary_in_the_way,
    organization_denies,
    role_misspelt,
    role_on_another_path,
    duration_over_maximum,
    duration_over_chain_limit,
    region_off,
    region_condition,
    time_condition,
    organization_condition,
    clock_skewed,
    source_expired,
    source_deleted,
    secret_wrong,
    no_credentials,
    no_profile,
    wrong_account,
    hub_not_trusted,
    hub_lacks_permission,
    mfa_from_a_role,
    managed_policy_missing,
    sts_fails,
]
FIXED_BY_STATEMENTS: list[Callable[[World], Broken]] = [
    not_trusted,
    deleted_principal,
    source_identity_not_allowed,
    tags_not_allowed,
    inherited_tag_not_allowed,
    no_permission,
    hub_not_trusted,
    hub_lacks_permission,
]
