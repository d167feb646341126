from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.attacks import seen
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import (
    SOURCE,
    AssumeRoleError,
    ConfigError,
    CrossAccountSession,
    DeadlinePassedError,
    GrantError,
    InvalidPolicyError,
    InvalidRoleError,
    Role,
    RoleChain,
    SessionClosedError,
    SourceCredentialsError,
    XSessionError,
)
from xsession.audit import AuditLog, AuditRecord
from xsession.events import Event, Granted, GrantFailed, GrantRequested
from xsession.grants import Grant
from xsession.policies import Policy, allow, deny, trust
from xsession.refresh import Reader
from xsession.testing import EventCapture, FakeClock, Fault, LocalAWS

JANE = "jane@contractor.example"
HOURS = timedelta(hours=1)
LIST = allow("s3:ListAllMyBuckets")


@pytest.fixture
def world(fake_clock: FakeClock) -> Iterator[World]:
    """Accounts on a local AWS that lives by a clock which the test turns."""
    with LocalAWS(clock=fake_clock) as aws:
        made = World(aws)
        yield made
        made.close()


@pytest.fixture
def xs(world: World, fake_clock: FakeClock) -> CrossAccountSession:
    """A session that lives by the same clock."""
    return world.session(clock=fake_clock)


def granted(xs: CrossAccountSession, account: Any = "vegeta", **options: Any) -> Grant:
    """A grant of two hours to Jane, unless told otherwise."""
    return xs.grant(account, **{"to": JANE, "duration": 2 * HOURS, **options})


def copied(world: World, grant: Grant) -> boto3.Session:
    """What an attacker has who copied the grant's keys: a session that our library knows nothing of."""
    key = world.aws._sts.find(grant.environ()["AWS_ACCESS_KEY_ID"])
    assert key is not None
    return world.aws.session(key)


def refusal(client: Any, operation: str, **parameters: Any) -> str:
    """What AWS says to a request that it refuses."""
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**parameters)
    return str(caught.value)


def asked(world: World) -> list[tuple[str, int]]:
    """The AssumeRole calls so far: what came of them."""
    return [(call.operation, call.status) for call in world.aws.calls if call.operation == "AssumeRole"]


def test_a_contractor_starts_and_stops_her_instance_and_nothing_else(world: World, xs: CrossAccountSession) -> None:
    """The story: a contractor gets a client that does this, for a while."""
    hers, other = world.vegeta.instances(2)
    arn = f"arn:aws:ec2:*:{VEGETA}:instance/{hers}"
    ec2 = granted(xs, policy=allow("ec2:StartInstances", "ec2:StopInstances", resources=arn)).client("ec2")
    ec2.stop_instances(InstanceIds=[hers])
    ec2.start_instances(InstanceIds=[hers])
    assert "no session policy allows" in refusal(ec2, "stop_instances", InstanceIds=[other])
    assert "no session policy allows" in refusal(ec2, "terminate_instances", InstanceIds=[hers])


def test_a_grant_says_what_it_is(xs: CrossAccountSession, fake_clock: FakeClock) -> None:
    """To whom, of which account, until when."""
    grant = granted(xs)
    ends = datetime.fromtimestamp(fake_clock.wall(), UTC) + 2 * HOURS
    assert (grant.to, grant.account, grant.deadline, grant.remaining) == (JANE, "vegeta", ends, 7_200)
    assert repr(grant) == f"<Grant {grant.id} of 'vegeta' to {JANE!r} until {ends:%Y-%m-%d %H:%M:%S} UTC>"
    assert grant.session.client("sts").get_caller_identity()["Account"] == VEGETA
    fake_clock.advance(7_201)
    assert grant.remaining == 0


