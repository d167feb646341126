from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession import (
    Accounts,
    ConfigError,
    CrossAccountSession,
    Role,
    RoleChain,
    SourceCredentialsError,
    UnknownAccountError,
)
from xsession.accounts._profile import Profile
from xsession.policies import allow
from xsession.testing._iam import AccessKey
from xsession.testing._sts import LocalSTS

ROLE = f"arn:aws:iam::{VEGETA}:role/R"
FIRST = f"arn:aws:iam::{HUB}:role/Hub"
KEYS = "aws_access_key_id = AKIAONE\naws_secret_access_key = verysecret\n"


def read(aws_folder: Path, config: str, credentials: str = "") -> Accounts:
    """The accounts of these files."""
    (aws_folder / "config").write_text(config)
    (aws_folder / "credentials").write_text(credentials)
    return Accounts.from_aws_config()


def source_of(accounts: Accounts, name: str) -> Profile:
    """The profile that an account's chain starts from."""
    source = accounts[name].source
    assert isinstance(source, Profile)
    return source


def test_a_profile_with_a_role_is_an_account(aws_folder: Path) -> None:
    """With the role's options, its region, and where it stands."""
    text = f"""[default]
region = eu-north-1
[profile base]
{KEYS}
[profile vegeta]
role_arn = {ROLE}
source_profile = base
external_id = agreed-on
role_session_name = batman
duration_seconds = 1800
mfa_serial = arn:aws:iam::111111111111:mfa/bruce
region = eu-west-1
s3 =
  addressing_style = path
"""
    accounts = read(aws_folder, text)
    assert list(accounts) == ["base", "vegeta"]
    account = accounts["vegeta"]
    role = Role(
        ROLE,
        external_id="agreed-on",
        role_session_name="batman",
        duration_seconds=1_800,
        mfa_serial="arn:aws:iam::111111111111:mfa/bruce",
        sts_region_name="eu-west-1",
    )
    assert account.chain == RoleChain(role)
    assert (account.account_id, account.region_name) == (VEGETA, "eu-west-1")
    assert account.origin == f"{aws_folder / 'config'}:7: profile vegeta"
    assert str(account.source) == "base"


def test_a_profile_with_credentials_alone_is_an_account_without_a_role(aws_folder: Path) -> None:
    """Keys, an Identity Center login, a process, a web identity: its source is the profile itself."""
    text = f"""
[profile keys]
{KEYS}
[profile process]
credential_process = true
aws_account_id = {BATMAN}
[profile sso]
sso_session = corp
sso_account_id = {VEGETA}
sso_role_name = Auditor
[sso-session corp]
sso_start_url = https://example.com/start
sso_region = eu-west-1
[profile old-sso]
sso_start_url = https://example.com/start
sso_region = eu-west-1
sso_account_id = {VEGETA}
sso_role_name = Auditor
[profile web]
role_arn = {ROLE}
web_identity_token_file = token
[profile login]
login_session = {VEGETA}
"""
    accounts = read(aws_folder, text)
    assert {name: account.account_id for name, account in accounts.items()} == {
        "keys": None,
        "process": BATMAN,
        "sso": VEGETA,
        "old-sso": VEGETA,
        "web": VEGETA,
        "login": None,
    }
    assert {account.chain for account in accounts.values()} == {None}
    assert [str(account.source) for account in accounts.values()] == list(accounts)


def test_what_leads_nowhere_is_not_listed(aws_folder: Path) -> None:
    """A region alone, an unfinished login, other sections, and headers that are no profile's."""
    text = """
[default]
region = eu-west-1
[profile login]
sso_session = corp
[plugins]
aws_access_key_id = a
[profile]
aws_access_key_id = a
[profile "open]
aws_access_key_id = a
[profile two words]
aws_access_key_id = a
[services s]
"""
    accounts = read(aws_folder, text)
    assert list(accounts) == []
    assert dict(accounts.unusable) == {}


def test_source_profiles_make_a_chain_of_any_length(aws_folder: Path) -> None:
    """Each is a hop, the end is the source, and longer durations than AWS allows later hops are not asked for."""
    links = "".join(
        f"[profile p{number}]\nrole_arn = arn:aws:iam::{number:012}:role/R\nsource_profile = p{number - 1}\n"
        "duration_seconds = 7200\n"
        for number in range(1, 12)
    )
    account = read(aws_folder, f"{links}[profile p0]\n{KEYS}")["p11"]
    assert [role.account_id for role in account.roles] == [f"{number:012}" for number in range(1, 12)]
    assert [role.duration_seconds for role in account.roles] == [7_200, *[3_600] * 10]
    assert str(account.source) == "p0"


