"""What type checkers must know about xsession; checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, assert_type

import boto3
from types_boto3_ec2.client import EC2Client
from types_boto3_s3.client import S3Client
from types_boto3_s3.service_resource import S3ServiceResource

from xsession import (
    SOURCE,
    Account,
    Accounts,
    AccountSession,
    Credentials,
    CrossAccountSession,
    FailureGroup,
    Grant,
    Identity,
    Outcomes,
    Revocation,
    Role,
    RoleChain,
    RoleSpec,
    Run,
    default_session,
    get_client,
    use_session,
)
from xsession.accounts import AccountGraph, AccountRef, valid_names
from xsession.activity import Activities
from xsession.audit import AuditLog
from xsession.diagnosis import Diagnosis
from xsession.events import Event, Invalidated, InvalidationReason
from xsession.policies import Finding, Policy, allow, findings, s3_read, trust
from xsession.provision import Comparison
from xsession.roles import DefaultOptions, RoleOptions
from xsession.serving import CredentialServer
from xsession.stores import FileStore, MemoryStore, SharedStore


def clients(xs: CrossAccountSession) -> None:
    """Clients of an account have their service's type."""
    assert_type(xs["vegeta"].client("s3"), S3Client)
    assert_type(xs.session("vegeta", duration_seconds=900).client("ec2"), EC2Client)
    assert_type(xs["vegeta"].resource("s3"), S3ServiceResource)
    assert_type(xs.get_client("s3", account="vegeta"), S3Client)
    assert_type(xs["vegeta"].get_client("ec2", region_name="eu-west-1"), EC2Client)
    assert_type(xs.get_client("sqs", account="vegeta"), Any)
    session: boto3.Session = xs["vegeta"]
    assert_type(session.client("s3"), S3Client)


class ByName(Protocol):
    """What a library asks of whoever knows accounts by name."""

    def get_client(self, service_name: str, account: str) -> Any:
        """The client of a service in an account."""


def scripts(xs: CrossAccountSession) -> None:
    """The default session is one like any other, and is what a library's protocol asks for."""
    assert_type(default_session(), CrossAccountSession)
    assert_type(default_session(xs), CrossAccountSession)
    assert_type(get_client("s3", account="vegeta", region_name="eu-west-1"), S3Client)
    assert_type(get_client("sqs", account="vegeta"), Any)
    with use_session(xs) as scoped:
        assert_type(scoped, CrossAccountSession)
    accounts: ByName = xs
    accounts.get_client("s3", account="vegeta")


def accounts(xs: CrossAccountSession, role: Role, chain: RoleChain, account: Account) -> None:
    """Whatever names an account is taken."""
    for ref in ("vegeta", SOURCE, role, chain, account):
        xs.get_client("s3", ref)
    assert_type(xs.accounts, Accounts)
    assert_type(xs.accounts["vegeta"], Account)


def count(session: AccountSession, days: int = 1) -> int:
    """What `run` calls."""
    return len(session.name) + days


def answers(xs: CrossAccountSession) -> None:
    """Values have types of their own."""
    assert_type(xs.get_frozen_credentials("vegeta"), Credentials)
    assert_type(xs.whoami(), Identity)
    assert_type(xs.verify(), Outcomes[Identity])
    assert_type(xs.run(count, regions="enabled"), Run[int])
    assert_type(xs.run(count).collect(), Outcomes[int])
    assert_type(xs.run(lambda session: str(session.name)).collect().results, dict[Any, str])
    assert_type(xs.warm(["vegeta"]), Outcomes[Credentials])
    assert_type(xs.warm().results, dict[Any, Credentials])
    with xs as entered:
        assert_type(entered, CrossAccountSession)


def grants(xs: CrossAccountSession) -> None:
    """A grant's session is that of an account, and so one of boto3's."""
    grant = xs.grant("vegeta", to="jane", duration=timedelta(hours=2), policy=allow("s3:*"))
    assert_type(grant, Grant)
    assert_type(grant.session, AccountSession)
    assert_type(grant.session.client("s3"), S3Client)
    assert_type(grant.environ(), dict[str, str])
    assert_type(grant.revoke(using="admin"), Revocation)
    assert_type(xs.revoke("vegeta", using=None, who="jane"), Revocation)


def questions(xs: CrossAccountSession, log: AuditLog) -> None:
    """What is asked of CloudTrail, and what comes of it."""
    found = xs.activity("vegeta", since=timedelta(hours=1), using="admin", regions=["eu-west-1"], log=log)
    assert_type(found, Activities)
    assert_type([done.enforced for done in found], list[bool | None])
    assert_type(found.text(), str)
    assert_type([record.event for record in log], list[str])
    CrossAccountSession(hooks=[log])


def other_programs(xs: CrossAccountSession) -> None:
    """What a child gets."""
    with xs.serve(["vegeta", SOURCE]) as server:
        assert_type(server, CredentialServer)
        assert_type(server.environ("vegeta"), dict[str, str])
        server.environ("vegeta", {"PATH": "/bin"})
        assert_type(server.endpoint("vegeta").token_file, str)
    assert_type(xs.serve().close(), None)


