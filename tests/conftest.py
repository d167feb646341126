"""What every test gets: no AWS settings of the machine, and a network that ends at loopback."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, settings

from tests.support.worlds import BATMAN, VEGETA, World
from xsession.testing import LocalAWS


def _loopback_only(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: refuse to look up or to reach any host but this one."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name not in {None, "", "localhost", "::1", "0.0.0.0"} and not name.startswith("127."):  # noqa: S104 - compared only
        msg = f"tests talk to loopback only, not to {name}"
        raise RuntimeError(msg)


sys.addaudithook(_loopback_only)

# A shell that runs tests in the background, or nohup, has signals ignored, and every child would inherit that.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)

# Both go by the wall clock, and in a fresh clone the first text takes seconds: Hypothesis builds its Unicode tables.
# CI draws the same examples in each run, so that no change is refused for what was there before it.
settings.register_profile(
    "brief",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    max_examples=25,
)
settings.register_profile("thorough", settings.get_profile("brief"), max_examples=400)
settings.load_profile("brief")


@pytest.fixture(autouse=True)
def clean_aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the machine's AWS settings, so that a test sees only those that it made."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO_", "XSESSION_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME", str(tmp_path / "no-user-config"))
    monkeypatch.setenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", str(tmp_path / "no-cache"))


@pytest.fixture
def aws_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `config` and `credentials` are AWS's."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


@pytest.fixture
def dying_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let threads die without a word: for tests in which that is the point."""
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)


@pytest.fixture
def world(local_aws: LocalAWS) -> Iterator[World]:
    """Accounts on a local AWS, made for one test."""
    made = World(local_aws)
    yield made
    made.close()


@pytest.fixture
def batman(local_aws: LocalAWS) -> boto3.Session:
    """Who is trusted."""
    return local_aws.session(local_aws.account(BATMAN).user("bruce"))


@pytest.fixture
def admin(local_aws: LocalAWS) -> boto3.Session:
    """Who sets things up in Vegeta's account."""
    return local_aws.session(local_aws.account(VEGETA).user("admin"))