def test_a_notebook_shows_a_grant(xs: CrossAccountSession, world: World) -> None:
    """Whose it is and how long it holds; it shows no key, and makes no call."""
    grant = granted(xs)
    environ = grant.environ()
    calls = len(world.aws.calls)
    shown = grant._repr_html_()
    assert seen(shown).text.startswith(f"grant{grant.id}to{JANE}accountvegetarole{world.role}deadline")
    assert seen(shown).text.endswith("remaining2:00:00")
    assert not any(environ[name] in shown for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
    assert len(world.aws.calls) == calls


@pytest.mark.parametrize("to", ["<img src=x onerror=1>", "jane & <b>co</b>"])
def test_the_name_of_a_person_stays_text_in_a_notebook(xs: CrossAccountSession, to: str) -> None:
    """Whoever asks for a grant may choose it."""
    page = seen(granted(xs, to=to)._repr_html_())
    assert {tag for tag, _ in page.tags} == {"table", "thead", "tbody", "tr", "th", "td"}
    assert to in page.text


def test_its_sessions_name_the_grant_and_the_person(xs: CrossAccountSession) -> None:
    """Session name, source identity; nothing of the reason goes to AWS."""
    grant = granted(xs, reason="TICKET-42")
    identity = grant.client("sts").get_caller_identity()
    assert identity["Arn"].endswith(f"assumed-role/Reader/g-{grant.id}-{JANE}")
    (event,) = [event for event in _capture(xs) if isinstance(event, Granted)]
    assert (event.source_identity, event.reason) == (JANE, "TICKET-42")


def _capture(xs: CrossAccountSession) -> list[Event]:
    hook = xs._hooks._hooks[1]
    assert isinstance(hook, EventCapture)
    return hook.events


# The deadline


def test_no_request_is_signed_after_the_deadline(world: World, xs: CrossAccountSession, fake_clock: FakeClock) -> None:
    """In any client, whether it was made before or after; nothing is sent."""
    grant = granted(xs, duration=timedelta(minutes=20), policy=LIST)
    before = grant.client("s3")
    fake_clock.advance(1_199)
    before.list_buckets()
    fake_clock.advance(1)
    world.aws.clear_calls()
    for client in (before, grant.client("s3"), grant.session.resource("s3").meta.client):
        with pytest.raises(DeadlinePassedError, match=r"deadline .* has passed"):
            client.list_buckets()
    for hand_over in (grant.environ, grant.to_credential_process, grant.console_url):
        with pytest.raises(DeadlinePassedError):
            hand_over()
    with pytest.raises(DeadlinePassedError):
        before.generate_presigned_url("list_buckets")
    assert world.aws.calls == []


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("inline", [False, True])
def test_aws_enforces_the_deadline_for_copied_keys(
    world: World, xs: CrossAccountSession, fake_clock: FakeClock, inline: bool, named: bool
) -> None:
    """Under the 900 s of STS's shortest session; in all combinations of policy and ARNs."""
    options: dict[str, Any] = {"policy": LIST} if inline else {}
    options |= {"policy_arns": ["arn:aws:iam::aws:policy/IAMReadOnlyAccess"]} if named else {}
    grant = granted(xs, duration=60, **options)
    session = copied(world, grant)
    s3, iam = session.client("s3"), session.client("iam")
    assert (_may(s3.list_buckets), _may(iam.list_roles)) == (inline or not named, named or not inline)
    fake_clock.advance(61)
    assert "explicit deny in a session policy" in refusal(s3, "list_buckets")
    assert "explicit deny in a session policy" in refusal(iam, "list_roles")


def _may(call: Any) -> bool:
    try:
        call()
    except ClientError as error:
        assert "because no session policy allows" in str(error)  # noqa: PT017 # both outcomes are expected here
        return False
    return True


def test_a_long_grant_is_refreshed_and_its_last_session_is_short(
    world: World, xs: CrossAccountSession, fake_clock: FakeClock
) -> None:
    """What was copied out ends with its STS session, or at the deadline, and says when."""
    grant = granted(xs, duration=timedelta(minutes=100))
    client = grant.client("sts")
    begun = datetime.fromtimestamp(fake_clock.wall(), UTC)
    assert _expiration(grant) == begun + HOURS
    first = grant.environ()["AWS_ACCESS_KEY_ID"]
    fake_clock.advance(3_600)
    client.get_caller_identity()
    assert grant.environ()["AWS_ACCESS_KEY_ID"] != first
    assert grant._resolved.credentials.current().lifetime == 2_460
    assert _expiration(grant) == grant.deadline == begun + timedelta(minutes=100)
    fake_clock.advance(2_399)
    client.get_caller_identity()
    assert asked(world) == [("AssumeRole", 200)] * 2


def _expiration(grant: Grant) -> datetime:
    ends = [grant.environ()["AWS_CREDENTIAL_EXPIRATION"], json.loads(grant.to_credential_process())["Expiration"]]
    assert ends[0] == ends[1]
    return datetime.fromisoformat(ends[0])


def test_sts_is_asked_for_no_longer_than_needed(world: World, xs: CrossAccountSession, fake_clock: FakeClock) -> None:
    """At least its 900 s, at most the role's own duration or the hour that AWS gives by itself."""
    roles = {"short": Role(world.role, duration_seconds=900), "plain": world.role}
    xs = world.session(roles, clock=fake_clock)
    lifetimes = [
        xs.grant(account, to=JANE, duration=seconds)._resolved.credentials.current().lifetime
        for account, seconds in [("plain", 60), ("plain", 1_200), ("plain", 7_200), ("short", 7_200)]
    ]
    assert lifetimes == [900, 1_260, 3_600, 900]


def test_at_the_end_of_a_chain_the_hub_is_shared(world: World, xs: CrossAccountSession) -> None:
    """Only the last hop is the grant's, and its name is on that one alone."""
    xs.get_frozen_credentials("deep")
    grant = granted(xs, "deep")
    assert f"FromHub/g-{grant.id}-" in grant.client("sts").get_caller_identity()["Arn"]
    assert len(asked(world)) == 3


def test_a_grant_ends_with_the_session_that_made_it(xs: CrossAccountSession) -> None:
    """Its clients sign nothing more."""
    client = granted(xs).client("sts")
    xs.close()
    with pytest.raises(SessionClosedError):
        client.get_caller_identity()


# What it may not do


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{VEGETA}:role/Other", "RoleSessionName": "away"}),
        ("iam", "create_access_key", {"UserName": "krillin"}),
        ("iam", "create_login_profile", {"UserName": "krillin", "Password": "kamehameha"}),
        ("iam", "update_login_profile", {"UserName": "krillin", "Password": "kamehameha"}),
        (
            "iam",
            "create_service_specific_credential",
            {"UserName": "krillin", "ServiceName": "codecommit.amazonaws.com"},
        ),
        ("iam", "delete_role_policy", {"RoleName": "Reader", "PolicyName": "XSessionRevoke-x"}),
        ("iam", "update_assume_role_policy", {"RoleName": "Reader", "PolicyDocument": "{}"}),
    ],
)
def test_what_would_outlive_it_is_denied(
    world: World, xs: CrossAccountSession, service: Any, operation: str, parameters: dict[str, str]
) -> None:
    """Even where the grant's own policy allows everything."""
    world.vegeta.user("krillin")
    world.vegeta.role("Other", trusts=world.role)
    client = granted(xs, policy=allow("*")).client(service)
    message = refusal(client, operation, **parameters)
    assert "explicit deny in a session policy" in message or "sts:AssumeRole" in message


