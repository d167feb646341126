from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.attacks import ATTACKS, harmless, seen
from tests.support.clocks import PassingClock
from tests.support.partitions import skip_unless_known
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import (
    Account,
    ActivityError,
    AssumeRoleError,
    ConfigError,
    CrossAccountSession,
    Role,
)
from xsession._base._frozen_map import FrozenMap
from xsession.activity import Activities, Activity
from xsession.activity._search import ask
from xsession.audit import AuditLog, AuditRecord
from xsession.policies import Policy, Statement, trust
from xsession.testing import Fault, LocalAWS

HOUR = timedelta(hours=1)
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
REGION = "eu-west-1"
JANE = "jane@contractor.example"


def as_role(world: World, name: str, **options: Any) -> Role:
    """Vegeta's role, in a session of that name."""
    return Role(world.role, role_session_name=name, **options)


def stop(xs: CrossAccountSession, account: str, instance: str) -> None:
    """Stops an instance."""
    xs.get_client("ec2", account=account).stop_instances(InstanceIds=[instance])


def stops(found: Activities) -> list[Activity]:
    """Those that stopped an instance."""
    return [activity for activity in found if activity.action == "StopInstances"]


def granted(**fields: Any) -> AuditRecord:
    """A grant in our own log."""
    return AuditRecord(1, "Granted", NOW, FrozenMap(fields))


# What is found


def test_who_stopped_the_instance(world: World) -> None:
    """The question that it is for."""
    (instance,) = world.vegeta.instances()
    xs = world.session({"vegeta": as_role(world, "jane")}, region_name=REGION)
    before = datetime.now(UTC).replace(microsecond=0)
    stop(xs, "vegeta", instance)
    (found,) = stops(xs.activity("vegeta", since=HOUR))
    assert before <= found.time <= datetime.now(UTC)
    assert found == Activity(
        time=found.time,
        who="jane",
        enforced=None,
        account="vegeta",
        role="Reader",
        service="ec2",
        action="StopInstances",
        resources=(instance,),
        region=REGION,
        source_ip="127.0.0.1",
        error=None,
        key_id=xs.get_frozen_credentials("vegeta").access_key_id,
    )


def test_what_was_refused_is_found_with_its_error(world: World) -> None:
    """To have tried is a deed as well."""
    xs = world.session(region_name=REGION)
    with pytest.raises(Exception, match="InvalidInstanceID"):
        stop(xs, "vegeta", "i-0000000000000000f")
    assert stops(xs.activity("vegeta", since=HOUR))[0].error == "Client.InvalidInstanceID.NotFound"


@pytest.mark.parametrize(
    ("partition", "home", "elsewhere"),
    [
        ("aws-cn", "cn-north-1", "cn-northwest-1"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-east-1"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-west-1"),
        ("aws-iso", "us-iso-east-1", "us-iso-west-1"),
        ("aws-iso-b", "us-isob-east-1", "us-isob-west-1"),
    ],  # moto has no IAM of aws-iso-e and aws-iso-f
)
def test_each_partition_has_a_global_region_of_its_own(world: World, partition: str, home: str, elsewhere: str) -> None:
    """Where IAM leaves its events."""
    skip_unless_known(partition)
    account = world.aws.account("777777777777", partition=partition)
    source = world.aws.session(account.user("u"), region_name=elsewhere)
    source.client("iam").list_roles()
    role = Role(account.role("Reader", trusts="777777777777"), role_session_name="jane")
    there = Account("there", account_id="777777777777", source=source)
    xs = world.session({"there": there, "reader": Account("reader", role, source=source, region_name=elsewhere)})
    xs.get_client("iam", account="reader").list_users()
    found = {one.action: (one.service, one.region, one.who, one.role) for one in xs.activity("there", since=HOUR)}
    assert found["ListRoles"] == ("iam", home, "u", None)
    assert found["ListUsers"] == ("iam", home, "jane", "Reader")


