from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import broken
from tests.support.assumed_roles import as_session, assumed
from tests.support.broken import BRUCE, CODE, SECRET, SERIAL, WRONG, Broken
from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession import (
    SOURCE,
    Account,
    Role,
    RoleChain,
    SessionClosedError,
    UnknownAccountError,
)
from xsession.diagnosis import Diagnosis, HopState
from xsession.policies import Policy, allow, trust
from xsession.testing import Fault


def diagnosed(world: World, setup: Broken, *, looking: bool) -> Diagnosis:
    """What is said of a set-up, with or without a look at IAM in all accounts; no secret is in it."""
    account = setup.account
    accounts = [account] if isinstance(account, Account) else {"vegeta": account}
    xs = world.session(accounts, **(setup.options or {}))
    admins = [world.aws.session(of.user("admin")) for of in (world.batman, world.vegeta, world.hub)] if looking else []
    if setup.before is not None:
        setup.before()
    diagnosis = xs.diagnose("vegeta", using=admins)
    shown = f"{diagnosis}{diagnosis!r}{diagnosis._repr_html_()}{json.dumps(diagnosis.to_dict())}"
    assert [secret for secret in (SECRET, WRONG, CODE, world.key.secret_access_key) if secret in shown] == []
    return diagnosis


def said(diagnosis: Diagnosis, kind: str) -> str:
    """All that is said of a cause."""
    failed = diagnosis.failed
    assert failed is not None
    return "\n".join(f"{cause.message}; {cause.hint}" for cause in failed.causes if cause.kind == kind)


def kinds(diagnosis: Diagnosis, *, certain: bool) -> list[str]:
    """The kinds of the causes that are certain, or only possible."""
    failed = diagnosis.failed
    assert failed is not None
    return [cause.kind for cause in failed.causes if cause.certain is certain]


@pytest.mark.parametrize("setup", broken.SETUPS, ids=lambda setup: setup.__name__)
def test_what_is_broken_is_found(world: World, setup: Callable[[World], Broken]) -> None:
    """Each set-up has a diagnosis of its own, and a surer one where IAM may be read."""
    case = setup(world)
    blind, seen = diagnosed(world, case, looking=False), diagnosed(world, case, looking=True)
    for diagnosis in (blind, seen):
        states = [hop.state for hop in diagnosis.hops]
        before, after = states[: case.hop], states[case.hop + 1 :]
        assert set(before) <= {HopState.OK}
        assert states[case.hop] is HopState.REFUSED
        assert set(after) <= {HopState.NOT_TRIED}
    check_without_a_look(case, blind)
    check_with_a_look(case, seen)


def check_without_a_look(case: Broken, diagnosis: Diagnosis) -> None:
    """Where AWS's words say it, it is the one cause; else it is among the possible ones."""
    assert diagnosis.failed is not None
    if case.told:
        assert kinds(diagnosis, certain=True) == [case.kind]
        assert kinds(diagnosis, certain=False) == []
        assert diagnosis.failed.notes == ()
        return
    assert kinds(diagnosis, certain=True) == []
    if case.kind not in {"region", "time", "not-judged"}:  # too rare to be guessed
        assert case.kind in kinds(diagnosis, certain=False)
    assert any("iam:GetRole" in note for note in diagnosis.failed.notes)


def check_with_a_look(case: Broken, diagnosis: Diagnosis) -> None:
    """It is the one cause, but for what can't be judged."""
    assert diagnosis.failed is not None
    assert set(kinds(diagnosis, certain=True)) == ({case.kind} if case.seen else set())
    assert case.says in said(diagnosis, case.kind)
    assert diagnosis.failed.notes == ()
    assert diagnosis.hint == diagnosis.failed.causes[0].hint


@pytest.mark.parametrize("setup", broken.FIXED_BY_STATEMENTS, ids=lambda setup: setup.__name__)
def test_what_is_proposed_fixes_it(world: World, setup: Callable[[World], Broken]) -> None:
    """Statements that are added where the diagnosis says open the role."""
    case = setup(world)
    before = diagnosed(world, case, looking=True)
    assert before.failed is not None
    remedies = [cause for cause in before.failed.causes if cause.certain and cause.policy is not None]
    assert remedies
    for cause in remedies:
        assert cause.arn is not None
        assert cause.policy is not None
        add(world, cause.arn, cause.policy)
    assert world.session({"vegeta": case.account}).diagnose("vegeta").ok


