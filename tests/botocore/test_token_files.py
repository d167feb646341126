"""Token files of sources that botocore runs: a FIFO, a device or a huge file holds up nobody."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest

from tests.support.aws_hosts import Request, one_host
from tests.support.cells import attempted
from tests.support.scripted_sts import ScriptedSTS, answer, scripted_sts
from xsession import Accounts, CrossAccountSession, SourceCredentialsError
from xsession._botocore._source_session import SourceSession
from xsession._botocore._token_files import MAX_TOKEN_CHARACTERS

ROLE = "arn:aws:iam::222222222222:role/R"
TOKEN = "eyJhbGciOi.token-of-the-pod.c2ln"


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedSTS]:
    """An STS that takes any token."""
    with scripted_sts() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        body = answer(Expiration="2100-01-01T00:00:00Z")
        server.body = body.replace("AssumeRoleRe", "AssumeRoleWithWebIdentityRe")
        yield server


def wrong(path: Path, kind: str) -> str:
    """Makes what is no token file; its path."""
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "huge":
        path.write_bytes(b"x" * (MAX_TOKEN_CHARACTERS + 1_001))
    elif kind == "device":
        return "/dev/zero"
    elif kind == "folder":
        path.mkdir()
    return str(path)


def told(call: Callable[[], object]) -> str:
    """The error of a call, in a thread that may hang."""
    errors: list[SourceCredentialsError] = []

    def attempt() -> None:
        with pytest.raises(SourceCredentialsError) as caught:
            call()
        errors.append(caught.value)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert not errors[0].retryable
    return str(errors[0])


def by_name(_folder: Path) -> SourceSession:
    """A profile that was asked for."""
    return SourceSession("web")


def by_environment(folder: Path) -> SourceSession:
    """The variables of EKS."""
    os.environ.update(AWS_WEB_IDENTITY_TOKEN_FILE=(folder / "path").read_text(), AWS_ROLE_ARN=ROLE)
    return SourceSession()


def behind_a_role(_folder: Path) -> SourceSession:
    """A profile whose role is assumed by the web identity."""
    return SourceSession("behind")


def passed(_folder: Path) -> SourceSession:
    """A session of a caller's, which has looked for its credentials before."""
    session = boto3.Session(profile_name="web")
    session.get_credentials()
    return SourceSession(session)


def of_an_account(_folder: Path) -> Any:
    """The source of a profile that is an account."""
    return SourceSession(Accounts.from_aws_config()["web"].source)


WAYS = [by_name, by_environment, behind_a_role, passed, of_an_account]


@pytest.fixture
def folder(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the files; the environment is put back."""
    for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return aws_folder


def configure(folder: Path, token_file: str) -> None:
    """Has a profile name the file."""
    (folder / "path").write_text(token_file)
    (folder / "config").write_text(
        f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = {token_file}\n"
        f"[profile behind]\nrole_arn = {ROLE}\nsource_profile = web\n"
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_token_is_read_as_before(sts: ScriptedSTS, folder: Path, way: Callable[[Path], SourceSession]) -> None:
    """By whoever the files and the environment name, and again for the next credentials."""
    (folder / "token").write_text(f"{TOKEN}\n")
    configure(folder, str(folder / "token"))
    assert attempted(way(folder).frozen) is not None
    (form, *_rest) = [parse_qs(form) for form, _ in sts.requests]
    assert (form["RoleArn"], form["WebIdentityToken"]) == ([ROLE], [TOKEN])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs")
@pytest.mark.parametrize("way", WAYS)
def test_a_fifo_holds_up_nobody(sts: ScriptedSTS, folder: Path, way: Callable[[Path], SourceSession]) -> None:
    """botocore would open it, and wait for its other end."""
    configure(folder, wrong(folder / "token", "FIFO"))
    assert "a FIFO, and no regular file" in told(way(folder).frozen)
    assert sts.requests == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such devices")
@pytest.mark.parametrize(
    ("kind", "words"),
    [("device", "a device"), ("huge", "more than"), ("folder", "directory"), ("nothing", "No such file")],
)
def test_what_is_no_token_file_is_refused(sts: ScriptedSTS, folder: Path, kind: str, words: str) -> None:
    """In words, by the session."""
    configure(folder, wrong(folder / "token", kind))
    xs = CrossAccountSession({"v": "arn:aws:iam::333333333333:role/Other"}, profile_name="web")
    message = told(lambda: xs.get_frozen_credentials("v"))
    assert words in message
    assert "web identity token" in message
    assert sts.requests == []


KEYS = {"AccessKeyId": "ASIAPOD", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}


@pytest.mark.parametrize("kind", ["right", "none", "FIFO", "device", "two lines"])
def test_the_token_file_of_a_container_is_a_regular_one_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """That of EKS Pod Identity."""

    def keys(_request: Request) -> tuple[int, str]:
        return 200, json.dumps(KEYS)

    path = wrong(folder / "token", kind)
    if kind in {"right", "two lines"}:
        (folder / "token").write_text(f"{TOKEN}\n" if kind == "right" else f"{TOKEN}\nand: more\n")
    with one_host(keys) as endpoint:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{endpoint.url}/keys")
        if kind == "none":
            monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN)
        else:
            monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path)
        source = SourceSession()
        if kind in {"right", "none"}:
            assert source.frozen().access_key == "ASIAPOD"
            assert [request.headers["Authorization"] for request in endpoint.seen] == [TOKEN]
        else:
            assert "the token of the container" in told(source.frozen)
            assert endpoint.seen == []
