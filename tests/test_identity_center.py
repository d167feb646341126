from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from tests.support.aws_hosts import Answer, AwsHosts, Request, one_host
from tests.support.clocks import PassingClock
from xsession import ConfigError, CrossAccountSession, OrganizationError, SourceCredentialsError
from xsession.accounts import Accounts
from xsession.events import Event, NeedsAttention

URL = "https://corp.awsapps.com/start"
TOKEN = "token-of-the-login"
PROFILES = f"""
[sso-session corp]
sso_start_url = {URL}
sso_region = us-east-1
[profile corp]
sso_session = corp
region = eu-west-1
credential_process = false
[profile old]
sso_start_url = {URL}
sso_region = us-east-1
[profile none]
region = eu-west-1
[profile gone]
sso_start_url = https://gone.awsapps.com/start
sso_region = us-east-1
"""
ROLES = {"222222222222": ["Admin", "ReadOnly"], "333333333333": ["ReadOnly"], "444444444444": []}
NAMES = {"222222222222": "Vegeta [prod]", "333333333333": "data", "444444444444": "data"}


def portal(request: Request) -> Answer:
    """The portal of a login, and an STS that believes the keys that it gave out."""
    url = urlsplit(request.path)
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    if request.action == "GetCallerIdentity":
        account_id, role = request.key_id.split("-")[1:]
        arn = f"arn:aws:sts::{account_id}:assumed-role/AWSReservedSSO_{role}_1/bruce"
        return Answer(
            body=f"""<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AROA:bruce</UserId>
<Account>{account_id}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
        )
    if request.headers.get("x-amz-sso_bearer_token") != TOKEN:
        return Answer(401, '{"__type": "UnauthorizedException", "message": "Session token not found or invalid"}')
    if url.path == "/assignment/accounts":
        start = int(query.get("next_token", 0))
        page = list(ROLES)[start : start + 2]
        listed = [{"accountId": each, "accountName": NAMES[each]} for each in page]
        return Answer(body=json.dumps({"accountList": listed, **({"nextToken": "2"} if start == 0 else {})}))
    if url.path == "/assignment/roles":
        roles = ROLES[query["account_id"]]
        return Answer(body=json.dumps({"roleList": [{"roleName": each} for each in roles]}))
    ends = int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000)
    key = f"ASIA-{query['account_id']}-{query['role_name']}"
    credentials = {"accessKeyId": key, "secretAccessKey": "s", "sessionToken": "t", "expiration": ends}
    return Answer(body=json.dumps({"roleCredentials": credentials}))


@pytest.fixture
def hosts(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsHosts]:
    """A login, as `aws sso login` leaves it."""
    monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(aws_folder))
    monkeypatch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(aws_folder))
    for name in (URL, "corp"):
        token = {"accessToken": TOKEN, "expiresAt": "2100-01-01T00:00:00Z"}
        (aws_folder / f"{sha1(name.encode()).hexdigest()}.json").write_text(json.dumps(token))  # noqa: S324 # botocore's
    (aws_folder / "config").write_text(PROFILES)
    with one_host(portal) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


@pytest.mark.parametrize("profile", ["corp", "old"])
def test_each_permission_set_is_an_account(hosts: AwsHosts, profile: str) -> None:
    """Reached by itself, whatever else the profile names; a pickle of the session has them too."""
    with CrossAccountSession(region_name="us-east-1") as xs:
        xs.accounts = Accounts.from_identity_center(xs, profile)
        assert list(xs) == ["Vegeta-prod-Admin", "Vegeta-prod-ReadOnly", "data-333333333333-ReadOnly"]
        assert xs.accounts["Vegeta-prod-Admin"].aws_name == "Vegeta [prod]"
        assert xs.whoami("Vegeta-prod-Admin").arn.endswith("AWSReservedSSO_Admin_1/bruce")
        assert xs.whoami("Vegeta-prod-ReadOnly").arn.endswith("AWSReservedSSO_ReadOnly_1/bruce")
        assert xs.get_client("sts", "data-333333333333-ReadOnly").get_caller_identity()["Account"] == "333333333333"
        paths = [urlsplit(request.path).path for request in hosts.seen]
        assert (paths.count("/assignment/accounts"), paths.count("/assignment/roles")) == (2, 3)
        with CrossAccountSession(Accounts.from_identity_center(xs, profile), region_name="eu-west-1") as other:
            assert pickle.loads(pickle.dumps(other.accounts)) == other.accounts


def test_of_one_permission_set_accounts_have_their_plain_names(hosts: AwsHosts) -> None:
    """And may be chosen by name, as AWS or xsession has it, or by id."""
    assert hosts.url
    with CrossAccountSession() as xs:
        assert list(Accounts.from_identity_center(xs, "corp", role_name="ReadOnly")) == [
            "Vegeta-prod",
            "data-333333333333",
        ]
        assert list(Accounts.from_identity_center(xs, "corp", role_name="ReadOnly", names=["3*"])) == [
            "data-333333333333"
        ]
        assert list(Accounts.from_identity_center(xs, "corp", names=["Vegeta *"], role_name="A*")) == [
            "Vegeta-prod-Admin"
        ]
        with pytest.raises(
            ConfigError, match=r"no permission set Auditor in what was .*; choose one of Admin, ReadOnly"
        ):
            Accounts.from_identity_center(xs, "corp", role_name="Auditor")
        assert list(Accounts.from_identity_center(xs, "corp", role_name="Auditor", allow_empty=True)) == []


def test_it_is_asked_at_most_twenty_times_a_second(hosts: AwsHosts) -> None:
    """Five calls, each a twentieth of a second after the one before; too many requests are waited for."""
    assert hosts.url
    clock = PassingClock()
    with CrossAccountSession(clock=clock) as xs:
        before = clock.boot()
        assert len(xs.identity_center("corp")) == 3
        assert round(clock.boot() - before, 3) == 0.2


def test_a_login_that_has_ended_says_how_to_begin_another(hosts: AwsHosts, aws_folder: Path) -> None:
    """Without the token: not in the error, nor in a variable of its frames."""
    (aws_folder / f"{sha1(b'corp').hexdigest()}.json").write_text(  # noqa: S324 # botocore's
        json.dumps({"accessToken": "secret-token", "expiresAt": "2100-01-01T00:00:00Z"})
    )
    with CrossAccountSession() as xs:
        with pytest.raises(
            OrganizationError, match=r"UnauthorizedException.*; run: aws sso login --profile corp"
        ) as caught:
            xs.identity_center("corp")
        frame = caught.value.__traceback__.tb_next if caught.value.__traceback__ else None
        while frame is not None:
            assert "secret-token" not in repr(frame.tb_frame.f_locals)
            frame = frame.tb_next
        assert caught.value.__cause__ is not None
        assert caught.value.__cause__.__traceback__ is None
        with pytest.raises(SourceCredentialsError, match="run: aws sso login --profile gone"):
            xs.identity_center("gone")
        with pytest.raises(
            SourceCredentialsError, match=r"missing.* could not be found.*; see `aws configure list-prof"
        ):
            xs.identity_center("missing")
        with pytest.raises(ConfigError, match="profile 'none' names no login of IAM Identity Center"):
            xs.identity_center("none")
    assert len(hosts.seen) == 1


def test_what_a_login_had_counts_where_it_can_not_be_asked(hosts: AwsHosts, aws_folder: Path) -> None:
    """Once it has ended, and where the portal refuses; told with its age. Another login's is another."""
    told: list[str] = []
    clock = PassingClock()

    def hear(event: Event) -> None:
        if isinstance(event, NeedsAttention):
            told.append(event.message)

    token = aws_folder / f"{sha1(b'corp').hexdigest()}.json"  # noqa: S324 # botocore's
    with CrossAccountSession(clock=clock, hooks=[hear]) as xs:
        first = xs.identity_center("corp")
        assert told == []
        clock.advance(86_400)
        token.write_text(json.dumps({"accessToken": "another", "expiresAt": "2100-01-01T00:00:00Z"}))
        assert xs.identity_center("corp") == first
        assert "the list of the login's accounts is 1 day old, since AWS could not be asked: " in told[0]
        assert "UnauthorizedException" in told[0]
        token.unlink()
        assert xs.identity_center("corp") == first
        assert "aws sso login --profile corp" in told[1]
        with pytest.raises(SourceCredentialsError):
            xs.identity_center("gone")
    assert hosts.url


@pytest.mark.parametrize(
    "value", ["null", "[[1, 2]]", '[["222222222222", "data", 5]]', '[["2", "data", []]]', '[["222222222222", 1, []]]']
)
def test_what_is_no_list_of_accounts_does_not_count(
    hosts: AwsHosts, aws_folder: Path, tmp_path: Path, value: str
) -> None:
    """As if nothing had been kept."""
    assert hosts.url
    with CrossAccountSession() as xs:
        assert xs.identity_center("corp")
        (file,) = (tmp_path / "no-user-config" / "xsession" / "identity-center").iterdir()
        head, _, _ = file.read_text().partition('"value":')
        file.write_text(f'{head}"value":{value}}}')
        (aws_folder / f"{sha1(b'corp').hexdigest()}.json").unlink()  # noqa: S324 # botocore's
        with pytest.raises(SourceCredentialsError):
            xs.identity_center("corp")