def test_chaining_is_possible_where_it_is_asked_for(world: World, xs: CrossAccountSession) -> None:
    """It outlives the deadline then, as the docs say."""
    other = world.vegeta.role("Other", trusts=world.role)
    client = granted(xs, allow_chaining=True).client("sts")
    assert client.assume_role(RoleArn=other, RoleSessionName="away")["Credentials"]


# Narrowing


@pytest.mark.parametrize("own", [{"policy": LIST}, {"policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}])
def test_a_roles_own_session_policy_narrows_the_grant_too(
    world: World, fake_clock: FakeClock, own: dict[str, Any]
) -> None:
    """And a second one is refused, which STS would add to it."""
    xs = world.session({"vegeta": Role(world.role, **own)}, clock=fake_clock)
    grant = granted(xs, duration=60)
    grant.client("s3").list_buckets()
    assert "no session policy allows" in refusal(grant.client("ec2"), "describe_instances")
    session = copied(world, grant)
    fake_clock.advance(61)
    assert "explicit deny" in refusal(session.client("s3"), "list_buckets")
    world.aws.clear_calls()
    for more in ({"policy": LIST}, {"policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}):
        with pytest.raises(InvalidRoleError, match="AWS adds them up"):
            granted(xs, **more)
    assert world.aws.calls == []


def test_the_sessions_default_policy_counts_as_the_roles_own(world: World, fake_clock: FakeClock) -> None:
    """What narrows all accounts narrows grants."""
    xs = world.session(policy=LIST, clock=fake_clock)
    assert "no session policy allows" in refusal(granted(xs).client("ec2"), "describe_instances")
    with pytest.raises(InvalidRoleError, match="AWS adds them up"):
        granted(xs, policy=allow("ec2:*"))


# Attribution that a trust policy forbids


@pytest.mark.parametrize("tags", [False, True])
@pytest.mark.parametrize("identity", [False, True])
def test_it_does_without_what_the_trust_policy_forbids(
    world: World, fake_clock: FakeClock, identity: bool, tags: bool
) -> None:
    """Each is tried once, and not again by the next grant of the role."""
    trusts = trust(
        BATMAN, source_identity=[JANE, "joe"] if identity else None, session_tags=["xsession:grant"] if tags else ()
    )
    # A condition on the source identity would require one.
    document = trusts.to_dict()
    for statement in document["Statement"]:
        if statement["Action"] == "sts:AssumeRole":
            statement.pop("Condition", None)
    xs = world.session({"vegeta": world.vegeta.role("Strict", trusts=Policy.from_dict(document))}, clock=fake_clock)
    refused = (not identity) + (not tags)
    granted(xs)
    assert asked(world) == [("AssumeRole", 403)] * refused + [("AssumeRole", 200)]
    (event,) = world.events.of(Granted)
    assert event.source_identity == (JANE if identity else None)
    world.aws.clear_calls()
    granted(xs, to="joe")
    assert asked(world) == [("AssumeRole", 200)]


def test_the_tag_can_be_asked_for(world: World, fake_clock: FakeClock) -> None:
    """A trust policy may require it, with the grant's id as its value."""
    statement = trust(BATMAN, session_tags=["*"], conditions={"Null": {"aws:RequestTag/xsession:grant": "false"}})
    xs = world.session({"vegeta": world.vegeta.role("Tagged", trusts=statement)}, clock=fake_clock)
    granted(xs)
    with pytest.raises(AssumeRoleError):
        xs.get_frozen_credentials("vegeta")


def test_a_source_identity_that_is_there_stays(world: World, fake_clock: FakeClock) -> None:
    """Set on an earlier hop, it is who is really behind all of it."""
    hub, last = world.chain
    chain = RoleChain(hub.replace(source_identity="bruce"), last)
    xs = world.session({"deep": chain, "own": Role(world.role, source_identity="wayne")}, clock=fake_clock)
    for account in ("deep", "own"):
        granted(xs, account)
    assert [event.source_identity for event in world.events.of(Granted)] == ["bruce", "wayne"]


def test_the_roles_own_tags_stay(world: World, fake_clock: FakeClock) -> None:
    """And where STS refuses those, there is no grant."""
    tagged = Role(world.role, tags={"team": "bats"})
    xs = world.session({"vegeta": tagged}, clock=fake_clock)
    granted(xs)
    world.vegeta.set_trust("Reader", trust(BATMAN))
    with pytest.raises(AssumeRoleError, match="sts:TagSession"):
        granted(xs)


def test_a_refusal_of_the_role_itself_is_no_reason_to_try_again(world: World, xs: CrossAccountSession) -> None:
    """Nor is one of an earlier hop."""
    world.vegeta.set_trust("Reader", trust("999999999999"))
    with pytest.raises(AssumeRoleError, match="sts:AssumeRole"):
        granted(xs)
    assert asked(world) == [("AssumeRole", 403)]


def test_another_error_of_sts_is_no_reason_to_try_again(world: World, xs: CrossAccountSession) -> None:
    """Such as one for policies that are too large once they are packed."""
    world.aws.fail(Fault(operation="AssumeRole", status=400, code="PackedPolicyTooLarge", message="sts:TagSession"))
    with pytest.raises(AssumeRoleError, match="PackedPolicyTooLarge"):
        granted(xs)
    assert asked(world) == [("AssumeRole", 400)]


# Writing it down


def test_a_grant_is_written_down_before_it_is_handed_over(world: World, fake_clock: FakeClock, tmp_path: Path) -> None:
    """Who, to whom, what, until when, why, which key; once, and never a secret."""
    log = AuditLog(tmp_path / "audit.jsonl")
    xs = world.session(clock=fake_clock, hooks=[log, world.events])
    grant = granted(xs, policy=LIST, reason="TICKET-42")
    (record,) = [record for record in log if record.event == "Granted"]
    environ = grant.environ()
    fields = record.fields
    assert fields["who"] == f"arn:aws:iam::{BATMAN}:user/bruce"
    assert (fields["to"], fields["reason"], fields["grant_id"]) == (JANE, "TICKET-42", grant.id)
    assert (fields["account"], fields["role_arn"], fields["hop"]) == ("vegeta", world.role, 1)
    assert fields["role_session_name"] == f"g-{grant.id}-{JANE}"
    assert fields["access_key_id"] == environ["AWS_ACCESS_KEY_ID"]
    assert datetime.fromisoformat(fields["deadline"]) == grant.deadline
    assert json.loads(fields["policy"])["Statement"][0]["Action"] == "s3:ListAllMyBuckets"
    text = (tmp_path / "audit.jsonl").read_text()
    assert environ["AWS_SECRET_ACCESS_KEY"] not in text
    assert environ["AWS_SESSION_TOKEN"] not in text
    assert world.events.of(Granted)


def test_who_did_what_knows_whom_a_grant_was_made_to(world: World, fake_clock: FakeClock, tmp_path: Path) -> None:
    """CloudTrail and our own log, joined by the grant's id."""
    log = AuditLog(tmp_path / "audit.jsonl")
    xs = world.session(clock=fake_clock, hooks=[log])
    (instance,) = world.vegeta.instances()
    grant = granted(xs, to="Jane Doe <jane@contractor.example>", policy=allow("ec2:*"))
    grant.client("ec2").stop_instances(InstanceIds=[instance])
    fake_clock.advance(600)
    found = [
        done for done in xs.activity("vegeta", since=HOURS, grant=grant.id, log=log) if done.action == "StopInstances"
    ]
    assert [(done.who, done.service) for done in found] == [("Jane Doe <jane@contractor.example>", "ec2")]


class FullLog:
    """An audit log that can't take everything.

    Args:
        error: Why it can't.
        refused: The kind of event that it can't take.
    """

    def __init__(self, error: BaseException, refused: type[Event] = Granted) -> None:
        self.error, self.refused = error, refused
        self.written: list[Event] = []

    def __call__(self, event: Event, /) -> None:
        """Takes whatever may be lost."""

    def write(self, event: Event) -> None:
        """Writes what it can."""
        if isinstance(event, self.refused):
            raise self.error
        self.written.append(event)


def test_what_can_not_be_written_down_is_not_granted(world: World, fake_clock: FakeClock) -> None:
    """The credentials are thrown away, and no hook is told of a grant."""
    full = FullLog(OSError("no space left"))
    xs = world.session(clock=fake_clock, hooks=[world.events, full])
    with pytest.raises(GrantError, match=r"not made, since it could not be written down: OSError: no space left"):
        granted(xs)
    assert world.events.of(Granted) == []
    (live,) = xs._grants()._live
    cell = live.cell
    assert cell is not None
    assert cell.snapshot.credentials.access_key_id == ""
    with pytest.raises(DeadlinePassedError, match="not made"):
        Reader(cell).read()


def test_an_interrupt_while_it_is_written_down_grants_nothing(world: World, fake_clock: FakeClock) -> None:
    """It goes on as it is."""
    full = FullLog(KeyboardInterrupt())
    xs = world.session(clock=fake_clock, hooks=[full])
    with pytest.raises(KeyboardInterrupt):
        granted(xs)
    (live,) = xs._grants()._live
    cell = live.cell
    assert cell is not None
    with pytest.raises(DeadlinePassedError):
        Reader(cell).read()
    assert [type(event) for event in full.written] == [GrantRequested, GrantFailed]


def test_a_grant_that_a_second_writer_refuses_is_taken_back_from_the_firsts_log(
    world: World, fake_clock: FakeClock, tmp_path: Path
) -> None:
    """It only grows: a further record says that the grant was not made, and which key it was."""
    log = AuditLog(tmp_path / "audit.jsonl")
    xs = world.session(clock=fake_clock, hooks=[log, FullLog(OSError("no space left"))])
    with pytest.raises(GrantError, match="no space left"):
        granted(xs)
    asked_for, made, failed = _of_grants(log)
    assert [record.event for record in (asked_for, made, failed)] == ["GrantRequested", "Granted", "GrantFailed"]
    assert {record.fields["grant_id"] for record in (asked_for, made)} == {failed.fields["grant_id"]}
    assert failed.fields["access_key_id"] == made.fields["access_key_id"]
    assert "could not be written down: OSError: no space left" in failed.fields["message"]


def test_sts_is_not_asked_before_the_request_is_written_down(
    world: World, fake_clock: FakeClock, tmp_path: Path
) -> None:
    """And who could write it down reads that nothing came of it."""
    log = AuditLog(tmp_path / "audit.jsonl")
    xs = world.session(clock=fake_clock, hooks=[log, FullLog(OSError("no space left"), GrantRequested)])
    with pytest.raises(GrantError, match="could not be written down") as caught:
        granted(xs)
    assert caught.value.account == "vegeta"
    assert asked(world) == []
    assert [record.event for record in _of_grants(log)] == ["GrantRequested", "GrantFailed"]


def test_the_request_is_on_record_before_the_grant(world: World, fake_clock: FakeClock, tmp_path: Path) -> None:
    """With all that is known by then; STS is asked in between."""
    log = AuditLog(tmp_path / "audit.jsonl")
    xs = world.session(clock=fake_clock, hooks=[log])
    grant = granted(xs, policy=LIST, reason="TICKET-42")
    assert [record.event for record in log] == ["GrantRequested", "RefreshStarted", "RefreshSucceeded", "Granted"]
    request, made = _of_grants(log)
    assert request.fields["grant_id"] == grant.id
    more = {"source_identity", "access_key_id", "expiry"}
    assert {key: value for key, value in made.fields.items() if key not in more} == dict(request.fields)


def test_a_refusal_of_sts_is_on_record_too(world: World, fake_clock: FakeClock, tmp_path: Path) -> None:
    """With its code, and no key, since there is none."""
    world.vegeta.set_trust("Reader", trust("999999999999"))
    log = AuditLog(tmp_path / "audit.jsonl")
    xs = world.session(clock=fake_clock, hooks=[log])
    with pytest.raises(AssumeRoleError):
        granted(xs)
    request, failed = _of_grants(log)
    assert (request.event, failed.event, failed.fields["code"]) == ("GrantRequested", "GrantFailed", "AccessDenied")
    assert failed.fields["access_key_id"] is None
    assert "sts:AssumeRole" in failed.fields["message"]


def test_a_grant_whose_deadline_passes_while_sts_is_asked_is_not_made(
    world: World, xs: CrossAccountSession, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so: nobody revoked it."""
    answer = world.aws._sts.answer

    def answer_late(operation: str, *rest: Any) -> Any:
        issued = answer(operation, *rest)
        if operation == "AssumeRole":
            fake_clock.advance(61)
        return issued

    monkeypatch.setattr(world.aws._sts, "answer", answer_late)
    with pytest.raises(DeadlinePassedError, match=r"deadline .* has passed"):
        granted(xs, duration=60)
    (failed,) = world.events.of(GrantFailed)
    assert "has passed" in failed.message


def _of_grants(log: AuditLog) -> list[AuditRecord]:
    """What the log has of grants."""
    return [record for record in log if record.event.startswith("Grant")]


def test_without_an_audit_log_it_is_in_the_log(xs: CrossAccountSession, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO, in one line."""
    with caplog.at_level(logging.INFO, "xsession"):
        grant = granted(xs)
    ours = [record for record in caplog.records if record.name == "xsession"]
    assert [record.getMessage().split()[0] for record in ours] == ["Granted"]
    assert f"grant_id={grant.id}" in caplog.text


def test_who_grants_must_be_known(world: World, fake_clock: FakeClock) -> None:
    """Where STS does not tell, nothing is granted."""
    xs = world.session(clock=fake_clock)
    world.aws.fail(Fault(operation="GetCallerIdentity", status=403, code="AccessDenied", times=None))
    with pytest.raises(XSessionError, match="'vegeta'"):
        granted(xs)
    assert asked(world) == []
    with pytest.raises(SourceCredentialsError):
        granted(world.session(session=world.aws.session(), clock=fake_clock))


def test_a_grant_is_kept_in_no_store_and_no_pickle(
    world: World, xs: CrossAccountSession, fake_clock: FakeClock
) -> None:
    """It is over at its deadline wherever it lies."""
    kept: list[str] = []

    class Store:
        def get(self, _key: str) -> None:
            return None

        def put(self, _key: str, credentials: Any) -> None:
            kept.append(credentials.arn)

        def delete(self, _key: str, _access_key_id: str | None = None) -> None:
            pass

    xs = world.session(store=Store(), clock=fake_clock)
    grant = granted(xs, "deep")
    assert [arn.split("/")[1] for arn in kept] == ["Hub"]
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(grant)


def test_no_secret_is_in_the_log_at_debug(xs: CrossAccountSession, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever botocore would say of it."""
    with caplog.at_level(logging.DEBUG):
        grant = granted(xs, reason="because-of-frieza")
    environ = grant.environ()
    secrets = (environ["AWS_SECRET_ACCESS_KEY"], environ["AWS_SESSION_TOKEN"])
    assert not any(secret in text for secret in secrets for text in (caplog.text, repr(grant), str(vars(type(grant)))))


def test_the_reason_never_goes_to_aws(world: World, xs: CrossAccountSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Free text could match a condition there."""
    sent: list[str] = []
    answer = world.aws._sts.answer

    def spy(operation: str, parameters: Any, *rest: Any) -> Any:
        sent.append(json.dumps(dict(parameters)))
        return answer(operation, parameters, *rest)

    monkeypatch.setattr(world.aws._sts, "answer", spy)
    grant = granted(xs, reason="because-of-frieza")
    assert any(f'"Tags.member.1.Value": "{grant.id}"' in text for text in sent)
    assert not any("frieza" in text for text in sent)


# Bad input


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"to": ""}, ConfigError, "to '' is not valid"),
        ({"to": "jane\n"}, ConfigError, "without control characters"),
        ({"reason": "a\x1b[31m"}, ConfigError, "reason .* without control characters"),
        ({"duration": 0}, ConfigError, "duration 0 is not valid"),
        ({"duration": timedelta(days=8)}, ConfigError, "up to 7 days|to 7 days"),
        ({"policy": deny("s3:*")}, InvalidPolicyError, "'vegeta'.*allows nothing"),
        ({"policy": "{"}, InvalidPolicyError, "'vegeta'.*not valid JSON"),
        ({"policy": allow(*(f"s3:A{n:03}" for n in range(250)))}, InvalidPolicyError, "2048 at most"),
        ({"policy_arns": "arn:aws:iam::aws:policy/X"}, InvalidRoleError, "a list of ARNs"),
        ({"policy_arns": ["arn:aws:iam::999999999999:policy/X"]}, InvalidRoleError, "role's own account"),
        ({"account": SOURCE}, InvalidRoleError, "no role that a grant could narrow"),
    ],
)
def test_bad_input_is_refused_before_the_network(
    world: World, xs: CrossAccountSession, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """With the field, the rule and the value."""
    with pytest.raises(error, match=message):
        granted(xs, **options)
    assert world.aws.calls == []
