"""What `_listener` makes of clients that are slow, large, many or rude, by its `_connection`s."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.cells import until
from tests.support.raw_http import exchanged
from xsession.serving._connection import ConnectionState, Later
from xsession.serving._listener import MAX_CONNECTIONS, Listener

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n\r\n{}"


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


class Listening:
    """A listener whose answers a test gives."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.heads: list[bytes] = []
        self.answer: Callable[[bytes], bytes | Later] = lambda _head: ANSWER
        self.listener = Listener(self._respond, self.clock)
        self.listener.start()
        self.url = f"http://127.0.0.1:{self.listener.port}"

    def _respond(self, head: bytes) -> bytes | Later:
        self.heads.append(head)
        return self.answer(head)

    def connected(self, data: bytes = b"") -> socket.socket:
        """A client that has sent something."""
        client = socket.create_connection(("127.0.0.1", self.listener.port), 10)
        client.sendall(data)
        return client

    @property
    def open(self) -> int:
        """How many connections it has."""
        return len(self.listener._connections)

    def ask(self) -> float:
        """Seconds that a right request takes."""
        began = time.perf_counter()
        assert exchanged(self.url, REQUEST, hang_up=False)[0] == 200
        return time.perf_counter() - began


@pytest.fixture
def server() -> Iterator[Listening]:
    """It, and nothing is left of it."""
    made = Listening()
    yield made
    made.listener.end()
    made.listener.wait()
    assert not made.listener._thread.is_alive()


def received(client: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    parts = []
    with client, contextlib.suppress(ConnectionError):
        while part := client.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def test_a_request_is_answered(server: Listening) -> None:
    """Whether its client hangs up behind it or not."""
    for hang_up in (True, False):
        assert exchanged(server.url, REQUEST, hang_up=hang_up)[2].encode() == ANSWER
    assert server.heads == [REQUEST.removesuffix(b"\r\n\r\n")] * 2


def test_only_loopback_can_reach_it(server: Listening) -> None:
    """It has no other address."""
    assert server.listener._server.getsockname()[0] == "127.0.0.1"


def test_a_request_may_come_in_pieces(server: Listening) -> None:
    """Also between the two line breaks that end it."""
    client = server.connected()
    for byte in REQUEST:
        client.sendall(bytes([byte]))
    assert received(client) == ANSWER


def test_one_connection_has_one_request(server: Listening) -> None:
    """What follows it is thrown away, a body or another request."""
    assert received(server.connected(REQUEST * 3)) == ANSWER
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    "data", [b"GET /" + b"x" * 100_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, b"\0" * 40_000]
)
def test_a_request_that_is_too_large_is_refused(server: Listening, data: bytes) -> None:
    """Before it has an end; and its client reads the answer, although it goes on sending."""
    assert exchanged(server.url, data, hang_up=False)[0] == 431
    assert server.heads == []


def test_ten_thousand_bad_requests_harm_nobody(server: Listening) -> None:
    """One thread, no connection and no memory of them is left, and the next request is answered at once."""
    before = {*threading.enumerate()}
    server.answer = lambda _head: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    for number in range(10_000):
        with socket.create_connection(("127.0.0.1", server.listener.port), 10) as client:
            client.sendall(REQUEST if number % 2 else b"\x16\x03\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 403")
    assert {*threading.enumerate()} <= before  # those of other tests may have ended meanwhile
    until(lambda: not server.open)
    server.answer = lambda _head: ANSWER
    assert server.ask() < 2


def test_slow_clients_hold_up_nobody(server: Listening) -> None:
    """More of them than there may be connections: the oldest make room."""
    before = {*threading.enumerate()}
    slow = [server.connected(REQUEST[:9]) for _ in range(MAX_CONNECTIONS + 50)]
    assert min(server.ask() for _ in range(5)) < 0.05
    assert server.open <= MAX_CONNECTIONS
    assert received(slow[0]) == b""
    assert {*threading.enumerate()} <= before
    for client in slow:
        client.close()


def test_a_client_that_does_not_finish_is_dropped(server: Listening) -> None:
    """A byte now and then does not prolong it."""
    slow = server.connected(REQUEST[:3])
    until(lambda: server.open)
    server.clock.seconds += ConnectionState.READING.value - 0.5
    slow.sendall(b"x")
    assert server.ask() < 2
    assert server.open >= 1
    server.clock.seconds += 1
    server.ask()
    assert received(slow) == b""


def test_a_client_that_takes_no_answer_is_dropped(server: Listening) -> None:
    """The rest of it is not kept."""
    server.answer = lambda _head: b"x" * 50_000_000
    client = server.connected(REQUEST)
    until(lambda: server.open and next(iter(server.listener._connections.values())).writes)
    server.answer = lambda _head: ANSWER
    server.clock.seconds += ConnectionState.WRITING.value + 0.1
    server.ask()
    until(lambda: server.open <= 1)
    assert len(received(client)) < 50_000_000


def test_an_answer_that_does_not_fit_goes_on_later(server: Listening) -> None:
    """As its client takes it."""
    server.answer = lambda _head: b"x" * 5_000_000
    assert len(received(server.connected(REQUEST))) == 5_000_000


def test_a_client_that_does_not_hang_up_is_dropped(server: Listening) -> None:
    """It has its answer."""
    client = server.connected(REQUEST)
    assert client.recv(100) == ANSWER
    server.clock.seconds += ConnectionState.DRAINING.value + 0.1
    server.ask()
    until(lambda: server.open <= 1)
    client.close()


