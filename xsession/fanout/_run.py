"""A function over many accounts and regions: an iterator of what comes of each call."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar, cast

from xsession._base import frozen, public, renew_after_fork
from xsession.errors import CallTimeoutError, RunError, XSessionError

from ._calls import too_many_hang
from ._category import PASSING, Category
from ._expected import Expected
from ._limits import Limits
from ._outcomes import Outcome, Outcomes, Phase
from ._plan import Plan, Task, Unit
from ._progress import Progress, aside
from ._record import Record
from ._threads import CallPool, Done

T = TypeVar("T")

_LONGEST_WAIT = 60.0
# A signal handler or another thread may close the run meanwhile.
_LONGEST_LOOK = 0.5
_NEVER = float("inf")


@frozen(kw_only=True)
class RunOptions:
    """How a run goes.

    Args:
        retries: How many more times a call is made that failed for a reason which may pass.
        timeout: Seconds that a call may take; so long, too, is waited for calls that hang where no other account may be
            worked in until they end. None: for ever.
        total_timeout: Seconds that all may take; None: for ever.
        stop_after: The share of calls that fail in the same way which ends the run; None: none does.
        first_wait: Seconds before the first of those calls; before the next ones twice as long each.
        clock: Seconds of a clock that goes on evenly.
    """

    retries: int = 0
    timeout: float | None = None
    total_timeout: float | None = None
    stop_after: float | None = None
    first_wait: float = 1.0
    clock: Callable[[], float] = time.monotonic


@public
class Run(Generic[T]):
    """What comes of each call, as soon as it is known: an iterator that is used up once, and a context manager.

    Nothing is called before the first outcome is asked for, and no more than a few calls ahead of who asks; so what it
    takes of memory goes with what is under way. Whatever ends the loop early, such as Ctrl-C, ends the run: calls that
    are under way are left to themselves, and nothing more is called.

    Attributes:
        done: How many outcomes there were.
        failed: How many of them failed.
    """

    def __init__(
        self,
        plan: Plan,
        pool: CallPool,
        limits: Limits,
        *,
        record: Record,
        told: Progress,
        options: RunOptions,
        notes: Callable[[Unit], tuple[str, ...]] = lambda _unit: (),
    ) -> None:
        self._closed = self._began = self._collects = False
        self._plan, self._pool, self._limits, self._record, self._told = plan, pool, limits, record, told
        self._options, self._notes = options, notes
        self._planned = plan.tasks()
        self._ready: deque[Task] = deque()
        self._aside: dict[str, deque[Task]] = {}
        self._later: list[tuple[float, tuple[int, int], Task]] = []
        self._known: deque[tuple[Unit, Outcome[Any]]] = deque()
        self._collected: list[tuple[tuple[int, int], Outcome[T]]] = []
        self._until = self._hanging_until = _NEVER
        self._expected = Expected(plan.total, len(plan.accounts) if plan.asks else 0)
        self._stopped: Callable[[Unit], Outcome[Any]] | None = None
        self.done = self.failed = 0
        # What Ctrl-C may have kept from being counted.
        self._taken: Done | None = None
        # Held while an outcome is waited for.
        self._turn = threading.Lock()
        self._is_forked = False
        renew_after_fork(self)

    def __iter__(self) -> Iterator[Outcome[T]]:
        return self

    def __next__(self) -> Outcome[T]:
        return self._step()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        # A loop that was left, and nobody has the run any more.
        with suppress(Exception):
            self.close()

    def __repr__(self) -> str:
        return f"<Run: {self.done} of {self.total} done, {self.failed} failed, {self.under_way} under way>"

    @property
    def total(self) -> int:
        """How many outcomes there will be, as far as that is known."""
        return self._expected.total

    @property
    def under_way(self) -> int:
        """How many calls are under way, or wait for a thread."""
        return self._limits.under_way

    @property
    def abandoned(self) -> int:
        """How many calls took too long and were left to themselves; what came of them later was thrown away."""
        return self._pool.left

    @property
    def outcomes(self) -> Outcomes[T]:
        """What `collect` has so far, in the order in which the accounts were given."""
        ordered = sorted(self._collected, key=lambda item: item[0])
        return Outcomes((outcome for _, outcome in ordered), by_region=self._plan.by_region)

    def collect(self) -> Outcomes[T]:
        """All that are still to come, by account name, or by account name and region where regions were named.

        Interrupted by Ctrl-C, it ends at once; `outcomes` has what is done.
        """
        try:
            self._collects = True
            while True:
                self._step()
        except StopIteration:
            return self.outcomes
        except KeyboardInterrupt as error:
            # Not `close`: whatever it has interrupted, nobody else is in the middle of a step.
            self._closed = True
            self._clean_up()
            error.add_note(f"{len(self.outcomes)} of {self.total} are done; `outcomes` of the run has them")
            raise

    def close(self) -> None:
        """Ends the run: nothing more is called, and nobody waits for what is under way.

        A signal handler may call it, or another thread: a loop that waits for an outcome ends within half a second.
        In a forked child it does nothing: the run is the parent's.
        """
        if self._is_forked:
            return
        self._closed = True
        # What a signal has interrupted is not done a second time in the middle of it.
        if not self._turn.locked():
            self._clean_up()

    def _clean_up(self) -> None:
        # The last one first; each of them, whatever interrupts another, and again where it was interrupted.
        with ExitStack() as ends:
            ends.callback(self._end_told)
            ends.callback(self._record.close)
            ends.callback(self._keep_finished)
            ends.callback(self._pool.close)

    def _end_told(self) -> None:
        if self._began:
            self._began = False
            self._told.end()

    def aside(self) -> AbstractContextManager[object]:
        """Clears a bar that `progress=` shows, for a block that writes to the terminal; it is back afterwards."""
        return aside(self._told)

    def after_fork(self) -> None:
        """Has a forked child leave the run to its parent, which has the threads."""
        self._is_forked = True

    def _step(self) -> tuple[Unit, Outcome[T]]:
        if self._is_forked:
            msg = "this run was started by the process that forked this one, which makes its calls"
            raise RunError(msg, hint="start one here, after the fork")
        if not self._turn.acquire(blocking=False):
            msg = "an outcome of this run is being waited for already, by another thread or further up in this one"
            raise RunError(msg, hint="iterate over a run in one thread, outside of its function and progress")
        try:
            found = None if self._closed else self._next()
            self._closed = self._closed or found is None
        except StopIteration as error:
            # It would be taken for the end of the run.
            self._closed = True
            msg = "progress raised StopIteration"
            raise RuntimeError(msg) from error
        except BaseException:
            self._closed = True
            raise
        finally:
            self._turn.release()
            if self._closed:
                self._clean_up()
        if found is None:
            raise StopIteration
        return found

    def _next(self) -> tuple[Unit, Outcome[T]] | None:
        if not self._began:
            self._begin()
        self._wait()
        if not self._known:
            return None
        unit, outcome = self._known[0]
        outcome = self._noted(unit, outcome)
        if self._collects:
            # Before anybody is told of it, who may raise, or be interrupted by Ctrl-C.
            self._collected.append((unit.place, outcome))
        self._known.popleft()
        return unit, cast("Outcome[T]", self._counted(outcome))

    def _begin(self) -> None:
        self._began = True
        self._told.begin(self.total)
        if self._options.total_timeout is not None:
            self._until = self._options.clock() + self._options.total_timeout

    def _noted(self, unit: Unit, outcome: Outcome[Any]) -> Outcome[Any]:
        # Here, and not where the call is made: whatever comes of it has them, in other processes and by a journal too.
        notes = self._notes(unit)
        return replace(outcome, notes=(*outcome.notes, *notes)) if notes else outcome

    def _counted(self, outcome: Outcome[Any]) -> Outcome[Any]:
        self.done += 1
        if outcome.status == "failed":
            self.failed += 1
            self._count_alike(outcome)
        state = getattr(self._told, "state", None)
        if state is not None:
            state(self.total, self.under_way)
        self._told.advance(outcome)
        return outcome

    def _wait(self) -> None:
        """Returns once an outcome is known, or there are no more."""
        while not self._known and not self._closed:
            self._fill()
            if self._known:
                break
            if not self._limits.under_way and not self._later:
                if not self._ready:
                    return
                self._check_hanging()
            until = min(self._until, self._hanging_until, self._later[0][0] if self._later else _NEVER)
            self._taken = self._pool.next(max(0.0, min(until - self._options.clock(), _LONGEST_LOOK)))
            if self._taken is not None:
                self._ended(*self._taken)
                self._taken = None
            self._check_time()

    def _fill(self) -> None:
        """Hands over as much as may be under way; what is known already is an outcome at once."""
        while not self._known and (task := self._next_task()) is not None:
            unit = task.unit
            if self._stopped is not None:
                self._known.append((unit, self._stopped(unit)))
            else:
                self._hanging_until = _NEVER
                self._limits.began(unit.account)
                self._pool.submit(task)

    def _next_task(self) -> Task | None:
        """What is to be handed over next; None: nothing is, or something is known without it."""
        while self._later and self._later[0][0] <= self._options.clock():
            self._ready.appendleft(heapq.heappop(self._later)[2])
        while (task := self._ready.popleft() if self._ready else next(self._planned, None)) is not None:
            if self._is_known(task):
                if self._known:
                    return None
                continue
            refusal = None if self._stopped is not None else self._limits.refusal(task.unit.account, self._pool.hanging)
            if refusal is None:
                return task
            if refusal != "account":
                self._ready.appendleft(task)
                return None
            self._aside.setdefault(task.unit.account, deque()).append(task)
        return None

    def _is_known(self, task: Task) -> bool:
        """Whether nothing is to be asked for a task, since an earlier run has asked."""
        unit = task.unit
        if task.selects:
            regions = self._record.regions(unit.account)
            if regions is not None:
                self._expand(unit, regions)
            return regions is not None
        outcome = self._record.outcome(unit) if task.attempt == 1 else None
        if outcome is not None:
            self._known.append((unit, outcome))
        return outcome is not None

    def _expand(self, unit: Unit, named: tuple[str, ...]) -> None:
        # On two pages, or by another writer of a journal, one may be named twice.
        regions = tuple(dict.fromkeys(named))
        self._expected.found(len(regions))
        if not regions:
            skipped: Outcome[Any] = Outcome(unit.account, None, None, 0.0, category="region_off", skipped=True)
            self._known.append((unit, skipped))
            return
        self._ready.extendleft(reversed(list(self._plan.in_account(unit, regions))))

    def _ended(self, task: Task, outcome: Outcome[Any]) -> None:
        unit, throttled = task.unit, outcome.category == "throttled"
        # Only what reaches an account is asked of the source, and so of what others need too.
        self._limits.ended(unit.account, ("all" if outcome.phase == "reach" else "account") if throttled else None)
        # As many of them as may begin now; the others are put aside again.
        self._ready.extendleft(reversed(self._aside.pop(unit.account, ())))
        if task.selects and outcome.ok:
            regions = cast("tuple[str, ...]", outcome.value)
            self._record.selected(unit.account, regions)
            self._expand(unit, regions)
        elif outcome.category in PASSING and not outcome.skipped and task.attempt <= self._options.retries:
            wait = min(_LONGEST_WAIT, self._options.first_wait * 2 ** (task.attempt - 1))
            again = Task(unit, task.attempt + 1, task.selects)
            heapq.heappush(self._later, (self._options.clock() + wait, unit.place, again))
        else:
            if task.selects:
                self._expected.not_found()
            self._known.append((unit, self._record.write(unit, outcome)))

    def _count_alike(self, outcome: Outcome[Any]) -> None:
        share, error = self._options.stop_after, outcome.error
        if share is None or error is None or self._stopped is not None:
            return
        failed, all_of_them = self._expected.failed(error), self._expected.estimate
        if failed >= share * all_of_them:
            why = f"not called: {failed} of {all_of_them} failed as account {outcome.account!r} did"
            self._stop(lambda unit: _not_called(unit, RunError(why, account=unit.account), outcome.category))

    def _stop(self, outcome: Callable[[Unit], Outcome[Any]]) -> None:
        """Has nothing more called; what is under way goes on.

        Args:
            outcome: What becomes of a unit that is not called.
        """
        self._stopped = outcome
        for task in self._pool.cancel():
            self._limits.ended(task.unit.account)
            self._ready.appendleft(task)
        self._ready.extend(item[2] for item in self._later)
        self._later.clear()
        for waiting in self._aside.values():
            self._ready.extend(waiting)
        self._aside.clear()

    def _check_hanging(self) -> None:
        """Waits no longer than a call may take for those that keep all accounts which may be worked in."""
        now, seconds = self._options.clock(), self._options.timeout
        if self._hanging_until == _NEVER and seconds is not None:
            self._hanging_until = now + seconds
        elif now >= self._hanging_until:
            calls = len(self._pool.hanging)
            self._stop(lambda unit: too_many_hang(unit, calls))

    def _check_time(self) -> None:
        seconds = self._options.total_timeout
        if seconds is None or self._options.clock() < self._until:
            return
        # Again with each look: a thread may just have taken a call that was neither to be taken back nor to be left.
        self._stop(lambda unit: _out_of_time(unit, seconds, "select"))
        for task in self._pool.abandon():
            self._limits.ended(task.unit.account)
            self._known.append((task.unit, self._record.write(task.unit, _out_of_time(task.unit, seconds, "call"))))

    def _keep_finished(self) -> None:
        """Keeps what was done by the time that the run was ended."""
        # What can't be kept is not what ended it.
        with suppress(XSessionError):
            while self._known:
                unit, outcome = self._known[0]
                self._collected.append((unit.place, self._noted(unit, outcome)))
                self._known.popleft()
            while (done := self._taken or self._pool.next(0.0)) is not None:
                self._taken, (task, outcome) = None, done
                if not task.selects:
                    written = self._record.write(task.unit, outcome)
                    self._collected.append((task.unit.place, self._noted(task.unit, written)))


def _out_of_time(unit: Unit, seconds: float, phase: Phase) -> Outcome[Any]:
    msg = f"{'not called: ' if phase == 'select' else ''}the run took longer than {seconds:g} s"
    hint = "give it more with total_timeout="
    return _not_called(unit, CallTimeoutError(msg, account=unit.account, hint=hint), "timeout", phase)


def _not_called(unit: Unit, error: RunError, category: Category | None, phase: Phase = "select") -> Outcome[Any]:
    return Outcome(unit.account, None, error, 0.0, (), unit.region, phase, category)
