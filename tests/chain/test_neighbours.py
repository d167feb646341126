"""Accounts of different sources in one process: nobody waits for a stranger, and nobody for itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest

from tests.support.cells import attempted, until
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import Account, CrossAccountSession, Role, SessionClosedError
from xsession._chain._sources import Sources
from xsession.events import Event, RefreshSucceeded
from xsession.refresh import SHARED_WORKERS
from xsession.testing import Fault

MANY = 90


def many(world: World, **options: Any) -> dict[str, Role]:
    """Accounts of one role, each with credentials of its own."""
    return {f"a{number}": Role(world.role, role_session_name=f"s{number}", **options) for number in range(MANY)}


def test_accounts_whose_source_is_an_account_of_another_session_all_come_up(world: World) -> None:
    """There are more of them than threads, and all need that one's credentials first."""
    world.aws.fail(Fault(kind="latency", operation="AssumeRole", seconds=0.02, times=None))
    other = world.hub.role("Other", trusts=BATMAN)
    hub = world.session({"hub": other})
    role = world.vegeta.role("FromOther", trusts=other)
    names = {f"a{number}": Role(role, role_session_name=f"s{number}") for number in range(MANY)}
    outcomes = world.session(names, session=hub["hub"]).warm(max_workers=MANY)
    assert (len(outcomes), outcomes.errors) == (MANY, {})


def test_hooks_may_use_clients_of_accounts_that_are_cold(world: World) -> None:
    """Each of them, at each of many refreshes."""
    other = world.session({"other": world.role})
    heard: list[str] = []

    def hook(event: Event) -> None:
        if isinstance(event, RefreshSucceeded):
            other.invalidate()
            heard.append(other.get_client("sts", "other").get_caller_identity()["Account"])

    outcomes = world.session(many(world), hooks=[hook]).warm(max_workers=MANY)
    assert outcomes.errors == {}
    assert heard == [VEGETA] * MANY


def test_a_region_that_hangs_leaves_the_others_alone(world: World) -> None:
    """An account of another region is there at once, while as many as there are threads wait for an answer."""
    silent = world.vegeta.role("Silent", trusts=BATMAN)
    world.aws.fail(Fault(kind="hang", role_arn=silent, times=None))
    stuck = {
        f"a{number}": Role(silent, role_session_name=f"s{number}", sts_region_name="eu-central-1")
        for number in range(MANY)
    }
    xs = world.session({**stuck, "healthy": Role(world.role, sts_region_name="eu-west-1")})
    threads = [
        threading.Thread(target=attempted, args=(partial(xs.get_frozen_credentials, name),), daemon=True)
        for name in stuck
    ]
    for thread in threads:
        thread.start()
    until(lambda: SHARED_WORKERS._urgent._busy == 32)
    began = time.monotonic()
    assert xs.get_frozen_credentials("healthy").account_id == VEGETA
    assert time.monotonic() - began < 1
    # Whoever waits is told, though no answer has come.
    xs.close()
    for thread in threads:
        thread.join(1)
    assert not [thread for thread in threads if thread.is_alive()]
    world.aws.release()


def test_what_is_made_while_the_session_closes_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between finding the source and making the cell."""
    xs: CrossAccountSession = world.session()
    find = Sources.of

    def closing(self: Sources, account: Any) -> Any:
        source = find(self, account)
        xs.close()
        return source

    monkeypatch.setattr(Sources, "of", closing)
    with pytest.raises(SessionClosedError):
        xs.get_client("sts", "vegeta")
    assert list(xs._chains._cells) == []


class CuriousSession(boto3.Session):
    """A caller's session whose code uses another account, whatever it is asked for."""

    ask: Callable[[], object] = staticmethod(lambda: None)

    @property
    def region_name(self) -> str | None:  # type: ignore[override]  # stubs have an attribute
        """Its region."""
        ask, self.ask = self.ask, lambda: None
        ask()
        return super().region_name


def test_a_session_of_a_callers_own_may_use_other_accounts_while_it_is_looked_at(world: World) -> None:
    """Or a signal handler, that comes in at this moment."""
    passed = CuriousSession("AKIAOTHER", "secret", region_name="eu-west-1")
    xs: CrossAccountSession = world.session()
    passed.ask = lambda: xs.whoami("vegeta")
    tenant = Account("tenant", source=passed)
    thread = threading.Thread(target=xs.get_client, args=("sts", tenant), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
