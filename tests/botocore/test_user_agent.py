"""User-Agent headers tell how the credentials were obtained, as those of boto3's own profiles do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path
from typing import Any

import boto3
import botocore.useragent
import pytest
from botocore.credentials import Credentials, SSOProvider
from botocore.tokens import SSOTokenProvider

from tests.support.aws_hosts import AwsHosts, Request, one_host
from tests.support.client_paths import MakeCore, answered
from tests.support.sts_answers import assumed, usual
from tests.support.worlds import BATMAN, VEGETA
from xsession import SOURCE, Account, Accounts, CrossAccountSession, Role, RoleChain
from xsession._botocore import _user_agent
from xsession._botocore._user_agent import telling

IDS: dict[str, str] = getattr(botocore.useragent, "_USERAGENT_FEATURE_MAPPINGS", {})
pytestmark = pytest.mark.skipif("CREDENTIALS_CODE" not in IDS, reason="this botocore has no such ids")

ROLE = f"arn:aws:iam::{VEGETA}:role/R"
ASSUMED, BY_TOKEN = "CREDENTIALS_STS_ASSUME_ROLE", "CREDENTIALS_STS_ASSUME_ROLE_WEB_ID"


class Obtained(Credentials):
    """Credentials that say how they were obtained."""

    def __init__(self, *methods: str) -> None:
        super().__init__("AKIAEXAMPLE", "s", method="somebody's own")
        self.methods = frozenset(methods)


def told(client: Any) -> set[str]:
    """botocore's ids of credentials in the header of a request."""
    requests = answered(client)
    client.list_tables()
    header = requests[0].headers["User-Agent"]
    return ids_in(header.decode() if isinstance(header, bytes) else header)


def codes_in(header: str) -> list[str]:
    """All codes of features in a header."""
    return next(part for part in header.split() if part.startswith("m/")).removeprefix("m/").split(",")


def ids_in(header: str) -> set[str]:
    """botocore's ids of credentials in it."""
    codes = codes_in(header)
    return {name for name, code in IDS.items() if code in codes and name.startswith("CREDENTIALS_")}


def dynamodb(core: MakeCore, credentials: Any) -> Any:
    """A client that signs with these."""
    return core().client("dynamodb", credentials, "eu-west-1")


@pytest.mark.parametrize(
    ("methods", "ids"),
    [
        ((), set()),
        (("assume-role", "env"), {ASSUMED, "CREDENTIALS_ENV_VARS"}),
        (("somebody's own",), set()),
    ],
)
def test_a_client_tells_how_its_credentials_were_obtained(
    core: MakeCore, methods: tuple[str, ...], ids: set[str]
) -> None:
    """On both paths, in botocore's ids."""
    assert told(dynamodb(core, Obtained(*methods))) == ids


def test_clients_of_one_template_tell_what_is_theirs(core: MakeCore) -> None:
    """In whatever order they are made; and those of the same methods share what makes the header."""
    made = core()

    def client(*methods: str) -> Any:
        return made.client("dynamodb", Obtained(*methods), "eu-west-1")

    clients = [client("env"), client(), client("sso"), client("env")]
    assert list(map(told, clients)) == [
        {"CREDENTIALS_ENV_VARS"},
        set(),
        {"CREDENTIALS_SSO"},
        {"CREDENTIALS_ENV_VARS"},
    ]
    if made._fast:
        assert clients[0]._user_agent_creator is clients[3]._user_agent_creator


def test_an_account_tells_of_its_role_and_its_source(tmp_path: Path) -> None:
    """The source's method where it is known without asking anybody."""
    token = tmp_path / "token"
    token.write_text("t")
    accounts: dict[str, str | Role | RoleChain | Account] = {
        "vegeta": ROLE,
        "eks": Role(ROLE, web_identity_token_file=str(token)),
        "deep": RoleChain(Role(ROLE, web_identity_token_file=str(token)), ROLE),
        "own": Account("own", account_id=BATMAN),
    }
    with CrossAccountSession(
        accounts,
        session=boto3.Session("AKIAEXAMPLE", "s", region_name="eu-west-1"),
    ) as xs:
        methods = {name: xs[name]._resolved.credentials.methods for name in ("vegeta", "eks", "deep", "own")}
        source = xs.session(SOURCE)._resolved.credentials.methods
    assert methods == {
        "vegeta": {"assume-role", "explicit"},
        "eks": {"assume-role-with-web-identity"},
        "deep": {"assume-role-with-web-identity", "assume-role"},
        "own": {"explicit"},
    }
    assert source == {"explicit"}


# As botocore's own, for the same profiles

