"""What is refused before the network, and in which words: each message says where, what, the rule, and what to do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.support.wrong_files import HUB, NAMES, TOML, VEGETA
from xsession import (
    Account,
    Accounts,
    ConfigError,
    CrossAccountSession,
    InvalidPolicyError,
    InvalidRoleError,
    Role,
    RoleChain,
    UnknownAccountError,
    XSessionError,
)
from xsession.roles import Defaults

TEXTS = "2 to 64 of A-Z a-z 0-9 _ + = , . @ -"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked."""

    def refuse(*_arguments: object) -> NoReturn:
        pytest.fail("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(("text", "message"), TOML)
def test_files_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    """The file, the line and the key; then the problem, and the likely fix."""
    path = tmp_path / "xsession.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        CrossAccountSession.from_config(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


PROFILE = f"[profile a]\nrole_arn = {VEGETA}\n"
SSO = "[profile a]\nsso_session = s\nsso_account_id = 222222222222\nsso_role_name = R\n"

# The profiles, and the message for profile a after the file's name.
AWS_CONFIG = [
    (
        PROFILE,
        ":1: profile a: profile 'a' has a role_arn, and nothing says whose credentials assume it; add source_prof",
    ),
    (f"{PROFILE}aws_access_key_id = k\naws_secret_access_key = s", "where the keys are in the profile itself, name"),
    (f"{PROFILE}source_profile = b", "source_profile 'b' of profile 'a' does not exist; check its spelling"),
    (f"{PROFILE}source_profile = b\n[profile b]\nregion = eu-west-1", "source_profile 'b' has no credentials; give it"),
    (f"{PROFILE}source_profile = a", "source_profile makes a loop: a -> a; one of them must have credentials"),
    (f"{PROFILE}source_profile = b\ncredential_source = Environment", "has both source_profile and credential_source"),
    (f"{PROFILE}credential_source = Env", "profile 'a': credential_source 'Env' is not valid: one of Environment, Ec2"),
    (f"{PROFILE}credential_source = Environment\nduration_seconds = 1h", "profile 'a': duration_seconds '1h' is not"),
    (f"{PROFILE}credential_source = Environment\nduration_seconds = 60", "duration_seconds 60 is not valid: 900 to"),
    (f"{PROFILE}credential_source = Environment\nexternal_id =", "profile 'a': external_id (not shown) is not valid"),
    (f"{PROFILE}credential_source = Environment\nmfa_serial =", "profile 'a': mfa_serial '' is not valid: 9 to 256"),
    (f"{PROFILE}credential_source = Environment\nmfa_serial = -GAHT12345", "first a letter or digit"),
    (f"{PROFILE}credential_source = Environment\nregion = Europe", "profile 'a': region 'Europe' is not valid: an AWS"),
    (f"{PROFILE}credential_source = Environment\npolicy = {{", "profile 'a': a policy is not valid JSON: Expecting"),
    ("[profile a]\nrole_arn = R\ncredential_source = Environment", "profile 'a': role_arn 'R' is not valid: arn:<part"),
    ("[profile a]\naws_access_key_id = k", "profile 'a' has only half of a key: aws_secret_access_key is missing"),
    ("[profile a]\nweb_identity_token_file = t", "has a web_identity_token_file and no role_arn; add role_arn"),
    ("[profile a]\nweb_identity_token_file = t\nrole_arn = R", "role_arn 'R' is not valid: arn:<partition>:iam::"),
    (SSO, "sso_session 's' of profile 'a' does not exist; add [sso-session s]"),
    (
        f"{SSO}[sso-session s]\nsso_region = eu-west-1",
        "sso_start_url is missing in [sso-session s]; run: aws configure",
    ),
    ("[profile a]\nsso_role_name = R", "sso_account_id is missing in profile 'a'; run: aws configure sso"),
    (
        f"[profile b]\nrole_arn={HUB}\ncredential_source=Environment\n{PROFILE}source_profile=b\nmfa_serial=GAHT12345",
        "mfa_serial is for the first hop: a role's credentials can't pass an MFA code on; put mfa_serial on the first",
    ),
    ("[profile a]\ncredential_process = x\naws_account_id = 5", "account_id '5' is not valid: 12 digits"),
]


@pytest.mark.parametrize(("text", "message"), AWS_CONFIG)
def test_profiles_that_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    """Raised when that account is asked for, with its line; a good one beside it is there."""
    path = tmp_path / "config"
    path.write_text(f"{text}\n[profile good]\ncredential_process = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    accounts = Accounts.from_aws_config()
    assert "good" in accounts
    with pytest.raises(ConfigError) as caught, CrossAccountSession(accounts) as xs:
        xs.get_client("s3", "a")
    assert message in str(caught.value)
    assert f"{path}:" in str(caught.value)
    assert caught.value.account == "a"


def role(**options: Any) -> Callable[[], object]:
    """Makes a role with these options."""
    return lambda: Role(VEGETA, **options)


def named(name: Any, **options: Any) -> Callable[[], object]:
    """Makes an account."""
    return lambda: Account(name, **options)


def session(accounts: Any = (), **options: Any) -> Callable[[], object]:
    """Makes a session."""
    return lambda: CrossAccountSession(accounts, **options)


def client(account: Any, accounts: Any = None) -> Callable[[], object]:
    """Asks for a client."""
    return lambda: CrossAccountSession(accounts or {"vegeta": VEGETA}).get_client("s3", account)


CODE: list[tuple[Callable[[], object], type[XSessionError], str]] = [
    (lambda: Role(""), InvalidRoleError, "role_arn '' is not valid: arn:<partition>:iam::<12-digit account id>:role/"),
    (lambda: Role("vegeta"), InvalidRoleError, "role_arn 'vegeta' is not valid: arn:<partition>:iam::"),
    (lambda: Role(None), InvalidRoleError, "role_arn None is not valid"),  # type: ignore[arg-type]  # bad input
    (lambda: Role("arn:aws:iam::222:role/R"), InvalidRoleError, "<12-digit account id>"),
    (lambda: Role("arn:aws:iam::222222222222:user/R"), InvalidRoleError, ":role/<path and name>"),
    (lambda: Role("arn:aws:sts::222222222222:assumed-role/R/me"), InvalidRoleError, "assumed-role/R/me' is not valid"),
    (lambda: Role(f"{VEGETA}\n"), InvalidRoleError, "role/R\\n' is not valid"),
    (role(duration_seconds=899), InvalidRoleError, f"{VEGETA}: duration_seconds 899 is not valid: 900 to 43200 whole"),
    (role(duration_seconds=43_201), InvalidRoleError, "duration_seconds 43201 is not valid"),
    (role(duration_seconds="3600"), InvalidRoleError, "duration_seconds '3600' is not valid"),
    (role(duration_seconds=True), InvalidRoleError, "duration_seconds True is not valid"),
    (role(duration_seconds=900.5), InvalidRoleError, "duration_seconds 900.5 is not valid"),
    (role(duration_seconds=timedelta(days=1)), InvalidRoleError, "duration_seconds datetime.timedelta(days=1) is not"),
    (role(role_session_name="a b"), InvalidRoleError, f"role_session_name 'a b' is not valid: {TEXTS}"),
    (role(role_session_name="x" * 65), InvalidRoleError, f"is not valid: {TEXTS}"),
    (role(external_id="x"), InvalidRoleError, "external_id (not shown) is not valid: 2 to 1224 of A-Z a-z 0-9"),
    (role(source_identity="aws:me"), InvalidRoleError, "source_identity 'aws:me' is not valid: 2 to 256"),
    (role(mfa_serial="123"), InvalidRoleError, "mfa_serial '123' is not valid: 9 to 256 of"),
    (role(mfa_serial="--config=evil"), InvalidRoleError, "mfa_serial '--config=evil' is not valid: 9 to 256 of A-Z"),
    (session(mfa_serial="-GAHT12345678"), InvalidRoleError, "/ : , . @ -, first a letter or digit"),
    (
        role(sts_region_name="EU"),
        InvalidRoleError,
        "sts_region_name 'EU' is not valid: an AWS region such as eu-west-1",
    ),
    (role(policy_arns="arn:aws:iam::aws:policy/X"), InvalidRoleError, "is not valid: a list of ARNs of managed pol"),
    (role(policy_arns=["X"]), InvalidRoleError, "policy_arns 'X' is not valid: arn:<partition>:iam::<account id or"),
    (role(policy_arns=["arn:aws:iam::333333333333:policy/X"]), InvalidRoleError, "a policy of the role's own account"),
    (role(policy_arns=["arn:aws:iam::aws:policy/X"] * 11), ConfigError, "10"),
    (role(policy="{"), InvalidPolicyError, "JSON"),
    (role(policy={"Statement": [{"Effect": "Maybe"}]}), InvalidPolicyError, "Maybe"),
    (role(tags={"aws:x": "y"}), InvalidRoleError, "tags 'aws:x' is not valid: keys are 1 to 128 letters"),
    (role(tags={"Team": "a", "team": "b"}), InvalidRoleError, "keys differ by more than case, and 'Team' is there too"),
    (role(tags={"k": "x" * 257}), InvalidRoleError, "the value of 'k' is up to 256 letters"),
    (role(tags={"k": "\t"}), InvalidRoleError, "tags '\\t' is not valid: the value of 'k'"),
    (role(tags={str(number): "" for number in range(51)}), InvalidRoleError, "a mapping of at most 50 keys to values"),
    (role(transitive_tag_keys=["k"]), InvalidRoleError, "transitive_tag_keys 'k' is not valid: each is a key of tags"),
    (lambda: Role(VEGETA).replace(extern_id="x"), InvalidRoleError, "a role has no option 'extern_id'; options are:"),
    (
        lambda: RoleChain(HUB, Role(VEGETA, duration_seconds=7_200)),
        InvalidRoleError,
        f"hop 2, {VEGETA}: duration_seconds 7200 is over the 3600 that AWS allows a role assumed by another role; ask",
    ),
    (lambda: RoleChain(HUB, VEGETA.replace("aws:", "aws-cn:", 1)), InvalidRoleError, "hop 2, arn:aws-cn:iam::2222"),
    (lambda: RoleChain(HUB, Role(VEGETA, mfa_serial="GAHT12345678")), InvalidRoleError, "put mfa_serial on the first"),
    (named("", chain=VEGETA), ConfigError, f"account name '' is not valid: {NAMES}"),
    (named(None), ConfigError, f"account name None is not valid: {NAMES}"),
    (named("-a", chain=VEGETA), ConfigError, f"account name '-a' is not valid: {NAMES}"),
    (named("<b>", chain=VEGETA), ConfigError, f"account name '<b>' is not valid: {NAMES}"),
    (named("a", chain="vegeta"), InvalidRoleError, "account 'a': role_arn 'vegeta' is not valid"),
    (named("a", chain=VEGETA, region_name=5), ConfigError, "account 'a': region_name 5 is not valid"),
    (named("a", chain=VEGETA, tags="prod"), ConfigError, "account 'a': tags 'prod' is not valid: a mapping of str"),
    (named("a/b", chain=VEGETA), ConfigError, f"account name 'a/b' is not valid: {NAMES}"),
    (named("a" * 129, chain=VEGETA), ConfigError, NAMES),
    (named("444444444444", chain=VEGETA), ConfigError, "account name '444444444444' is not valid: it is another acc"),
    (named("a", chain=[VEGETA]), ConfigError, "account 'a': chain ['arn:aws:iam::222222222222:role/R'] is not valid:"),
    (named("a", account_id="2222"), ConfigError, "account 'a': account_id '2222' is not valid: 12 digits"),
    (named("a", account_id=222222222222), ConfigError, "as a string: a number would lose leading zeros"),
    (named("a", chain=VEGETA, account_id="333333333333"), ConfigError, "is not the account of the role, 222222222222"),
    (named("a", chain=VEGETA, region_name="Europe"), ConfigError, "account 'a': region_name 'Europe' is not valid"),
    (named("a", source=""), ConfigError, "account 'a': source '' is not valid: a profile's name or a boto3 session"),
    (named("a", source=5), ConfigError, "account 'a': source 5 is not valid: a profile's name or a boto3 session"),
    (named("a", chain=VEGETA, tags={"env": None}), ConfigError, "account 'a': tags {'env': None} is not valid: a map"),
    (lambda: Accounts("vegeta"), ConfigError, "accounts 'vegeta' is not valid: a mapping"),  # type: ignore[arg-type]  # bad input
    (session(5), ConfigError, "accounts 5 is not valid: a mapping of names to roles, or Account objects"),
    (
        session([Account("a", VEGETA, origin="x.toml:1: a"), Account("a", HUB, origin="y.toml:2: a")]),
        ConfigError,
        "two accounts are called 'a': x.toml:1: a and y.toml:2: a",
    ),
    (session([VEGETA]), ConfigError, f"{VEGETA!r} among the accounts is not an Account"),
    (session([Account("a", VEGETA), Account("a", HUB)]), ConfigError, "two accounts are called 'a'"),
    (session({"a": Account("b", VEGETA)}), ConfigError, "the account 'b' stands under the name 'a'"),
    (session(profile_name=""), ConfigError, "profile_name '' is not valid: the name of a profile"),
    (session(session="default"), ConfigError, "session <class 'str'> is not valid: a boto3.Session"),
    (session(external_id="word"), ConfigError, "external_id has no default: it is agreed on for one role; give it to"),
    (
        session(duration_second=900),
        ConfigError,
        "there is no default 'duration_second'; did you mean duration_seconds?",
    ),
    (session(duration_seconds=1), InvalidRoleError, "duration_seconds 1 is not valid: 900 to 43200 whole seconds"),
    (
        lambda: Defaults(region_name="x"),
        InvalidRoleError,
        "region_name 'x' is not valid: an AWS region such as eu-west-1",
    ),
    (client(None), ConfigError, "None names no account; pass a name, a 12-digit id, a Role, a RoleChain, an Account,"),
    (client(""), ConfigError, "'' names no account; pass a name"),
    (client(222222222222), ConfigError, "222222222222 names no account"),
    (client(["vegeta"]), ConfigError, "['vegeta'] names no account"),
    (
        client(VEGETA),
        ConfigError,
        f"{VEGETA!r} is an ARN, and a string never stands for a role: it could come from outside; pass",
    ),
    (client("vegetta"), UnknownAccountError, "no account is called 'vegetta'; did you mean vegeta?"),
    (client("333333333333"), UnknownAccountError, "no account is called '333333333333'; known are vegeta"),
    (client("222222222222", {"a": VEGETA, "b": VEGETA}), UnknownAccountError, "several accounts have the id"),
    (lambda: CrossAccountSession.from_config(""), ConfigError, "the path of the configuration is empty; pass a file's"),
    (lambda: CrossAccountSession().reload(), ConfigError, "this session has nothing to read again: its accounts came"),
]


@pytest.mark.parametrize(("call", "kind", "message"), CODE)
def test_calls_that_are_wrong(call: Callable[[], object], kind: type[XSessionError], message: str) -> None:
    """The account, hop and role where there are some; then the option, the value unless it is secret, and the rule."""
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)
    assert isinstance(caught.value, ConfigError | UnknownAccountError)


def test_the_table_is_long_enough() -> None:
    """One line for each way to be wrong that somebody will find."""
    assert len(TOML) + len(AWS_CONFIG) + len(CODE) >= 120
