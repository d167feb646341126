from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import signal
import socket
import stat
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.utils import ContainerMetadataFetcher

from tests.support.cells import until
from tests.support.endpoints import asked, key_of
from tests.support.programs import run_python
from tests.support.reporters import leaks
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import (
    SOURCE,
    AssumeRoleError,
    ConfigError,
    CrossAccountSession,
    MfaError,
    Role,
    SessionClosedError,
    UnknownAccountError,
)
from xsession.errors import RefusedAddressWarning
from xsession.policies import trust
from xsession.serving import ContainerEndpoint, CredentialServer
from xsession.testing import FakeClock, Fault

WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


def has_ipv6() -> bool:
    """Whether loopback has its address of IPv6 here."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def is_reachable(endpoint: ContainerEndpoint) -> bool:
    """Whether anything listens there."""
    parts = urlsplit(endpoint.uri)
    try:
        socket.create_connection((str(parts.hostname), parts.port or 0), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def ran(code: str, environ: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    """A child that ran to its end."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60, **options)


def child_of(world: World, **variables: str) -> dict[str, str]:
    """What a child would have, outside: the local AWS, and a key of Batman's."""
    return {"PATH": os.environ["PATH"], "HOME": str(Path.home()), **world.aws.environ(world.key), **variables}


def test_it_hands_out_what_clients_sign_with(world: World) -> None:
    """One AssumeRole serves both."""
    xs = world.session()
    with xs.serve() as server:
        endpoint = server.endpoint("vegeta")
        status, document = asked(endpoint)
        held = xs.get_frozen_credentials("vegeta")
        assert status == 200
        assert (document["AccessKeyId"], document["Token"]) == (held.access_key_id, held.session_token)
        assert (document["SecretAccessKey"], document["AccountId"]) == (held.secret_access_key, VEGETA)
    assert world.aws.count("AssumeRole") == 1


def test_it_makes_no_call_before_an_account_is_asked_for(world: World) -> None:
    """Then that account's credentials are there before a child asks for them."""
    with world.session().serve() as server:
        assert world.aws.calls == []
        endpoint = server.endpoint("vegeta")
        assert world.aws.count("AssumeRole") == 1
        key_of(endpoint)
    assert world.aws.count("AssumeRole") == 1


def test_it_goes_on_for_ever(world: World) -> None:
    """Three rotations: each costs one call, and none is noticed by who asks."""
    clock = FakeClock()
    with world.session(clock=clock).serve() as server:
        endpoint = server.endpoint("vegeta")
        keys = [key_of(endpoint)]
        for _ in range(3):
            # Ahead of its end, whatever the jitter is; until it is replaced, the old one is the answer.
            clock.advance(2_950)
            until(lambda: world.aws.count("AssumeRole") > len(keys))
            until(lambda: key_of(endpoint) not in keys)
            keys.append(key_of(endpoint))
    assert len(set(keys)) == 4
    assert world.aws.count("AssumeRole") == 4


def test_it_answers_from_memory_while_sts_hangs(world: World) -> None:
    """As long as what it has is valid, in every window; within 50 ms."""
    clock = FakeClock()
    with world.session(clock=clock).serve() as server:
        endpoint = server.endpoint("vegeta")
        key = key_of(endpoint)
        world.aws.fail(Fault(operation="AssumeRole", kind="hang", times=None))
        seconds = []
        for passed in (2_850, 600, 100, 30):
            clock.advance(passed)
            for _ in range(10):
                began = time.perf_counter()
                assert key_of(endpoint) == key
                seconds.append(time.perf_counter() - began)
        world.aws.recover()
    assert statistics.median(seconds) < 0.05


def test_what_has_ended_is_not_handed_out(world: World) -> None:
    """While STS fails, the error is the answer, and SDKs ask again; then it recovers by itself."""
    clock = FakeClock()
    with world.session(clock=clock).serve() as server:
        endpoint = server.endpoint("vegeta")
        key = key_of(endpoint)
        world.aws.fail(Fault(operation="AssumeRole", status=400, code="AccessDenied", message="no more", times=None))
        clock.advance(3_600)
        status, document = asked(endpoint)
        assert (status, document["Code"]) == (403, "AccessDenied")
        assert "account 'vegeta'" in document["Message"]
        world.aws.recover()
        clock.advance(60)
        until(lambda: asked(endpoint)[0] == 200)
        assert key_of(endpoint) != key


