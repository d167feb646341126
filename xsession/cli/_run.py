"""`xsession run`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from xsession import Account, Outcomes
from xsession._base import text_of
from xsession.errors import CommandError, ConfigError
from xsession.escape import for_terminal
from xsession.fanout import Command, exit_status, load_function

from ._account_filters import AccountFilters, account_filters
from ._after_dashes import CommandAfterDashes, command_after_dashes
from ._child_process import Program, end_as
from ._ending_signals import EndedError, EndingSignals
from ._inherited_environment import inherited_environment
from ._nested_exec import ACCOUNT
from ._options import GlobalOptions, pass_options
from ._output import error_document, show_json, warn
from ._parameters import as_duration, json_option

if TYPE_CHECKING:
    from xsession import AccountSession, CrossAccountSession, Outcome, Run

_WORKERS = 32
_ENABLED = "enabled"


@click.command("run", cls=CommandAfterDashes, short_help="Run a command or a function in many accounts.")
@click.argument("function", metavar="[FILE.py:FUNCTION]", required=False)
@click.option("--name", metavar="PATTERN", default="*", help="Only accounts whose name matches.")
@account_filters
@click.option("--regions", metavar="REGIONS", help="In these regions, as in eu-west-1,us-east-1; or in all enabled.")
@click.option("--journal", metavar="FILE", help="Keep in FILE what is done; the next run with it does only the rest.")
@click.option("--max-workers", type=click.IntRange(1, 1_000), default=_WORKERS, show_default=True, help="At a time.")
@click.option("--timeout", metavar="TIME", callback=as_duration, help="How long each may take: 90s, 5m.")
@json_option
@pass_options
@click.pass_context
def run_(
    context: click.Context,
    options: GlobalOptions,
    function: str | None,
    name: str,
    filters: AccountFilters,
    regions: str | None,
    journal: str | None,
    max_workers: int,
    timeout: timedelta | None,
    as_json: bool,
) -> int:
    """Run a command in many accounts, each with its credentials; or a function, called with the session of each.

    Each line that a command writes has the account's name before it. With --json, each account has a line of JSON, once
    it is done. What failed is said at the end.

    The exit status is 3 where some failed, 4 where all did.
    """
    argv = command_after_dashes(context)
    if bool(argv) == bool(function):
        msg = "either a command behind -- or FILE.py:FUNCTION is needed" + (", and not both" if argv else "")
        raise click.UsageError(msg, context)
    wanted: dict[str, Any] = {
        "regions": _regions(regions),
        "journal": journal,
        "max_workers": max_workers,
        "progress": True,
    }
    seconds = None if timeout is None else timeout.total_seconds()
    try:
        with EndingSignals() as signals, options.session() as xs:
            accounts = _meant(xs, filters, name)
            if function is not None:
                run = xs.run(load_function(function), accounts, timeout=seconds, **wanted)
                done = _shown(run, signals, as_json=as_json)
            else:
                wanted["journal_key"] = journal and shlex.join(argv)
                with _as_function(xs, accounts, argv, seconds, signals) as run_command:
                    done = _shown(xs.run(run_command, accounts, **wanted), signals, as_json=as_json)
    except EndedError as ended:
        return end_as(-ended.number)
    if not done.ok:
        first, *more = str(done).splitlines()
        warn(first)
        for line in more:
            warn(line.strip(), indent=True)
    return exit_status(done)


def _shown(run: Run[Any], signals: EndingSignals, *, as_json: bool) -> Outcomes[Any]:
    """Shows what came of each call as soon as it is known; returns all without their values, which may be large."""
    by_region, kept = False, []
    with run:
        signals.end = run.close
        for outcome in run:
            with run.aside():
                if as_json:
                    show_json(_document(outcome), indent=None)
                else:
                    _show(outcome)
            by_region = by_region or outcome.region is not None
            kept.append(replace(outcome, value=None))
    signals.check()
    return Outcomes(kept, by_region=by_region)


@contextmanager
def _as_function(
    xs: CrossAccountSession,
    accounts: Sequence[Account],
    argv: list[str],
    timeout: float | None,
    signals: EndingSignals,
) -> Iterator[Callable[[AccountSession], dict[str, Any]]]:
    """The command as a function; its processes end with the block."""
    variables = inherited_environment()
    Program.find(argv, variables)
    with xs.serve(accounts) as server:
        command = Command(argv, lambda name: {**server.environ(name, variables), ACCOUNT: name}, timeout=timeout)

        def run_command(session: AccountSession) -> dict[str, Any]:
            done = command(session)
            return _written(done.stdout, done.stderr, done.returncode)

        signals.kill = command.close
        try:
            yield run_command
        finally:
            command.close()


def _meant(xs: CrossAccountSession, filters: AccountFilters, name: str) -> list[Account]:
    found = filters.of(xs.accounts, name)
    for each, error in found.unusable.items():
        warn(f"nothing is run in {each}: {error}")
    if not found:
        msg = "no account is meant, so there is nothing to run"
        raise ConfigError(msg, hint="`xsession accounts` lists them, with the same options")
    return list(found.values())


def _regions(text: str | None) -> str | list[str] | None:
    return text if text in (None, _ENABLED) else [region.strip() for region in text.split(",")]


def _show(outcome: Outcome[Any]) -> None:
    prefix = outcome.account if outcome.region is None else f"{outcome.account} {outcome.region}"
    value = _value(outcome)
    if _is_written(value):
        _lines(prefix, value["stdout"])
        _lines(prefix, value["stderr"], err=True)
    elif value is not None:
        _lines(prefix, value if isinstance(value, str) else json.dumps(_plain(value)))
    notes = list(outcome.notes)
    if isinstance(outcome.error, CommandError):
        how = "timeout" if outcome.error.timed_out else f"status {outcome.error.returncode}"
        notes.insert(0, f"failed: {how}")
    elif not outcome.ok:
        notes.insert(0, outcome.in_words)
    for note in notes:
        _lines(prefix, note, err=True)


def _lines(prefix: str, text: str, *, err: bool = False) -> None:
    for line in text.removesuffix("\n").split("\n") if text else ():
        # Tabs part the columns of many programs.
        shown = "\t".join(map(for_terminal, line.removesuffix("\r").split("\t")))
        click.echo(f"{for_terminal(prefix)}: {shown}", err=err)


def _written(stdout: str, stderr: str, returncode: int) -> dict[str, Any]:
    # As JSON has it: a journal keeps it.
    return {"stdout": stdout, "stderr": stderr, "returncode": returncode}


def _is_written(value: object) -> bool:
    wanted = _written("", "", 0)
    return isinstance(value, dict) and {key: type(each) for key, each in value.items()} == {
        key: type(each) for key, each in wanted.items()
    }


def _value(outcome: Outcome[Any]) -> Any:
    error = outcome.error
    return _written(error.stdout, error.stderr, error.returncode) if isinstance(error, CommandError) else outcome.value


def _plain(value: object) -> Any:
    """A value as JSON has it; in words, where it has no form for it, or its own code fails."""
    try:
        return json.loads(json.dumps(value, default=str, allow_nan=False))
    except (Exception, SystemExit):  # noqa: BLE001 # its own code
        return text_of(value)


def _document(outcome: Outcome[Any]) -> dict[str, Any]:
    return {
        **outcome.facts,
        "value": _plain(_value(outcome)),
        "notes": list(outcome.notes),
        "error": None if outcome.error is None else error_document(outcome.error),
    }
