from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from xsession.cli._nested_exec import ACCOUNT, MARKER, marker, outer_exec

URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"


def left_by(process: int, port: int) -> dict[str, str]:
    """The variables of a child of an exec."""
    return {
        MARKER: f"{process}:{port}",
        ACCOUNT: "vegeta",
        URI: f"http://127.0.0.1:{port}/1/vegeta",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent/config",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PATH": "/bin",
    }


def test_one_that_runs_and_serves_is_alive() -> None:
    """Both are looked at, since numbers of processes and ports are used again."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for process, is_alive in ((os.getpid(), True), (1, True), (dead.pid, False)):
            found = outer_exec(left_by(process, port))
            assert found is not None
            assert (found.account, found.is_alive) == ("vegeta", is_alive)
    found = outer_exec(left_by(os.getpid(), port))
    assert found is not None
    assert not found.is_alive


def test_what_a_dead_one_left_is_its_own() -> None:
    """Files that are there, and an endpoint of another one, are not."""
    found = outer_exec(left_by(2**22 + 1, 9))
    assert found is not None
    assert set(found.stale) == {
        MARKER, ACCOUNT, URI, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_EC2_METADATA_DISABLED", "AWS_CONFIG_FILE"
    }  # fmt: skip
    found = outer_exec({**left_by(2**22 + 1, 9), URI: "http://127.0.0.1:10/1/vegeta"})
    assert found is not None
    assert set(found.stale) == {MARKER, ACCOUNT}


@pytest.mark.parametrize("value", ["", "1", "x:1", "0:1", "1:0", "1:1:1", "99999999999:1"])
def test_what_is_no_marker_is_none(value: str) -> None:
    """Whoever wrote it."""
    assert outer_exec({MARKER: value}) is None
    assert outer_exec({}) is None


def test_a_port_that_is_none_is_not_alive() -> None:
    """It has a number that none has."""
    found = outer_exec({MARKER: f"{os.getpid()}:99999"})
    assert found is not None
    assert (found.is_alive, found.account, found.stale) == (False, "?", (MARKER,))


def test_a_marker_names_process_and_port() -> None:
    """And is read back."""
    assert marker({URI: "http://127.0.0.1:4711/1/vegeta"}) == f"{os.getpid()}:4711"
