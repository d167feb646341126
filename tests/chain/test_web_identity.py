from __future__ import annotations

import logging
import os
import pickle
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest

from tests.support.scripted_sts import ScriptedSTS, answer, refusal, scripted_sts
from tests.support.worlds import HUB, VEGETA, World, who
from xsession import (
    AssumeRoleError,
    ConfigError,
    CrossAccountSession,
    InvalidRoleError,
    RefreshPolicy,
    Role,
    RoleChain,
    SourceCredentialsError,
    WrongAccountError,
    XSessionError,
)
from xsession.events import RefreshFailed
from xsession.policies import allow, trust
from xsession.testing import EventCapture, FakeClock

ROLE = "arn:aws:iam::222222222222:role/R"
TOKEN = "eyJhbGciOi.token-of-the-pod.c2ln"
NEW_YEAR = 1_767_225_600.0
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:sts::222222222222:assumed-role/R/name</Arn><UserId>id</UserId><Account>222222222222</Account>"
    "</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedSTS]:
    """An STS that takes any token; no credentials anywhere."""
    with scripted_sts() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        server.body = web_answer()
        server.date = NEW_YEAR
        yield server


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """The file of a pod's token, with a line's end as kubelets and people leave one."""
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def web_answer(**changes: str | None) -> str:
    """The XML of AssumeRoleWithWebIdentity's answer."""
    return answer(**changes).replace("AssumeRoleRe", "AssumeRoleWithWebIdentityRe")


def forms(sts: ScriptedSTS) -> list[dict[str, str]]:
    """The parameters of the requests so far."""
    return [{name: values[0] for name, values in parse_qs(form).items()} for form, _ in sts.requests]


def session(role: Any, **options: Any) -> CrossAccountSession:
    """A session that knows that role as "vegeta"."""
    options.setdefault("clock", FakeClock(NEW_YEAR))
    return CrossAccountSession({"vegeta": role}, **options)


def test_a_role_is_assumed_with_the_token_of_a_file(sts: ScriptedSTS, token_file: Path) -> None:
    """Unsigned, and without any other credentials."""
    with session(Role(ROLE, web_identity_token_file=token_file, role_session_name="pod")) as xs:
        assert xs.get_frozen_credentials("vegeta").access_key_id == "ASIAEXAMPLE"
    (form,) = forms(sts)
    assert form["Action"] == "AssumeRoleWithWebIdentity"
    assert (form["RoleArn"], form["RoleSessionName"], form["WebIdentityToken"]) == (ROLE, "pod", TOKEN)
    assert sts.requests[0][1] == ""


