from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.worlds import BATMAN, World
from xsession import Accounts, CrossAccountSession
from xsession.accounts._no_effect import ROLE_OPTIONS

ROLE = "arn:aws:iam::222222222222:role/R"
OPTIONS = {
    "role_session_name": "bruce",
    "external_id": "agreed",
    "mfa_serial": "arn:aws:iam::111111111111:mfa/bruce",
    "source_identity": "bruce",
    "policy": '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}',
    "policy_arns": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "duration_seconds": "1800",
}
# By botocore's name of how it finds them.
KINDS = {
    "assume-role-with-web-identity": {"role_arn": ROLE, "web_identity_token_file": "/token"},
    "sso": {
        "sso_account_id": BATMAN,
        "sso_role_name": "Reader",
        "sso_start_url": "https://corp.awsapps.com/start",
        "sso_region": "us-east-1",
    },
    "keys": {"aws_access_key_id": "AKIAONE", "aws_secret_access_key": "example"},
    "custom-process": {
        "credential_process": """echo '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s"}'""",
    },
}


def notes(folder: Path, config: dict[str, Any], credentials: dict[str, Any] | None = None, more: str = "") -> list[str]:
    """What is said of the profile "p" with these settings."""
    write(folder / "config", "profile p", config, more)
    write(folder / "credentials", "p", credentials or {})
    return list(Accounts.from_aws_config()["p"].notes)


def write(path: Path, header: str, settings: dict[str, Any], more: str = "") -> None:
    """Writes one profile; an empty one is not there."""
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    path.write_text((f"[{header}]\n{lines}" if settings else "") + more)


@pytest.mark.parametrize("kind", ["sso", "keys", "custom-process"])
@pytest.mark.parametrize("option", ROLE_OPTIONS)
def test_options_of_a_role_say_nothing_without_one(aws_folder: Path, kind: str, option: str) -> None:
    """Whatever the profile's credentials are."""
    expected = [f"{option}: no effect, since profile 'p' assumes no role"]
    assert notes(aws_folder, {**KINDS[kind], option: OPTIONS[option]}) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_who_would_assume_a_role_says_nothing_without_one(aws_folder: Path, kind: str) -> None:
    """Nor beside a web identity, which is assumed with a token."""
    for option, value in {"source_profile": "other", "credential_source": "Environment"}.items():
        (note,) = notes(aws_folder, {**KINDS[kind], option: value}, more="[profile other]\nregion = eu-west-1\n")
        assert note.startswith(f"{option}: no effect, ")


@pytest.mark.parametrize("option", ["role_session_name", "policy", "policy_arns", "duration_seconds"])
def test_options_of_a_web_identity_are_sent_but_for_one(aws_folder: Path, option: str) -> None:
    """What binds or narrows has us assume the role; by itself, the duration is left to botocore, which drops it."""
    found = notes(aws_folder, {**KINDS["assume-role-with-web-identity"], option: OPTIONS[option]})
    assert bool(found) is (option == "duration_seconds")
    web = {**KINDS["assume-role-with-web-identity"], "duration_seconds": "1800", "policy": OPTIONS["policy"]}
    assert notes(aws_folder, web) == []


@pytest.mark.parametrize("option", ROLE_OPTIONS)
def test_options_of_a_role_are_sent(aws_folder: Path, option: str) -> None:
    """And nothing is said of them."""
    settings = {"role_arn": ROLE, "credential_source": "Environment", option: OPTIONS[option]}
    assert notes(aws_folder, settings) == []


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(KINDS, 2)))
@pytest.mark.parametrize("where", ["config", "credentials"])
def test_of_two_kinds_of_credentials_that_one_is_named_which_boto3_ignores(
    aws_folder: Path, one: str, other: str, where: str
) -> None:
    """By what boto3 itself takes."""
    settings = {**KINDS[one], **KINDS[other]}
    keys = {name: settings.pop(name) for name in KINDS["keys"] if name in settings} if where == "credentials" else {}
    found = notes(aws_folder, settings, keys)
    credentials = boto3.Session(profile_name="p").get_credentials()
    assert credentials is not None
    taken = credentials.method
    used = "keys" if taken in {"shared-credentials-file", "config-file"} else taken
    (unused,) = {one, other} - {used}
    named = [key for note in found for key in note.partition(":")[0].split(", ")]
    # A login's own settings are not worth a word: where it is named says enough.
    assert named == [key for key in KINDS[unused] if key not in {"sso_start_url", "sso_region", "role_arn"}]


@pytest.mark.parametrize("kind", ["sso", "keys", "custom-process"])
def test_credentials_beside_a_role_that_others_assume_say_nothing(aws_folder: Path, kind: str) -> None:
    """Only where the profile names itself they do."""
    role = {"role_arn": ROLE, **KINDS[kind]}
    (note,) = notes(aws_folder, {**role, "credential_source": "Environment"})
    assert "since credential_source says whose credentials assume the role" in note
    assert next(iter(KINDS[kind])) in note


def test_a_profile_that_assumes_its_role_with_its_own_keys_has_nothing_to_hear(aws_folder: Path) -> None:
    """But of a second kind of credentials."""
    role = {"role_arn": ROLE, "source_profile": "p", **KINDS["keys"]}
    assert notes(aws_folder, role) == []
    assert notes(aws_folder, {**role, **KINDS["custom-process"]}, KINDS["keys"]) == [
        "credential_process: no effect, since aws_access_key_id comes first"
    ]


def test_a_role_that_is_skipped_on_the_way_is_named(aws_folder: Path) -> None:
    """As a source, a profile's own keys come first."""
    hub = "[profile hub]\nrole_arn = arn:aws:iam::333333333333:role/Hub\nsource_profile = hub\nexternal_id = agreed\n"
    keys = "aws_access_key_id = AKIAONE\naws_secret_access_key = example\n"
    found = notes(aws_folder, {"role_arn": ROLE, "source_profile": "hub"}, more=hub + keys)
    assert found == ["role_arn of profile 'hub': no effect here, since as a source its own keys come first"]


def test_a_misspelt_option_is_named(aws_folder: Path) -> None:
    """What is nothing of ours is not."""
    role = {"role_arn": ROLE, "credential_source": "Environment", "output": "json", "colour": "red", "role": "x"}
    assert notes(aws_folder, {**role, "external-id": "a", "policies": "b"}) == [
        "external-id: no effect, since it is no option; did you mean external_id?"
    ]


def test_verify_names_them(world: World, aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the notes of each outcome, where there is an error too; `warm` has nothing to say."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.aws.endpoint_url)
    key = world.key
    (aws_folder / "config").write_text(
        f"[profile p]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
        f"external_id = agreed\n[profile wrong]\nrole_arn = {ROLE}\nsource_profile = p\nexternal-id = agreed\n"
    )
    with CrossAccountSession(Accounts.from_aws_config(), session=world.source) as xs:
        outcomes = xs.verify()
        assert [bool(outcome.notes) for outcome in outcomes.values()] == [True, True]
        assert not outcomes["wrong"].ok
        assert "external_id" in outcomes["p"].notes[0]
        assert xs.warm(["p"])["p"].notes == ()