def test_the_accounts_region_and_the_global_one_are_asked(world: World) -> None:
    """And no others, which is said."""
    xs = world.session(region_name=REGION)
    xs.get_client("iam", account="vegeta").list_roles()
    xs.get_client("ec2", account="vegeta", region_name="us-west-2").describe_instances()
    found = xs.activity("vegeta", since=HOUR)
    assert {activity.region for activity in found} == {REGION, "us-east-1"}
    assert f"asked were {REGION}, us-east-1, and no other regions" in found.limits
    (elsewhere,) = xs.activity("vegeta", since=HOUR, regions=["us-west-2", "us-west-2"])
    assert elsewhere.action == "DescribeInstances"


def test_a_caller_is_found_by_any_of_its_names(world: World) -> None:
    """Session name, source identity, ARN, the role, whom a grant was made to, key id."""
    (instance,) = world.vegeta.instances()
    accounts = {"jane": as_role(world, "jane"), "job": as_role(world, "job", source_identity="bruce")}
    xs = world.session(accounts, region_name=REGION)
    stop(xs, "jane", instance)
    xs.get_client("ec2", account="job").describe_instances()
    key = xs.get_frozen_credentials("jane").access_key_id
    log = [granted(grant_id="1a", to=JANE, access_key_id=key)]
    expected = {
        "jane": ["StopInstances"],
        "bruce": ["DescribeInstances"],
        "joker": [],
        f"arn:aws:sts::{VEGETA}:assumed-role/Reader/jane": ["StopInstances"],
        f"arn:aws:sts::{VEGETA}:assumed-role/Other/jane": [],
        f"arn:aws:iam::{VEGETA}:role/Reader": ["DescribeInstances", "StopInstances"],
        JANE: ["StopInstances"],
        key: ["StopInstances"],
    }
    for who, actions in expected.items():
        found = xs.activity("job", since=HOUR, who=who, regions=[REGION], log=log)
        assert [activity.action for activity in found if activity.service == "ec2"] == actions, who


def test_a_grant_is_followed_by_its_sessions_name(world: World) -> None:
    """With our own log by the person whom it was made to; AssumeRole itself belongs to it as well."""
    (instance,) = world.vegeta.instances()
    xs = world.session({"g": as_role(world, "g-1a-jane"), "h": as_role(world, "g-2b-joe")}, region_name=REGION)
    stop(xs, "g", instance)
    stop(xs, "h", instance)
    unknown = list(xs.activity("g", since=HOUR, grant="1a"))
    assert [(activity.action, activity.who) for activity in unknown] == [
        ("StopInstances", "g-1a-jane"),
        ("AssumeRole", world.key.user_id),
    ]
    log = [granted(grant_id="1a", to=JANE, role_session_name="g-1a-jane")]
    (known,) = stops(xs.activity("g", since=HOUR, grant="1a", log=log))
    assert (known.who, known.enforced) == (JANE, False)


def test_the_audit_log_itself_can_be_given(world: World, tmp_path: Any) -> None:
    """It is what its records are read from."""
    log = AuditLog(tmp_path / "audit.jsonl")
    xs = world.session(hooks=[log], region_name=REGION)
    xs.get_client("ec2", account="vegeta").describe_instances()
    assert len(list(xs.activity("vegeta", since=HOUR, log=log))) >= 2


def test_since_and_until_bound_it(world: World) -> None:
    """To the second, as CloudTrail does."""
    xs = world.session(region_name=REGION)
    xs.get_client("ec2", account="vegeta").describe_instances()
    now = datetime.now(UTC)
    assert list(xs.activity("vegeta", since=now - 2 * HOUR, until=now - HOUR)) == []
    assert list(xs.activity("vegeta", since=now - HOUR, until=now + HOUR)) != []


# Whether it was enforced


def statement(*actions: str, **condition: str) -> Statement:
    """Lets Batman's account in."""
    conditions = {"StringEquals": {f"sts:{key}": value for key, value in condition.items()}} if condition else {}
    return Statement(effect="Allow", principals={"AWS": [BATMAN]}, actions=actions, conditions=conditions)


