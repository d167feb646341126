from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import COMMAND
from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession.credentials import Credentials

SESSION = "corp"


class IdentityCenter:
    """IAM Identity Center as strict as AWS's: a refresh token is good once, and what it was exchanged for is the next.

    Args:
        credentials: What its permission set hands out.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.refresh_token, self.access_token = "refresh-0", ""
        self.exchanged: list[str] = []
        self._credentials = credentials
        self._lock = threading.Lock()
        # Two that come at once are both there before the first one is answered.
        self._barrier = threading.Barrier(2)

    def exchange(self, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """CreateToken of its OIDC service."""
        try:
            self._barrier.wait(0.5)
        except threading.BrokenBarrierError:
            self._barrier.reset()
        with self._lock:
            self.exchanged.append(document["refreshToken"])
            if document["refreshToken"] != self.refresh_token:
                return 400, {"error": "invalid_grant", "error_description": "it was used before"}
            count = len(self.exchanged)
            self.refresh_token, self.access_token = f"refresh-{count}", f"access-{count}"
            return 200, {
                "accessToken": self.access_token,
                "expiresIn": 3_600,
                "refreshToken": self.refresh_token,
                "tokenType": "Bearer",
            }

    def role_credentials(self, token: str | None) -> tuple[int, dict[str, Any]]:
        """GetRoleCredentials of its portal."""
        if not token or token != self.access_token:
            return 401, {"message": "Session token not found or invalid"}
        found = self._credentials
        assert found.expiry is not None
        named = {
            "accessKeyId": found.access_key_id,
            "secretAccessKey": found.secret_access_key,
            "sessionToken": found.session_token,
            "expiration": int(found.expiry.timestamp() * 1_000),
        }
        return 200, {"roleCredentials": named}


@pytest.fixture
def center(world: World) -> Iterator[tuple[IdentityCenter, str]]:
    """It, and where it listens."""
    role = world.batman.role("AWSReservedSSO_Admin", trusts=BATMAN)
    center = IdentityCenter(world.session({"admin": role}).get_frozen_credentials("admin"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._answer(*center.exchange(json.loads(self.rfile.read(length))))

        def do_GET(self) -> None:
            self._answer(*center.role_credentials(self.headers["x-amz-sso_bearer_token"]))

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            if status != 200:
                kind = "InvalidGrantException" if status == 400 else "UnauthorizedException"
                self.send_header("x-amzn-errortype", kind)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield center, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_processes_refresh_a_login_once(world: World, center: tuple[IdentityCenter, str], tmp_path: Path) -> None:
    """By botocore's own providers, from the token that `aws sso login` has written: a refresh token is good once."""
    identity_center, url = center
    token = tmp_path / ".aws/sso/cache" / f"{sha1(SESSION.encode(), usedforsecurity=False).hexdigest()}.json"
    token.parent.mkdir(parents=True)
    now = datetime.now(UTC)
    token.write_text(
        json.dumps(
            {
                "startUrl": "https://corp.awsapps.com/start",
                "region": "us-east-1",
                "accessToken": "access-0",
                "expiresAt": f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
                "clientId": "client",
                "clientSecret": "secret",
                "registrationExpiresAt": f"{now + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
                "refreshToken": "refresh-0",
            }
        )
    )
    (tmp_path / "config").write_text(
        f"[profile login]\nsso_session = {SESSION}\nsso_account_id = {BATMAN}\nsso_role_name = Admin\n"
        f"[sso-session {SESSION}]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n"
    )
    hub = world.hub.role("ForLogins", trusts=BATMAN)
    (tmp_path / "xsession.toml").write_text(
        f'[accounts.vegeta]\nrole_arn = "{world.role}"\n[accounts.hub]\nrole_arn = "{hub}"\n'
    )
    environ = {
        **os.environ,
        **world.aws.environ(),
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL_SSO": url,
        "AWS_ENDPOINT_URL_SSO_OIDC": url,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "XSESSION_CONFIG": str(tmp_path / "xsession.toml"),
        "XSESSION_STORE": str(tmp_path / "store"),
    }
    command = [*COMMAND, "--profile", "login", "credential-process"]
    # Each has a chain of its own: what they share is the login alone.
    running = [
        subprocess.Popen([*command, name], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in ("vegeta", "hub")
    ]
    written = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], written
    assert [json.loads(out)["AccountId"] for out, _ in written] == [VEGETA, HUB]
    assert identity_center.exchanged == ["refresh-0"]
    assert json.loads(token.read_text())["refreshToken"] == "refresh-1"
