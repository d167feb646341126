from __future__ import annotations

import gc
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import SOURCE
from xsession._client_cache import ClientCache
from xsession.errors import ConfigError


class Client:
    """What the cache sees of a client."""

    def __init__(self) -> None:
        self.closed = 0
        self.key = 0
        self.born = -1

    def close(self) -> None:
        """Counts."""
        self.closed += 1


def test_a_key_has_one_client() -> None:
    """Made once."""
    cache = ClientCache(4)
    made = cache.get("k", "shortcut", Client)
    assert cache.get("k", None, Client) is made
    assert cache.by_arguments == {"shortcut": made}


def test_fifty_threads_that_ask_at_once_build_once() -> None:
    """The others wait for it."""
    cache, built, barrier = ClientCache(4), [], threading.Barrier(50)

    def build() -> Client:
        built.append(1)
        return Client()

    def ask(_number: int) -> Any:
        barrier.wait()
        return cache.get("k", None, build)

    with ThreadPoolExecutor(50) as pool:
        assert len({id(client) for client in pool.map(ask, range(50))}) == 1
    assert built == [1]


@pytest.mark.parametrize("wrong", [0, -1, None, "8", 1.5])
def test_it_keeps_one_client_at_least(wrong: Any) -> None:
    """Refused when it is made, not at the first client."""
    with pytest.raises(ConfigError, match="max_clients"):
        ClientCache(wrong)


def test_a_build_that_fails_is_tried_again_by_the_next() -> None:
    """Nothing is remembered of it."""
    cache = ClientCache(4)

    def fail() -> Client:
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        cache.get("k", None, fail)
    assert isinstance(cache.get("k", None, Client), Client)


def test_the_least_recently_used_one_goes_with_its_shortcuts() -> None:
    """The bound holds for the plain dictionary in front as well."""
    cache = ClientCache(4)
    for key in "abcde":
        cache.get(key, key, Client)
    gc.collect()
    assert set(cache._alive) == {"b", "c", "d", "e"}
    assert set(cache.by_arguments) <= {"d", "e"}


@given(st.integers(1, 9), st.lists(st.integers(0, 11), max_size=60))
def test_a_client_that_is_asked_for_again_soon_is_kept(maxsize: int, keys: list[int]) -> None:
    """It goes after as many others as half of the bound at the earliest; and the bound holds."""
    cache = ClientCache(maxsize)
    last: dict[int, tuple[int, int]] = {}
    for number, key in enumerate(keys):
        client = cache.by_arguments.get(key) or cache.get(key, key, Client)
        others = len({other for other in keys[last[key][0] + 1 : number] if other != key}) if key in last else maxsize
        if others < maxsize // 2:
            assert client.born == last[key][1]
        if key not in last or client.born != last[key][1]:
            client.born = number
        last[key] = number, client.born
        del client
        assert len(cache._young) + len(cache._old) <= maxsize


def test_a_hit_is_a_use() -> None:
    """The client that is asked for most stays, though hits leave no trace."""
    cache = ClientCache(3)
    favourite = id(cache.get("s3", "s3", Client))
    for number in range(30):
        for _ in range(5):
            assert id(cache.by_arguments.get("s3") or cache.get("s3", "s3", Client)) == favourite
        cache.get(number, number, Client)


def test_one_that_was_let_go_and_is_held_is_found_again() -> None:
    """Two clients of one key would be two pools of connections."""
    cache = ClientCache(1)
    held = cache.get("a", None, Client)
    cache.get("b", None, Client)
    assert cache.get("a", None, Client) is held


def test_one_that_is_not_held_is_gone() -> None:
    """The cache keeps no more than it was told to."""
    cache = ClientCache(1)
    first = id(cache.get("a", None, Client))
    second = cache.get("b", None, Client)
    gc.collect()
    assert id(second) != first or len(cache._alive) == 1


def test_closing_a_client_forgets_and_closes_it() -> None:
    """The next one who asks gets a new one."""
    cache = ClientCache(4)
    client = cache.get("a", "s", Client)
    client.close()
    assert client.closed == 1
    assert cache.by_arguments == {}
    assert cache.get("a", "s", Client) is not client