FORCED = Policy([statement("sts:AssumeRole", "sts:SetSourceIdentity", SourceIdentity="bruce")])


@pytest.mark.parametrize(
    ("trusted", "identity", "enforced"),
    [
        (FORCED, "bruce", True),
        (trust(BATMAN) + Policy([statement("sts:SetSourceIdentity")]), "bruce", False),
        (trust(BATMAN), None, False),
        (trust(BATMAN, role_session_name="jane"), None, True),
    ],
)
def test_with_using_it_is_known_whether_a_name_was_enforced(
    world: World, trusted: Policy, identity: str | None, enforced: bool
) -> None:
    """By the role's trust policy."""
    world.vegeta.set_trust("Reader", trusted)
    accounts = {
        "vegeta": as_role(world, "jane", source_identity=identity),
        "admin": world.vegeta.role("Admin", trusts=BATMAN),
    }
    xs = world.session(accounts, region_name=REGION)
    xs.get_client("ec2", account="vegeta").describe_instances()
    found = xs.activity("vegeta", since=HOUR, using="admin", regions=[REGION])
    (done,) = [activity for activity in found if activity.action == "DescribeInstances"]
    assert (done.who, done.enforced) == (identity or "jane", enforced)
    assert not any("enforced" in limit for limit in found.limits)
    without = xs.activity("vegeta", since=HOUR, regions=[REGION])
    assert {activity.enforced for activity in without} == {None}
    assert any("without using= no trust policy is read" in limit for limit in without.limits)


def test_a_role_whose_trust_policy_can_not_be_read_is_named(world: World) -> None:
    """The rest is told all the same."""
    xs = world.session(region_name=REGION)
    xs.get_client("ec2", account="vegeta").describe_instances()
    world.aws.fail(Fault(service="iam", status=403, code="AccessDenied"))
    found = xs.activity("vegeta", since=HOUR, using="vegeta", regions=[REGION])
    assert {activity.enforced for activity in found} == {None}
    assert any(
        f"{world.role} is not known: its trust policy could not be read: AccessDenied" in s for s in found.limits
    )


def test_users_have_no_choice(world: World) -> None:
    """Their names are AWS's own."""
    xs = CrossAccountSession({"batman": Account("batman", account_id=BATMAN)}, session=world.source)
    xs.get_client("ec2", account="batman", region_name=REGION).describe_instances()
    (done,) = [item for item in xs.activity("batman", since=HOUR, regions=[REGION]) if item.service == "ec2"]
    assert (done.who, done.enforced, done.role) == ("bruce", True, None)
    xs.close()


# What it can't show


def test_one_region_that_fails_does_not_lose_the_others(world: World) -> None:
    """It is named, with AWS's words."""
    xs = world.session(region_name=REGION)
    xs.get_client("ec2", account="vegeta").describe_instances()
    world.aws.fail(Fault(service="cloudtrail", status=400, code="AccessDeniedException", message="not for you"))
    found = xs.activity("vegeta", since=HOUR, regions=["us-east-1", REGION])
    assert any(activity.action == "DescribeInstances" for activity in found)
    (told,) = [limit for limit in found.limits if limit.startswith("us-east-1 could not be read")]
    assert "AccessDeniedException" in told
    assert "not for you" in told


def test_no_region_at_all_is_an_error(world: World) -> None:
    """It must not look as if nothing was done; looking again raises it again."""
    xs = world.session(region_name=REGION)
    world.aws.fail(Fault(service="cloudtrail", status=400, code="AccessDeniedException", times=None))
    found = xs.activity("vegeta", since=HOUR)
    for look in (list, str, Activities._repr_html_):
        with pytest.raises(ActivityError, match="allow cloudtrail:LookupEvents") as caught:
            look(found)
        assert (caught.value.account, caught.value.code) == ("vegeta", "AccessDeniedException")


