from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from xsession import SourceCredentialsError
from xsession._botocore._source_session import SourceSession
from xsession.accounts._profile import Profile

KEYS = "aws_access_key_id = {}\naws_secret_access_key = s\n"


@pytest.fixture
def files(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """AWS's two files, with a profile that has keys and a role, and other keys in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    (aws_folder / "config").write_text(
        "[profile a]\nrole_arn = arn:aws:iam::222222222222:role/R\nsource_profile = a\nregion = eu-north-1\n"
        "[profile empty]\nregion = eu-north-1\n"
    )
    (aws_folder / "credentials").write_text(f"[a]\n{KEYS.format('AKIAONE')}")
    return aws_folder


@pytest.mark.usefixtures("files")
def test_a_profiles_own_keys_are_used_though_it_names_a_role() -> None:
    """A session of its name would assume the role; keys of the environment are not asked for."""
    source = SourceSession(Profile("a"))
    assert source.frozen().access_key == "AKIAONE"
    assert source.region_name == "eu-north-1"
    assert source.boto3_session.profile_name == "a"


def test_rejected_keys_are_looked_for_in_the_files_again(files: Path) -> None:
    """As for a profile's name."""
    source = SourceSession(Profile("a"))
    source.frozen()
    assert not source.rejected("AKIAONE")
    (files / "credentials").write_text(f"[a]\n{KEYS.format('AKIATWO')}")
    assert source.rejected("AKIAONE")
    assert source.frozen().access_key == "AKIATWO"


@pytest.mark.usefixtures("files")
def test_a_profile_without_credentials_has_none_of_the_machine() -> None:
    """Neither the environment's nor the instance's stand in."""
    with pytest.raises(SourceCredentialsError, match=r"no credentials \(profile 'empty'\)"):
        SourceSession(Profile("empty")).frozen()


@pytest.mark.usefixtures("files")
def test_a_profile_that_is_gone_is_an_error_of_ours() -> None:
    """It was there when the file was read."""
    with pytest.raises(SourceCredentialsError, match="gone"):
        SourceSession(Profile("gone"))


@pytest.mark.usefixtures("files")
def test_the_environment_may_be_the_named_source() -> None:
    """In the words of the file."""
    assert SourceSession(Profile("a", "Environment")).frozen().access_key == "AKIAENV"


class Container(BaseHTTPRequestHandler):
    """The endpoint that a container has its credentials from."""

    def do_GET(self) -> None:
        """Answers with a key."""
        body = json.dumps(
            {"AccessKeyId": "ASIABOX", "SecretAccessKey": "s", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Such an endpoint on loopback."""
    server = HTTPServer(("127.0.0.1", 0), Container)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_port}/")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("files", "container")
def test_the_container_may_be_the_named_source() -> None:
    """And the keys of the environment, which come first elsewhere, are not asked for."""
    assert SourceSession(Profile("a", "EcsContainer")).frozen().access_key == "ASIABOX"


@pytest.mark.usefixtures("files", "container")
def test_the_instance_may_be_the_named_source() -> None:
    """Here it is switched off, and nothing else stands in for it."""
    with pytest.raises(SourceCredentialsError, match="no credentials"):
        SourceSession(Profile("a", "Ec2InstanceMetadata")).frozen()
