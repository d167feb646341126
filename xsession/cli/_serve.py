"""`xsession serve`."""

from __future__ import annotations

import errno
import shlex
import warnings
from typing import TYPE_CHECKING

import click

from xsession import Account
from xsession.errors import ConfigError
from xsession.serving import ContainerEndpoint, CredentialServer

from ._child_process import SignalQueue, end_as
from ._exit_status import ExitStatus
from ._options import GlobalOptions, pass_options
from ._output import show_exactly, show_json, warn
from ._parameters import account_names, json_option
from ._streams import flush_output

if TYPE_CHECKING:
    from xsession import CrossAccountSession

_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 # a variable's name
_LOOPBACK = "127.0.0.1"
_ENDS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@click.command("serve", short_help="Serve credentials to other programs until Ctrl-C.")
@click.option(
    "--account",
    "names",
    metavar="ACCOUNT",
    multiple=True,
    shell_complete=account_names,
    help="Serve this account; may be repeated. Default: all.",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port; default: a free one.")
@click.option("--host", metavar="ADDRESS", default=_LOOPBACK, show_default=True, help="The address to listen on.")
@json_option
@pass_options
def serve(options: GlobalOptions, names: tuple[str, ...], port: int, host: str, as_json: bool) -> int:
    """Serve credentials that refresh to other programs, until Ctrl-C.

    Prints the variables with which AWS's SDKs and tools find them: set those of one account where a program is started.
    The token is in a file that only you can read. Another address than loopback's is for those who know who can reach
    it: what it answers is not encrypted.
    """
    with options.session() as xs:
        accounts = [xs.accounts.find(name) for name in names] or [*xs.accounts.values()]
        _require(accounts)
        # First the port: nobody is asked for an MFA code in vain.
        with _server(xs, accounts, host, port) as server:
            served = _endpoints(xs, server, accounts)
            if not served:
                return ExitStatus.ALL_FAILED
            # By now Ctrl-C has no prompt to leave.
            with SignalQueue(_ENDS) as signals:
                _tell(served, as_json=as_json)
                number = signals.wait()[0]
    return end_as(-number)


def _require(accounts: list[Account]) -> None:
    if not accounts:
        msg = "there is nothing to serve: no account can be used"
        raise ConfigError(msg, hint="add accounts to xsession.toml or ~/.aws/config, or name a file by --config")


def _server(xs: CrossAccountSession, accounts: list[Account], host: str, port: int) -> CredentialServer:
    try:
        with warnings.catch_warnings(record=True, action="always") as caught:
            server = xs.serve(accounts, host=host, port=port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            msg = f"port {port} of {host} is taken: whoever listens there is not this command"
            raise ConfigError(msg, hint="end that program, or pass another --port") from error
        msg = f"{host} can't be listened on: {error.strerror}"
        raise ConfigError(msg, hint="pass an address of this machine, or another --port") from error
    for warning in caught:
        warn(str(warning.message))
    return server


def _endpoints(
    xs: CrossAccountSession, server: CredentialServer, accounts: list[Account]
) -> dict[str, ContainerEndpoint]:
    served = {}
    for name, outcome in xs.warm(accounts).items():
        if outcome.error is None:
            served[name] = server.endpoint(outcome.account)
        else:
            warn(f"{name} is not served: {outcome.error}")
    return served


def _tell(served: dict[str, ContainerEndpoint], *, as_json: bool) -> None:
    if as_json:
        show_json({name: {"uri": one.uri, "token_file": one.token_file} for name, one in served.items()})
    else:
        for name, one in served.items():
            variables = {_URI: one.uri, _TOKEN_FILE: one.token_file}
            lines = [f"export {variable}={shlex.quote(value)}\n" for variable, value in variables.items()]
            show_exactly(f"# {name}\n{''.join(lines)}")
    flush_output()
