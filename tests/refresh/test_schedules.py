"""Random schedules of what can happen to an engine: bursts, clock steps, forks, rejections, ends, regions that hang."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.support.cells import Bench, ScriptedFetch, attempted, in_threads, read, read_nested, refusal, until
from xsession.errors import DeadlinePassedError, SessionClosedError, XSessionError
from xsession.refresh import Rejection
from xsession.refresh._cell import Cell
from xsession.refresh._lanes import Lane
from xsession.refresh._snapshot import Issued, Snapshot
from xsession.refresh._workers import MAX_BACKGROUND_THREADS, MAX_URGENT_THREADS

LIFETIME = 900.0
REPLACED_AT_MOST_EVERY = 30.0
ENDPOINTS = [("https://sqs", "eu-west-1/sqs"), ("https://off", "me-south-1/s3")]


class Region:
    """The STS of one source and one region: it answers, hangs, refuses or throttles, as it is told.

    Args:
        bench: Its clock.
    """

    def __init__(self, bench: Bench) -> None:
        self.lane = Lane(bench.clock)
        self.gate = threading.Event()
        self.gate.set()
        self.error: XSessionError | None = None

    def heal(self) -> None:
        """It answers again, and holds nothing back."""
        self.gate.set()
        self.error = self.lane._pace = None


class HopCall(ScriptedFetch):
    """One hop's calls of a region, which the hop before signs.

    Args:
        bench: Its clock.
        region: Whom it calls.
        before: The hop before.
    """

    def __init__(self, bench: Bench, region: Region, before: Cell[Any] | None) -> None:
        super().__init__(bench.clock, LIFETIME)
        self.region = region
        self.lane = region.lane
        self.hop_before = before

    def __call__(self, background: bool, try_limit: float = 5.0, mfa_code: str | None = None, /) -> Issued:
        """One call."""
        if self.hop_before is not None:
            assert read_nested(self.hop_before).remaining(self.clock) > 0
        sent = self.region.lane.enter()
        if not self.region.gate.is_set():  # as in ScriptedFetch
            self.region.gate.wait(30)
        if self.region.error is not None:
            if self.region.error.code == "Throttling":
                self.region.lane.throttled(sent)
            raise self.region.error.for_caller()
        self.region.lane.answered()
        return super().__call__(background, try_limit, mfa_code)


class Schedule:
    """Accounts of three sources in two regions each, behind one to four hops that they share, and what happens to them.

    Args:
        seed: Of all that is drawn.
    """

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # it is replayed
        self.bench = Bench(patience=5)
        self.regions = [Region(self.bench) for _ in range(6)]
        self.cells: dict[Cell[Any], Region] = {}
        for region in self.regions:
            last: list[Cell[Any]] = []
            for _ in range(12):
                before = self.draw.choice([None, *last])
                hop = 1 if before is None else min(4, before.label.hop + 1)
                before = before if hop > 1 and before is not None and before.label.hop < 4 else None
                cell = self.bench.new_cell(HopCall(self.bench, region, before), hop=hop, patience=5)
                last.append(cell)
                self.cells[cell] = region
        self.broken: set[Region] = set()
        self.ended: dict[Cell[Any], type[XSessionError]] = {}
        self.generations: dict[Cell[Any], int] = {}
        self.readers: list[threading.Thread] = []

    def step(self) -> None:
        """Something happens."""
        what = self.draw.choice(
            [
                *[self.burst] * 3,
                *[self.pass_time, self.step_wall, self.suspend, self.invalidate, self.reject, self.reject_late],
                *[self.supersede, self.end_some],
                *[self.hang, self.refuse, self.throttle],
                *[self.heal] * 2,
            ]
        )
        what()
        workers = self.bench.workers
        assert workers._urgent._threads <= MAX_URGENT_THREADS
        assert workers._background._threads <= MAX_BACKGROUND_THREADS

    def burst(self) -> None:
        """Sixteen threads read: those of regions that are well get good credentials, whatever the others do."""
        for cell, kind in self.ended.items():
            assert isinstance(attempted(partial(read, cell)), kind)
        well = self._well()
        ill = [cell for cell, region in self.cells.items() if region in self.broken]
        for cell in self.draw.sample(ill, min(len(ill), 8)):
            thread = threading.Thread(target=attempted, args=(partial(read, cell),), daemon=True)
            thread.start()
            self.readers.append(thread)
        if well:
            self._serve(self.draw.choices(well, k=16))

    def _well(self) -> list[Cell[Any]]:
        return [cell for cell, region in self.cells.items() if region not in self.broken and cell not in self.ended]

    def _serve(self, cells: list[Cell[Any]]) -> None:
        waiting = iter(cells)
        with self._turning():
            results = in_threads(len(cells), lambda: self._read(next(waiting)))
        assert set(results) == {True}, results

    @contextmanager
    def _turning(self) -> Iterator[None]:
        # What failed before is waited for by the clock that a test turns, and so is a pace.
        done = threading.Event()

        def turn() -> None:
            while not done.wait(0.01):
                self.bench.clock.advance(0.02)

        turning = threading.Thread(target=turn, daemon=True)
        turning.start()
        try:
            yield
        finally:
            done.set()
            turning.join(10)

    def _read(self, cell: Cell[Any]) -> bool:
        # Looked up first: another thread may have read a newer one by the time that this one compares.
        seen = self.generations.get(cell, 0)
        snapshot: Snapshot[Any] = read(cell)
        held = snapshot.credentials
        assert snapshot.remaining(self.bench.clock) > 0
        number = held.access_key_id.removeprefix("ASIA")
        assert (held.secret_access_key, held.session_token) == (f"secret{number}", f"token{number}")
        assert snapshot.generation >= seen
        self.generations[cell] = max(seen, snapshot.generation)
        return True

    def pass_time(self) -> None:
        """Seconds, minutes, or more than anything lives."""
        self.bench.clock.advance(self.draw.choice([1, 30, 200, 500, 880, 2_000]))

    def step_wall(self) -> None:
        """An administrator sets the clock."""
        self.bench.clock.step_wall(self.draw.choice([-7_200, -240, 240, 7_200]))

    def suspend(self) -> None:
        """The machine sleeps for hours."""
        self.bench.clock.advance(10_800)

    def invalidate(self) -> None:
        """Some are thrown away."""
        for cell in self.draw.sample(list(self.cells), 10):
            cell.invalidate()

    def reject(self) -> None:
        """Services reject the keys that are held, one of them all that it gets: a cell loses its own now and then."""
        for cell in self.draw.sample(list(self.cells), 20):
            key_id, now = cell.snapshot.credentials.access_key_id, self.bench.clock.boot()
            before = cell.rejections.replaced_at
            cell.rejected(Rejection(key_id, self.draw.choice(ENDPOINTS)))
            if cell.rejections.replaced_at != before:
                assert now - before >= REPLACED_AT_MOST_EVERY
                assert cell.snapshot.credentials.access_key_id != key_id
            if self.draw.random() < 0.5:
                cell.accepted(ENDPOINTS[0])

    def reject_late(self) -> None:
        """A service rejects keys that were replaced long ago: nothing is thrown away."""
        for cell in self.draw.sample(list(self.cells), 10):
            held = cell.snapshot
            assert not cell.invalidate("ASIA-of-before")
            # A refresh under way may end just now.
            after = cell.snapshot
            assert after.credentials is held.credentials or after.generation > held.generation

    def supersede(self) -> None:
        """A source turns out to be another principal: all that it had got is thrown away."""
        region = self.draw.choice(self.regions)
        for cell, whose in self.cells.items():
            if whose is region:
                cell.supersede()

    def end_some(self) -> None:
        """A grant is revoked, a session closes: what ended gives nothing any more, whatever happens afterwards."""
        hubs = {cell._fetch.hop_before for cell in self.cells}
        last = [cell for cell in self.cells if cell not in hubs and cell not in self.ended]
        for cell in self.draw.sample(last, min(len(last), 2)):
            if self.draw.random() < 0.5:
                cell.end("the grant was revoked")
                self.ended[cell] = DeadlinePassedError
            else:
                cell.close()
                self.ended[cell] = SessionClosedError

    def hang(self) -> None:
        """A region gives no answer."""
        self._break().gate.clear()

    def refuse(self) -> None:
        """A region fails, or says no."""
        retryable = self.draw.random() < 0.5
        self._break().error = refusal("InternalFailure" if retryable else "AccessDenied", retryable=retryable)

    def throttle(self) -> None:
        """A region throttles everything."""
        self._break().error = refusal("Throttling")

    def _break(self) -> Region:
        region = self.draw.choice(self.regions[1:])
        self.broken.add(region)
        return region

    def heal(self) -> None:
        """All is well again."""
        for region in self.broken:
            region.heal()
        self.broken.clear()
        with self._turning():
            for thread in self.readers:
                thread.join(10)
            until(lambda: self.bench.workers._urgent._busy == 0)
        # What was refused is remembered for a minute.
        self.bench.clock.advance(301)

    def end(self) -> None:
        """When all is well again, everybody is served."""
        self.heal()
        self._serve(self._well())
        for cell in self.cells:
            cell.close()
        self.bench.workers.forget(set(self.cells))

    def fork(self) -> None:
        """A child, forked in whatever state this is, is served by all regions that are well."""
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            failed = 1
            try:
                self.bench.clock.advance(301)
                for region in self.regions:
                    region.lane._pace = None
                for cell in self._well():
                    self._read(cell)
                for cell, kind in self.ended.items():
                    assert isinstance(attempted(partial(read, cell)), kind)
                failed = 0
            finally:
                os._exit(failed)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def run(seed: int, steps: int, *, forks: int = 0) -> None:
    """One schedule."""
    schedule = Schedule(seed)
    try:
        for number in range(steps):
            schedule.step()
            if forks and number % forks == forks - 1:
                schedule.fork()
        schedule.end()
    finally:
        for region in schedule.regions:
            region.heal()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_healthy_regions_are_served(seed: int) -> None:
    """No dead credentials, no mixed ones, no deadlock; and when all is well again, everybody is."""
    run(seed, 20)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork of a process with threads is the point
def test_a_child_is_served_whatever_was_happening() -> None:
    """Forked in the middle of it."""
    run(7, 12, forks=4)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork of a process with threads is the point
@pytest.mark.parametrize("seed", range(100, 130))
def test_whatever_happens_for_long(seed: int) -> None:
    """The same, thirty times as long."""
    run(seed, 60, forks=15)
