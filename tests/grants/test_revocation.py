from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.cells import until
from tests.support.worlds import VEGETA, World
from xsession import (
    SOURCE,
    AssumeRoleError,
    ConfigError,
    CrossAccountSession,
    DeadlinePassedError,
    Grant,
    GrantError,
    RefreshPolicy,
    Revocation,
    RevocationError,
    Role,
    UnknownAccountError,
)
from xsession.audit import AuditLog
from xsession.events import Event, Granted, GrantFailed, GrantRequested, Invalidated, Revoked
from xsession.grants._revocation_policy import Scope
from xsession.policies import Policy, allow, deny, trust
from xsession.testing import FakeClock, Fault, LocalAWS
from xsession.testing._iam import AccessKey

JANE = "jane@contractor.example"
HOUR = timedelta(hours=1)
RIGHTS = ("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy")


class Prison:
    """A session on a local AWS: Vegeta's role, whose sessions are revoked, and one that may do that.

    Args:
        world: The accounts.
        clock: Whose time it is.
    """

    def __init__(self, world: World, clock: FakeClock) -> None:
        self.world, self.clock = world, clock
        self.aws, self.role = world.aws, world.role
        self.warden = world.vegeta.role("Warden", trusts="111111111111", permissions=allow(*RIGHTS))
        self.iam: Any = world.vegeta.root.client("iam")
        self.xs = self.session()

    def session(self, **more: Any) -> CrossAccountSession:
        """Knows Vegeta, and Vegeta as the warden."""
        return self.world.session({"vegeta": self.role, "warden": self.warden, **more}, clock=self.clock)

    def grant(self, to: str = JANE, account: str = "vegeta") -> Grant:
        """One of two hours."""
        return self.xs.grant(account, to=to, duration=2 * HOUR)

    def revoke(self, **options: Any) -> Revocation:
        """Revokes sessions of Vegeta's role by the warden, unless told otherwise."""
        return self.xs.revoke("vegeta", **{"using": "warden", **options})

    def copied(self, grant: Grant | None = None) -> boto3.Session:
        """What an attacker has who copied keys: those of a grant, or our own."""
        source: Any = grant.environ() if grant else self.xs.get_frozen_credentials("vegeta").environ()
        key = self.aws._sts.find(source["AWS_ACCESS_KEY_ID"])
        assert isinstance(key, AccessKey)
        return self.aws.session(key)

    def policies(self) -> dict[str, Any]:
        """The role's revocations, by name."""
        names = self.iam.list_role_policies(RoleName="Reader")["PolicyNames"]
        return {
            name: self.iam.get_role_policy(RoleName="Reader", PolicyName=name)["PolicyDocument"]
            for name in names
            if name.startswith("XSessionRevoke-")
        }

    def put(self, name: str, policy: Policy) -> None:
        """Gives the role an inline policy."""
        self.iam.put_role_policy(RoleName="Reader", PolicyName=name, PolicyDocument=policy.to_json())

    def now(self) -> datetime:
        """What IAM's clock says."""
        return datetime.fromtimestamp(self.clock.wall(), UTC)


@pytest.fixture
def prison(fake_clock: FakeClock) -> Iterator[Prison]:
    """On a local AWS that lives by a clock which the test turns."""
    with LocalAWS(clock=fake_clock) as aws:
        world = World(aws)
        yield Prison(world, fake_clock)
        world.close()


def is_let_in(session: boto3.Session) -> bool:
    """Whether AWS accepts its keys; if not, it is for a revocation."""
    try:
        session.client("s3").list_buckets()
    except ClientError as error:
        assert "explicit deny in an identity-based policy" in str(error)  # noqa: PT017 # both outcomes are expected
        return False
    return True


def test_older_sessions_of_a_role_are_revoked(prison: Prison) -> None:
    """Copies of their keys too; ours are replaced at the next request."""
    copied = prison.copied()
    client = prison.xs.get_client("s3", "vegeta")
    client.list_buckets()
    prison.clock.advance(1)
    revocation = prison.revoke()
    assert not is_let_in(copied)
    client.list_buckets()
    assert prison.world.events.of(Invalidated)[-1].reason == "revoked"
    (name, document) = prison.policies().popitem()
    assert name == revocation.policy_name == f"XSessionRevoke-{revocation.id}"
    assert revocation.at == prison.now()
    assert document["Statement"][1] == {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": f"{prison.now():%Y-%m-%dT%H:%M:%SZ}"}},
    }