def hook(event: Event) -> None:
    """A hook is any callable that takes an event; reasons are the ones that are listed."""
    if isinstance(event, Invalidated):
        assert_type(event.reason, InvalidationReason)


def makes(given: Mapping[str, str], mixed: dict[str, str | Role]) -> None:
    """What users write when they make one."""
    CrossAccountSession({"vegeta": "arn:aws:iam::222222222222:role/R"}, hooks=[hook], mfa_code=lambda serial: serial)
    CrossAccountSession({"pod": Role("arn:aws:iam::222222222222:role/R", web_identity_token_file=Path("token"))})
    CrossAccountSession({"job": Role("arn:aws:iam::222222222222:role/R", web_identity_token=lambda: "token")})
    CrossAccountSession({}, store="file")
    CrossAccountSession({}, store=FileStore("/store", store_mfa=False))
    CrossAccountSession({}, store=MemoryStore())
    shared: SharedStore = FileStore()
    CrossAccountSession({}, store=shared)
    CrossAccountSession({}, mfa_command=["op"], mfa_duration_seconds=timedelta(hours=8))
    CrossAccountSession(given)
    CrossAccountSession(mixed)
    CrossAccountSession([Account("vegeta")], profile_name="bruce", tags={"team": "bats"})
    CrossAccountSession.from_config("xsession.toml", region_name="eu-west-1")
    xs = CrossAccountSession.from_config("xsession.toml", {"vegeta": "arn:aws:iam::222222222222:role/R"}, combine=True)
    assert_type(xs.reload(), None)
    Accounts(given)
    profiles = Accounts.from_aws_config()
    assert_type(profiles & Accounts(given) - xs.accounts | profiles.where(env="prod"), Accounts)
    assert_type(profiles["vegeta"].origin, str | None)


def options(xs: CrossAccountSession, plain: dict[str, dict[str, str]], rows: list[dict[str, str]]) -> None:
    """Accounts may be plain data; and an option that is mistyped, or has another type, is an error."""
    CrossAccountSession(plain)
    CrossAccountSession(rows)
    CrossAccountSession({"vegeta": {"chain": ["arn:aws:iam::222222222222:role/R"], "tags": {"env": "prod"}}})
    assert_type(valid_names(row["name"] for row in rows), dict[str, str])
    shared: DefaultOptions = {"role_session_name": "nightly"}
    CrossAccountSession.from_config(hooks=[hook], max_clients=9, **shared)
    narrow: RoleOptions = {"policy": allow("s3:GetObject"), "external_id": "agreed-on"}
    xs.session("vegeta", replace_policy=True, **narrow)
    CrossAccountSession({}, role_sesion_name="nightly")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CrossAccountSession({}, external_id="w")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CrossAccountSession({}, duration_seconds="900")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CrossAccountSession.from_config(region="eu-west-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CrossAccountSession.from_config(max_clients="9")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    xs.session("vegeta", durations_seconds=900)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    xs.session("vegeta", tags=["team"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def names(xs: CrossAccountSession, one: AccountRef, some: Iterable[AccountRef]) -> None:
    """A session is a container of names; one account needs no list."""
    assert_type("vegeta" in xs, bool)
    assert_type(list(xs), list[str])
    assert_type(len(xs), int)
    assert_type(xs.verify("vegeta"), Outcomes[Identity])
    xs.warm(one)
    xs.warm(some)
    xs.verify(progress=lambda outcome: outcome.value and outcome.value.arn)
    xs.warm(progress=True)
    xs.warm(progress="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(xs.accounts.graph(), AccountGraph)
    assert_type(xs.accounts.graph().to_mermaid(), str)
    assert_type(xs.verify().failures, tuple[FailureGroup, ...])


def set_up(xs: CrossAccountSession) -> None:
    """A role is set up with any boto3 session, and its policies are values or IAM's own JSON."""
    spec = RoleSpec("Reader", trust=trust("111111111111"), permissions=s3_read("levels"), tags={"team": "bats"})
    RoleSpec("Reader", trust={"Statement": []}, permissions="{}")
    assert_type(spec.compare(boto3.Session()), Comparison)
    assert_type(spec.apply(xs["vegeta"], assume_from=boto3.Session()), Comparison)
    assert_type(spec.remove(xs["vegeta"]), bool)
    assert_type(spec.caller_policy("222222222222"), Policy)
    assert_type(findings(spec.trust), tuple[Finding, ...])


def diagnosed(xs: CrossAccountSession) -> None:
    """What may read IAM is an account, a boto3 session, or several of them."""
    diagnosis = xs.diagnose("vegeta", using=["admin", boto3.Session(), SOURCE])
    assert_type(diagnosis, Diagnosis)
    assert_type([hop.ok for hop in diagnosis.hops], list[bool])
    xs.diagnose(Role("arn:aws:iam::222222222222:role/R"), using="admin")
    xs.diagnose("vegeta", using=("admin",))
