"""The short form of `make soak`: chains of up to six hops, threads, short lifetimes, an STS that fails in every way."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench.soak import Load, Watch
from bench.soak_server import BATMAN, BRANCHES, KINDS, MOST_HOPS, Tally, chains
from tests.support.cells import until
from xsession import CrossAccountSession, RoleChain
from xsession.testing import FakeClock, Fault, LocalAWS

LIFETIME = 900.0
SECONDS_BETWEEN = 130.0
THREADS, ROUNDS, FAULTS = 8, 24, 8


@contextmanager
def turning(clock: FakeClock) -> Iterator[None]:
    """Time goes by, but little of it: whoever waits for a hop's next try gets there, and no key comes to its end."""
    done = threading.Event()

    def turn() -> None:
        while not done.wait(0.01):
            clock.advance(0.05)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def arm(aws: LocalAWS, number: int) -> None:
    """In every other round STS fails so many times, in one of its ways; what hung before is let go."""
    aws.recover()
    if number % 2:
        aws.fail(Fault(operation="AssumeRole", times=FAULTS, **KINDS[number // 2 % len(KINDS)]))


def test_no_caller_notices_that_sts_fails() -> None:
    """Each request is signed by its own account's keys, before they end; a role is assumed about once a lifetime."""
    clock, order, others = FakeClock(), random.Random(1), {*threading.enumerate()}
    with LocalAWS(clock=clock, lifetime=LIFETIME) as aws:
        accounts = {name: RoleChain(*roles) for name, roles in chains(aws, BRANCHES * MOST_HOPS)}
        ids = {name: chain.last.account_id for name, chain in accounts.items()}
        roles = {tuple(chain)[: hop + 1] for chain in accounts.values() for hop in range(len(chain))}
        source = aws.session(aws.account(BATMAN).user("bruce"))
        watch, tally = Watch(clock.wall), Tally(aws)
        with CrossAccountSession(accounts, session=source, region_name="eu-west-1", clock=clock, hooks=[watch]) as xs:
            xs.warm().raise_for_errors()
            for name in accounts:
                xs.get_client("sts", name).meta.events.register_last("request-created.sts", watch.signed)
            load = Load(xs, [*accounts], pause=0.0)
            began = clock.boot()
            with ThreadPoolExecutor(THREADS) as pool:
                for number in range(ROUNDS):
                    arm(aws, number)
                    names = order.sample([*accounts], len(accounts))
                    with turning(clock):
                        served = [*pool.map(load.use, names)]
                    assert served == [ids[name] for name in names], load.failures
                    clock.advance(SECONDS_BETWEEN)
            lifetimes = (clock.boot() - began) / LIFETIME
        counts = tally.take()
        until(lambda: not any(one.name.startswith("xsession-") for one in {*threading.enumerate()} - others))
    # A hop's own call that is on its way while the clock jumps may come too late: it is made again.
    assert watch.expired == counts["unknown"] == 0
    assert load.requests == ROUNDS * len(accounts)
    assert lifetimes - 1 <= counts["assume_role_ok"] / len(roles) <= 2 * lifetimes + 1