def test_one_grant_is_revoked(prison: Prison) -> None:
    """Another one of the same person, and our own sessions, go on."""
    one, other = prison.grant(), prison.grant()
    copies = [prison.copied(one), prison.copied(other), prison.copied()]
    client, going_on = one.client("sts"), other.client("sts")
    revocation = one.revoke(using="warden")
    assert [is_let_in(copy) for copy in copies] == [False, True, True]
    for late in (client, one.client("sts")):
        with pytest.raises(DeadlinePassedError, match="the grant was revoked"):
            late.get_caller_identity()
    going_on.get_caller_identity()
    assert (one.remaining, other.remaining) == (0, 7_200)
    assert revocation.scope.grant_id == one.id
    assert prison.aws.count("AssumeRole", role_arn=prison.role) == 3


def test_one_persons_sessions_are_revoked(prison: Prison) -> None:
    """By the source identity: grants, and whatever else carries it."""
    prison.xs = prison.session(janes=Role(prison.role, source_identity=JANE))
    hers, his = prison.grant(), prison.grant("joe")
    own = prison.xs.get_frozen_credentials("janes").access_key_id
    copies = [prison.copied(hers), prison.copied(his), prison.copied()]
    prison.clock.advance(1)
    prison.revoke(who=JANE)
    assert [is_let_in(copy) for copy in copies] == [False, True, True]
    with pytest.raises(DeadlinePassedError):
        hers.environ()
    assert his.environ()
    assert prison.xs.get_frozen_credentials("janes").access_key_id != own
    prison.xs.get_client("s3", "janes").list_buckets()


def test_a_persons_grants_are_revoked_whatever_source_identity_they_carry(prison: Prison) -> None:
    """One that the chain sets itself is not hers: her grant is revoked by its id too, which the log says."""
    prison.xs = prison.session(chained=Role(prison.role, source_identity="batman"))
    hers, his = prison.grant(account="chained"), prison.grant("joe", account="chained")
    copies = [prison.copied(hers), prison.copied(his)]
    prison.clock.advance(1)
    prison.revoke(who=JANE)
    assert [is_let_in(copy) for copy in copies] == [False, True]
    assert f"XSessionRevoke-{hers.id}" in prison.policies()
    assert [event.grant_id for event in prison.world.events.of(Revoked)] == [None, hers.id]


def test_all_grants_of_a_role_end_with_its_older_sessions(prison: Prison) -> None:
    """Those of other roles don't, and one that is not held any more is no trouble."""
    prison.xs = prison.session(other=prison.world.vegeta.role("Other", trusts="111111111111"))
    ended, kept = prison.grant(), prison.grant(account="other")
    prison.clock.advance(1)
    prison.revoke()
    with pytest.raises(DeadlinePassedError):
        ended.environ()
    assert kept.environ()
    del ended
    gc.collect()
    prison.revoke()


def test_sessions_before_a_moment_are_revoked(prison: Prison) -> None:
    """Younger ones, and grants made later, go on."""
    old = prison.copied()
    prison.clock.advance(600)
    moment = prison.now()
    prison.clock.advance(600)
    prison.xs.invalidate("vegeta")
    young, grant = prison.copied(), prison.grant()
    prison.revoke(before=moment)
    assert [is_let_in(old), is_let_in(young)] == [False, True]
    assert grant.environ()


def test_a_block_denies_what_is_yet_to_come(prison: Prison) -> None:
    """Until it is undone; a revocation without it lets people in again."""
    grant = prison.grant()
    revocation = prison.revoke(block=True)
    prison.clock.advance(1)
    assert not is_let_in(prison.copied())
    revocation.undo(force=True)
    assert is_let_in(prison.copied())
    blocked = prison.revoke(grant=grant.id, block=True)
    assert list(prison.policies()[blocked.policy_name]["Statement"][0]["Condition"]) == ["StringLike"]


# A grant stays revoked


@pytest.mark.parametrize("reassume", [False, True])
def test_a_grant_that_another_process_revoked_is_not_refreshed_back_to_life(prison: Prison, reassume: bool) -> None:
    """By its id; whoever made it knows nothing of that, and goes on refreshing it."""
    policy = RefreshPolicy(reassume_on_explicit_deny=reassume)
    prison.xs = prison.world.session({"vegeta": prison.role}, clock=prison.clock, refresh=policy)
    grant = prison.xs.grant("vegeta", to=JANE, duration=timedelta(days=2))
    client = grant.client("s3")
    client.list_buckets()
    prison.session().revoke("vegeta", using="warden", grant=grant.id)
    keys = set()
    for _ in range(4):
        keys.add(grant.environ()["AWS_ACCESS_KEY_ID"])
        with pytest.raises(ClientError, match="explicit deny in an identity-based policy"):
            client.list_buckets()
        prison.clock.advance(1_300)
    assert prison.aws.count("AssumeRole", role_arn=prison.role) == len(keys) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork of a process with threads is the point