KEYS = {"AccessKeyId": "ASIAMACHINE", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}
PROCESS = json.dumps({"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s"})
START_URL = "https://corp.awsapps.com/start"
SOURCES = {
    "keys": "aws_access_key_id = AKIAONE\naws_secret_access_key = s\n",
    "process": f"credential_process = echo '{PROCESS}'\n",
    "web": f"role_arn = {ROLE}\nweb_identity_token_file = FOLDER/token\n",
    "sso": f"sso_account_id = {BATMAN}\nsso_role_name = Reader\nsso_start_url = {START_URL}\nsso_region = us-east-1\n",
    "login": f"sso_session = corp\nsso_account_id = {BATMAN}\nsso_role_name = Reader\n",
    "hub": f"role_arn = {ROLE}2\nsource_profile = keys\n",
}
NAMED = {
    "Environment": {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"},
    "Ec2InstanceMetadata": {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "URL"},
    "EcsContainer": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "URL/keys"},
}


def aws(request: Request) -> tuple[int, str]:
    """STS, the portal of IAM Identity Center, a machine's metadata and a container's endpoint."""
    if request.action == "AssumeRoleWithWebIdentity":
        return 200, assumed(request).replace("AssumeRoleRe", "AssumeRoleWithWebIdentityRe")
    if request.action:
        return usual(request)
    if request.path.startswith("/federation"):
        names = {
            "accessKeyId": "ASIALOGIN",
            "secretAccessKey": "s",
            "sessionToken": "t",
            "expiration": 4_102_444_800_000,
        }
        return 200, json.dumps({"roleCredentials": names})
    return 200, "Role" if request.path.endswith("/") else json.dumps(KEYS)


def ids_of(request: Request) -> set[str]:
    """botocore's ids of credentials in the header of a request."""
    return ids_in(request.headers["User-Agent"])


@pytest.fixture
def profiles(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsHosts]:
    """A profile of each kind, and a role behind each."""
    monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(aws_folder))
    monkeypatch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(aws_folder))
    for name in (START_URL, "corp"):
        token = {"accessToken": "x", "expiresAt": "2100-01-01T00:00:00Z"}
        (aws_folder / f"{sha1(name.encode()).hexdigest()}.json").write_text(json.dumps(token))  # noqa: S324 # botocore's
    (aws_folder / "token").write_text("token-of-the-pod")
    texts = [f"[profile {name}]\n{text.replace('FOLDER', str(aws_folder))}" for name, text in SOURCES.items()]
    texts += [f"[profile behind-{name}]\nrole_arn = {ROLE}\nsource_profile = {name}\n" for name in SOURCES]
    texts += [f"[profile behind-{name}]\nrole_arn = {ROLE}\ncredential_source = {name}\n" for name in NAMED]
    texts.append(f"[sso-session corp]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n")
    (aws_folder / "config").write_text("".join(texts))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with one_host(aws) as hosts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", hosts.url)
        yield hosts


@pytest.mark.parametrize(
    "name", [*(f"behind-{name}" for name in (*SOURCES, *NAMED)), "keys", "process", "sso", "login"]
)
def test_requests_tell_what_those_of_boto3_tell(profiles: AwsHosts, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A client's own, and our calls of STS: of how their credentials were obtained, ours say as much or more.

    That a nested client has its keys by code is botocore's own affair.
    """
    for variable, value in NAMED.get(name.removeprefix("behind-"), {}).items():
        monkeypatch.setenv(variable, value.replace("URL", profiles.url))
    boto3.Session(profile_name=name).client("sts").get_caller_identity()
    theirs = [request for request in profiles.seen if request.action]
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        xs.get_client("sts", name).get_caller_identity()
    ours = [request for request in profiles.seen if request.action][len(theirs) :]
    assert ids_of(ours[-1]) == ids_of(theirs[-1]) != set()
    last, theirs_last = (
        next((ids_of(one) for one in reversed(requests) if one.action == "AssumeRole"), set())
        for requests in (ours, theirs)
    )
    assert last >= theirs_last - {"CREDENTIALS_CODE"}
    assert bool(last) is name.startswith("behind-")


def test_our_calls_tell_nothing_of_the_request_that_needs_them(profiles: AwsHosts) -> None:
    """That a caller uses a paginator is no feature of GetCallerIdentity."""
    context = pytest.importorskip("botocore.context")
    with CrossAccountSession(Accounts.from_aws_config()) as xs, context.start_as_current_context():
        botocore.useragent.register_feature_id("PAGINATOR")
        xs.whoami("keys")
    (request,) = profiles.seen
    assert IDS["PAGINATOR"] not in codes_in(request.headers["User-Agent"])
    assert ids_of(request) == {"CREDENTIALS_PROFILE"}


def test_a_botocore_without_ids_obtains_credentials_all_the_same(
    profiles: AwsHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its requests tell nothing of them."""
    monkeypatch.setattr(_user_agent, "ClientContext", None)
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        assert xs.whoami("keys").account_id == BATMAN
    assert ids_of(profiles.seen[0]) == set()


def test_a_botocore_without_ids_is_told_nothing() -> None:
    """Its makers of headers stay as they are."""

    class Creator:
        """Knows no features."""

        name = "x"

    assert vars(telling(Creator(), ["env"])) == {}