def add(world: World, arn: str, policy: Policy) -> None:
    """Adds statements to the trust policy of a role, or to the permissions of a user or a role."""
    account = {BATMAN: world.batman, VEGETA: world.vegeta, HUB: world.hub}[arn.split(":")[4]]
    iam, name, document = account.root.client("iam"), arn.rpartition("/")[2], policy.to_json()
    if policy.statements[0].has_principal:
        trusts = Policy.from_dict(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])  # type: ignore[arg-type]
        account.set_trust(name, Policy([*trusts.statements, *policy.statements]))
    elif ":user/" in arn:
        iam.put_user_policy(UserName=name, PolicyName="added", PolicyDocument=document)
    else:
        iam.put_role_policy(RoleName=name, PolicyName="added", PolicyDocument=document)


# What works


def test_what_works_is_ok(world: World) -> None:
    """Each hop says who we are after it."""
    diagnosis = world.session().diagnose("deep")
    assert diagnosis.ok
    assert (diagnosis.failed, diagnosis.hint) == (None, None)
    arns = [hop.arn or "" for hop in diagnosis.hops]
    assert arns[0] == BRUCE
    assert [arn.split("/")[1] for arn in arns[1:]] == ["Hub", "FromHub"]
    assert str(diagnosis).splitlines()[:2] == ["deep: ok", f"|-- source  ok, as {BRUCE}"]


def test_the_source_itself_is_diagnosed_too(world: World) -> None:
    """It has no hops; neither has an account that needs no role."""
    xs = world.session([Account("own", source=world.source, account_id=BATMAN)])
    assert [hop.arn for hop in xs.diagnose(SOURCE).hops] == [BRUCE]
    assert xs.diagnose("own").ok


def test_the_very_request_is_sent(world: World) -> None:
    """With what the defaults fill in, MFA, and an hour where the source turns out to be a role's session."""
    world.aws.expect_mfa_code(SERIAL, "123456")
    arn = world.vegeta.role(
        "R", trusts=trust(BATMAN, mfa_required=True, source_identity="bruce", session_tags=["team"])
    )
    options = {"mfa_serial": SERIAL, "mfa_code": lambda _serial: "123456"}
    xs = world.session({"vegeta": arn}, source_identity="bruce", tags={"team": "heroes"}, **options)
    assert xs.diagnose("vegeta").ok
    long = world.vegeta.role("Long", trusts=BATMAN, max_session_duration=14_400)
    account = Account("vegeta", long, source=broken.role_session(world))
    assert world.session([account], duration_seconds=14_400).diagnose("vegeta").ok


def test_one_request_is_sent_for_each_hop(world: World) -> None:
    """And nothing of IAM without using=."""
    world.session().diagnose("deep")
    assert [call.operation for call in world.aws.calls] == ["GetCallerIdentity", "AssumeRole", "AssumeRole"]


def test_kept_credentials_prove_nothing(world: World) -> None:
    """A role that trusts us no more is refused, even if its credentials are good for an hour yet."""
    xs = world.session()
    xs.get_frozen_credentials("vegeta")
    world.vegeta.set_trust("Reader", trust(HUB))
    assert not xs.diagnose("vegeta").ok


def test_a_diagnosis_disturbs_nothing(world: World) -> None:
    """What is kept stays, nothing is added to it, no event is emitted."""
    xs = world.session()
    kept = xs.get_frozen_credentials("vegeta")
    world.events.clear()
    xs.diagnose("vegeta")
    xs.diagnose("deep")
    assert xs.get_frozen_credentials("vegeta") == kept
    assert [hop.account for hop in xs.status()] == ["vegeta"]
    assert world.events.events == []


def test_no_code_is_asked_for_where_no_role_needs_one(world: World) -> None:
    """Nor twice where one does."""
    asked: list[str] = []

    def code(serial: str) -> str:
        asked.append(serial)
        return "111111"

    xs = world.session({"vegeta": world.role, "mfa": Role(world.role, mfa_serial=SERIAL)}, mfa_code=code)
    assert xs.diagnose("vegeta").ok
    assert asked == []
    assert not xs.diagnose("mfa").ok
    assert asked == [SERIAL]


# Who looks