@pytest.mark.parametrize("data", [b"", b"GET /", REQUEST[:-1]])
def test_a_client_that_hangs_up_is_forgotten(server: Listening, data: bytes) -> None:
    """Politely or not."""
    server.connected(data).close()
    rude = server.connected(data)
    rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    rude.close()
    assert server.ask() < 2
    until(lambda: not server.open)


def test_who_waits_for_the_same_gets_one_answer(server: Listening) -> None:
    """It is read once, in a thread of its own; others are answered meanwhile."""
    gate = threading.Event()
    reads: list[str] = []

    def read() -> bytes:
        reads.append(threading.current_thread().name)
        gate.wait(10)
        return b"HTTP/1.1 200 later\r\n\r\n"

    server.answer = lambda _head: Later("vegeta", read)
    waiting = [server.connected(REQUEST) for _ in range(20)]
    until(lambda: len(server.heads) == 20)
    server.answer = lambda _head: ANSWER
    assert server.ask() < 2
    gate.set()
    assert {received(client) for client in waiting} == {b"HTTP/1.1 200 later\r\n\r\n"}
    assert reads == ["xsession-serve-read"]


def test_who_waits_for_something_else_goes_on_waiting(server: Listening) -> None:
    """Each account for itself."""
    gates = {b"GET /a": threading.Event(), b"GET /b": threading.Event()}

    def later(head: bytes) -> Later:
        def read() -> bytes:
            gates[head].wait(10)
            return head

        return Later(head, read)

    server.answer = later
    first, second = server.connected(b"GET /a\r\n\r\n"), server.connected(b"GET /b\r\n\r\n")
    gates[b"GET /b"].set()
    assert received(second) == b"GET /b"
    until(lambda: server.open == 1)
    gates[b"GET /a"].set()
    assert received(first) == b"GET /a"


def test_who_hangs_up_while_it_waits_is_forgotten(server: Listening) -> None:
    """SDKs do after a second or two, and come back."""
    gate = threading.Event()
    server.answer = lambda _head: Later("vegeta", lambda: ANSWER if gate.wait(10) else b"")
    server.connected(REQUEST).close()
    until(lambda: server.heads and not server.open)
    client = server.connected(REQUEST)
    client.sendall(b"more")
    gate.set()
    assert received(client) == ANSWER


def test_those_that_wait_are_not_pushed_out(server: Listening) -> None:
    """They have shown a token; whoever has sent nothing makes room first."""
    gate = threading.Event()
    server.answer = lambda _head: Later("vegeta", lambda: ANSWER if gate.wait(10) else b"")
    waiting = server.connected(REQUEST)
    until(lambda: server.heads)
    idle = [server.connected() for _ in range(MAX_CONNECTIONS + 10)]
    until(lambda: server.open == MAX_CONNECTIONS)
    gate.set()
    assert received(waiting) == ANSWER
    for client in idle:
        client.close()


def test_what_fails_is_an_answer_too(server: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what went wrong, which may hold a secret; the thread goes on."""

    def fail(_head: bytes) -> bytes:
        msg = "very-secret"
        raise ValueError(msg)

    server.answer = fail
    status, _, answer = exchanged(server.url, REQUEST)
    assert status == 500
    assert "very-secret" not in answer
    server.answer = lambda _head: Later("vegeta", lambda: ANSWER)
    with monkeypatch.context() as patch:
        patch.setattr(server.listener._reads, "begin", lambda _key, _read: False)
        assert exchanged(server.url, REQUEST)[0] == 503
    server.answer = lambda _head: ANSWER
    assert server.ask() < 2


def test_without_a_file_descriptor_the_oldest_makes_room(server: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where there is none to close, it waits for a moment instead of spinning."""
    real, failures = server.listener._server, [24, 24]

    class Exhausted:
        """The listening socket of a process that has too many files open."""

        def accept(self) -> object:
            """Fails at first."""
            if failures:
                raise OSError(failures.pop(), "Too many open files")
            return real.accept()

        def fileno(self) -> int:
            """The real one's."""
            return real.fileno()

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

    exhausted = Exhausted()
    server.listener._selector.modify(real, 1, None)
    monkeypatch.setattr(server.listener, "_server", exhausted)
    server.listener._selector.unregister(real)
    server.listener._selector.register(exhausted, 1)
    server.listener._wake()
    assert server.ask() < 2
    assert failures == []


def test_closing_it_ends_its_thread_and_all_connections() -> None:
    """At once, whatever is under way; and the port is free."""
    made = Listening()
    gate = threading.Event()
    made.answer = lambda _head: Later("vegeta", lambda: ANSWER if gate.wait(10) else b"")
    clients = [made.connected(REQUEST), made.connected(b"GET")]
    until(lambda: made.open == 2)
    began = time.perf_counter()
    made.listener.end()
    made.listener.end()
    made.listener.wait()
    assert time.perf_counter() - began < 1
    gate.set()
    assert [received(client) for client in clients] == [b"", b""]
    with pytest.raises(ConnectionRefusedError):
        made.connected()


def test_without_a_thread_nothing_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the caller's."""

    def start(_thread: object) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    listener = Listener(lambda _head: ANSWER)
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError):
        listener.start()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.port), 10)