def test_a_cold_account_is_answered_as_soon_as_sts_answers(world: World) -> None:
    """SDKs wait a second at least; those that come meanwhile share the call."""
    xs = world.session()
    with xs.serve() as server:
        endpoint = server.endpoint("vegeta")
        xs.invalidate("vegeta")
        world.aws.fail(Fault(operation="AssumeRole", kind="latency", seconds=0.3))
        began = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(lambda _number: key_of(endpoint), range(8)))
        assert time.perf_counter() - began < 1
    assert len(keys) == 1
    assert world.aws.count("AssumeRole") == 2


def test_an_account_that_hangs_holds_up_no_other(world: World) -> None:
    """Neither warm ones nor cold ones."""
    xs = world.session()
    with xs.serve() as server:
        vegeta, deep = server.endpoint("vegeta"), server.endpoint("deep")
        xs.invalidate("vegeta")
        world.aws.fail(Fault(operation="AssumeRole", role_arn=world.role, kind="hang", times=None))
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(asked, vegeta) for _ in range(4)]
            until(lambda: world.aws.count("AssumeRole") > 2)
            key_of(deep)
            xs.invalidate("deep")
            key_of(deep)
            world.aws.recover()
            assert {future.result()[0] for future in waiting} == {200}


def test_each_account_has_a_path_and_a_token_of_its_own(world: World) -> None:
    """One account's child gets nothing of another's."""
    with world.session().serve() as server:
        vegeta, deep = server.endpoint("vegeta"), server.endpoint("deep")
        assert len({vegeta.uri, deep.uri}) == len({vegeta.token, deep.token}) == 2
        assert len({vegeta.token_file, deep.token_file}) == 2
        assert asked(vegeta, headers={"Authorization": deep.token})[0] == 403
        assert asked(vegeta, path=urlsplit(deep.uri).path)[0] == 403
        assert asked(vegeta, headers={"Authorization": None})[0] == 401
        assert asked(vegeta, headers={"Host": "evil.example"})[0] == 403
        assert asked(vegeta, path="/")[0] == 403


def test_its_address_is_one_that_every_sdk_takes(world: World) -> None:
    """Some take no name but localhost and no address but this one; some want a path."""
    with world.session().serve() as server:
        parts = urlsplit(server.endpoint("vegeta").uri)
    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/1/vegeta")