@pytest.mark.parametrize("scope", [{"who": JANE}, {}])
def test_a_grant_of_another_process_stays_dead_after_its_next_refresh(prison: Prison, scope: dict[str, str]) -> None:
    """It is revoked with its person, or with the role's older sessions; whom is granted access later has it."""
    grant = prison.grant()
    grant.client("s3").list_buckets()
    prison.clock.advance(1)
    child = os.fork()
    if child == 0:
        # The other process: it revokes, and the one that made the grant hears nothing of it.
        failed = 1
        try:
            prison.revoke(**scope)
            failed = 0
        finally:
            os._exit(failed)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    keys = set()
    for _ in range(3):
        keys.add(grant.environ()["AWS_ACCESS_KEY_ID"])
        assert not is_let_in(prison.copied(grant))
        prison.clock.advance(3_500)
    assert len(keys) == 2
    assert is_let_in(prison.copied(prison.grant()))
    assert is_let_in(prison.copied())


def test_a_grant_without_a_tag_is_revoked_by_its_name(prison: Prison) -> None:
    """Its role does not permit one."""
    prison.world.vegeta.set_trust("Reader", trust("111111111111"))
    grant = prison.grant()
    copied = prison.copied(grant)
    prison.session().revoke("vegeta", using="warden", grant=grant.id)
    assert not is_let_in(copied)


def test_a_second_revocation_of_a_grant_takes_the_place_of_the_first(prison: Prison) -> None:
    """Even where the role has no room for one more; it stays as long as the second has to."""
    grant = prison.grant()
    first = grant.revoke(using="warden")
    others = prison.policies()
    _fill(prison, 10_240 - len(json.dumps(others[first.policy_name]).replace(" ", "")))
    prison.clock.advance(3_600)
    second = prison.session().revoke("vegeta", using="warden", grant=grant.id)
    assert first.policy_name == second.policy_name == f"XSessionRevoke-{grant.id}"
    assert prison.policies().keys() == {second.policy_name}
    assert second.revives_until - first.revives_until == HOUR


def test_a_grants_revocation_stays_until_no_grant_can_hold_any_more(prison: Prison) -> None:
    """Seven days, and what its maker's clock may have been off; then the next revocation clears it away."""
    revocation = prison.revoke(grant="1a")
    prison.clock.advance(7 * 86_400)
    with pytest.raises(RevocationError, match="would revive"):
        revocation.undo()
    prison.revoke(who="joe")
    assert revocation.policy_name in prison.policies()
    prison.clock.advance(901)
    again = prison.revoke(grant="1a")
    assert again.policy_name in prison.policies()
    prison.clock.advance(7 * 86_400 + 901)
    prison.revoke(who="joe")
    assert revocation.policy_name not in prison.policies()


def test_a_grants_block_stays_until_it_is_undone(prison: Prison) -> None:
    """However long that takes."""
    blocked = prison.revoke(grant="1a", block=True)
    prison.clock.advance(30 * 86_400)
    prison.revoke(who="joe")
    assert blocked.policy_name in prison.policies()
    blocked.undo()
    assert blocked.policy_name not in prison.policies()