def test_an_account_that_can_not_be_reached_is_its_own_error(world: World) -> None:
    """As wherever it is used."""
    xs = world.session({"vegeta": f"arn:aws:iam::{VEGETA}:role/Missing"}, region_name=REGION)
    with pytest.raises(AssumeRoleError, match="account 'vegeta', hop 1"):
        list(xs.activity("vegeta", since=HOUR))


def test_its_limits_are_said(world: World) -> None:
    """What can't be known from it, and what is not known yet."""
    xs = world.session(region_name=REGION)
    found = xs.activity("vegeta", since=HOUR)
    for words in ("no data events", "goes back 90 days", "takes up to 15 minutes", "not all has been read yet"):
        assert any(words in limit for limit in found.limits), words
    list(found)
    assert not any("not all has been read" in limit for limit in found.limits)
    earlier = xs.activity("vegeta", since=2 * HOUR, until=datetime.now(UTC) - HOUR)
    assert not any("15 minutes" in limit for limit in earlier.limits)


# How it is asked


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"since": datetime(2030, 1, 1)}, "has no time zone"),  # noqa: DTZ001 # that is the point
        ({"since": HOUR, "until": datetime(2030, 1, 1)}, "until .* has no time zone"),  # noqa: DTZ001 # likewise
        ({"since": timedelta(days=90, seconds=1)}, "further back than the 90 days"),
        ({"since": timedelta(0)}, "is not before"),
        ({"since": -HOUR}, "is not before"),
        ({"since": "yesterday"}, "not a datetime or a timedelta"),
        ({"since": HOUR, "until": HOUR}, "until .* is not a datetime"),
        ({"since": HOUR, "who": ""}, "who '' is not a string"),
        ({"since": HOUR, "grant": 7}, "grant 7 is not a string"),
        ({"since": HOUR, "regions": []}, "regions is empty"),
        ({"since": HOUR, "regions": ["eu-west-1", "Mars"]}, "region 'Mars' is not valid"),
        ({"since": HOUR, "regions": "x.example/"}, "region 'x.example/' is not valid"),
        ({"since": HOUR, "using": "deep"}, "shows each account only its own events"),
    ],
)
def test_what_can_not_be_answered_is_refused(question: dict[str, Any], words: str) -> None:
    """Before the network."""
    accounts = {"vegeta": f"arn:aws:iam::{VEGETA}:role/R", "deep": f"arn:aws:iam::{BATMAN}:role/R"}
    with CrossAccountSession(accounts, region_name=REGION) as xs, pytest.raises(ConfigError, match=words):
        xs.activity("vegeta", **question)


def test_ninety_days_are_not_too_many() -> None:
    """Nor are names of one region."""
    with CrossAccountSession({"vegeta": f"arn:aws:iam::{VEGETA}:role/R"}) as xs:
        found = xs.activity("vegeta", since=timedelta(days=90), regions=REGION)
    assert f"asked were {REGION}, and no other regions" in found.limits


def test_nothing_is_sent_before_it_is_looked_at_and_nothing_twice(world: World) -> None:
    """What was read is kept."""
    xs = world.session(region_name=REGION)
    found = xs.activity("vegeta", since=HOUR)
    assert repr(found) == "<Activities: 0, not all read yet>"
    assert world.aws.calls == []
    first = list(found)
    assert world.aws.count("LookupEvents") == 2
    assert list(found) == first
    assert str(found) == found.text()
    assert world.aws.count("LookupEvents") == 2
    assert repr(found) == f"<Activities: {len(first)}, all read>"