def test_what_the_call_takes_is_sent(sts: ScriptedSTS, token_file: Path) -> None:
    """Duration and session policies; a first hop may live twelve hours."""
    role = Role(
        ROLE,
        web_identity_token_file=str(token_file),
        duration_seconds=43_200,
        policy=allow("s3:GetObject"),
        policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    )
    sts.body = web_answer(Expiration="2026-01-01T12:00:00Z")
    with session(role) as xs:
        assert xs.get_frozen_credentials("vegeta").lifetime == pytest.approx(43_200, abs=1)
    (form,) = forms(sts)
    assert form["DurationSeconds"] == "43200"
    assert form["PolicyArns.member.1.arn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert "s3:GetObject" in form["Policy"]


def test_defaults_that_the_call_does_not_take_are_left_out(sts: ScriptedSTS, token_file: Path) -> None:
    """They are for accounts that are reached with credentials."""
    defaults: dict[str, Any] = {
        "tags": {"team": "bats"},
        "source_identity": "bruce",
        "mfa_serial": "arn:aws:iam::111111111111:mfa/bruce",
        "role_session_name": "{account}-x",
    }
    with session(Role(ROLE, web_identity_token_file=token_file), **defaults) as xs:
        xs.get_frozen_credentials("vegeta")
    (form,) = forms(sts)
    assert form.keys() == {"Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken"}
    assert form["RoleSessionName"] == "vegeta-x"


def test_the_file_is_read_anew_at_each_refresh(sts: ScriptedSTS, token_file: Path) -> None:
    """Kubernetes replaces it every hour."""
    with session(Role(ROLE, web_identity_token_file=token_file)) as xs:
        xs.get_frozen_credentials("vegeta")
        token_file.write_text("the-next-token")
        xs.invalidate()
        xs.get_frozen_credentials("vegeta")
    assert [form["WebIdentityToken"] for form in forms(sts)] == [TOKEN, "the-next-token"]


def test_a_function_may_give_the_token(sts: ScriptedSTS) -> None:
    """Asked at each refresh."""
    tokens = iter(["first-token", "second-token"])
    with session(Role(ROLE, web_identity_token=lambda: next(tokens))) as xs:
        xs.get_frozen_credentials("vegeta")
        xs.invalidate()
        xs.get_frozen_credentials("vegeta")
    assert [form["WebIdentityToken"] for form in forms(sts)] == ["first-token", "second-token"]


def test_the_next_hops_are_chained(sts: ScriptedSTS, token_file: Path) -> None:
    """Signed with the first one's credentials; an hour at most."""
    chain = RoleChain(
        Role("arn:aws:iam::222222222222:role/Hub", web_identity_token_file=token_file),
        Role(ROLE, tags={"team": "bats"}),
    )
    bodies = iter([web_answer(), answer()])

    def next_answer() -> None:
        sts.body = next(bodies)

    sts.before = next_answer
    with session(chain, duration_seconds=7_200, refresh=RefreshPolicy(patience=1)) as xs:
        xs.get_frozen_credentials("vegeta")
    first, second = forms(sts)
    assert (first["DurationSeconds"], second["DurationSeconds"]) == ("7200", "3600")
    assert second["Action"] == "AssumeRole"
    assert "Credential=ASIAEXAMPLE/" in sts.requests[1][1]


# Tokens that are not valid


@pytest.mark.parametrize("code", ["IDPRejectedClaim", "InvalidIdentityToken", "ExpiredTokenException"])
def test_a_rejected_token_is_read_once_more(sts: ScriptedSTS, token_file: Path, code: str) -> None:
    """It may have been replaced in this very moment."""
    sts.status, sts.body = 400, refusal(code)

    def replaced() -> None:
        if len(sts.requests) == 1:
            token_file.write_text("the-next-token")
        else:
            sts.status, sts.body = 200, web_answer()

    sts.before = replaced
    with session(Role(ROLE, web_identity_token_file=token_file)) as xs:
        assert xs.get_frozen_credentials("vegeta").access_key_id == "ASIAEXAMPLE"
    assert [form["WebIdentityToken"] for form in forms(sts)] == [TOKEN, "the-next-token"]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("IDPRejectedClaim", "fresh one"),
        ("InvalidIdentityToken", "OIDC provider"),
        ("AccessDenied", "sts:AssumeRoleWithWebIdentity"),
        ("MalformedPolicyDocument", "policy="),
    ],
)
def test_a_refusal_that_stays_costs_one_call(sts: ScriptedSTS, token_file: Path, code: str, hint: str) -> None:
    """The same token would be refused again."""
    sts.status, sts.body = 403, refusal(code)
    with session(Role(ROLE, web_identity_token_file=token_file)) as xs, pytest.raises(AssumeRoleError) as caught:
        xs.get_frozen_credentials("vegeta")
    assert (caught.value.account, caught.value.hop, caught.value.code) == ("vegeta", 1, code)
    assert hint in str(caught.value.hint)
    assert len(sts.requests) == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("IDPCommunicationError", "no"),
        ("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider"),
    ],
)
def test_an_issuer_that_can_not_be_reached_is_tried_again(
    sts: ScriptedSTS, token_file: Path, code: str, message: str
) -> None:
    """STS could not fetch its keys; that goes away."""
    sts.status, sts.body, sts.date = 400, refusal(code, message), None
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)

    def recovers() -> None:
        if len(sts.requests) > 3:
            sts.status, sts.body = 200, web_answer(Expiration=f"{in_an_hour:%Y-%m-%dT%H:%M:%SZ}")

    sts.before = recovers
    with session(Role(ROLE, web_identity_token_file=token_file), clock=None) as xs:
        assert xs.get_frozen_credentials("vegeta").access_key_id == "ASIAEXAMPLE"
    assert len(sts.requests) == 4


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file"),
        (b"", "it has 0 characters"),
        (b" abc\n", "it has 3 characters"),
        (b"x" * 20_001, "it has 20001 characters"),
        (b"\xff\xfe\x00secret", "other characters than a token's"),
        (b"x" * 30_000, "the file has more than 21000 bytes, and STS takes 20000"),
    ],
)
def test_a_file_without_a_token_is_refused_before_the_network(
    sts: ScriptedSTS, token_file: Path, content: bytes | None, problem: str
) -> None:
    """With the path, and nothing of what is in it."""
    token_file.unlink() if content is None else token_file.write_bytes(content)
    with session(Role(ROLE, web_identity_token_file=token_file)) as xs, pytest.raises(SourceCredentialsError) as caught:
        xs.get_frozen_credentials("vegeta")
    assert problem in str(caught.value)
    assert str(token_file) in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    assert sts.requests == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
