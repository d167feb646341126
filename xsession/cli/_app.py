"""The group of all commands: its options, and how whatever goes wrong ends: two lines and an exit status."""

from __future__ import annotations

import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from xsession.errors import KeyFileWarning

from ._error_words import in_words
from ._exit_status import ExitStatus
from ._options import GlobalOptions
from ._output import warn
from ._streams import close_output, flush_output, prepare_output

# Each is imported when it is called for; `--help` imports them all, so they bring little.
COMMANDS = {
    "accounts": "_accounts:accounts",
    "activity": "_activity:activity",
    "aws-config": "_aws_config:aws_config",
    "completion": "_completion:completion",
    "console": "_console:console",
    "credential-process": "_credential_process_help:credential_process_command",
    "demo": "_demo:demo",
    "diagnose": "_diagnose:diagnose",
    "env": "_env:env",
    "exec": "_exec:exec_",
    "grant": "_grants:grant",
    "login": "_login:login",
    "logout": "_login:logout",
    "revoke": "_grants:revoke",
    "run": "_run:run_",
    "serve": "_serve:serve",
    "setup": "_setup:setup",
    "status": "_status:status",
    "trust": "_trust:trust",
    "verify": "_identity:verify",
    "whoami": "_identity:whoami",
}


class LazyGroup(click.Group):
    """Imports a command's module when the command is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        """The names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 # likewise
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__package__}.{module}"), attribute)
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Reads the arguments; `--help` and `--version` print here."""
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:
            # click has a status of its own for it.
            close_output()
            raise click.exceptions.Exit(ExitStatus.READER_GONE) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command until all of its output is written."""
        try:
            status = super().invoke(ctx)
            flush_output()
        except BrokenPipeError:
            # Whoever read our output has seen enough: that is no error of theirs, and nothing more is said.
            close_output()
            return ExitStatus.READER_GONE
        except Exception as error:
            if ctx.params["debug"] and not isinstance(error, click.ClickException | click.exceptions.Exit):
                traceback.print_exc()
            raise
        return status


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="FILE", help="Use this xsession.toml alone; default: all that are found.")
@click.option("--profile", metavar="NAME", help="The profile whose credentials the chains start from.")
@click.option("--region", metavar="REGION", help="The region for accounts that name none.")
@click.option("--debug", is_flag=True, help="Print the traceback of an error.")
@click.version_option(package_name="xsession", message="xsession %(version)s")
@click.pass_context
def cli(context: click.Context, config: str | None, profile: str | None, region: str | None, debug: bool) -> None:  # noqa: ARG001 # see invoke
    """Name the AWS account, get the client."""
    context.obj = GlobalOptions(path=config, profile_name=profile, region_name=region)


def run(arguments: list[str]) -> int:
    """Runs the command line.

    Args:
        arguments: Those of the program.

    Returns:
        The exit status.
    """
    prepare_output()
    # An event says it too, and that is shown as all of our words are.
    warnings.simplefilter("ignore", KeyFileWarning)
    try:
        status = cli.main(arguments, prog_name="xsession", standalone_mode=False)
        flush_output()
    except SystemExit as end:  # of click's completion
        return end.code if isinstance(end.code, int) else ExitStatus.OK
    except Exception as error:  # noqa: BLE001 # the last place that can say it without a traceback
        return _failed(error)
    return int(status or ExitStatus.OK)


def _failed(error: Exception) -> int:
    if isinstance(error, OSError):
        close_output()
    message, hint, status = _in_words(error)
    with suppress(OSError):  # nobody reads standard error either
        warn(message)
        if hint is not None:
            warn(hint, indent=True)
    return int(status)


def _in_words(error: Exception) -> tuple[str, str | None, int]:
    """What happened, what to do, and the exit status."""
    if isinstance(error, click.Abort):
        return "interrupted", None, ExitStatus.INTERRUPTED
    if isinstance(error, click.ClickException):
        return error.format_message(), _help_of(error), error.exit_code
    return in_words(error)


def _help_of(error: click.ClickException) -> str | None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return None if context is None else f"see {context.command_path} --help"