@pytest.mark.parametrize(
    ("source", "seconds"),
    [
        ("credential_source = Environment", 7_200),
        ("credential_source = Ec2InstanceMetadata", 7_200),
        ("credential_source = EcsContainer", 3_600),
        ("source_profile = sso", 3_600),
        ("source_profile = web", 3_600),
        ("source_profile = keys", 7_200),
    ],
)
def test_the_first_hop_is_a_later_one_where_the_source_is_a_roles_session(
    aws_folder: Path, source: str, seconds: int
) -> None:
    """AWS allows it an hour then."""
    text = f"""
[profile a]
role_arn = {ROLE}
duration_seconds = 7200
{source}
[profile keys]
{KEYS}
[profile web]
role_arn = {FIRST}
web_identity_token_file = token
[profile sso]
sso_account_id = {HUB}
sso_role_name = R
sso_start_url = https://example.com
sso_region = eu-west-1
"""
    assert read(aws_folder, text)["a"].roles[0].duration_seconds == seconds


def test_a_profile_may_name_itself_where_it_has_keys(aws_folder: Path) -> None:
    """Its keys assume its role."""
    account = read(aws_folder, f"[profile a]\nrole_arn = {ROLE}\nsource_profile = a\n", f"[a]\n{KEYS}")["a"]
    assert account.chain == RoleChain(ROLE)
    assert str(account.source) == "a"


def test_as_a_source_a_profiles_keys_come_before_its_role(aws_folder: Path) -> None:
    """As with botocore."""
    text = f"""
[profile a]
role_arn = {ROLE}
source_profile = b
[profile b]
role_arn = {FIRST}
source_profile = missing
{KEYS}
"""
    accounts = read(aws_folder, text)
    assert accounts["a"].chain == RoleChain(ROLE)
    assert str(accounts["a"].source) == "b"
    assert list(accounts.unusable) == ["b"]


def test_names_that_an_account_can_not_have_are_changed_or_reported(aws_folder: Path) -> None:
    """What is not allowed becomes a hyphen; where two would have one name, neither hides the other."""
    text = "".join(f'[profile "{name}"]\n{KEYS}' for name in ("team/prod", "a b", "a/b", "c/d", "c-d", "/", "2" * 12))
    accounts = read(aws_folder, text)
    assert {name: str(account.source) for name, account in accounts.items()} == {
        "team-prod": "team/prod",
        "c-d": "c-d",
    }
    assert set(accounts.unusable) == {"a b", "a/b", "c/d", "", "2" * 12}
    with pytest.raises(ConfigError, match="the name of another profile's account"):
        accounts.find("a/b")
    with pytest.raises(UnknownAccountError, match="did you mean team-prod"):
        accounts.find("team/prod")


def test_a_wrong_profile_is_reported_under_its_accounts_name(aws_folder: Path) -> None:
    """Which is what it is asked for by."""
    accounts = read(aws_folder, f"[profile 'team/prod']\nrole_arn = {ROLE}\n")
    with pytest.raises(ConfigError, match=r"account 'team-prod': .*:1: profile team/prod: .* nothing says whose"):
        accounts.find("team-prod")


LOOP = f"""
[profile a]
role_arn = {ROLE}
source_profile = b
[profile b]
role_arn = {ROLE}
source_profile = c
[profile c]
role_arn = {ROLE}
source_profile = b
[profile good]
{KEYS}
"""


def test_a_loop_is_shown_when_its_account_is_asked_for(aws_folder: Path) -> None:
    """And hides no other."""
    accounts = read(aws_folder, LOOP)
    assert list(accounts) == ["good"]
    with pytest.raises(ConfigError) as caught:
        accounts.find("a")
    assert str(caught.value) == (
        f"account 'a': {aws_folder / 'config'}:2: profile a: source_profile makes a loop: b -> c -> b; "
        "give one of them credentials of its own"
    )


