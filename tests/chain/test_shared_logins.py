"""Logins of the AWS CLI, whose refresh token is good once: two processes that use it at once would lose the login."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.command_line import COMMAND
from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession.credentials import Credentials

SESSION = "corp"
Answer: TypeAlias = tuple[int, str | None, dict[str, Any]]
"""The status, the kind of the error, the document."""


class RefreshTokens:
    """As strict as AWS's: a refresh token is good once, and what it was exchanged for is the next."""

    def __init__(self) -> None:
        self.exchanged: list[str] = []
        self._next = "refresh-0"
        self._lock = threading.Lock()
        # Two that come at once are both there before the first one is answered.
        self._barrier = threading.Barrier(2)

    def exchange(self, token: str) -> int | None:
        """The number of the exchange; None: the token is not the next one."""
        try:
            self._barrier.wait(0.5)
        except threading.BrokenBarrierError:
            self._barrier.reset()
        with self._lock:
            self.exchanged.append(token)
            if token != self._next:
                return None
            count = len(self.exchanged)
            self._next = f"refresh-{count}"
            return count


class IdentityCenter:
    """IAM Identity Center: the OIDC service and the portal.

    Args:
        credentials: What its permission set hands out.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.tokens = RefreshTokens()
        self._access_token = ""
        self._credentials = credentials

    def post(self, document: dict[str, Any], _headers: Message) -> Answer:
        """CreateToken of its OIDC service."""
        count = self.tokens.exchange(document["refreshToken"])
        if count is None:
            return 400, "InvalidGrantException", {"error": "invalid_grant", "error_description": "it was used before"}
        self._access_token = f"access-{count}"
        return 200, None, {
            "accessToken": self._access_token,
            "expiresIn": 3_600,
            "refreshToken": f"refresh-{count}",
            "tokenType": "Bearer",
        }  # fmt: skip

    def get(self, headers: Message) -> Answer:
        """GetRoleCredentials of its portal."""
        token = headers["x-amz-sso_bearer_token"]
        if not token or token != self._access_token:
            return 401, "UnauthorizedException", {"message": "Session token not found or invalid"}
        expiry = self._credentials.expiry
        assert expiry is not None
        return 200, None, {
            "roleCredentials": {**keys_of(self._credentials), "expiration": int(expiry.timestamp() * 1_000)}
        }  # fmt: skip


class SignIn:
    """AWS's sign-in service, which `aws login` has its credentials of.

    Args:
        credentials: What it hands out.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.tokens = RefreshTokens()
        self.proofs: set[str] = set()
        self._credentials = credentials

    def post(self, document: dict[str, Any], headers: Message) -> Answer:
        """CreateOAuth2Token."""
        _header, payload, _signature = headers["DPoP"].split(".")
        self.proofs.add(payload)
        count = self.tokens.exchange(document["refreshToken"])
        if count is None:
            return 401, "AccessDeniedException", {"error": "TOKEN_EXPIRED", "message": "it was used before"}
        return 200, None, {
            "accessToken": keys_of(self._credentials),
            "tokenType": "aws_sigv4",
            "expiresIn": 900,
            "refreshToken": f"refresh-{count}",
        }  # fmt: skip

    def get(self, _headers: Message) -> Answer:
        """It has nothing else."""
        return 404, "NotFoundException", {}


def keys_of(credentials: Credentials) -> dict[str, str | None]:
    """Credentials as both services have them."""
    return {
        "accessKeyId": credentials.access_key_id,
        "secretAccessKey": credentials.secret_access_key,
        "sessionToken": credentials.session_token,
    }


@contextmanager
def served(service: IdentityCenter | SignIn) -> Iterator[str]:
    """Where a service listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._answer(*service.post(json.loads(self.rfile.read(length)), self.headers))

        def do_GET(self) -> None:
            self._answer(*service.get(self.headers))

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

        def _answer(self, status: int, error: str | None, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            if error is not None:
                self.send_header("x-amzn-errortype", error)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def session(world: World) -> Credentials:
    """What a login leads to: a session in Batman's account."""
    role = world.batman.role("AWSReservedSSO_Admin", trusts=BATMAN)
    return world.session({"admin": role}).get_frozen_credentials("admin")