def test_many_events_are_read_within_aws_limits() -> None:
    """Of two requests a second, in each region."""
    clock = PassingClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        aws.trail.requests_per_second = 2
        sts = aws.session(world.key).client("sts", region_name=REGION)
        for _ in range(110):
            sts.get_caller_identity()
        began = clock.boot()
        found = ask(
            Account("batman", account_id=BATMAN),
            Account("batman", account_id=BATMAN),
            lambda service, region: world.batman.root.client(service, region_name=region),  # type: ignore[call-overload]  # one of two
            since=HOUR,
            regions=[REGION, "us-east-1"],
            wall=clock.wall,
            clock=clock,
        )
        assert len(list(found)) == 110
        assert clock.boot() - began == 1.0
        assert not any("could not be read" in limit for limit in found.limits)


# How it is shown


class Client:
    """A CloudTrail that says whatever it was given."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self._entries = entries

    def lookup_events(self, **_request: Any) -> Any:
        """All of it."""
        return {"Events": self._entries}


def shown(*entries: dict[str, Any], log: Iterable[AuditRecord] = ()) -> Activities:
    """What was done, by such a CloudTrail."""
    account = Account("vegeta", account_id=VEGETA)
    client: Callable[[str, str | None], Any] = lambda _service, _region: Client(*entries)  # noqa: E731
    return ask(account, account, client, since=HOUR, regions=[REGION], log=log, wall=NOW.timestamp)


def entry(text: str, at: datetime = NOW) -> dict[str, Any]:
    """An event with a string of an attacker wherever one may be."""
    identity: dict[str, Any] = {"type": "AssumedRole", "arn": text, "principalId": text, "accessKeyId": text}
    identity |= {"invokedByDelegate": {"accountId": text}, "userName": text, "onBehalfOf": {"userId": text}}
    identity |= {"sessionContext": {"sourceIdentity": text, "sessionIssuer": {"arn": text}}}
    document: dict[str, Any] = {"userIdentity": identity, "resources": [{"ARN": text}]}
    document |= dict.fromkeys(["eventSource", "eventName", "awsRegion", "sourceIPAddress", "errorCode"], text)
    return {"EventTime": at, "EventId": text, "CloudTrailEvent": json.dumps(document)}


def test_services_of_aws_have_none_either() -> None:
    """Nor are their names ever given."""
    by_service = {"userIdentity": {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}}
    (done,) = shown({"CloudTrailEvent": json.dumps(by_service)})
    assert (done.who, done.enforced) == ("autoscaling.amazonaws.com", True)


def done_by(identity: dict[str, Any], *, log: Iterable[AuditRecord] = (), **document: Any) -> Activity:
    """What such a caller did, without trust policies."""
    (done,) = shown({"CloudTrailEvent": json.dumps({"userIdentity": identity, **document})}, log=log)
    return done


JANES_SESSION = {
    "type": "AssumedRole",
    "arn": f"arn:aws:sts::{VEGETA}:assumed-role/Operator/g-1a-jane",
    "accessKeyId": "ASIAEXAMPLE",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{VEGETA}:role/Operator"}},
}
BOB = {"type": "FederatedUser", "arn": f"arn:aws:sts::{VEGETA}:federated-user/g-1a-jane"}
GRANT_TO_JANE = granted(grant_id="1a", to=JANE, role_session_name="g-1a-jane")


@pytest.mark.parametrize(
    ("identity", "who", "enforced"),
    [
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "5448"}}, "5448", True),
        ({"type": "Root", "sessionContext": {"assumedRoot": "true"}}, "root", None),
        ({"type": "Root", "sessionContext": {"assumedRoot": "true", "sourceIdentity": "carol"}}, "carol", False),
        (BOB, "g-1a-jane", False),
        (JANES_SESSION, JANE, False),
        ({"type": "SAMLUser", "userName": "jane"}, "jane", None),
        ({"type": "Directory", "userName": "jane"}, "jane", None),
        ({"type": "Unknown", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "unknown", None),
    ],
)
def test_what_a_name_rests_on_depends_on_the_type(identity: dict[str, Any], who: str, enforced: bool | None) -> None:
    """Where a trust policy has no say; a grant's name counts in a session of a role alone."""
    done = done_by(identity, log=[GRANT_TO_JANE])
    assert (done.who, done.enforced, done.on_behalf_of) == (who, enforced, None)