def test_using_is_an_account_or_a_session_or_several(world: World) -> None:
    """By name, as the source, or as a boto3 session of one's own."""
    admin = world.aws.session(world.vegeta.user("admin"))
    xs = world.session([Account("vegeta", broken.VEGETAS + "Raeder"), Account("admin", source=admin)])
    choices: list[Any] = ["admin", admin, ["admin", SOURCE], (admin,)]
    for using in choices:
        assert kinds(xs.diagnose("vegeta", using=using), certain=True) == ["role-missing"]


def test_using_an_unknown_account_is_an_error(world: World) -> None:
    """So is an unknown account, and a closed session."""
    xs = world.session()
    with pytest.raises(UnknownAccountError):
        xs.diagnose("vegeta", using="nobody")
    with pytest.raises(UnknownAccountError):
        xs.diagnose("nobody")
    xs.close()
    with pytest.raises(SessionClosedError):
        xs.diagnose("vegeta")


def test_who_may_not_look_is_named(world: World) -> None:
    """The diagnosis is as good as without."""
    weak = world.aws.session(world.vegeta.user("weak", permissions=allow("s3:*")))
    dead = world.aws.session()
    xs = world.session({"vegeta": world.vegeta.role("R", trusts=HUB), "gone": broken.VEGETAS + "gone"})
    failed = xs.diagnose("vegeta", using=[weak, dead]).failed
    assert failed is not None
    assert failed.causes[0].kind == "not-trusted"
    assert not failed.causes[0].certain
    assert any("using= can't be used" in note and "no credentials" in note for note in failed.notes)
    assert any("GetRole" in note and "AccessDenied" in note for note in failed.notes)
    reader = world.aws.session(world.vegeta.user("reader", permissions=allow("iam:GetRole")))
    failed = xs.diagnose("gone", using=reader).failed
    assert failed is not None
    assert failed.causes[0].kind == "role-missing"
    assert any("ListRoles" in note for note in failed.notes)


def test_a_look_at_one_side_leaves_the_other_open(world: World) -> None:
    """A trust policy that lets us in says nothing of what we may."""
    admin = world.aws.session(world.vegeta.user("admin"))
    message = f"User: {BRUCE} is not authorized to perform: sts:AssumeRole on resource: {world.role}"
    world.aws.fail(Fault(operation="AssumeRole", code="AccessDenied", status=403, message=message))
    diagnosis = world.session().diagnose("vegeta", using=admin)
    assert kinds(diagnosis, certain=False) == ["identity-policy", "explicit-deny", "not-in-force-yet"]


def test_the_path_of_the_sources_own_role_is_looked_up(world: World) -> None:
    """Simulations want the whole ARN."""
    iam = world.batman.root.client("iam")
    iam.create_role(RoleName="Worker", Path="/teams/", AssumeRolePolicyDocument=trust(BATMAN).to_json())
    issued = world.source.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{BATMAN}:role/teams/Worker", RoleSessionName="worker"
    )["Credentials"]
    source = world.aws.session()
    source._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    own = world.aws.session(world.batman.user("admin"))
    less = world.aws.session(world.batman.user("less", permissions=allow("iam:SimulatePrincipalPolicy")))
    # The words of another AWS, which gives no reason.
    words = f"User: x is not authorized to perform: sts:AssumeRole on resource: {world.role}"
    world.aws.fail(Fault(operation="AssumeRole", code="AccessDenied", status=403, message=words, times=None))
    xs = world.session([Account("vegeta", world.role, source=source)])
    assert kinds(xs.diagnose("vegeta", using=own), certain=True) == ["identity-policy"]
    failed = xs.diagnose("vegeta", using=less).failed
    assert failed is not None
    assert any("SimulatePrincipalPolicy" in note and "cannot be found" in note for note in failed.notes)


def test_an_account_that_looks_may_be_out_of_reach_itself(world: World) -> None:
    """Then that is said."""
    accounts = {"vegeta": world.vegeta.role("R", trusts=HUB), "admin": world.vegeta.role("Admin", trusts=HUB)}
    failed = world.session(accounts).diagnose("vegeta", using="admin").failed
    assert failed is not None
    assert any("account 'admin', hop 1" in note for note in failed.notes)


def test_a_hop_whose_credentials_are_refused_at_once_is_not_repeated(world: World) -> None:
    """They were issued a moment ago: others would be no better."""
    last = world.chain.last.role_arn
    world.aws.fail(Fault(operation="AssumeRole", role_arn=last, code="ExpiredToken", status=403, times=None))
    failed = world.session().diagnose("deep").failed
    assert failed is not None
    assert [(cause.kind, cause.message) for cause in failed.causes] == [
        ("credentials-expired", "the hop before's credentials have ended")
    ]
    assert world.aws.count("AssumeRole") == 2


