from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, run
from tests.support.endpoints import asked
from tests.support.terminals import CTRL_C, Terminal
from tests.support.worlds import BATMAN, VEGETA, World
from xsession.cli._serve import _server
from xsession.policies import trust
from xsession.serving import ContainerEndpoint

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals are different there"),
    pytest.mark.usefixtures("folder"),
]

SERIAL = f"arn:aws:iam::{BATMAN}:mfa/bruce"


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, ContainerEndpoint]]]:
    """The command, while it serves; and what it serves, as its JSON says."""
    command = [*COMMAND, "serve", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        text = ""
        while not text.endswith("}\n") or text.count("{") != text.count("}"):
            line = server.stdout.readline()
            assert line, server.communicate()[1]
            text += line
        found = {
            name: ContainerEndpoint(token=Path(one["token_file"]).read_text(), **one)
            for name, one in json.loads(text).items()
        }
        try:
            yield server, found
        finally:
            server.kill()


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def test_it_prints_what_a_shell_needs() -> None:
    """Variables of each account, without the token, until Ctrl-C; then its files are gone."""
    with Terminal([*COMMAND, "serve", "--account", "vegeta"], os.environ) as terminal:
        terminal.wait_for(b"# vegeta\r\n")
        terminal.wait_for(b"TOKEN_FILE=")
        time.sleep(0.3)
        token_file = Path(terminal.shown.split()[0].decode())
        assert token_file.stat().st_mode & 0o777 == 0o600
        assert token_file.read_bytes() not in terminal.shown
        terminal.type(CTRL_C)
        assert terminal.ended() == -signal.SIGINT
        assert not token_file.exists()


def test_a_shell_that_reads_it_acts_in_the_account(world: World) -> None:
    """One AssumeRole for it and whoever asks."""
    port = free_port()
    with serving("--account", "vegeta", "--port", str(port)) as (server, served):
        assert served.keys() == {"vegeta"}
        assert f":{port}/" in served["vegeta"].uri
        status, document = asked(served["vegeta"])
        assert (status, document["AccountId"]) == (200, VEGETA)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["Expiration"])
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == -signal.SIGTERM
    assert world.aws.count("AssumeRole") == 1


def test_a_port_that_is_taken_is_not_shared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not with another program's server, nor with one of ours."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run(monkeypatch, "serve", "--account", "vegeta", "--port", str(port)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"port {port} of 127.0.0.1 is taken: whoever listens there is not this command" in shown.err
    assert run(monkeypatch, "serve", "--host", "192.0.2.1") == 2
    assert "192.0.2.1 can't be listened on" in capsys.readouterr().err
    assert run(monkeypatch, "serve", "--host", "localhost") == 2


def test_an_account_that_can_not_be_reached_holds_up_no_other(world: World) -> None:
    """It is named, and the others are served; where there is none, that is an error."""
    with serving() as (server, served):
        assert served.keys() == {"vegeta"}
        server.send_signal(signal.SIGINT)
        assert "own is not served: " in server.communicate(timeout=10)[1]
    world.vegeta.set_trust("Reader", trust("333333333333"))
    done = subprocess.run([*COMMAND, "serve"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (4, "")
    assert "vegeta is not served: " in done.stderr


def test_there_is_something_to_serve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without accounts is a mistake."""
    Path("xsession.toml").write_text("[accounts]\n")
    assert run(monkeypatch, "--config", "xsession.toml", "serve") == 2
    assert "there is nothing to serve" in capsys.readouterr().err
    assert run(monkeypatch, "serve", "--account", "nobody") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="there, all of 127.0.0.0/8 is this machine")
def test_another_address_is_served_by_wish_alone() -> None:
    """With a token, for that address and no other; SDKs ask loopback's."""
    with serving("--account", "vegeta", "--host", "127.0.0.2") as (server, served):
        assert asked(served["vegeta"])[0] == 200
        assert asked(served["vegeta"], headers={"Authorization": None})[0] == 401
        assert asked(served["vegeta"], headers={"Host": "127.0.0.1"})[0] == 403
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=10)[1] == ""


def test_an_address_that_sdks_refuse_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, and no warning of Python's."""
    monkeypatch.setattr("xsession.serving._server.is_asked_by_sdks", lambda _address: False)
    xs = world.session()
    with _server(xs, [*xs.accounts.values()], "127.0.0.1", 0):
        (line,) = capsys.readouterr().err.splitlines()
    assert "AWS's SDKs ask no endpoint on 127.0.0.1: " in line


def test_it_goes_on_over_sessions_of_seconds(world: World) -> None:
    """Also through a time in which nothing could be refreshed; and nobody is asked for anything."""
    world.aws.set_lifetime(3)
    with serving("--account", "vegeta") as (server, served):
        key = asked(served["vegeta"])[1]["AccessKeyId"]
        world.vegeta.set_trust("Reader", trust("333333333333"))
        ends = time.monotonic() + 20
        while asked(served["vegeta"])[0] == 200:
            assert time.monotonic() < ends
            time.sleep(0.1)
        status, document = asked(served["vegeta"])
        assert (status, document["Code"]) == (403, "AccessDenied")
        world.vegeta.set_trust("Reader", trust(BATMAN))
        while asked(served["vegeta"])[0] != 200:
            assert time.monotonic() < ends + 30
            time.sleep(0.1)
        assert asked(served["vegeta"])[1]["AccessKeyId"] != key
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=10)[1] == ""


def test_a_code_is_asked_for_before_it_serves_and_never_again(world: World) -> None:
    """Once the session of the device has ended, whoever asks the endpoint gets the error; no question is shown."""
    role = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    with Path("xsession.toml").open("a") as file:
        file.write(f'[accounts.strict]\nrole_arn = "{role}"\nmfa_serial = "{SERIAL}"\n')
    world.aws.expect_mfa_code(SERIAL, "123456")
    world.aws.set_lifetime(3)
    with Terminal([*COMMAND, "serve", "--account", "strict"], os.environ) as terminal:
        terminal.wait_for(b"Code of the MFA device")
        time.sleep(0.3)
        terminal.type(b"123456\n")
        terminal.wait_for(b"FULL_URI=")
        time.sleep(0.3)
        uri, _export, assignment = terminal.shown.decode().split()[:3]
        token_file = assignment.partition("=")[2]
        endpoint = ContainerEndpoint(uri=uri, token=Path(token_file).read_text(), token_file=token_file)
        ends = time.monotonic() + 20
        while asked(endpoint)[0] == 200:
            assert time.monotonic() < ends
            time.sleep(0.1)
        for _ in range(10):
            assert "needs a code" in asked(endpoint)[1]["Message"]
        terminal.type(CTRL_C)
        assert terminal.ended() == -signal.SIGINT
        assert b"Code of" not in terminal.shown