@pytest.mark.parametrize(
    ("kind", "problem"),
    [("fifo", "it is a FIFO, and no regular"), ("/dev/zero", "it is a device, and"), ("folder", "Is a directory")],
)
def test_a_token_file_is_a_regular_one(sts: ScriptedSTS, tmp_path: Path, kind: str, problem: str) -> None:
    """Whatever has no end, or nobody at its other end, is refused at once."""
    path = tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with session(Role(ROLE, web_identity_token_file=path)) as xs, pytest.raises(SourceCredentialsError) as caught:
        xs.get_frozen_credentials("vegeta")
    assert f"the file can't be read: {problem}" in str(caught.value)
    assert not caught.value.retryable
    assert sts.requests == []


def test_a_token_file_may_be_a_link(sts: ScriptedSTS, token_file: Path) -> None:
    """As Kubernetes makes it."""
    link = token_file.with_name("link")
    link.symlink_to(token_file)
    with session(Role(ROLE, web_identity_token_file=link)) as xs:
        xs.get_frozen_credentials("vegeta")
    assert [form["WebIdentityToken"] for form in forms(sts)] == [TOKEN]


def _fails() -> str:
    msg = "secret-in-an-exception"
    raise LookupError(msg)


def _refuses() -> str:
    msg = "ask somebody else"
    raise ConfigError(msg)


@pytest.mark.parametrize(
    ("function", "kind", "problem"),
    [
        (_fails, SourceCredentialsError, "the function failed: LookupError"),
        (lambda: None, SourceCredentialsError, "returned NoneType"),
        (lambda: b"token", SourceCredentialsError, "returned bytes"),
        (_refuses, ConfigError, "ask somebody else"),
    ],
)
def test_a_function_that_gives_no_token_is_an_error(
    sts: ScriptedSTS, function: Callable[[], Any], kind: type[XSessionError], problem: str
) -> None:
    """Its own exceptions may hold a secret."""
    xs = session(Role(ROLE, web_identity_token=function), refresh=RefreshPolicy(patience=0.1), clock=None)
    with xs, pytest.raises(kind) as caught:
        xs.get_frozen_credentials("vegeta")
    assert problem in str(caught.value)
    assert (caught.value.account, caught.value.hop) == ("vegeta", 1)
    assert "secret-in" not in "".join(traceback.format_exception(caught.value))
    assert sts.requests == []


def test_credentials_of_another_account_are_not_handed_out(sts: ScriptedSTS, token_file: Path) -> None:
    """As with AssumeRole."""
    sts.body = web_answer(Arn="arn:aws:sts::999999999999:assumed-role/R/name")
    with session(Role(ROLE, web_identity_token_file=token_file)) as xs, pytest.raises(WrongAccountError):
        xs.get_frozen_credentials("vegeta")