def test_an_endpoint_stays_while_the_server_runs(world: World) -> None:
    """Children that were started at different times share it; also those of many threads."""
    with world.session().serve() as server, ThreadPoolExecutor(8) as pool:
        endpoints = list(pool.map(lambda _number: server.endpoint("vegeta"), range(32)))
        assert all(endpoint is endpoints[0] for endpoint in endpoints)
        assert server.environ("vegeta", {})["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == endpoints[0].uri


def test_the_token_file_has_the_token_and_nothing_else(world: World) -> None:
    """For all the time that the server runs, whoever reads it."""
    clock = FakeClock()
    with world.session(clock=clock).serve() as server:
        environ = server.environ("vegeta", {})
        file = Path(environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        wrong = 0
        for turn in range(1_000):
            wrong += file.read_text(encoding="ascii") != environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            if turn % 100 == 0:
                clock.advance(1_000)
                key_of(server.endpoint("vegeta"))
                server.endpoint("deep")
        assert wrong == 0


def test_only_what_was_named_is_served(world: World) -> None:
    """Before the network; without names, whatever is registered."""
    xs = world.session()
    with pytest.raises(UnknownAccountError):
        xs.serve(["vegetta"])
    with xs.serve(["vegeta"]) as server:
        server.endpoint("vegeta")
        for other in ("deep", SOURCE, Role(world.role)):
            with pytest.raises(ConfigError, match="not among those that are served"):
                server.endpoint(other)
    with xs.serve() as server:
        server.endpoint("deep")
        with pytest.raises(ConfigError, match="not among those that are served"):
            server.environ(Role(world.role))
        with pytest.raises(UnknownAccountError):
            server.environ("vegetta")


def test_accounts_that_are_not_registered_are_served_by_name(world: World) -> None:
    """Two of them may have one name, and are two all the same."""
    plain, narrow = Role(world.role), Role(world.role, role_session_name="narrow")
    with world.session().serve([plain, narrow, SOURCE]) as server:
        endpoints = [server.endpoint(role) for role in (plain, narrow)]
        assert len({endpoint.uri for endpoint in endpoints}) == 2
        assert key_of(endpoints[0]) != key_of(endpoints[1])
        status, document = asked(server.endpoint(SOURCE))
        assert (status, document["AccessKeyId"]) == (200, world.key.access_key_id)


def test_a_child_acts_in_its_account(world: World, tmp_path: Path) -> None:
    """Whatever its parent has: keys in the environment, a profile, keys in both files and in boto 2's."""
    keys = f"aws_access_key_id = {world.key.access_key_id}\naws_secret_access_key = {world.key.secret_access_key}\n"
    (tmp_path / "config").write_text(f"[default]\nendpoint_url = {world.aws.endpoint_url}\nregion = eu-west-1\n{keys}")
    (tmp_path / "credentials").write_text(f"[default]\n{keys}[batman]\n{keys}")
    (tmp_path / ".boto").write_text(f"[Credentials]\n{keys}")
    outside = child_of(
        world,
        HOME=str(tmp_path),
        AWS_CONFIG_FILE=str(tmp_path / "config"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"),
        BOTO_CONFIG=str(tmp_path / ".boto"),
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="@evil.example/",
        HTTP_PROXY="http://127.0.0.1:9",
        NO_PROXY="example.com,127.0.0.1",
    )
    del outside["AWS_ENDPOINT_URL"]
    assert ran(WHO, outside).stdout.split() == [BATMAN]
    with world.session().serve() as server:
        done = ran(WHO, server.environ("vegeta", outside))
        assert done.stdout.split() == [VEGETA], done.stderr
        named = ran(WHO, {**server.environ("vegeta", outside), "AWS_PROFILE": "batman"})
        assert (named.stdout, "ProfileNotFound" in named.stderr) == ("", True)


def test_a_child_keeps_its_settings_and_gets_no_key(world: World, tmp_path: Path) -> None:
    """In files that only this user can read, and that don't change while others are started."""
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    (tmp_path / "config").write_text("[default]\nretry_mode = standard\naws_secret_access_key = very-secret\n")
    with world.session().serve() as server:
        first = server.environ("vegeta", files)
        (tmp_path / "config").write_text("[profile batman]\nretry_mode = adaptive\n")
        second = server.environ("vegeta", {**files, "AWS_PROFILE": "batman"})
        assert server.environ("vegeta", {**files, "AWS_PROFILE": "batman"}) == second
        texts = [Path(environ["AWS_CONFIG_FILE"]).read_text() for environ in (first, second)]
        assert ["retry_mode = standard" in text for text in texts] == [True, False]
        assert ["retry_mode = adaptive" in text for text in texts] == [False, True]
        assert "very-secret" not in "".join(texts)
        assert Path(first["AWS_SHARED_CREDENTIALS_FILE"]).read_text() == ""
        folder = Path(first["AWS_CONFIG_FILE"]).parent
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
        assert first["AWS_REGION"] == first["AWS_DEFAULT_REGION"] == "eu-west-1"
        (tmp_path / "config").write_text("[broken")
        with pytest.raises(ConfigError, match="not of the form"):
            server.environ("vegeta", files)


def test_boto_2s_file_is_left_alone_where_it_has_no_keys(world: World, tmp_path: Path) -> None:
    """Other programs have their settings there."""
    (tmp_path / "boto").write_text("[GSUtil]\n")
    with world.session().serve() as server:
        assert server.environ("vegeta", {"BOTO_CONFIG": str(tmp_path / "boto")})["BOTO_CONFIG"] == str(
            tmp_path / "boto"
        )
        assert server.environ("vegeta", {"BOTO_CONFIG": str(tmp_path)})["BOTO_CONFIG"] == str(tmp_path)


def test_the_base_is_this_processs_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is when it is asked for."""
    monkeypatch.setenv("SCOUTER", "9001")
    with world.session().serve() as server:
        assert server.environ("vegeta")["SCOUTER"] == "9001"


def test_with_the_block_everything_is_gone(world: World) -> None:
    """The endpoint, its thread and its files."""
    with world.session().serve() as server:
        endpoint = server.endpoint("vegeta")
    assert not is_reachable(endpoint)
    assert not Path(endpoint.token_file).parent.exists()
    assert [thread.name for thread in threading.enumerate() if "serve" in thread.name] == []
    assert repr(server) == "<CredentialServer: 1 accounts, closed>"
    server.close()
    for ask in (server.endpoint, server.environ):
        with pytest.raises(SessionClosedError, match="is closed"):
            ask("vegeta")


def test_a_child_that_outlives_it_gets_an_error_and_no_other_identity(world: World) -> None:
    """Nor does one that is started too late; both have a profile with keys, were it still there."""
    world.aws.set_lifetime(300)  # so that botocore asks again at each request
    code = f"{WHO.replace('print', 'ask = lambda: print')}\nask()\nprint(flush=True)\ninput()\nask()"
    with world.session().serve() as server:
        environ = server.environ("vegeta", child_of(world))
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline().split() == [VEGETA]
    calls = len(world.aws.calls)
    out, _ = child.communicate("\n", timeout=60)
    late = ran(WHO, environ)
    assert (out.strip(), late.stdout) == ("", "")
    assert (child.returncode, late.returncode) == (1, 1)
    assert len(world.aws.calls) == calls


def test_a_child_shows_why_it_gets_none_and_asks_nobody_else(world: World) -> None:
    """Not that the instance's metadata could not be reached: that is never tried."""
    code = f"""
import sys
reached = []
sys.addaudithook(lambda event, args: reached.append(args[1][0]) if event == "socket.connect" else None)
try:
    {WHO}
except Exception as error:
    print(type(error).__name__, error)
print(sorted(set(reached)))
"""
    xs = world.session()
    with xs.serve() as server:
        environ = server.environ("vegeta", child_of(world))
        world.aws.fail(Fault(operation="AssumeRole", code="AccessDenied", status=403, times=None))
        xs.invalidate()
        done = ran(code, environ)
    error, reached = done.stdout.strip().splitlines()
    assert error.startswith("CredentialRetrievalError")
    assert "vegeta" in error
    assert "AccessDenied" in error
    assert reached == "['127.0.0.1']"


def test_a_child_that_reads_no_file_has_the_token_too(world: World) -> None:
    """Some know the variable alone: with it, and the address, all is there."""
    code = """
import json, os, urllib.request
address, token = (os.environ[f"AWS_CONTAINER_{name}"] for name in ("CREDENTIALS_FULL_URI", "AUTHORIZATION_TOKEN"))
answer = urllib.request.urlopen(urllib.request.Request(address, headers={"Authorization": token}))
print(json.load(answer)["AccessKeyId"])
"""
    xs = world.session()
    with xs.serve() as server:
        environ = server.environ("vegeta", child_of(world))
        del environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
        assert ran(code, environ).stdout.strip() == xs.get_frozen_credentials("vegeta").access_key_id


def test_it_ends_with_its_session(world: World) -> None:
    """And a closed session serves nothing."""
    xs = world.session()
    server = xs.serve()
    endpoint = server.endpoint("vegeta")
    xs.close()
    assert not is_reachable(endpoint)
    with pytest.raises(SessionClosedError):
        xs.serve()


def test_it_ends_when_nobody_has_it_any_more(world: World) -> None:
    """Its thread does not keep it alive."""
    endpoint = world.session().serve().endpoint("vegeta")
    gc.collect()
    until(lambda: not is_reachable(endpoint))
    assert not Path(endpoint.token_file).exists()


def test_it_ends_with_the_program(world: World) -> None:
    """Its files too; and the program does not wait for it."""
    code = f"""
import time
from xsession import CrossAccountSession
xs = CrossAccountSession({{"vegeta": "{world.role}"}})
server = xs.serve()
print(server.endpoint("vegeta").token_file, time.time())
"""
    done = ran(code, child_of(world), cwd=Path(__file__).parents[2])
    file, ended = done.stdout.split()
    assert time.time() - float(ended) < 2
    assert not Path(file).parent.exists()
    assert done.stderr == ""


def test_a_forked_child_has_no_part_in_it(world: World) -> None:
    """It holds no socket of it, says so, and leaves the files to the parent."""
    with world.session().serve() as server:
        endpoint = server.endpoint("vegeta")
        told, ends = socket.socketpair()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            failed = 1
            try:
                closed = server._listener._server.fileno() == -1 and not server._listener._connections
                with pytest.raises(SessionClosedError, match="forked"):
                    server.environ("vegeta")
                server.close()
                failed = 0 if closed else 2
                told.send(b"x")
                told.recv(1)
            finally:
                os._exit(failed)
        assert ends.recv(1) == b"x"
        key_of(endpoint)
        assert Path(endpoint.token_file).exists()
        server.close()
        # The child still lives, and would hold the port.
        assert not is_reachable(endpoint)
        ends.send(b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        told.close()
        ends.close()


def test_a_child_forked_by_c_takes_no_files(world: World) -> None:
    """Whose hooks of Python did not run, and which ends as a program does."""
    with world.session().serve() as server:
        file = Path(server.endpoint("vegeta").token_file)
        finalizer: Any = server._end.peek()
        _, end, arguments, _ = finalizer
        end(*arguments[:-1], os.getpid() + 1)
        assert file.exists()
        assert is_reachable(server.endpoint("vegeta"))


def test_nothing_is_logged_and_nothing_is_shown(world: World, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    """Neither tokens nor credentials: in logs at any level, in events, in reprs, on the terminal."""
    with caplog.at_level(logging.DEBUG), world.session().serve() as server:
        caplog.clear()
        endpoint = server.endpoint("vegeta")
        _, document = asked(endpoint)
        asked(endpoint, headers={"Authorization": "guessed-token"})
        shown = [repr(server), str(server), repr(vars(server)), caplog.text, *map(repr, world.events.events)]
        shown += capfd.readouterr()
    secrets = (endpoint.token, document["SecretAccessKey"], document["Token"], "guessed-token")
    assert [secret for secret in secrets if secret in "\n".join(shown)] == []
    assert "127.0.0.1 - -" not in "\n".join(shown)


def test_it_is_not_pickled(world: World) -> None:
    """It belongs to this process; a session that has one may be."""
    xs = CrossAccountSession({"vegeta": world.role})
    with xs.serve() as server:
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(server)
        assert type(server) is CredentialServer
    xs.close()


def test_an_account_that_can_not_be_reached_is_an_error_before_a_child_is_started(world: World) -> None:
    """In the caller's own words, not in those of an SDK that got no answer."""
    stranger = world.vegeta.role("Stranger", trusts="999999999999")
    with world.session({"vegeta": stranger}).serve() as server:
        with pytest.raises(AssumeRoleError):
            server.environ("vegeta")
        assert repr(server).startswith("<CredentialServer: 0 accounts, on port")


def test_an_error_shows_nothing_of_the_environment(world: World) -> None:
    """Reporters send the variables of each frame, and this process's own keys are among them."""
    stranger = world.vegeta.role("Stranger", trusts="999999999999")
    base = {"AWS_SECRET_ACCESS_KEY": "very-secret"}
    with world.session({"vegeta": stranger}).serve() as server:
        with pytest.raises(AssumeRoleError) as caught:
            server.environ("vegeta", base)
        assert leaks(caught.value, {"of the environment": "very-secret"}, __file__) == []


def test_a_person_is_asked_when_it_is_asked_for_and_never_by_a_child(world: World) -> None:
    """A child may have the terminal: once a new code is needed, its answer is an error that says so."""
    serial = f"arn:aws:iam::{BATMAN}:mfa/bruce"
    strict = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    asked_in: list[int] = []

    def code(serial: str) -> str:
        asked_in.append(threading.get_ident())
        world.aws.expect_mfa_code(serial, "123456")
        return "123456"

    clock = FakeClock()
    xs = world.session({"vegeta": Role(strict, mfa_serial=serial)}, mfa_code=code, clock=clock)
    with xs.serve() as server:
        endpoint = server.endpoint("vegeta")
        key_of(endpoint)
        assert asked_in == [threading.get_ident()]
        clock.advance(50_000)
        status, document = asked(endpoint)
        assert (status, document["Code"]) == (403, MfaError.__name__)
        assert len(asked_in) == 1
        server.endpoint("vegeta")
        key_of(endpoint)
        assert len(asked_in) == 2


def test_what_is_thrown_away_is_not_handed_out_any_more(world: World) -> None:
    """It keeps no copy: an invalidation counts at once."""
    xs = world.session()
    with xs.serve() as server:
        endpoint = server.endpoint("vegeta")
        key = key_of(endpoint)
        xs.invalidate("vegeta")
        assert key_of(endpoint) != key


def test_a_session_that_serves_nobody_does_not_pay_for_it() -> None:
    """Neither the module nor what it imports."""
    code = """
import sys
from xsession import CrossAccountSession
CrossAccountSession({})
print("xsession.serving" in sys.modules)
"""
    assert json.loads(run_python(code).strip().lower()) is False


def test_without_a_port_nothing_is_left(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error is the caller's; the folder is gone."""

    def create_server(*_arguments: object, **_options: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(socket, "create_server", create_server)
    with pytest.raises(OSError, match="Too many open files"):
        world.session().serve()
    assert list(tmp_path.iterdir()) == []


def test_a_port_may_be_chosen(world: World) -> None:
    """One that is taken is an error, by whomever, and never shared."""
    with world.session().serve() as other:
        port = urlsplit(other.endpoint("vegeta").uri).port or 0
        with pytest.raises(OSError, match="in use"):
            world.session().serve(port=port)
    with world.session().serve(port=port) as server:
        assert urlsplit(server.endpoint("vegeta").uri).port == port
        key_of(server.endpoint("vegeta"))
    with pytest.raises(ConfigError, match="a number from 0 to 65535"):
        world.session().serve(port=70_000)


@pytest.mark.skipif(sys.platform != "linux", reason="there, all of 127.0.0.0/8 is this machine")
def test_an_address_may_be_chosen(world: World) -> None:
    """Then requests for that one are answered, and for no other; the token is needed there too."""
    with world.session().serve(host="127.0.0.2") as server:
        endpoint = server.endpoint("vegeta")
        assert endpoint.uri.startswith("http://127.0.0.2:")
        assert asked(endpoint)[0] == 200
        assert asked(endpoint, headers={"Authorization": "wrong"})[0] == 403
        port = urlsplit(endpoint.uri).port
        assert asked(endpoint, headers={"Host": f"127.0.0.1:{port}"})[0] == 403


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_address_may_be_one_of_ipv6(world: World) -> None:
    """In brackets, in the URL and in the Host header, as boto3 sends it."""
    with world.session().serve(host="0:0:0:0:0:0:0:1") as server:
        endpoint = server.endpoint("vegeta")
        assert endpoint.uri.startswith("http://[::1]:")
        assert asked(endpoint)[0] == 200
        port = urlsplit(endpoint.uri).port
        assert asked(endpoint, headers={"Host": f"127.0.0.1:{port}"})[0] == 403
        fetched = ContainerMetadataFetcher().retrieve_full_uri(endpoint.uri, {"Authorization": endpoint.token})
        assert fetched["AccessKeyId"] == key_of(endpoint)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "localhost", "224.0.0.1", "ff02::1", "fe80::1%lo", "", None],  # noqa: S104 # refused
)
def test_an_address_is_one_of_this_machine(world: World, host: Any) -> None:
    """Of a name or of all addresses, nobody knows which one a client means."""
    with pytest.raises(ConfigError, match="one IP address of this machine"):
        world.session().serve(host=host)


def test_an_address_that_sdks_refuse_is_a_warning(world: World) -> None:
    """Where the caller asks for it, before anything else can fail there."""
    expected = pytest.warns(RefusedAddressWarning, match=r"no endpoint on 192\.0\.2\.1")
    with expected as caught, pytest.raises(OSError, match="assign"):
        world.session().serve(host="192.0.2.1")
    assert caught[0].filename == __file__
