"""The story of Batman and Vegeta on an AWS that runs in this process; fails if any part of it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.exceptions import ClientError

from xsession import SOURCE, Account, CrossAccountSession, DeadlinePassedError, Grant, RoleChain
from xsession._base import frozen
from xsession.audit import AuditLog
from xsession.policies import ec2_start_stop
from xsession.testing import FakeClock, LocalAWS, Story


@frozen
class Stage:
    """Where the story is told.

    Args:
        aws: The AWS on this machine.
        story: Its accounts.
        xs: Batman's session.
        clock: Both clocks of the session and of AWS, which a part may move on.
        log: Batman's own log of the grants.
    """

    aws: LocalAWS
    story: Story
    xs: CrossAccountSession
    clock: FakeClock
    log: AuditLog


def own_credentials_are_refused(stage: Stage) -> str:
    """Batman's own credentials are refused Vegeta's bucket."""
    code = None
    try:
        stage.story.session.client("s3").get_object(Bucket=stage.story.bucket, Key=stage.story.object_key)
    except ClientError as error:
        code = error.response["Error"]["Code"]
    _require(code == "AccessDenied")
    _require(stage.aws.count("AssumeRole") == 0)
    return "AccessDenied, as it should be"


def one_role_reads_the_object(stage: Stage) -> str:
    """get_client("s3", account="vegeta") reads the object."""
    return first_line(stage, "vegeta")


def three_roles_read_it_too(stage: Stage) -> str:
    """A chain of three roles reads it too."""
    before = stage.aws.count("AssumeRole")
    line = first_line(stage, "vegeta-over-hub")
    _require(stage.aws.count("AssumeRole") - before == 3)
    return line


def whoami_works_everywhere(stage: Stage) -> str:
    """whoami says who we are in each account."""
    identities = {"source": stage.xs.whoami(SOURCE), **{name: stage.xs.whoami(name) for name in stage.xs.accounts}}
    _require(
        [identity.account_id for identity in identities.values()] == ["111111111111", "222222222222", "222222222222"]
    )
    return "".join(f"\n       {name:<16} {identity.arn}" for name, identity in identities.items())


def the_second_client_is_free(stage: Stage) -> str:
    """The second get_client costs no AssumeRole."""
    before = stage.aws.count("AssumeRole")
    _require(stage.xs.get_client("s3", account="vegeta") is stage.xs.get_client("s3", account="vegeta"))
    first_line(stage, "vegeta")
    stage.xs.get_client("ec2", account="vegeta").describe_instances(InstanceIds=list(stage.story.instances))
    _require(stage.aws.count("AssumeRole") == before)
    return f"{before} calls before, {before} after"


def a_contractor_starts_and_stops_one_instance(stage: Stage) -> str:
    """A contractor may start and stop one instance for two hours, and nothing else."""
    instance, other = stage.story.instances
    ec2 = contractor(stage).client("ec2")
    ec2.stop_instances(InstanceIds=[instance])
    ec2.start_instances(InstanceIds=[instance])
    refused(lambda: ec2.stop_instances(InstanceIds=[other]))
    return f"TerminateInstances: {refused(lambda: ec2.terminate_instances(InstanceIds=[instance]))}"


def access_ends_at_the_deadline(stage: Stage) -> str:
    """At the deadline it is over: the contractor's client sends nothing, and AWS refuses the copied keys."""
    instance = stage.story.instances[0]
    grant = contractor(stage)
    ec2 = grant.client("ec2")
    stage.clock.advance(7_199)
    ec2.stop_instances(InstanceIds=[instance])
    copy = copied(stage, grant)
    stage.clock.advance(2)
    before = stage.aws.count("StartInstances")
    try:
        ec2.start_instances(InstanceIds=[instance])
    except DeadlinePassedError:
        _require(stage.aws.count("StartInstances") == before)
    else:
        _require(False)
    return refused(lambda: copy.start_instances(InstanceIds=[instance]))