def test_a_product_provider_is_told_from_the_one_in_whose_name_it_acts() -> None:
    """In the record and in the table; whoever the key was granted to."""
    identity = {**JANES_SESSION, "invokedByDelegate": {"accountId": "999999999999"}}
    done = done_by(identity)
    assert (done.who, done.enforced, done.on_behalf_of) == ("999999999999", True, "g-1a-jane")
    assert done_by(identity, log=[GRANT_TO_JANE]).on_behalf_of == JANE
    text = str(shown({"CloudTrailEvent": json.dumps({"userIdentity": identity})}))
    assert "999999999999 for g-1a-jane  yes" in text
    nobody = done_by({**JANES_SESSION, "invokedByDelegate": "?"})
    assert (nobody.who, nobody.enforced, nobody.on_behalf_of) == ("unknown", None, "g-1a-jane")


def test_a_failed_sign_in_vouches_for_nobody() -> None:
    """It is known whose name was typed, and by whom is not."""
    login: dict[str, Any] = {"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin"}
    alice = {"type": "IAMUser", "userName": "alice", "accountId": VEGETA}
    for identity, who in ((alice, "alice"), ({"type": "Root"}, "root")):
        failed = done_by(identity, **login, responseElements={"ConsoleLogin": "Failure"}, errorMessage="No")
        assert (failed.who, failed.enforced, failed.error) == (who, False, "No")
        succeeded = done_by(identity, **login, responseElements={"ConsoleLogin": "Success"})
        assert (succeeded.who, succeeded.enforced, succeeded.error) == (who, True, None)


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_what_others_wrote_stays_text(text: str) -> None:
    """In a terminal and in a notebook."""
    found = shown(entry(text))
    lines = str(found).split("\n")
    assert len(lines) == 2 + len(found.limits)
    assert all(harmless(line) for line in lines)
    assert all(line.startswith("not shown: ") for line in lines[2:])
    page = seen(found._repr_html_())
    assert {tag for tag, _ in page.tags} == {"table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert [attributes for _, attributes in page.tags if attributes] == [
        [("class", "tex2jax_ignore mathjax_ignore")],
        [("class", "tex2jax_ignore mathjax_ignore")],
    ]
    assert len([tag for tag, _ in page.tags if tag == "td"]) == 10


def test_the_newest_is_shown_first() -> None:
    """Whatever region it is from."""
    found = shown(entry("old", NOW - HOUR), entry("new"), entry("middle", NOW - HOUR / 2))
    assert [line.split()[1] for line in found.text().splitlines()[1:4]] == ["new", "middle", "old"]
    assert [activity.who for activity in found] == ["old", "new", "middle"]
    assert found.text().splitlines()[0].split() == [
        *("time", "who", "enforced", "role", "service", "action", "resources", "region", "source_ip", "error"),
    ]


def test_an_event_is_told_once() -> None:
    """Also where both sides of it are in one account."""
    first, second = entry("bruce"), entry("joker")
    first["CloudTrailEvent"] = second["CloudTrailEvent"] = '{"sharedEventID": "1"}'
    assert len(list(shown(first, second, entry("a"), entry("a")))) == 2


def test_nothing_but_words_is_shown_of_nothing() -> None:
    """Headers, and what can't be known."""
    assert str(shown()).startswith("time  who")
    assert "no data events" in str(shown())
    assert list(shown({})) == [
        Activity(
            time=datetime.min.replace(tzinfo=UTC),
            who="unknown",
            enforced=None,
            account="vegeta",
            role=None,
            service="unknown",
            action="unknown",
            resources=(),
            region="unknown",
            source_ip=None,
            error=None,
            key_id=None,
        )
    ]


def test_who_does_not_ask_does_not_pay() -> None:
    """The module is imported with the first question."""
    code = "import sys, xsession; sys.exit('xsession.activity' in sys.modules or 'xsession.audit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