def test_a_client_that_outlives_its_cache_can_be_closed() -> None:
    """There is nothing left to forget it."""
    cache = ClientCache(4)
    client = cache.get("a", None, Client)
    del cache
    gc.collect()
    client.close()
    assert client.closed == 1


def test_shortcuts_that_are_not_taken_again_do_not_pile_up() -> None:
    """A caller passes another object for the same account each time."""
    cache = ClientCache(4)
    for number in range(1_000):
        cache.get("a", number, Client)
    assert len(cache.by_arguments) <= 16
    assert 999 in cache.by_arguments


def test_clear_forgets_all() -> None:
    """What is held elsewhere lives on."""
    cache = ClientCache(4)
    client = cache.get("a", "s", Client)
    cache.clear()
    assert cache.by_arguments == {}
    assert cache.get("a", "s", Client) is not client


def test_shortcuts_may_be_forgotten_and_the_clients_kept() -> None:
    """Those of a call that began before then, too: its arguments may mean another client now."""
    cache = ClientCache(2)
    before = cache.epoch
    client = cache.get("a", "s", Client)
    cache.forget_shortcuts()
    assert cache.by_arguments == {}
    assert cache.get("a", "s", Client, epoch=before) is client
    assert cache.get("b", "t", Client, epoch=before) is not client
    assert cache.by_arguments == {}
    assert cache.get("a", "s", Client, epoch=cache.epoch) is client
    assert cache.by_arguments == {"s": client}


def test_after_a_fork_it_is_empty_and_its_hits_are_the_same_object() -> None:
    """Their reader holds that object."""
    cache = ClientCache(4)
    client, by_arguments = cache.get("a", "s", Client), cache.by_arguments
    cache.after_fork()
    assert cache.by_arguments is by_arguments
    assert by_arguments == {}
    assert cache.get("a", "s", Client) is not client


def test_threads_that_use_it_at_random_break_nothing() -> None:
    """Eight of them over more keys than it keeps: no error, and never a client of another key."""
    cache = ClientCache(8)

    def build(key: int) -> Client:
        client = Client()
        client.key = key
        return client

    def use(thread: int) -> None:
        for number in range(2_000):
            key = (number * (thread + 3)) % 24
            client = cache.get(key, key, partial(build, key))
            assert client.key == key
            found = cache.by_arguments.get(key)
            assert found is None or found.key == key
            if number % 50 == 0:
                client.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    assert len(cache.by_arguments) <= 8


def test_a_hit_takes_no_lock() -> None:
    """It is held all the time, and still there are hits."""
    cache = ClientCache(4)
    client = cache.get("k", "shortcut", Client)
    with cache._lock:
        assert cache.by_arguments["shortcut"] is client


def test_many_calls_over_many_keys_keep_no_more_than_the_bound() -> None:
    """Neither clients, nor shortcuts, nor locks of builds; who holds one keeps it."""
    cache = ClientCache(16)
    held = cache.get(0, 0, Client)
    chosen = random.Random(1)
    for _ in range(5_000):
        key = chosen.randrange(200)
        cache.get(key, (key, chosen.randrange(3)), Client)
    gc.collect()
    assert len(cache._young) + len(cache._old) == 16
    assert len(cache._building) == 0
    assert len(cache._shortcuts) <= 8
    assert len(cache.by_arguments) <= 16 * 3
    assert len(cache._alive) <= 17
    assert cache.get(0, 0, Client) is held


def test_an_evicted_client_of_a_session_goes_on_working(world: World) -> None:
    """And asked for again while it is held, it is the same one."""
    xs = world.session(max_clients=1)
    sts = xs.get_client("sts", "vegeta")
    assert who(sts) == VEGETA
    assert who(xs.get_client("sts", SOURCE)) == BATMAN
    assert who(sts) == VEGETA
    assert xs.get_client("sts", "vegeta") is sts


def test_fifty_threads_of_a_session_get_one_client(world: World) -> None:
    """Made once, from the first template on."""
    xs, barrier = world.session(), threading.Barrier(50)

    def ask(_number: int) -> Any:
        barrier.wait()
        return xs.get_client("sts", "vegeta")

    with ThreadPoolExecutor(50) as pool:
        assert len({id(client) for client in pool.map(ask, range(50))}) == 1