def read_at_once(world: World, folder: Path, profile: str, **environ: str) -> None:
    """Two processes whose source is the profile "login", each with a chain of its own: they share the login alone."""
    (folder / "config").write_text(profile)
    hub = world.hub.role("ForLogins", trusts=BATMAN)
    (folder / "xsession.toml").write_text(
        f'[accounts.vegeta]\nrole_arn = "{world.role}"\n[accounts.hub]\nrole_arn = "{hub}"\n'
    )
    variables = {
        **os.environ,
        **world.aws.environ(),
        "HOME": str(folder),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "XSESSION_CONFIG": str(folder / "xsession.toml"),
        "XSESSION_STORE": str(folder / "store"),
        **environ,
    }
    command = [*COMMAND, "--profile", "login", "credential-process"]
    running = [
        subprocess.Popen([*command, name], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in ("vegeta", "hub")
    ]
    written = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], written
    assert [json.loads(out)["AccountId"] for out, _ in written] == [VEGETA, HUB]


def in_the_past(**span: int) -> str:
    """A moment, as these files have it."""
    return f"{datetime.now(UTC) - timedelta(**span):%Y-%m-%dT%H:%M:%SZ}"


def test_processes_refresh_a_login_once(world: World, session: Credentials, tmp_path: Path) -> None:
    """By botocore's own providers, from the token that `aws sso login` has written."""
    token = tmp_path / ".aws/sso/cache" / f"{sha1(SESSION.encode(), usedforsecurity=False).hexdigest()}.json"
    token.parent.mkdir(parents=True)
    token.write_text(
        json.dumps(
            {
                "startUrl": "https://corp.awsapps.com/start",
                "region": "us-east-1",
                "accessToken": "access-0",
                "expiresAt": in_the_past(minutes=1),
                "clientId": "client",
                "clientSecret": "secret",
                "registrationExpiresAt": in_the_past(days=-1),
                "refreshToken": "refresh-0",
            }
        )
    )
    profile = (
        f"[profile login]\nsso_session = {SESSION}\nsso_account_id = {BATMAN}\nsso_role_name = Admin\n"
        f"[sso-session {SESSION}]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n"
    )
    center = IdentityCenter(session)
    with served(center) as url:
        read_at_once(world, tmp_path, profile, AWS_ENDPOINT_URL_SSO=url, AWS_ENDPOINT_URL_SSO_OIDC=url)
    assert center.tokens.exchanged == ["refresh-0"]
    assert json.loads(token.read_text())["refreshToken"] == "refresh-1"


@pytest.mark.crt
def test_processes_refresh_a_login_to_the_console_once(world: World, session: Credentials, tmp_path: Path) -> None:
    """From the token that `aws login` has written, with a proof of its key by awscrt."""
    pytest.importorskip("awscrt.crypto", reason="awscrt is not installed: run make test-crt", exc_type=ImportError)
    user = f"arn:aws:iam::{BATMAN}:user/bruce"
    token = tmp_path / ".aws/login/cache" / f"{sha256(user.encode()).hexdigest()}.json"
    token.parent.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    token.write_text(
        json.dumps(
            {
                "accessToken": {**keys_of(session), "accountId": BATMAN, "expiresAt": in_the_past(minutes=1)},
                "tokenType": "aws_sigv4",
                "clientId": "arn:aws:signin:::devtools/same-device",
                "refreshToken": "refresh-0",
                "dpopKey": pem.decode(),
            }
        )
    )
    profile = f"[profile login]\nlogin_session = {user}\nregion = us-east-1\n"
    sign_in = SignIn(session)
    with served(sign_in) as url:
        read_at_once(world, tmp_path, profile, AWS_ENDPOINT_URL_SIGNIN=url)
    assert sign_in.tokens.exchanged == ["refresh-0"]
    assert len(sign_in.proofs) == 1
    assert json.loads(token.read_text())["refreshToken"] == "refresh-1"