def test_a_path_names_the_config_file(aws_folder: Path) -> None:
    """It must be there, and what reads the source's credentials reads that file too."""
    (aws_folder / "other").write_text(f"[profile a]\n{KEYS}")
    assert source_of(Accounts.from_aws_config(aws_folder / "other"), "a").config_file == str(aws_folder / "other")
    xs = CrossAccountSession(Accounts.from_aws_config(aws_folder / "other"))
    assert xs.get_frozen_credentials("a").access_key_id == "AKIAONE"
    with pytest.raises(ConfigError, match="missing can't be read: No such file"):
        Accounts.from_aws_config(aws_folder / "missing")
    assert list(Accounts.from_aws_config()) == []


def test_a_source_says_nothing_secret(aws_folder: Path) -> None:
    """Neither in its repr nor in a pickle."""
    source = source_of(read(aws_folder, f"[profile a]\n{KEYS}"), "a")
    assert "verysecret" not in f"{source!r}{pickle.dumps(source)!r}"


def test_a_source_changes_with_whose_credentials_it_has(aws_folder: Path) -> None:
    """And with nothing else."""
    first = source_of(read(aws_folder, f"[profile a]\n{KEYS}"), "a")
    assert source_of(read(aws_folder, f"\n[profile a]\nregion = eu-west-1\n{KEYS}"), "a") == first
    assert source_of(read(aws_folder, f"[profile a]\n{KEYS.replace('ONE', 'TWO')}"), "a") != first


# Over HTTP


class Recorder:
    """The AssumeRole requests that reached STS."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._requests: list[dict[str, str]] = []
        answer = LocalSTS.answer

        def record(sts: LocalSTS, operation: str, parameters: Any, caller: AccessKey | None, environment: Any) -> Any:
            if operation == "AssumeRole" and caller is not None:
                sent = {key: value for key, value in parameters.items() if key not in {"Action", "Version"}}
                arn = caller.principal.arn
                self._requests.append({**sent, "caller": arn.rpartition("/")[0] if "assumed-role" in arn else arn})
            return answer(sts, operation, parameters, caller, environment)

        monkeypatch.setattr(LocalSTS, "answer", record)

    def taken(self) -> list[dict[str, str]]:
        """Those since it was asked last."""
        taken, self._requests = self._requests, []
        return taken


class ProfileWorld:
    """Profiles whose keys and roles are those of a local AWS."""

    def __init__(self, world: World, aws_folder: Path) -> None:
        hub, last = (role.role_arn for role in world.chain)
        keys = f"aws_access_key_id = {world.key.access_key_id}\naws_secret_access_key = {world.key.secret_access_key}\n"
        (aws_folder / "process.json").write_text(
            json.dumps(
                {
                    "Version": 1,
                    "AccessKeyId": world.key.access_key_id,
                    "SecretAccessKey": world.key.secret_access_key,
                }
            )
        )
        long = world.vegeta.role("Long", trusts=[BATMAN, hub], max_session_duration=7_200)
        partner = world.vegeta.role("Partner", trusts=BATMAN, external_id="agreed-on")
        self.folder = aws_folder
        self.config = f"""
[profile base]
region = eu-west-1
[profile plain]
role_arn = {world.role}
source_profile = base
region = eu-west-1
[profile options]
role_arn = {partner}
source_profile = base
external_id = agreed-on
role_session_name = batman
duration_seconds = 1800
region = eu-north-1
[profile long]
role_arn = {long}
source_profile = base
duration_seconds = 7200
region = eu-west-1
[profile self]
role_arn = {world.role}
source_profile = self
region = eu-west-1
[profile hub]
role_arn = {hub}
source_profile = base
region = eu-west-1
[profile deep]
role_arn = {last}
source_profile = hub
region = eu-west-1
[profile keys-first]
role_arn = {last}
source_profile = hub
region = eu-west-1
[profile of-keys]
role_arn = {world.role}
source_profile = has-both
region = eu-west-1
[profile has-both]
role_arn = {hub}
source_profile = base
region = eu-west-1
[profile environment]
role_arn = {world.role}
credential_source = Environment
region = eu-west-1
[profile process]
credential_process = cat "{aws_folder / "process.json"}"
region = eu-west-1
[profile of-process]
role_arn = {world.role}
source_profile = process
region = eu-west-1
[profile mfa]
role_arn = {world.role}
source_profile = base
mfa_serial = arn:aws:iam::111111111111:mfa/bruce
region = eu-west-1
[profile over-long]
role_arn = {long}
source_profile = hub
duration_seconds = 7200
region = eu-west-1
[profile ignored]
role_arn = {world.role}
source_profile = base
source_identity = bruce
policy = {allow("s3:GetObject").to_json()}
region = eu-west-1
"""
        (aws_folder / "config").write_text(self.config)
        (aws_folder / "credentials").write_text(f"[base]\n{keys}[self]\n{keys}[has-both]\n{keys}")
        self.names = [name for name in Accounts.from_aws_config() if name not in {"base", "process"}]


@pytest.fixture
def profiles(world: World, aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> ProfileWorld:
    """Profiles of the local AWS in AWS's own files, and keys in the environment that only one of them asks for."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.aws.endpoint_url)
    made = ProfileWorld(world, aws_folder)
    other = world.aws.account(BATMAN).user("environment")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", other.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", other.secret_access_key)
    for code in ("111111", "222222"):
        world.aws.expect_mfa_code("arn:aws:iam::111111111111:mfa/bruce", code)
    return made