def test_a_key_that_was_rotated_meanwhile_is_found(world: World) -> None:
    """As at any refresh: the source's files are read again."""
    with world.aws.applied():
        keys = "[profile bat]\naws_access_key_id = {}\naws_secret_access_key = {}"
        old = world.batman.user("old")
        world.aws.write_profiles(keys.format(old.access_key_id, old.secret_access_key))
        xs = world.session(profile_name="bat")
        assert xs.diagnose("vegeta").ok
        world.aws.delete_key(old.access_key_id)
        world.aws.write_profiles("")
        config = Path(os.environ["AWS_CONFIG_FILE"])
        text = config.read_text().replace(old.access_key_id, world.key.access_key_id)
        config.write_text(text.replace(old.secret_access_key, world.key.secret_access_key))
        assert xs.diagnose("vegeta").hops[0].arn == BRUCE


def test_roles_are_asked_for_under_the_names_that_clients_use(world: World) -> None:
    """Those of a template included."""
    xs = world.session(role_session_name="{account}-{program}")
    (_, hop) = xs.diagnose("vegeta").hops
    assert hop.arn == xs.get_frozen_credentials("vegeta").arn
    assert "assumed-role/Reader/vegeta-" in str(hop.arn)


# Web identities

ISSUER = "https://token.actions.githubusercontent.com"
CAVE = "repo:wayne/cave:ref:refs/heads/main"


def by_token(world: World, subject: str) -> Role:
    """A role of the hub that takes a token of the cave, asked with a token."""
    trusted = trust(world.hub.oidc_provider(ISSUER), subject=CAVE)
    token = world.aws.web_identity_token(ISSUER, subject)
    return Role(world.hub.role("Cave", trusts=trusted), web_identity_token=lambda: token)


def test_a_chain_that_begins_with_a_token_needs_no_source(world: World) -> None:
    """The roles after it are looked at as ever."""
    first = by_token(world, CAVE)
    last = world.vegeta.role("FromCave", trusts=first.role_arn)
    xs = world.session({"vegeta": RoleChain(first, last)}, session=world.aws.session(None))
    diagnosis = xs.diagnose("vegeta")
    assert diagnosis.ok
    assert [hop.state for hop in diagnosis.hops] == [HopState.NOT_NEEDED, HopState.OK, HopState.OK]
    world.vegeta.set_trust("FromCave", trust(BATMAN))
    assert kinds(xs.diagnose("vegeta"), certain=False)[0] == "not-trusted"


def test_a_token_that_the_role_does_not_let_in_is_found(world: World) -> None:
    """Its provider, audience or subject; and nothing after it is tried."""
    first = by_token(world, "repo:joker/cave")
    xs = world.session({"vegeta": RoleChain(first, world.vegeta.role("FromCave", trusts=first.role_arn))})
    diagnosis = xs.diagnose("vegeta")
    assert [hop.state for hop in diagnosis.hops] == [HopState.NOT_NEEDED, HopState.REFUSED, HopState.NOT_TRIED]
    assert "aud and sub" in str(diagnosis.hint)


def test_root_is_not_well(world: World) -> None:
    """Though it may do everything else: AWS lets it assume no role."""
    xs = world.session(session=world.batman.root)
    diagnosis = xs.diagnose("vegeta")
    assert not diagnosis.ok
    assert kinds(diagnosis, certain=True) == ["root-user"]


def test_a_tag_that_the_source_passes_on_is_named(world: World) -> None:
    """Nothing shows the tags of the source's session, but STS says that one of them is in the way."""
    hub = world.hub.role("Tagging", trusts=BATMAN)
    tags = [{"Key": "Team", "Value": "bats"}]
    source = as_session(world, assumed(world, RoleArn=hub, Tags=tags, TransitiveTagKeys=["Team"]))
    role = Role(world.vegeta.role("Open", trusts=hub), tags={"team": "z"})
    diagnosis = world.session({"vegeta": role}, session=source).diagnose("vegeta")
    assert kinds(diagnosis, certain=True) == ["tags"]
    assert "the session tag team is inherited" in said(diagnosis, "tags")
