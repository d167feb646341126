"""Sources as accounts use them: who they are, which STS is asked about them, and what is said when they are dead."""

from __future__ import annotations

import gc
import json
import pickle
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from tests.support.aws_hosts import Request, all_hosts, one_host
from tests.support.partitions import skip_unless_known
from tests.support.scripted_sts import refusal
from tests.support.sts_answers import assumed, dead, identity, usual
from xsession import (
    SOURCE,
    Account,
    Accounts,
    CrossAccountSession,
    Role,
    RoleChain,
    SourceCredentialsError,
    XSessionError,
)
from xsession._botocore import SourceSession
from xsession._chain import _sources
from xsession.events import Event, Invalidated
from xsession.refresh import RefreshPolicy

ROLE = "arn:aws:iam::222222222222:role/R"
HUB = "arn:aws:iam::333333333333:role/Hub"
SECRET = "aws_secret_access_key = example"


def keys(**profiles: str) -> str:
    """A credentials file with a key for each profile."""
    return "".join(f"[{name}]\naws_access_key_id = {key_id}\n{SECRET}\n" for name, key_id in profiles.items())


@pytest.fixture
def files(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """AWS's files, and a region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return aws_folder


# A source that was asked for by name


@pytest.mark.parametrize("name", ["default", "team"])
def test_a_source_that_was_asked_for_by_name_stays_that_profile(
    files: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """After its key was rotated, whatever the environment says."""
    gone: set[str] = set()
    with one_host(lambda request: dead() if request.key_id in gone else usual(request)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        (files / "credentials").write_text(keys(**{name: "AKIAFIRST"}, other="AKIAOTHER"))
        monkeypatch.setenv("AWS_PROFILE", "other")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        xs = CrossAccountSession({"v": ROLE, "other": HUB}, profile_name=name)
        xs.get_frozen_credentials("v")
        (files / "credentials").write_text(keys(**{name: "AKIASECOND"}, other="AKIAOTHER"))
        gone.add("AKIAFIRST")
        xs.get_frozen_credentials("other")
        assert [key_id for _, key_id in sts.actions] == ["AKIAFIRST", "AKIAFIRST", "AKIASECOND"]


def test_a_profile_that_lost_its_keys_does_not_become_the_machine(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's credentials come last for every profile, and are somebody else's."""
    machine = {"AccessKeyId": "ASIAMACHINE", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}

    def answer(request: Request) -> tuple[int, str]:
        if not request.action:
            return 200, json.dumps(machine)
        return dead() if request.key_id == "AKIAFIRST" and len(sts.seen) > 1 else usual(request)

    with one_host(answer) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{sts.url}/keys")
        (files / "credentials").write_text(keys(team="AKIAFIRST"))
        xs = CrossAccountSession({"v": ROLE, "other": HUB}, profile_name="team")
        xs.get_frozen_credentials("v")
        (files / "credentials").write_text("[team]\nregion = us-east-1\n")
        with pytest.raises(SourceCredentialsError, match=r"no other key.*profile 'team'"):
            xs.get_frozen_credentials("other")
        assert "ASIAMACHINE" not in {key_id for _, key_id in sts.actions}


def test_a_profile_of_the_last_project_stops_only_who_uses_it(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_PROFILE names no profile: the default source is looked for where an account uses it."""
    monkeypatch.setenv("AWS_PROFILE", "of-the-last-project")
    with one_host(usual) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        role = f"[profile target]\nrole_arn = {ROLE}\nsource_profile = keys\n"
        (files / "config").write_text(f"[profile keys]\naws_access_key_id = AKIAONE\n{SECRET}\n{role}")
        CrossAccountSession(Accounts.from_aws_config()).get_frozen_credentials("target")
        with CrossAccountSession([Account("target", ROLE, source="keys")]) as xs:
            xs.get_frozen_credentials("target")
            copy = pickle.loads(pickle.dumps(xs))
        assert copy.get_frozen_credentials("target").access_key_id
        xs = CrossAccountSession({"target": ROLE})
        with pytest.raises(SourceCredentialsError, match=r"of-the-last-project.*AWS_PROFILE names it"):
            xs.get_client("s3", "target")


def test_a_profile_that_was_asked_for_is_missed_at_once(files: Path) -> None:
    """Where the session is made."""
    (files / "config").write_text("")
    with pytest.raises(SourceCredentialsError, match=r"gone.*list-profiles"):
        CrossAccountSession(profile_name="gone")


# Who it is


class Login:
    """A profile whose process prints the keys of whoever is logged in.

    Args:
        folder: Where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self._keys = folder / "keys.json"
        (folder / "config").write_text(f"[profile p]\nregion = us-east-1\ncredential_process = cat {self._keys}\n")

    def __call__(self, name: str) -> None:
        """Somebody logs in, for a minute, which botocore refreshes at each read."""
        end = f"{datetime.now(UTC) + timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ}"
        made = {"Version": 1, "AccessKeyId": f"AKIA{name}", "SecretAccessKey": "example", "Expiration": end}
        self._keys.write_text(json.dumps(made))


def person(request: Request) -> tuple[int, str]:
    """Bruce has several keys, and so has Bob."""
    if request.action == "GetCallerIdentity":
        name = "bob" if "BOB" in request.key_id else "bruce"
        return 200, identity(f"arn:aws:iam::111111111111:user/{name}")
    return usual(request)


@pytest.mark.parametrize("known", [True, False], ids=["the first keys are good still", "they are dead"])
def test_what_one_person_was_given_is_not_for_the_next(
    files: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Each time that somebody else is logged in; keys that are only newer change nothing."""
    ended: set[str] = set()
    with one_host(lambda request: dead("ExpiredToken") if request.key_id in ended else person(request)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        login = Login(files)
        login("BRUCE")
        xs = CrossAccountSession({"v": ROLE}, profile_name="p")
        served = [xs.get_frozen_credentials("v").access_key_id]
        for name in ("BOB", "BOBAGAIN", "BRUCE2"):
            if not known:
                ended.add("AKIABRUCE")
            login(name)
            xs.whoami()
            served.append(xs.get_frozen_credentials("v").access_key_id)
    assert served[1] == served[2]
    assert len(set(served)) == 3


def test_hooks_hear_of_the_next_person_under_no_lock(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may wait for a thread that uses the same source."""
    ended: list[bool] = []

    def hook(event: Event) -> None:
        if isinstance(event, Invalidated):
            thread = threading.Thread(target=xs.get_frozen_credentials, args=["other"])
            thread.start()
            thread.join(20)
            ended.append(not thread.is_alive())

    with one_host(person) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        login = Login(files)
        login("BRUCE")
        xs = CrossAccountSession({"v": ROLE, "other": HUB}, profile_name="p", hooks=[hook])
        xs.get_frozen_credentials("v")
        login("BOB")
        xs.get_frozen_credentials(Role(HUB, external_id="another-one"))
    assert ended == [True]


def test_newer_keys_of_the_same_person_cost_no_call_where_nothing_is_held(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain use asks nobody who it is."""
    with one_host(person) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        login = Login(files)
        xs = CrossAccountSession({"v": ROLE}, profile_name="p")
        for name in ("BRUCE", "BOB"):
            login(name)
            xs.invalidate()
            xs.get_frozen_credentials("v")
    assert [action for action, _ in sts.actions] == ["AssumeRole", "AssumeRole"]


def test_a_pickled_copy_refuses_another_person_each_time(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after it has worked for the right one."""
    with one_host(person) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        login = Login(files)
        login("BRUCE")
        copy = pickle.loads(pickle.dumps(CrossAccountSession({"v": ROLE}, profile_name="p")))
        copy.get_frozen_credentials("v")
        login("BOB")
        copy.invalidate()
        with pytest.raises(SourceCredentialsError, match=r"user/bob here, and was .*user/bruce"):
            copy.get_frozen_credentials("v")
        login("BRUCE2")
        copy.invalidate()
        assert copy.get_frozen_credentials("v").access_key_id


# Which STS is asked


@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws-cn", "cn-north-1"),
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-eusc", "eusc-de-east-1"),
        ("aws-iso", "us-iso-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
    ],
)
def test_sts_of_the_accounts_own_partition_is_asked(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partition: str, region: str
) -> None:
    """For every identity: whoami, verify, the check of an account id, pickling, diagnosis. No other one knows it."""
    skip_unless_known(partition)

    def answer(request: Request) -> tuple[int, str]:
        if f".{region}." not in request.host:
            return dead()
        if request.action == "GetCallerIdentity":
            return 200, identity(f"arn:{partition}:sts::222222222222:assumed-role/R/x")
        return 200, assumed(request)

    (files / "config").write_text(f"[profile far]\nregion = {region}\n")
    (files / "credentials").write_text(keys(far="AKIAFAR", default="AKIANEAR"))
    role = f"arn:{partition}:iam::222222222222:role/R"
    accounts = [Account("role", role, source="far"), Account("own", source="far", account_id="222222222222")]
    with all_hosts(answer, monkeypatch, tmp_path) as hosts:
        xs = CrossAccountSession(accounts, region_name="us-east-1")
        for name in ("role", "own"):
            xs.get_frozen_credentials(name)
            assert xs.whoami(name).account_id == "222222222222"
            assert xs.diagnose(name).ok
        assert xs.verify().ok
        assert xs._chains._sources.of(xs.accounts["role"]).principal().startswith(f"arn:{partition}:")
        assert {request.host.partition(".")[2].startswith(f"{region}.") for request in hosts.seen} == {True}


def test_a_region_of_sts_that_was_named_is_asked_for_every_identity(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the only one that the network leads to."""
    (files / "credentials").write_text(keys(default="AKIAONE"))
    accounts = [Account("role", Role(ROLE)), Account("own", account_id="111111111111")]
    with all_hosts(usual, monkeypatch, tmp_path) as hosts:
        xs = CrossAccountSession(accounts, sts_region_name="eu-north-1")
        xs.get_frozen_credentials("role")
        for name in ("role", "own", SOURCE):
            xs.whoami(name)
        pickle.dumps(xs)
        assert {request.host for request in hosts.seen} == {"sts.eu-north-1.amazonaws.com"}


def test_a_default_region_of_sts_is_for_the_roles_of_its_partition(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one for many accounts; a role's own counts whatever it says."""
    (files / "credentials").write_text(keys(default="AKIAONE"))
    china = "arn:aws-cn:iam::222222222222:role/R"
    accounts: dict[str, str | Role] = {"near": ROLE, "far": china, "odd": Role(china, sts_region_name="us-west-2")}
    with all_hosts(usual, monkeypatch, tmp_path) as hosts:
        xs = CrossAccountSession(accounts, sts_region_name="eu-north-1")
        for name in accounts:
            xs.get_frozen_credentials(name)
        asked = [request.host for request in hosts.seen if request.action == "AssumeRole"]
    assert asked == [
        "sts.eu-north-1.amazonaws.com",
        "sts.cn-north-1.amazonaws.com.cn",
        "sts.us-west-2.amazonaws.com",
    ]


@pytest.mark.parametrize("how", ["role", "region of the client", "region of the account"])
def test_a_profiles_own_role_is_assumed_where_its_clients_are(
    aws_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """No region is set: as botocore, which asks the STS of the client's region."""
    hub = "arn:aws-cn:iam::333333333333:role/Hub"
    (aws_folder / "config").write_text(f"[profile far]\nrole_arn = {hub}\nsource_profile = keys\n")
    (aws_folder / "credentials").write_text(keys(keys="AKIAFAR"))
    region = "cn-north-1" if how == "region of the account" else None
    chain = "arn:aws-cn:iam::222222222222:role/R" if how == "role" else None
    account = Account("a", chain, source="far", region_name=region)
    with all_hosts(usual, monkeypatch, tmp_path) as hosts:
        xs = CrossAccountSession([account])
        if how == "region of the client":
            xs.get_client("sts", "a", region_name="cn-north-1").get_caller_identity()
        else:
            xs.get_frozen_credentials("a")
        assert {request.host for request in hosts.seen} == {"sts.cn-north-1.amazonaws.com.cn"}


# Static keys


def test_one_key_at_two_endpoints_is_two_sources(files: Path) -> None:
    """Two emulators, whose key is "test": neither account gets the other's credentials."""
    with one_host(usual) as real, one_host(usual) as emulator:
        (files / "config").write_text(
            f"[profile real]\nendpoint_url = {real.url}\n[profile emulator]\nendpoint_url = {emulator.url}\n"
        )
        one, two = (boto3.Session("test", "test", profile_name=name) for name in ("real", "emulator"))
        xs = CrossAccountSession([Account("a", ROLE, source=one), Account("b", ROLE, source=two)], session=one)
        xs.get_frozen_credentials("a")
        xs.get_frozen_credentials("b")
        assert (len(real.seen), len(emulator.seen)) == (1, 1)


BINDING = {"policy": "{}", "policy_arns": "arn:aws:iam::aws:policy/ReadOnlyAccess", "source_identity": "bruce"}


@pytest.mark.parametrize("option", BINDING)
@pytest.mark.parametrize("how", ["profile_name", "source", "AWS_PROFILE", "behind another"])
def test_a_source_is_refused_where_botocore_would_drop_what_narrows_or_binds_it(
    files: Path, monkeypatch: pytest.MonkeyPatch, how: str, option: str
) -> None:
    """It would have more than the profile says; the role of a profile that is an account is assumed by us."""
    (files / "credentials").write_text(keys(base="AKIAFIRST"))
    role = f"role_arn = {HUB}\nsource_profile = base\n{option} = {BINDING[option]}\n"
    (files / "config").write_text(f"[profile hub]\n{role}[profile next]\nrole_arn = {HUB}2\nsource_profile = hub\n")
    name = "next" if how == "behind another" else "hub"
    account = Account("v", ROLE, source=name if how == "source" else None)
    with one_host(usual) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        if how == "AWS_PROFILE":
            monkeypatch.setenv("AWS_PROFILE", name)
        asked: dict[str, Any] = {"profile_name": name} if how in ("profile_name", "behind another") else {}
        xs = CrossAccountSession([account], **asked)
        with pytest.raises(SourceCredentialsError, match=rf"profile 'hub' has {option}, which botocore") as caught:
            xs.get_frozen_credentials("v")
        assert (sts.seen, caught.value.retryable) == ([], False)


def test_keys_that_come_before_a_profiles_role_are_not_refused_for_it(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what a caller's own session makes of it, nor a role that is not assumed."""
    role = f"role_arn = {HUB}\nsource_profile = hub\nsource_identity = bruce\naws_access_key_id = AKIAFIRST\n{SECRET}\n"
    (files / "config").write_text(f"[profile hub]\n{role}[profile next]\nrole_arn = {HUB}2\nsource_profile = hub\n")
    with one_host(usual) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        assert CrossAccountSession(profile_name="next").get_frozen_credentials(SOURCE).access_key_id
        passed = boto3.Session(profile_name="hub")
        assert CrossAccountSession(session=passed).get_frozen_credentials(SOURCE).access_key_id
        monkeypatch.setenv("AWS_PROFILE", "hub")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        assert CrossAccountSession().get_frozen_credentials(SOURCE).access_key_id == "AKIAENV"


# Dead sources


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("InvalidClientTokenId", "no", SourceCredentialsError),
        ("ExpiredToken", "no", SourceCredentialsError),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match", SourceCredentialsError),
        ("SignatureDoesNotMatch", "Signature expired: it is now earlier", XSessionError),
        ("RequestTimeTooSkewed", "no", XSessionError),
        ("InvalidParameterValue", "no", XSessionError),
    ],
)
def test_a_dead_source_says_so_at_once(
    monkeypatch: pytest.MonkeyPatch, code: str, message: str, kind: type[Exception]
) -> None:
    """With the default policy: two calls at most, and no waiting for what does not change by itself."""
    with one_host(lambda _request: dead(code, message)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        session = boto3.Session("AKIAONE", "s", region_name="us-east-1")
        xs, began = CrossAccountSession({"v": ROLE}, session=session), time.monotonic()
        with pytest.raises(kind) as caught:
            xs.get_frozen_credentials("v")
    error: Any = caught.value
    assert time.monotonic() - began < 3
    assert len(sts.seen) <= 2
    assert (error.code, error.retryable) == (code, False)


GONE = {
    "[other]\naws_access_key_id = A\naws_secret_access_key = s\n": "team",
    "[team]\naws_access_key_id = AKIASECOND\n": "aws_secret_access_key",
    "[team]\ncredential_process = sh -c 'echo Login required >&2; exit 1'\n": "Login required",
}


@pytest.mark.parametrize(("text", "reason"), GONE.items())
def test_a_refused_source_that_can_not_be_read_again_says_both(
    files: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    """What STS said first, and why there is no other key."""
    gone: set[str] = set()
    with one_host(lambda request: dead("ExpiredToken") if request.key_id in gone else usual(request)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        (files / "credentials").write_text(keys(team="AKIAFIRST"))
        xs = CrossAccountSession({"v": ROLE}, profile_name="team")
        xs.get_frozen_credentials("v")
        (files / "credentials").write_text(text)
        gone.add("AKIAFIRST")
        xs.invalidate()
        with pytest.raises(SourceCredentialsError, match=rf"ExpiredToken.*no other key.*{reason}") as caught:
            xs.get_frozen_credentials("v")
    error = caught.value
    assert (error.code, error.hop, error.retryable, error.account) == ("ExpiredToken", 0, False, "v")


@pytest.mark.parametrize("text", GONE)
def test_an_account_without_a_role_gets_awss_own_answer(
    files: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Where its source can't be read any more."""
    gone: set[str] = set()

    def answer(request: Request) -> tuple[int, str]:
        if request.key_id in gone:
            return 400, refusal("ExpiredToken")
        return usual(request)

    with one_host(answer) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
        (files / "credentials").write_text(keys(team="ASIAFIRST"))
        sts = CrossAccountSession([Account("team", source="team")]).get_client("sts", account="team")
        sts.get_caller_identity()
        (files / "credentials").write_text(text)
        gone.add("ASIAFIRST")
        with pytest.raises(ClientError, match="ExpiredToken"):
            sts.get_caller_identity()


def test_a_process_that_needs_a_person_is_run_once(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the error has its words."""
    with one_host(usual) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        process = f"sh -c \"echo x >> {files}/ran; echo 'Login required: run corp-login' >&2; exit 1\""
        role = f"[profile target]\nrole_arn = {ROLE}\nsource_profile = team\n"
        (files / "config").write_text(f"[profile team]\ncredential_process = {process}\n{role}")
        with pytest.raises(SourceCredentialsError, match="run corp-login") as caught:
            CrossAccountSession(Accounts.from_aws_config()).get_frozen_credentials("target")
        assert sts.seen == []
    assert not caught.value.retryable
    assert caught.value.hop == 0
    assert (files / "ran").read_text().count("x") == 1


def test_who_waits_for_a_source_is_known_to_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that STS is not blamed where a process takes long."""
    with one_host(usual) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        session: Any = boto3.Session(region_name="us-east-1")
        began, goes_on = threading.Event(), threading.Event()

        class Slow:
            def get_frozen_credentials(self) -> ReadOnlyCredentials:
                began.set()
                goes_on.wait(30)
                return ReadOnlyCredentials("AKIAONE", "s", None)

        session._session._credentials = Slow()
        xs = CrossAccountSession({"v": RoleChain(HUB, ROLE)}, session=session)
        cells = xs._resolve(xs.accounts["v"]).cells
        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(xs.get_frozen_credentials, "v")
            assert began.wait(30)
            assert [cell.awaits_source for cell in cells] == [True, True]
            goes_on.set()
            assert reader.result().access_key_id
        assert [cell.awaits_source for cell in cells] == [False, False]


def test_keys_that_sts_issued_a_moment_ago_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not known everywhere yet: the hub is assumed once, and asked for the next hop again."""
    early = [2]

    def answer(request: Request) -> tuple[int, str]:
        if request.form.get("RoleArn") == ROLE and early[0]:
            early[0] -= 1
            return dead()
        return usual(request)

    with one_host(answer) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        session = boto3.Session("AKIAONE", "s", region_name="us-east-1")
        xs = CrossAccountSession({"deep": RoleChain(HUB, ROLE)}, session=session)
        assert xs.get_frozen_credentials("deep").access_key_id
        assert [request.form["RoleArn"] for request in sts.seen] == [HUB, ROLE, ROLE, ROLE]


def test_a_shared_hub_is_kept_while_one_account_behind_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was assumed a moment ago, and works for another."""
    bad = "arn:aws:iam::222222222222:role/Bad"
    with one_host(lambda request: dead() if request.form.get("RoleArn") == bad else usual(request)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        session = boto3.Session("AKIAONE", "s", region_name="us-east-1")
        accounts = {"good": RoleChain(HUB, ROLE), "bad": RoleChain(HUB, bad)}
        xs = CrossAccountSession(accounts, session=session, refresh=RefreshPolicy(patience=1))
        good = xs.get_frozen_credentials("good")
        with pytest.raises(XSessionError):
            xs.get_frozen_credentials("bad")
        assert [request.form["RoleArn"] for request in sts.seen].count(HUB) == 1
        assert xs.get_frozen_credentials("good").access_key_id == good.access_key_id


# A source that becomes another one


def test_what_the_one_before_asked_for_is_not_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was on its way when the source turned out to be somebody else."""
    asked, goes_on = threading.Event(), threading.Event()

    class Login:
        key = "AKIAALICE"

        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            return ReadOnlyCredentials(self.key, "s", None)

    def answer(request: Request) -> tuple[int, str]:
        if request.form.get("RoleArn") == ROLE and request.key_id == "AKIAALICE":
            asked.set()
            goes_on.wait(30)
        return usual(request)

    with one_host(answer) as sts, ThreadPoolExecutor(1) as pool:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        session: Any = boto3.Session("AKIAONE", "s", region_name="us-east-1")
        session._session._credentials = login = Login()
        with CrossAccountSession({"slow": ROLE, "other": HUB}, session=session) as xs:
            reader = pool.submit(xs.get_frozen_credentials, "slow")
            try:
                assert asked.wait(30)
                login.key = "AKIABOB"
                xs.get_frozen_credentials("other")
            finally:
                goes_on.set()
            assert reader.result() == xs.get_frozen_credentials("slow")
        signed = [request.key_id for request in sts.seen if request.form.get("RoleArn") == ROLE]
        assert signed == ["AKIAALICE", "AKIABOB"]


def test_a_signal_handler_may_come_in_while_a_source_is_made(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It uses an account of the very same source, and there is one of that."""
    (files / "credentials").write_text(keys(team="AKIATEAM"))
    accounts = [Account("v", ROLE, source="team"), Account("other", HUB, source="team")]
    xs = CrossAccountSession(accounts, session=boto3.Session("AKIAONE", "s", region_name="us-east-1"))
    found: list[object] = []

    def interrupted(*args: Any, **options: Any) -> SourceSession:
        if not found:
            found.append(None)
            found.append(xs._chains._sources.of(accounts[1]))
        return SourceSession(*args, **options)

    monkeypatch.setattr(_sources, "SourceSession", interrupted)
    main = threading.Thread(target=lambda: found.append(xs._chains._sources.of(accounts[0])), daemon=True)
    main.start()
    main.join(10)
    assert (len(found), found[1]) == (3, found[-1])


# Sessions that callers pass


def test_a_passing_source_is_held_by_what_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each request or tenant does not add up; who has a client keeps working, and shares its credentials."""
    monkeypatch.setattr("xsession._account_sessions._MAX_PASSING", 2)
    with one_host(usual) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        xs = CrossAccountSession({}, session=boto3.Session("AKIAONE", "s", region_name="us-east-1"), max_clients=2)
        kept = Account("kept", ROLE, source=boto3.Session("AKIAKEPT", "s", region_name="us-east-1"))
        client = xs[kept].client("sts")
        client.get_caller_identity()
        held = []
        for number in range(6):
            session = boto3.Session(f"AKIA{number}", "s", region_name="us-east-1")
            xs.get_client("sts", account=Account(f"tenant{number}", ROLE, source=session)).get_caller_identity()
            held.append(weakref.ref(session))
            del session
        gc.collect()
        assert [one() is not None for one in held] == [False, False, False, False, True, True]
        calls = len(sts.seen)
        assert xs.get_frozen_credentials(kept).access_key_id
        assert len(sts.seen) == calls
        xs.invalidate()
        client.get_caller_identity()
        assert [action for action, _ in sts.actions[calls:]] == ["AssumeRole", "GetCallerIdentity"]


def test_a_registered_accounts_own_session_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the account is registered, with its credentials."""
    monkeypatch.setattr("xsession._account_sessions._MAX_PASSING", 1)
    with one_host(usual) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        sources = [boto3.Session(f"AKIA{number}", "s", region_name="us-east-1") for number in range(3)]
        accounts = [Account(f"a{number}", ROLE, source=source) for number, source in enumerate(sources)]
        xs = CrossAccountSession(accounts, session=sources[0])
        for _ in range(2):
            for account in accounts:
                xs.get_frozen_credentials(account.name)
        assert len(sts.seen) == 3
