"""`xsession console`."""

from __future__ import annotations

import time

import click

from ._browser import start_browser
from ._options import GlobalOptions, pass_options
from ._output import show_json, warn
from ._parameters import account_argument, json_option

_OPENER_SECONDS = 2.0
"""For how long an opener that does not return may take until its browser comes."""
_BROWSER_SECONDS = 15.0
"""For how long a browser may take that an opener, which has returned, has started."""
_LOOK_SECONDS = 0.05


@click.command("console", short_help="Log in to ACCOUNT's console.")
@account_argument
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option("--path", metavar="SERVICE", help="The page to open: a service such as s3, or a path behind one.")
@json_option
@pass_options
def console(options: GlobalOptions, account: str, opens: bool, path: str | None, as_json: bool) -> None:
    """Print a link that logs in to ACCOUNT's AWS console; with --open, open it.

    Whoever has the link within 15 minutes is in. The browser is started with an address of this machine that leads to
    it once, so that it is in no list of processes. BROWSER names the command that opens it.
    """
    with options.session() as xs:
        link = xs.console_url(account, path=path)
    opened = opens and _opened(link)
    if as_json:
        show_json({"url": None if opened else link, "opened": opened})
    elif not opened:
        # As it is: it has nothing that a terminal would take for a command, and is copied.
        click.echo(link)


def _opened(link: str) -> bool:
    from ._one_time_redirect import OneTimeRedirect  # noqa: PLC0415 # it imports an HTTP server, which --help needs not

    with OneTimeRedirect(link) as redirect:
        opener = start_browser(redirect.address)
        if opener is None:
            warn("there is no command that opens a browser; open this link:")
            return False
        began = time.monotonic()
        while not redirect.wait(_LOOK_SECONDS):
            status, waited = opener.poll(), time.monotonic() - began
            if status or waited > (_OPENER_SECONDS if status is None else _BROWSER_SECONDS):
                warn("no browser has opened it; open this link:")
                return False
    return True
