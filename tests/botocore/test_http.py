from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from xsession._botocore._http import SharedHTTPSession, settings_key

URL = "https://s3.eu-west-1.amazonaws.com"


def shared(**options: Any) -> Any:
    """A shared session with these settings."""
    return SharedHTTPSession(URLLib3Session(**options))


def test_it_has_the_settings_of_the_one_it_is_like() -> None:
    """And one pool for all who share it."""
    session = shared(timeout=(3, 5), max_pool_connections=7, verify=False)
    assert (session._timeout.connect_timeout, session._timeout.read_timeout) == (3, 5)
    assert session._manager.connection_pool_kw["maxsize"] == 7


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 9},
        {"verify": False},
        {"verify": "/etc/hosts"},
        {"max_pool_connections": 3},
        {"proxies": {"http": "http://127.0.0.1:3128"}},
        {"client_cert": None, "socket_options": [(6, 1, 1)]},
    ],
)
def test_settings_tell_sessions_apart(options: dict[str, Any]) -> None:
    """Equal ones share a pool, others do not."""
    assert settings_key(URLLib3Session(**options)) == settings_key(URLLib3Session(**options))
    assert settings_key(URLLib3Session(**options)) != settings_key(URLLib3Session())


def test_close_leaves_the_pool_and_shut_empties_it() -> None:
    """Who closes a client does not close the others'."""
    session = shared()
    pool = session._manager.connection_from_url("http://127.0.0.1:9/")
    session.close()
    assert session._manager.connection_from_url("http://127.0.0.1:9/") is pool
    session.shut()
    assert session._manager.connection_from_url("http://127.0.0.1:9/") is not pool


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A CA bundle."""
    path = tmp_path / "ca.pem"
    path.write_text(_certifi())
    return path


def _certifi() -> str:
    code = "import botocore.httpsession as h; print(open(h.where()).read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def connect(session: Any, verify: Any) -> str | None:
    """The bundle that a new connection is told to load."""
    pool = session._get_connection_manager(URL).connection_from_url(URL)
    session._setup_ssl_cert(pool, URL, verify)
    return pool.ca_certs  # type: ignore[no-any-return]  # urllib3's is not typed as such here


def test_a_ca_bundle_is_loaded_once(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 would parse it at each connect."""
    session = shared(verify=str(bundle))
    loads: list[str] = []
    original = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, cafile: Any = None, *args: Any, **kwargs: Any) -> None:
        loads.append(str(cafile))
        original(self, cafile, *args, **kwargs)

    context = session._manager.connection_pool_kw["ssl_context"]
    monkeypatch.setattr(type(context), "load_verify_locations", load)
    assert [connect(session, str(bundle)) for _ in range(5)] == [None] * 5
    assert loads == [str(bundle)]


def test_threads_that_connect_at_once_wait_for_one_of_them_to_load_the_bundle(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would take as long as the first."""
    session = shared(verify=str(bundle))
    loads: list[str] = []
    arrived = threading.Barrier(8)

    class Lock:
        """One that all threads have come to before the first of them gets it."""

        def __init__(self) -> None:
            self._lock = threading.Lock()

        def __enter__(self) -> None:
            arrived.wait(10)
            self._lock.acquire()

        def __exit__(self, *_error: object) -> None:
            self._lock.release()

    def load(_self: ssl.SSLContext, cafile: Any = None, *_args: Any, **_kwargs: Any) -> None:
        loads.append(str(cafile))

    monkeypatch.setattr(type(session._manager.connection_pool_kw["ssl_context"]), "load_verify_locations", load)
    monkeypatch.setattr(session, "_trust_lock", Lock())
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: connect(session, str(bundle)), range(8))) == [None] * 8
    assert len(loads) == 1


def test_a_pool_in_use_never_names_a_bundle_that_is_loaded(bundle: Path) -> None:
    """Not even for a moment: another thread that connects just then would load it again."""
    session = shared(verify=str(bundle))
    assert connect(session, str(bundle)) is None
    pool = session._manager.connection_from_url(URL)
    named: list[object] = []

    class Watched(type(pool)):  # type: ignore[misc]  # the class is urllib3's to choose
        def __setattr__(self, name: str, value: object) -> None:
            if name == "ca_certs":
                named.append(value)
            super().__setattr__(name, value)

    pool.__class__ = Watched
    assert connect(session, str(bundle)) is None
    assert pool.cert_reqs == "CERT_REQUIRED"
    assert named == [None]


def test_a_changed_bundle_is_noticed(bundle: Path) -> None:
    """The context that trusted what the old one held is not used any more."""
    session = shared(verify=str(bundle))
    assert connect(session, str(bundle)) is None
    context = session._manager.connection_pool_kw["ssl_context"]
    bundle.write_text(_certifi() + "\n")
    assert connect(session, str(bundle)) is None
    assert session._manager.connection_pool_kw["ssl_context"] is not context


def test_a_request_under_way_while_the_bundle_changes_loads_the_bundle_itself(bundle: Path) -> None:
    """It took its pool before, whose TLS context is not the one that the changed bundle was loaded into."""
    session = shared(verify=str(bundle))
    early = session._manager.connection_from_url(URL)
    assert connect(session, str(bundle)) is None
    bundle.write_text(_certifi() + "\n")
    session._notice_changed_bundle()
    for _ in range(2):
        session._setup_ssl_cert(early, URL, str(bundle))
        assert early.ca_certs == str(bundle)
        assert connect(session, str(bundle)) is None


def test_a_bundle_that_is_gone_is_trusted_no_longer(bundle: Path) -> None:
    """The connect tells of it, as it does with botocore."""
    session = shared(verify=str(bundle))
    assert connect(session, str(bundle)) is None
    bundle.unlink()
    assert connect(session, str(bundle)) == str(bundle)


@pytest.mark.parametrize("attribute", ["proxy", "conn_kw"])
def test_a_pool_that_is_made_otherwise_loads_the_bundle_itself(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, attribute: str
) -> None:
    """urllib3 may keep these elsewhere one day."""
    session = shared(verify=str(bundle))
    pool = session._manager.connection_from_url(URL)
    monkeypatch.delattr(pool, attribute)
    session._setup_ssl_cert(pool, URL, str(bundle))
    assert pool.ca_certs == str(bundle)


def test_a_proxys_connection_loads_the_bundle_itself(bundle: Path) -> None:
    """Its TLS context is not the one that all others share."""
    session = shared(verify=str(bundle), proxies={"https": "http://127.0.0.1:3128"})
    pool = session._get_connection_manager(URL, "http://127.0.0.1:3128").connection_from_url(URL)
    session._setup_ssl_cert(pool, URL, str(bundle))
    assert pool.ca_certs == str(bundle)


def test_a_bundle_that_can_not_be_read_is_left_to_urllib3(tmp_path: Path) -> None:
    """Its error is the one that users know."""
    session = shared()
    missing = str(tmp_path / "missing.pem")
    assert connect(session, missing) == missing
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    assert connect(session, str(wrong)) == str(wrong)


def test_without_verification_there_is_nothing_to_load() -> None:
    """As botocore has it."""
    assert connect(shared(), verify=False) is None


def test_after_a_fork_there_are_other_pools_with_the_same_settings() -> None:
    """On a shared connection, answers reach the wrong process."""
    session = shared(max_pool_connections=7)
    manager = session._manager
    session.after_fork()
    assert session._manager is not manager
    assert session._manager.connection_pool_kw["maxsize"] == 7
