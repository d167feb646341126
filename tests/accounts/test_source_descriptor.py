from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from xsession._botocore._sts_endpoint import used_sts_endpoint
from xsession.accounts import (
    Accounts,
    Profile,
    SourceDescriptor,
    _source_descriptor,
    describe_source,
    settings_reader,
    sts_endpoint,
    turn_key,
)
from xsession.accounts._aws_config import AwsFiles, Sections, read_sections

KEYS = "aws_access_key_id = {}\naws_secret_access_key = not-even-a-digest\n"
ALICE, BOB = "AKIAALICE00000000000", "AKIABOB0000000000000"

Files = Callable[..., None]


@pytest.fixture
def files(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Writes AWS's two files."""
    monkeypatch.setenv("HOME", str(aws_folder))

    def write(config: str = "", credentials: str = "") -> None:
        (aws_folder / "config").write_text(config)
        (aws_folder / "credentials").write_text(credentials)

    return write


def described(source: Profile | str | None = None, **environ: str) -> SourceDescriptor | None:
    """What names a source."""
    return describe_source(source, {**os.environ, **environ})


def test_a_key_names_itself_wherever_it_is_from(files: Files) -> None:
    """From the environment, a profile, or by default."""
    files(f"[profile other]\n{KEYS.format(ALICE)}", f"[default]\n{KEYS.format(ALICE)}")
    key = SourceDescriptor.of_key(ALICE, is_session=False)
    assert described() == described("default") == described("other") == described(AWS_PROFILE="other") == key
    assert described(AWS_ACCESS_KEY_ID=ALICE) == key
    assert described(Profile("x", "Environment"), AWS_ACCESS_KEY_ID=ALICE) == key
    assert described("default", AWS_ACCESS_KEY_ID=BOB) == key
    assert described(AWS_ACCESS_KEY_ID=BOB) != key


def test_a_session_is_known_as_one(files: Files) -> None:
    """What it carries on is nobody's but its own."""
    files("", f"[default]\n{KEYS.format('ASIA1')}aws_session_token = t\n")
    for found in (described(), described(AWS_ACCESS_KEY_ID="ASIA1", AWS_SESSION_TOKEN="t")):
        assert found is not None
        assert found.is_session
        assert found.source_key(None, lambda _key: "somebody else") == found.source_key(None, lambda _key: None)


ROLE = """
[profile role]
role_arn = arn:aws:iam::222222222222:role/R
source_profile = {}
{}
[profile base]
{}
"""


def test_a_role_is_named_by_all_settings_on_the_way_and_no_secret(files: Files) -> None:
    """Another setting, another source profile or another key is another descriptor."""
    texts = [
        ROLE.format("base", "", KEYS.format(ALICE)),
        ROLE.format("base", "external_id = 1", KEYS.format(ALICE)),
        ROLE.format("base", "", KEYS.format(BOB)),
        ROLE.format("role", KEYS.format(ALICE), ""),
        ROLE.replace("source_profile = {}", "credential_source = Environment{}").format("", "", ""),
    ]
    found = []
    for text in texts:
        files(text)
        found.append(described("role", AWS_ACCESS_KEY_ID=ALICE))
    assert None not in found
    assert len(set(found)) == len(texts)
    files(texts[0].replace("not-even-a-digest", "another secret"))
    assert described("role") == found[0]


LOGIN = """
[profile sso]
sso_session = corp
sso_account_id = 222222222222
sso_role_name = R
[profile old]
sso_start_url = https://corp
sso_account_id = 222222222222
sso_role_name = R
[profile console]
login_session = arn:aws:iam::222222222222:user/alice
[sso-session corp]
sso_start_url = https://corp
"""


@pytest.mark.parametrize(
    ("profile", "place"),
    [
        ("sso", Path(".aws/sso/cache", hashlib.sha1(b"corp").hexdigest())),  # noqa: S324 # as botocore names it
        ("old", Path(".aws/sso/cache", hashlib.sha1(b"https://corp").hexdigest())),  # noqa: S324 # likewise
        (
            "console",
            Path(".aws/login/cache", hashlib.sha256(b"arn:aws:iam::222222222222:user/alice").hexdigest()),
        ),
    ],
)
def test_a_login_is_another_one_once_somebody_else_logs_in(
    files: Files, aws_folder: Path, profile: str, place: Path
) -> None:
    """And none where nobody is logged in."""
    files(LOGIN)
    assert described(profile) is None
    token = aws_folder / f"{place}.json"
    token.parent.mkdir(parents=True)
    found = []
    for person in ("alice", "bob"):
        token.write_text(person)
        found.append(described(profile))
    assert None not in found
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("text", "source", "environ"),
    [
        ("", None, {}),
        ("[profile p]\nregion = eu-west-1\n", "p", {}),
        ("[profile p]\ncredential_process = program\n", "p", {}),
        (f"[profile p]\nweb_identity_token_file = /t\nrole_arn = x\n{KEYS.format(ALICE)}", Profile("p"), {}),
        ("[profile p]\nrole_arn = x\nsource_profile = p\n", "p", {}),
        ("[profile p]\nrole_arn = x\nsource_profile = gone\n", "p", {}),
        ("[profile p]\nrole_arn = x\n", "p", {}),
        ("[profile p]\nrole_arn = x\ncredential_source = Environment\n", "p", {}),
        ("[profile p]\nrole_arn = x\nsource_profile = q\n[profile q]\ncredential_process = program\n", "p", {}),
        ("[default]\n" + KEYS.format(ALICE), None, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}),
        ("not a file of AWS's", None, {}),
        ("not a file of AWS's", Profile("p"), {}),
        (f"[profile p]\n{KEYS.format(ALICE)}", Profile("p", sso_account_id="1", sso_role_name="Reader"), {}),
        ("", Profile("gone"), {}),
        ("", Profile("p", "Ec2InstanceMetadata"), {}),
        ("", Profile("p", "Environment"), {}),
    ],
)
def test_what_is_not_certain_has_no_descriptor(
    files: Files, text: str, source: Profile | str | None, environ: dict[str, str]
) -> None:
    """It may have one once its credentials are read."""
    files(text)
    assert described(source, **environ) is None