def test_a_grant_that_is_revoked_while_sts_is_asked_is_not_made(
    prison: Prison, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The answer is thrown away, and the log says what came of the request."""
    log = AuditLog(tmp_path / "audit.jsonl")
    prison.xs = prison.world.session(
        {"vegeta": prison.role, "warden": prison.warden}, clock=prison.clock, hooks=[log, prison.world.events]
    )
    answer = prison.aws._sts.answer

    def answer_late(operation: str, parameters: Any, *rest: Any) -> Any:
        issued = answer(operation, parameters, *rest)
        if operation == "AssumeRole" and parameters["RoleArn"] == prison.role:
            prison.revoke(grant=prison.world.events.of(GrantRequested)[-1].grant_id)
        return issued

    monkeypatch.setattr(prison.aws._sts, "answer", answer_late)
    with pytest.raises(GrantError, match="the grant was revoked before it was handed over") as caught:
        prison.grant()
    assert (caught.value.account, caught.value.role_arn) == ("vegeta", prison.role)
    until(lambda: prison.aws.count("AssumeRole", role_arn=prison.role) == 1)
    until(lambda: prison.world.events.of(Revoked))
    events = [record.event for record in log if record.event in ("GrantRequested", "Granted", "GrantFailed", "Revoked")]
    # Of the last two, which come from two threads, either may be written first.
    assert (events[0], sorted(events[1:])) == ("GrantRequested", ["GrantFailed", "Revoked"])


@pytest.mark.parametrize("options", [{"grant": True}, {"who": JANE}, {}], ids=["grant", "person", "role"])
def test_a_grant_that_is_revoked_before_sts_is_asked_asks_nothing(prison: Prison, options: dict[str, Any]) -> None:
    """By its id, which the log has by then, or with whatever else it belongs to."""

    def revoke(event: Event) -> None:
        if isinstance(event, GrantRequested):
            named = {"grant": event.grant_id} if options.get("grant") else options
            prison.revoke(**named)

    prison.xs = prison.world.session(
        {"vegeta": prison.role, "warden": prison.warden}, clock=prison.clock, hooks=[revoke]
    )
    with pytest.raises(GrantError, match="revoked before it was handed over"):
        prison.grant()
    assert prison.aws.count("AssumeRole", role_arn=prison.role) == 0


def test_a_grant_that_is_revoked_while_it_is_written_down_is_not_handed_over(prison: Prison) -> None:
    """It was granted, revoked, and so failed, as the events say."""

    def revoke(event: Event) -> None:
        if isinstance(event, Granted):
            prison.revoke(grant=event.grant_id)

    prison.xs = prison.world.session(
        {"vegeta": prison.role, "warden": prison.warden}, clock=prison.clock, hooks=[revoke, prison.world.events]
    )
    with pytest.raises(GrantError, match="revoked before it was handed over"):
        prison.grant()
    (made,), (failed,) = prison.world.events.of(Granted), prison.world.events.of(GrantFailed)
    assert (failed.grant_id, failed.access_key_id) == (made.grant_id, made.access_key_id)


def test_a_grant_that_ended_elsewhere_is_said_to_live_until_its_deadline(prison: Prison) -> None:
    """Whoever made it may refresh it, as long as AWS is not told."""
    with pytest.raises(RevocationError, match="until the grant's deadline, 7 days after it was made at the latest"):
        prison.revoke(grant="1a", using=None)


def test_a_grant_that_was_not_made_is_forgotten(prison: Prison) -> None:
    """As soon as another one is begun."""
    prison.world.vegeta.set_trust("Reader", trust("999999999999"))
    for _ in range(3):
        with pytest.raises(AssumeRoleError):
            prison.grant()
    assert len(prison.xs._grants()._live) == 1


# Old ones


def test_undo_waits_until_nobody_is_revived(prison: Prison) -> None:
    """Which is when the longest grant is over, in whatever process it is; or with `force=True`."""
    first, second = prison.revoke(), prison.revoke()
    with pytest.raises(RevocationError, match="would revive the sessions"):
        first.undo()
    first.undo(force=True)
    first.undo(force=True)  # gone is gone
    prison.clock.advance(7 * 86_400 + 900)
    second.undo()
    assert prison.policies() == {}


def test_spent_revocations_are_cleared_away(prison: Prison) -> None:
    """Not younger ones, blocks, or what others gave such a name."""
    now = prison.now()
    prison.put("XSessionRevoke-spent", Scope(before=now - 169 * HOUR).policy("AROA"))
    prison.put("XSessionRevoke-young", Scope(before=now - 167 * HOUR).policy("AROA"))
    prison.put("XSessionRevoke-block", Scope(before=None, source_identity="frieza").policy("AROA"))
    prison.put("XSessionRevoke-notes", deny("s3:*"))
    revocation = prison.revoke()
    expected = {"XSessionRevoke-young", "XSessionRevoke-block", "XSessionRevoke-notes", revocation.policy_name}
    assert prison.policies().keys() == expected


def test_who_may_not_clear_away_may_still_revoke(prison: Prison) -> None:
    """What is spent does no harm."""
    warden = prison.world.vegeta.role("Young", trusts="111111111111", permissions=allow(*RIGHTS[:4]))
    prison.xs = prison.session(young=warden)
    prison.put("XSessionRevoke-spent", Scope(before=prison.now() - 169 * HOUR).policy("AROA"))
    prison.revoke(using="young")
    assert len(prison.policies()) == 2


def test_room_is_made_by_clearing_away_first(prison: Prison) -> None:
    """Where all inline policies of the role would be too long together."""
    prison.put("XSessionRevoke-spent", Scope(before=prison.now() - 169 * HOUR).policy("AROA"))
    _fill(prison, 10_240 - Scope(before=prison.now()).policy("AROA").size)
    revocation = prison.revoke()
    assert prison.policies().keys() == {revocation.policy_name}


def test_no_room_is_an_error_with_the_sizes(prison: Prison) -> None:
    """IAM takes 10,240 characters; nothing is written."""
    _fill(prison, 10_180)
    with pytest.raises(
        RevocationError, match=r"have 10180 characters, and the \d+ of this revocation .* AWS still accept"
    ):
        prison.revoke()
    assert prison.policies() == {}


def _fill(prison: Prison, size: int) -> None:
    """Gives the role inline policies of so many characters."""
    others = prison.iam.get_role_policy(RoleName="Reader", PolicyName="permissions")["PolicyDocument"]
    size -= len(json.dumps(others).replace(" ", ""))
    policy = allow("s3:GetObject", resources=f"arn:aws:s3:::{'b' * 100}")
    prison.put("big", allow("s3:GetObject", resources=f"arn:aws:s3:::{'b' * (100 + size - policy.size)}"))


# Whether it is in force


def test_it_is_pending_until_it_was_seen_in_force(prison: Prison) -> None:
    """A session with revoked keys shows it; without one, IAM shows the policy."""
    copied = prison.copied(grant := prison.grant())
    revocation = grant.revoke(using="warden")
    assert (revocation.pending, revocation.confirmed) == (True, False)
    assert revocation.confirm(copied)
    assert (revocation.pending, revocation.confirmed) == (False, True)
    again = prison.revoke()
    assert again.confirm()
    assert again.confirmed


def test_it_stays_pending_where_it_is_not_in_force(prison: Prison, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for once a second, until time is up."""
    copied = prison.copied()
    revocation = prison.revoke()
    revocation.undo(force=True)
    monkeypatch.setattr(prison.clock, "wait", lambda _event, seconds: prison.clock.advance(seconds))
    began = prison.clock.boot()
    assert not revocation.confirm(timeout=2.5)
    assert prison.clock.boot() - began == 2.5
    assert not revocation.confirm(copied, timeout=0)
    assert revocation.pending


def test_another_refusal_does_not_confirm_it(prison: Prison) -> None:
    """Only the explicit deny of the role's policy does."""
    grant = prison.xs.grant("vegeta", to=JANE, duration=HOUR, policy=allow("s3:*"))
    copied = prison.copied(grant)
    revocation = prison.revoke(grant="other")
    assert not revocation.confirm(copied, timeout=0)


# Without the rights


def test_without_the_right_it_ends_here_and_says_what_is_missing(prison: Prison) -> None:
    """AWS still accepts the keys: until when, and which action it takes to change that."""
    grant = prison.grant()
    copied = prison.copied(grant)
    weak = prison.world.vegeta.role("Weak", trusts="111111111111", permissions=allow(*RIGHTS[:3]))
    prison.xs = session = prison.session(weak=weak)
    grant = session.grant("vegeta", to=JANE, duration=HOUR / 2)
    copied = prison.copied(grant)
    with pytest.raises(RevocationError) as caught:
        grant.revoke(using="weak")
    error = caught.value
    assert (error.code, error.account, error.role_arn) == ("AccessDenied", "vegeta", prison.role)
    assert error.request_id
    assert f"AWS still accepts the keys until {grant.deadline:%Y-%m-%dT%H:%M:%SZ}" in str(error)
    assert "must be allowed iam:PutRolePolicy" in str(error)
    with pytest.raises(DeadlinePassedError, match="revoked"):
        grant.environ()
    assert is_let_in(copied)
    assert prison.world.events.of(Revoked)[-1].enforced is False


def test_one_that_can_not_be_assumed_revokes_nothing(prison: Prison) -> None:
    """STS's refusal is the reason, and that AWS still accepts the keys is said all the same."""
    prison.xs = prison.session(stranger=prison.world.vegeta.role("Stranger", trusts="999999999999"))
    grant = prison.grant()
    with pytest.raises(RevocationError, match=r"sts:AssumeRole.*AWS still accepts the keys until") as caught:
        grant.revoke(using="stranger")
    assert caught.value.code == "AccessDenied"
    assert isinstance(caught.value.__cause__, AssumeRoleError)
    with pytest.raises(DeadlinePassedError):
        grant.environ()


def test_with_nobody_to_ask_aws_it_ends_here(prison: Prison) -> None:
    """And says that AWS was not asked."""
    grant = prison.grant()
    with pytest.raises(RevocationError, match=r"AWS was not asked; AWS still accepts the keys until .*using="):
        grant.revoke()
    with pytest.raises(DeadlinePassedError):
        grant.environ()
    with pytest.raises(RevocationError, match="12 hours after their issue"):
        prison.revoke(using=None)


def test_an_iam_that_does_not_answer_is_an_error_of_ours(prison: Prison) -> None:
    """One that may go away."""
    prison.xs.get_frozen_credentials("warden")
    prison.aws.fail(Fault(service="iam", kind="reset", times=None))
    with pytest.raises(RevocationError, match=r"GetRole of role .*AWS still accepts") as caught:
        prison.revoke()
    assert caught.value.retryable


# What is refused beforehand


def test_a_role_of_that_name_in_another_account_is_left_alone(prison: Prison) -> None:
    """Where the source's account is not known before."""
    prison.world.batman.role("Reader", trusts="111111111111")
    with pytest.raises(RevocationError, match="IAM has arn:aws:iam::111111111111:role/Reader under that name"):
        prison.revoke(using=SOURCE)
    assert prison.aws.count("PutRolePolicy") == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"grant": "1a", "who": JANE}, ConfigError, "grant and who both"),
        ({"grant": "1*"}, ConfigError, r"grant .1\*. is not valid: an id"),
        ({"who": ""}, ConfigError, "who '' is not valid"),
        ({"before": datetime(2020, 1, 1)}, ConfigError, "time zone"),  # noqa: DTZ001 # that is what is refused
        ({"before": datetime(1, 1, 1, tzinfo=timezone(14 * HOUR))}, ConfigError, "since 1970"),
        ({"before": datetime(2100, 1, 1, tzinfo=UTC)}, ConfigError, "lies ahead"),
        ({"before": datetime(2020, 1, 1, tzinfo=UTC), "grant": "1a"}, ConfigError, "a grant is revoked whenever"),
        ({"before": datetime(2020, 1, 1, tzinfo=UTC), "block": True}, ConfigError, "block denies sessions whenever"),
        ({"using": "elsewhere"}, ConfigError, f"in account 333333333333, and the role in {VEGETA}"),
        ({"using": "nobody"}, UnknownAccountError, "nobody"),
    ],
)
def test_bad_input_is_refused_before_the_network(
    prison: Prison, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """And ends nothing."""
    prison.xs = prison.session(elsewhere=prison.world.chain.roles[0])
    grant = prison.grant()
    prison.aws.clear_calls()
    with pytest.raises(error, match=message):
        prison.revoke(**options)
    assert prison.aws.calls == []
    assert grant.environ()


def test_roles_that_can_not_be_revoked_are_refused(prison: Prison) -> None:
    """Those that only AWS changes, and an account without a role."""
    sso = f"arn:aws:iam::{VEGETA}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    prison.xs = prison.session(sso=sso)
    with pytest.raises(ConfigError, match=r"'sso'.*Identity Center"):
        prison.xs.revoke("sso", using="warden")
    with pytest.raises(ConfigError, match="no role whose sessions"):
        prison.xs.revoke(SOURCE, using="warden")
    assert prison.aws.calls == []


def test_a_revocation_is_told_to_hooks(prison: Prison) -> None:
    """By whose identity, and whom it was about."""
    revocation = prison.revoke(who=JANE)
    (event,) = prison.world.events.of(Revoked)
    assert (event.account, event.role_arn, event.hop, event.using) == ("vegeta", prison.role, 1, "warden")
    assert (event.revocation_id, event.source_identity, event.grant_id) == (revocation.id, JANE, None)
    assert (event.before, event.enforced) == (revocation.scope.before, True)


def test_a_forked_child_can_revoke(prison: Prison) -> None:
    """Its lock is its own."""
    grants = prison.xs._grants()
    grants._lock.acquire()
    grants.after_fork()
    grant = prison.grant()
    grant.revoke(using="warden")
