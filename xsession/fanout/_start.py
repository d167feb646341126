"""Makes a run of what a caller asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from os import PathLike
from threading import TIMEOUT_MAX
from typing import Any, Protocol

from xsession._base import frozen
from xsession.errors import ConfigError

from ._calls import Calls
from ._executors import ExecutorPool, takes_back, workers_of
from ._journal import MAX_AGE, Journal, checked_path
from ._journal_format import Header, arguments_digest, code_digest, function_name
from ._limits import Limits
from ._pickles import check_travels
from ._plan import Plan, Task, Unit, checked_regions
from ._progress import Progress
from ._record import NoRecord, Record
from ._remote import Claim, Job, Reached, Ticket
from ._run import Run, RunOptions
from ._threads import CallPool, ThreadPool

MAX_WORKERS = 1_000


class Sessions(Protocol):
    """What a run needs of the session that it is a run of."""

    def ask_for_mfa(self) -> None:
        """Has a person asked for the codes of MFA devices, each once, in this thread."""

    def reach(self, unit: Unit, /) -> Any:
        """The session of a unit's account, whose credentials are there."""

    def regions_of(self) -> Callable[[Any], tuple[str, ...]]:
        """What asks for the enabled regions of an account, given its session; it travels to other processes."""

    def notes(self, unit: Unit, /) -> tuple[str, ...]:
        """What a person should know of a unit's account, whatever comes of it."""

    def principal(self) -> str:
        """Who the source is; asks STS."""

    def account_ids(self) -> Mapping[str, str | None]:
        """The accounts' ids by their names; None: not known."""

    def remote(self) -> Reached:
        """Reaches accounts in another process; a `ConfigError` where that has no way to have the session."""

    def ticket(self, task: Task, claim: Claim | None, /) -> Ticket:
        """A task as it travels."""


@frozen(kw_only=True)
class JournalOptions:
    """Which journal a run has.

    Args:
        path: The file; None: none.
        key: The name by which it knows the function; None: the function's own.
        max_age: How old it may be to be gone on with; None: of any age.
        retry_failed: Whether calls that failed are made again.
    """

    path: str | PathLike[str] | None = None
    key: str | None = None
    max_age: timedelta | None = MAX_AGE
    retry_failed: bool = True

    def __post_init__(self) -> None:
        if self.path is not None:
            checked_path(self.path)
        age: object = self.max_age
        good = age is None or (isinstance(age, timedelta) and age > timedelta(0))
        _check("journal_max_age", age, "a timedelta, more than 0, or None", good)
        _check("retry_failed", self.retry_failed, "True or False", isinstance(self.retry_failed, bool))


@frozen(kw_only=True)
class RunArguments:
    """What a caller asks for; refused where it can't work.

    Args:
        regions: The regions in each account; "enabled": each account's own; None: no region is said.
        arguments: What the function gets beside the session.
        max_workers: How many calls are made at once.
        max_accounts: In how many accounts at once; None: as many.
        rate: How many requests a second clients send, for each account, region and service; None: as many as they can.
        timeout: Seconds that a call may take; None: for ever.
        total_timeout: Seconds that all may take; None: for ever.
        retries: How many more times a call is made that failed for a reason which may pass.
        stop_after: The share of calls that fail in the same way which ends the run; None: none does.
    """

    regions: str | Iterable[str] | None = None
    arguments: Mapping[str, Any] | None = None
    max_workers: int = 32
    max_accounts: int | None = None
    rate: float | None = None
    timeout: float | None = None
    total_timeout: float | None = None
    retries: int = 0
    stop_after: float | None = None

    def __post_init__(self) -> None:
        rule = f"a whole number from 1 to {MAX_WORKERS}"
        _check("max_workers", self.max_workers, rule, _is_whole(self.max_workers, 1, MAX_WORKERS))
        rule = "a whole number, at least 1, or None"
        _check("max_accounts", self.max_accounts, rule, self.max_accounts is None or _is_whole(self.max_accounts, 1))
        _check("retries", self.retries, "a whole number, at least 0", _is_whole(self.retries, 0))
        _check_positive("rate", self.rate, "requests a second")
        _check_positive("timeout", self.timeout, "seconds")
        _check_positive("total_timeout", self.total_timeout, "seconds")
        share = self.stop_after
        rule = "a share of the calls, more than 0 and at most 1, or None"
        _check("stop_after", share, rule, share is None or (_is_number(share) and 0 < share <= 1))
        arguments = self.arguments
        valid = arguments is None or (hasattr(arguments, "keys") and all(type(key) is str for key in arguments))
        if not valid:
            # Not its repr: it may hold a secret.
            raise ConfigError.invalid(type(arguments), "arguments", "a mapping of names to values", secret=True)