def or_access_ends_early(stage: Stage) -> str:
    """Or earlier: once the grant is revoked, AWS refuses the copied keys."""
    instance = stage.story.instances[0]
    grant = contractor(stage)
    copy = copied(stage, grant)
    copy.start_instances(InstanceIds=[instance])
    _require(grant.revoke(using=Account("vegeta-admin", stage.story.admin_role)).confirm())
    return refused(lambda: copy.stop_instances(InstanceIds=[instance]))


def they_know_who_stopped_it(stage: Stage) -> str:
    """Who stopped the instance? CloudTrail has the keys, and Batman's own log has whom they were given to."""
    instance = stage.story.instances[0]
    found = stage.xs.activity(Account("vegeta-admin", stage.story.admin_role), since=timedelta(days=1), log=stage.log)
    stops = [done for done in found if done.action == "StopInstances" and instance in done.resources and not done.error]
    _require(len(stops) == 2)
    _require({done.who for done in stops} == {"jane@contractor.example"})
    return f"{stops[0].who} stopped {instance}, as {stops[0].role}"


PARTS: list[Callable[[Stage], str]] = [
    own_credentials_are_refused,
    one_role_reads_the_object,
    three_roles_read_it_too,
    whoami_works_everywhere,
    the_second_client_is_free,
    a_contractor_starts_and_stops_one_instance,
    access_ends_at_the_deadline,
    or_access_ends_early,
    they_know_who_stopped_it,
]


def _require(holds: object) -> None:
    if not holds:
        msg = "this part of the story does not hold"
        raise RuntimeError(msg)


def first_line(stage: Stage, account: str) -> str:
    """The first line of the object, read with an account's credentials."""
    story = stage.story
    answer = stage.xs.get_client("s3", account=account).get_object(Bucket=story.bucket, Key=story.object_key)
    lines = answer["Body"].read().decode().splitlines()
    _require(lines[0] == "name,level")
    return f"{story.bucket}/{story.object_key}: {lines[1]}"


def contractor(stage: Stage) -> Grant:
    """A grant of two hours for a contractor's instance."""
    return stage.xs.grant(
        Account("vegeta", stage.story.operator_role),
        to="jane@contractor.example",
        policy=ec2_start_stop(stage.story.instances[0]),
        duration=timedelta(hours=2),
        reason="TICKET-42",
    )


def copied(stage: Stage, grant: Grant) -> Any:
    """A client of plain boto3 with keys that were copied out of a grant."""
    keys = grant.environ()
    return boto3.client(
        "ec2",
        region_name=keys["AWS_REGION"],
        endpoint_url=stage.aws.endpoint_url,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"],
    )


def refused(request: Callable[[], object]) -> str:
    """Why AWS refuses a request, in its own words."""
    try:
        request()
    except ClientError as error:
        why = error.response["Error"]["Message"].partition("not authorized to perform: ")[2]
        _require(why)
        return str(why)
    msg = "AWS did not refuse it"
    raise RuntimeError(msg)


def tell(say: Callable[[str], None], parts: Sequence[Callable[[Stage], str]] | None = None) -> int:
    """Tells the story.

    Args:
        say: What takes each line.
        parts: Its parts; None: all of them.

    Returns:
        How many of them do not hold.

    Raises:
        ConfigError: The extra `xsession[testing]` is not installed.
    """
    failed = 0
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws, aws.applied(), TemporaryDirectory() as folder:
        story, log = Story.told_by(aws), AuditLog(Path(folder, "audit.jsonl"))
        accounts: dict[str, str | RoleChain] = {"vegeta": story.vegeta_role, "vegeta-over-hub": RoleChain(*story.chain)}
        with CrossAccountSession(accounts, session=story.session, clock=clock, hooks=[log]) as xs:
            stage = Stage(aws, story, xs, clock, log)
            for number, part in enumerate(PARTS if parts is None else parts, start=1):
                say(f"{number}. {part.__doc__}")
                try:
                    for line in f"   ok: {part(stage)}".splitlines():
                        say(line)
                except Exception as error:  # noqa: BLE001 # the other parts are told all the same
                    failed += 1
                    say(f"   FAILED: {type(error).__name__}: {error}")
    return failed