def test_a_profile_as_an_accounts_source_is_its_own_credentials(files: Files) -> None:
    """Never those of the role that it names: that is a hop."""
    files(f"[profile p]\nrole_arn = arn:aws:iam::222222222222:role/R\nsource_profile = p\n{KEYS.format(ALICE)}")
    source: Any = Accounts.from_aws_config()["p"].source
    assert described(source) == SourceDescriptor.of_key(ALICE, is_session=False)


def test_the_endpoint_is_a_part_of_the_name() -> None:
    """Who a key belongs to is for that STS to say."""
    key = SourceDescriptor.of_key(ALICE, is_session=False)
    known = {key.principal_key(None): "arn:alice"}
    assert key.source_key("https://sts.example", known.get) is None
    assert key.source_key(None, known.get) not in (None, key.source_key(None, lambda _key: "arn:bob"))


SERVICES = """
[profile p]
{}
[services s]
s3 =
  endpoint_url = https://s3.example
sts =
  max_attempts = 3
  endpoint_url = https://sts.example
[services empty]
s3 =
  endpoint_url = https://s3.example
"""


@pytest.mark.parametrize("settings", ["", "endpoint_url = https://all.example", "services = s", "services = empty"])
@pytest.mark.parametrize("ignored", ["", "ignore_configured_endpoint_urls = true"])
@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"AWS_ENDPOINT_URL": "https://env.example"},
        {"AWS_ENDPOINT_URL_STS": "https://env-sts.example"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    ],
)
def test_the_endpoint_is_the_one_that_botocore_uses(
    files: Files, monkeypatch: pytest.MonkeyPatch, settings: str, ignored: str, environ: dict[str, str]
) -> None:
    """Or else no process without boto3 would find what others keep."""
    files(SERVICES.format(f"{settings}\n{ignored}\naws_account_id = 222222222222\n{KEYS.format(ALICE)}"))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    session = boto3.Session(profile_name="p")._session
    expected = used_sts_endpoint(session, None)
    assert sts_endpoint("p", os.environ) == expected
    assert sts_endpoint(Profile("p"), os.environ) == expected
    assert sts_endpoint(Accounts.from_aws_config()["p"].settings, os.environ) == expected
    assert sts_endpoint(None, {**os.environ, "AWS_PROFILE": "p"}) == expected


def test_who_asks_several_things_reads_the_files_once(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some have thousands of profiles; who asks later reads what they say then."""
    files(f"[profile p]\nendpoint_url = https://all.example\n{KEYS.format(ALICE)}")
    times = []

    def count(files: AwsFiles) -> Sections:
        times.append(files)
        return read_sections(files)

    monkeypatch.setattr(_source_descriptor, "read_sections", count)
    for number in (1, 2):
        read = settings_reader(os.environ)
        assert sts_endpoint("p", os.environ, read) == "https://all.example"
        assert describe_source("p", os.environ, read) == SourceDescriptor.of_key(ALICE, is_session=False)
        assert len(times) == number


def test_files_that_can_not_be_read_name_no_endpoint(files: Files) -> None:
    """Whoever makes clients says what is wrong with them."""
    files("not a file of AWS's")
    assert sts_endpoint(None, os.environ) is None


def test_processes_that_read_the_same_profile_take_turns(files: Files) -> None:
    """Whichever way it is named."""
    files()
    turn = turn_key("p", os.environ)
    assert turn == turn_key(Profile("p"), os.environ) == turn_key(None, {**os.environ, "AWS_PROFILE": "p"})
    assert turn != turn_key("q", os.environ)