@pytest.mark.usefixtures("sts")
def test_while_credentials_are_held_a_bad_token_harms_nobody(token_file: Path) -> None:
    """They are good to their end; the failure is an event."""
    events, clock = EventCapture(), FakeClock(NEW_YEAR)
    with session(Role(ROLE, web_identity_token_file=token_file), hooks=[events], clock=clock) as xs:
        held = xs.get_frozen_credentials("vegeta")
        xs.get_frozen_credentials("vegeta")
        token_file.unlink()
        clock.advance(3_300)
        assert xs.get_frozen_credentials("vegeta") == held
        assert "can't be read" in events.wait_for(RefreshFailed).message


# Secrets


def test_the_token_is_in_no_log_and_in_no_error(
    sts: ScriptedSTS, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """STS quotes the value that it refuses."""
    sts.status, sts.body = 400, refusal("ValidationError", f"Value '{TOKEN}' at 'webIdentityToken' is invalid")
    role = Role(ROLE, web_identity_token_file=token_file)
    with caplog.at_level(logging.DEBUG), session(role) as xs, pytest.raises(XSessionError) as caught:
        xs.get_frozen_credentials("vegeta")
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(role)
    assert "token-of-the-pod" not in shown
    assert "****" in str(caught.value)


def test_a_token_passed_as_the_path_or_the_function_is_not_shown() -> None:
    """The mistake is near."""
    for option in ("web_identity_token", "web_identity_token_file"):
        mistaken: dict[str, Any] = {option: f"{TOKEN}\0"}
        with pytest.raises(InvalidRoleError, match=option) as caught:
            Role(ROLE, **mistaken)
        assert TOKEN not in str(caught.value)


# Keys and pickles


def test_another_token_is_another_source(sts: ScriptedSTS, token_file: Path, tmp_path: Path) -> None:
    """Credentials had with one are not for the other; the same file or function is the same source."""
    other = tmp_path / "other"
    other.write_text("the-other-token")

    def first() -> str:
        return "the-first-function"

    def second() -> str:
        return "the-second-function"

    roles = [
        Role(ROLE, web_identity_token_file=token_file),
        Role(ROLE, web_identity_token_file=str(token_file)),
        Role(ROLE, web_identity_token_file=other),
        Role(ROLE, web_identity_token=first),
        Role(ROLE, web_identity_token=first, role_session_name=None),
        Role(ROLE, web_identity_token=second),
    ]
    with CrossAccountSession(
        {f"a{number}": role for number, role in enumerate(roles)}, clock=FakeClock(NEW_YEAR)
    ) as xs:
        assert xs.warm(max_workers=1).ok
    tokens = [form["WebIdentityToken"] for form in forms(sts)]
    assert tokens == [TOKEN, "the-other-token", "the-first-function", "the-second-function"]


def test_a_function_keeps_its_name_only_while_it_is_held(sts: ScriptedSTS) -> None:
    """One that takes the place of another in memory never gets what that one was given."""
    with session(Role(ROLE, web_identity_token=lambda: "token")) as xs:
        chains = xs._chains
        source = chains._sources.of(xs.accounts.find("vegeta"))
        functions = [Role(ROLE, web_identity_token=partial(str, number)) for number in range(50)]
        names = {chains._parent_key(role, "source", source) for role in functions}
        assert len(names) == 50
        assert chains._parent_key(functions[0], "source", source) in names
        with chains._lock:
            chains.after_fork()
        assert chains._parent_key(functions[0], "source", source) not in names
        assert chains._parent_key(Role(ROLE), "source", source) == "source"
    assert sts.requests == []


def test_a_path_travels_in_a_pickle_and_a_function_does_not(token_file: Path) -> None:
    """The function belongs to this process."""
    role = Role(ROLE, web_identity_token_file=token_file)
    assert pickle.loads(pickle.dumps(role)) == role
    with pytest.raises(TypeError, match="web_identity_token="):
        pickle.dumps(Role(ROLE, web_identity_token=_fails))
    xs = CrossAccountSession({"vegeta": Role(ROLE, web_identity_token=_fails)})
    with xs, pytest.raises(TypeError, match="web_identity_token="):
        pickle.dumps(xs)


def test_a_session_without_any_source_is_pickled(sts: ScriptedSTS, token_file: Path) -> None:
    """A copy where there is a source all of a sudden does not use it."""
    with session(Role(ROLE, web_identity_token_file=token_file), clock=None) as xs:
        pickled = pickle.dumps(xs)
    assert sts.requests == []
    copy = pickle.loads(pickled)
    copy.close()


def test_a_source_that_is_broken_is_not_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Then its identity can't be known, and the session is not pickled."""
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIAEXAMPLE\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with CrossAccountSession({"vegeta": ROLE}) as xs, pytest.raises(SourceCredentialsError, match="Partial"):
        pickle.dumps(xs)


def test_a_copy_with_a_source_where_there_was_none_refuses_to_work(
    sts: ScriptedSTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No identity differs from any that is found there."""
    with CrossAccountSession({"vegeta": ROLE}) as xs:
        pickled = pickle.dumps(xs)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    sts.body = IDENTITY
    with pickle.loads(pickled) as copy, pytest.raises(SourceCredentialsError, match="was nobody"):
        copy.get_frozen_credentials("vegeta")


def test_a_source_is_not_asked_for(sts: ScriptedSTS, token_file: Path) -> None:
    """One that is there signs nothing of it."""
    source = boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1")
    with session(Role(ROLE, web_identity_token_file=token_file), session=source) as xs:
        xs.get_frozen_credentials("vegeta")
    assert sts.requests[0][1] == ""


def test_a_client_asks_with_what_it_got(sts: ScriptedSTS, token_file: Path) -> None:
    """The credentials are the account's."""
    with session(Role(ROLE, web_identity_token_file=token_file)) as xs:
        client = xs.get_client("sts", "vegeta", region_name="eu-west-1")
        xs.warm()
        sts.body = IDENTITY
        assert who(client) == "222222222222"
    assert "Credential=ASIAEXAMPLE/" in sts.requests[1][1]


# On a local AWS with rules of its own


ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/CAVE"
POD = "system:serviceaccount:cave:computer"


def cluster_role(world: World, **role: Any) -> str:
    """A role of Vegeta's that one service account of Batman's cluster may assume."""
    trusted = trust(world.vegeta.oidc_provider(ISSUER), subject=POD)
    return world.vegeta.role("FromTheCluster", trusts=trusted, **role)


def test_a_pods_token_opens_a_role_and_what_is_behind_it(world: World, token_file: Path) -> None:
    """Twelve hours for the first role, one for the next; both without any source."""
    hub = cluster_role(world, max_session_duration=43_200)
    token_file.write_text(world.aws.web_identity_token(ISSUER, POD))
    first = Role(hub, web_identity_token_file=token_file)
    last = world.hub.role("Behind", trusts=hub)
    accounts = {"first": first, "deep": RoleChain(first, last)}
    xs = world.session(accounts, session=world.aws.session(), duration_seconds=43_200)
    assert [xs.get_frozen_credentials(name).lifetime for name in accounts] == pytest.approx([43_200, 3_600], abs=1)
    assert who(xs.get_client("sts", "deep")) == HUB
    assert world.aws.count("AssumeRoleWithWebIdentity") == 1


def test_somebody_elses_token_is_refused(world: World, token_file: Path) -> None:
    """With a hint about what the trust policy must say."""
    role = Role(cluster_role(world), web_identity_token_file=token_file)
    token_file.write_text(world.aws.web_identity_token(ISSUER, "system:serviceaccount:joker:laugh"))
    with pytest.raises(AssumeRoleError, match="AccessDenied") as caught:
        world.session({"vegeta": role}, session=world.aws.session()).get_frozen_credentials("vegeta")
    assert "audience (aud) and subject (sub)" in str(caught.value.hint)


def test_a_token_that_has_ended_is_replaced_by_the_one_that_came_meanwhile(world: World) -> None:
    """The function is asked once more."""
    tokens = iter([world.aws.web_identity_token(ISSUER, POD, seconds=seconds) for seconds in (-60, 60)])
    xs = world.session({"vegeta": Role(cluster_role(world), web_identity_token=lambda: next(tokens))})
    assert xs.get_frozen_credentials("vegeta").account_id == VEGETA
