from __future__ import annotations

import gc
import threading

import pytest

from tests.support.worlds import World
from xsession import Account, Role, SessionClosedError
from xsession._account_sessions import _MAX_PASSING
from xsession._chain._chains import MAX_CELLS


def test_an_account_has_one_session_while_it_is_in_use(world: World) -> None:
    """Also one that is not registered and has a boto3 session of its own; whoever makes a new one gets another."""
    sessions = world.session()._account_sessions
    for account in (Account("vegeta", world.role), Account("own", source=world.source)):
        kept = sessions.kept(account)
        assert sessions.kept(account) is kept
        assert sessions.new(sessions.resolve(account)) is not kept


def test_accounts_that_pass_by_push_no_registered_one_out(world: World) -> None:
    """One for each request or tenant must not add up."""
    xs = world.session()
    kept = xs._account_sessions.resolve(xs.accounts["vegeta"])
    for number in range(_MAX_PASSING + 8):
        xs._account_sessions.resolve(Account(f"tenant{number}", source=world.aws.session(world.key)))
    assert len(xs._account_sessions.resolved()) == 1 + _MAX_PASSING
    assert xs._account_sessions.resolve(xs.accounts["vegeta"]) is kept


def test_a_closed_one_resolves_nothing(world: World) -> None:
    """Not even what it resolved before."""
    xs = world.session()
    xs._account_sessions.resolve(xs.accounts["vegeta"])
    xs.close()
    with pytest.raises(SessionClosedError, match="vegeta"):
        xs._account_sessions.resolve(xs.accounts["vegeta"])


def test_a_forked_child_goes_on_where_a_thread_held_the_lock(world: World) -> None:
    """What that thread was changing is resolved again."""
    xs = world.session()
    sessions = xs._account_sessions
    before = sessions.resolve(xs.accounts["vegeta"])
    holder = threading.Thread(target=sessions._lock.acquire)
    holder.start()
    holder.join()
    sessions.after_fork()
    assert sessions.resolved() == []
    assert sessions.resolve(xs.accounts["vegeta"]).key == before.key
    sessions.after_fork()
    assert len(sessions.resolved()) == 1


@pytest.mark.parametrize(("keys", "bound"), [(200, 64), pytest.param(10_000, MAX_CELLS, marks=pytest.mark.slow)])
def test_many_keys_need_bounded_memory(world: World, monkeypatch: pytest.MonkeyPatch, keys: int, bound: int) -> None:
    """What is known of accounts and hops is let go from some thousands on."""
    # Of accounts as many are kept as of their hops.
    for limit in ("_chain._chains.MAX_CELLS", "_account_sessions._MAX_RESOLVED"):
        monkeypatch.setattr(f"xsession.{limit}", bound)
    xs = world.session()
    for number in range(keys):
        xs._resolve(xs.accounts.find(Role(world.role, role_session_name=f"n{number}")))
    gc.collect()
    assert len(xs._chains._cells) == len(xs._chains._recent) == bound