def theirs(name: str) -> None:
    """Has plain botocore assume a profile's roles."""
    session = boto3.Session(profile_name=name)
    resolver = session._session.get_component("credential_provider")
    resolver.get_provider("assume-role")._prompter = lambda _text: "111111"
    if name == "over-long":
        with pytest.raises(ClientError, match="role chaining"):
            session.client("sts").get_caller_identity()
    else:
        session.client("sts").get_caller_identity()


@pytest.mark.usefixtures("profiles")
def test_each_profile_sends_what_botocore_sends(
    world: World, profiles: ProfileWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same requests in the same order, signed by the same callers in the same regions.

    But a session name of ours where none is given, and one MFA code for all roles; and what botocore does wrong:
    durations that AWS refuses, and keys that it does not know.
    """
    recorder = Recorder(monkeypatch)
    assert len(profiles.names) == 14
    for name in profiles.names:
        world.aws.clear_calls()
        theirs(name)
        expected = recorder.taken()
        regions = [call.region_name for call in world.aws.calls if call.operation == "AssumeRole"]
        world.aws.clear_calls()
        with CrossAccountSession(Accounts.from_aws_config(), mfa_code=lambda _serial: "222222") as xs:
            xs.get_frozen_credentials(name)
            ours = recorder.taken()
        assert [call.region_name for call in world.aws.calls if call.operation == "AssumeRole"] == regions
        assert len(ours) == len(expected) > 0
        for sent, wanted in zip(ours, expected, strict=True):
            if wanted["RoleSessionName"].startswith("botocore-session-"):
                wanted["RoleSessionName"] = sent["RoleSessionName"]
            if "TokenCode" in wanted:
                # Ours goes to GetSessionToken, once for all roles behind the device.
                del wanted["TokenCode"], wanted["SerialNumber"]
        if name == "over-long":
            assert expected[-1].pop("DurationSeconds") == "7200"
            assert ours[-1].pop("DurationSeconds") == "3600"
        if name == "ignored":
            assert ours[-1].pop("SourceIdentity") == "bruce"
            assert json.loads(ours[-1].pop("Policy"))["Statement"]
        assert ours == expected, name


@pytest.mark.usefixtures("profiles")
def test_profiles_that_begin_alike_share_their_hub(world: World) -> None:
    """One AssumeRole of it for all of them, which plain botocore repeats."""
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        assert xs.warm(["hub", "deep", "over-long"]).ok
    assert world.aws.count("AssumeRole", role_arn=world.chain.roles[0].role_arn) == 1
    assert world.aws.count("AssumeRole") == 3


def test_an_ended_login_says_which_command_begins_a_new_one(aws_folder: Path) -> None:
    """With the profile that has the login."""
    text = f"""
[profile sso]
sso_session = corp
sso_account_id = {VEGETA}
sso_role_name = Auditor
[profile admin]
role_arn = {ROLE}
source_profile = sso
[sso-session corp]
sso_start_url = https://login.example.com/start
sso_region = eu-west-1
"""
    with CrossAccountSession(read(aws_folder, text)) as xs:
        for name in ("sso", "admin"):
            with pytest.raises(SourceCredentialsError, match="aws sso login --profile sso"):
                xs.get_frozen_credentials(name)