@frozen
class _Call:
    """The function, with its arguments.

    Args:
        func: The function.
        arguments: What it gets beside the session.
    """

    func: Callable[..., Any]
    arguments: dict[str, Any]

    def __call__(self, session: Any) -> Any:
        return self.func(session, **self.arguments)


def start(
    func: Callable[..., Any],
    names: Sequence[str],
    sessions: Sessions,
    wanted: RunArguments,
    *,
    executor: Executor | None,
    journal: JournalOptions,
    told: Progress,
    wall: Callable[[], float],
) -> Run[Any]:
    """A run; nothing is called before its first outcome is asked for.

    Args:
        func: Called with the session of each account.
        names: The names of the accounts.
        sessions: Reaches them.
        wanted: What the caller asks for.
        executor: Where the calls are made; None: in threads.
        journal: Which journal it has.
        told: Who is told of each outcome.
        wall: The wall clock.

    Raises:
        ConfigError: The function, its arguments or the executor can't be used.
        JournalError: The journal can't.
    """
    if not callable(func):
        raise ConfigError.invalid(func, "func", "a function that takes an AccountSession")
    plan = Plan(tuple(names), checked_regions(wanted.regions))
    if executor is not None and (isinstance(executor, type) or not hasattr(executor, "submit")):
        raise ConfigError.invalid(type(executor), "executor", "a concurrent.futures.Executor")
    if executor is not None and wanted.rate is not None:
        msg = "rate= is for threads: the processes of an executor don't know of each other's requests"
        raise ConfigError(msg, hint="leave it out, and set max_workers= or max_accounts=")
    call = _Call(func, dict(wanted.arguments or {}))
    if executor is not None:
        check_travels(call.func, call.arguments)
    sessions.ask_for_mfa()
    record = _record(plan, sessions, journal, wall, call)
    try:
        pool, workers, ahead = _pool(call, sessions, wanted, executor)
    except BaseException:
        record.close()
        raise
    return Run(
        plan,
        pool,
        Limits(workers, ahead, wanted.max_accounts),
        record=record,
        told=told,
        notes=sessions.notes,
        options=RunOptions(
            retries=wanted.retries,
            timeout=wanted.timeout,
            total_timeout=wanted.total_timeout,
            stop_after=wanted.stop_after,
        ),
    )


def _pool(
    call: _Call, sessions: Sessions, wanted: RunArguments, executor: Executor | None
) -> tuple[CallPool, int, int]:
    """Where the calls are made, how many at once, and how many more are handed over, so that no worker waits."""
    if executor is None:
        calls: Calls[Any, Any] = Calls(call, sessions.reach, sessions.regions_of())
        return ThreadPool(calls, wanted.max_workers, wanted.timeout), wanted.max_workers, wanted.max_workers
    job = Job(call.func, call.arguments, sessions.remote(), sessions.regions_of(), wanted.timeout)
    workers = min(wanted.max_workers, workers_of(executor) or wanted.max_workers)
    return ExecutorPool(executor, job, sessions.ticket), workers, workers if takes_back(executor) else 0


def _record(plan: Plan, sessions: Sessions, journal: JournalOptions, wall: Callable[[], float], call: _Call) -> Record:
    if journal.path is None:
        return NoRecord()
    # Before STS is asked.
    name, digest = function_name(call.func, journal.key), arguments_digest(call.arguments)
    header = Header(
        principal=sessions.principal(),
        function=name,
        code=code_digest(call.func),
        arguments=digest,
        started=datetime.fromtimestamp(wall(), UTC),
    )
    kept = Journal(
        journal.path,
        header,
        max_age=journal.max_age,
        retry_failed=journal.retry_failed,
        wall=wall,
        ids=sessions.account_ids(),
    )
    try:
        kept.check_unfinished(plan)
    except BaseException:
        kept.close()
        raise
    return kept


def _check_positive(name: str, value: object, unit: str) -> None:
    """Refuses what is neither None nor a number above 0.

    Raises:
        ConfigError: It is something else.
    """
    most = int(TIMEOUT_MAX)  # 292 years
    good = value is None or (_is_number(value) and 0 < value <= most)  # type: ignore[operator]  # a number
    _check(name, value, f"{unit}, more than 0 and at most {most}, or None", good)


def _check(name: str, value: object, rule: str, good: bool) -> None:
    if not good:
        raise ConfigError.invalid(value, name, rule)


def _is_whole(value: object, least: int, most: int = sys.maxsize) -> bool:
    return type(value) is int and least <= value <= most


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
