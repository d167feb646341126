"""The story of Batman and Vegeta on an AWS that runs on this machine; fails if any part of it does not hold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import ClientError

from xsession import SOURCE, CrossAccountSession
from xsession.testing import LocalAWS, Story


def own_credentials_are_refused(aws: LocalAWS, story: Story, _xs: CrossAccountSession) -> str:
    """Batman's own credentials are refused Vegeta's bucket."""
    code = None
    try:
        story.session.client("s3").get_object(Bucket=story.bucket, Key=story.object_key)
    except ClientError as error:
        code = error.response["Error"]["Code"]
    assert code == "AccessDenied"
    assert aws.count("AssumeRole") == 0
    return "AccessDenied, as it should be"


def one_role_reads_the_object(_aws: LocalAWS, story: Story, xs: CrossAccountSession) -> str:
    """get_client("s3", account="vegeta") reads the object."""
    return first_line(xs, "vegeta", story)


def three_roles_read_it_too(aws: LocalAWS, story: Story, xs: CrossAccountSession) -> str:
    """A chain of three roles reads it too."""
    before = aws.count("AssumeRole")
    line = first_line(xs, "vegeta-over-hub", story)
    assert aws.count("AssumeRole") - before == 3
    return line


def everybody_knows_who_they_are(_aws: LocalAWS, _story: Story, xs: CrossAccountSession) -> str:
    """whoami says who we are in each account."""
    identities = {"source": xs.whoami(SOURCE), **{name: xs.whoami(name) for name in xs.accounts}}
    assert [identity.account_id for identity in identities.values()] == ["111111111111", "222222222222", "222222222222"]
    return "".join(f"\n       {name:<16} {identity.arn}" for name, identity in identities.items())


def the_second_client_is_free(aws: LocalAWS, story: Story, xs: CrossAccountSession) -> str:
    """The second get_client costs no AssumeRole."""
    before = aws.count("AssumeRole")
    assert xs.get_client("s3", account="vegeta") is xs.get_client("s3", account="vegeta")
    first_line(xs, "vegeta", story)
    xs.get_client("ec2", account="vegeta").describe_instances(InstanceIds=list(story.instances))
    assert aws.count("AssumeRole") == before
    return f"{before} calls before, {before} after"


PARTS: list[Callable[[LocalAWS, Story, CrossAccountSession], str]] = [
    own_credentials_are_refused,
    one_role_reads_the_object,
    three_roles_read_it_too,
    everybody_knows_who_they_are,
    the_second_client_is_free,
]


def first_line(xs: CrossAccountSession, account: str, story: Story) -> str:
    """The first line of the object, read with an account's credentials."""
    answer = xs.get_client("s3", account=account).get_object(Bucket=story.bucket, Key=story.object_key)
    lines = answer["Body"].read().decode().splitlines()
    assert lines[0] == "name,level"
    return f"{story.bucket}/{story.object_key}: {lines[1]}"


def main() -> int:
    """Tells the story; the exit status is 1 if a part of it does not hold."""
    failed = 0
    config = Path(__file__).with_name("xsession.toml")
    with LocalAWS() as aws:
        story = Story.told_by(aws)
        with CrossAccountSession.from_config(config, session=story.session) as xs:
            for number, part in enumerate(PARTS, start=1):
                print(f"{number}. {part.__doc__}")
                try:
                    print(f"   ok: {part(aws, story, xs)}")
                except Exception as error:  # noqa: BLE001 # the other parts are told all the same
                    failed += 1
                    print(f"   FAILED: {type(error).__name__}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
