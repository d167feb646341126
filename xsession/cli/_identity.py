"""`xsession whoami` and `xsession verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import xsession
from xsession.errors import ConfigError

from ._exit_status import ExitStatus, status_of_many
from ._options import GlobalOptions, pass_options
from ._output import error_document, say, show_json, warn
from ._parameters import accounts_argument, json_option, optional_account_argument
from ._progress import OutcomeLines

if TYPE_CHECKING:
    from xsession import Identity, Outcome


@click.command(short_help="Say who we are in ACCOUNT, or as the source.")
@optional_account_argument
@json_option
@pass_options
def whoami(options: GlobalOptions, account: str | None, as_json: bool) -> None:
    """Say who we are in ACCOUNT, or as the source. Asks STS; needs no permission."""
    with options.session(needs_accounts=account is not None) as xs:
        identity = xs.whoami(xsession.SOURCE if account is None else account)
    if as_json:
        show_json({"account_id": identity.account_id, "arn": identity.arn, "user_id": identity.user_id})
    else:
        say(identity.arn)


@click.command(short_help="Check that accounts can be reached.")
@accounts_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON, once all are checked.")
@pass_options
def verify(options: GlobalOptions, names: tuple[str, ...], as_json: bool) -> ExitStatus:
    """Check that ACCOUNTs can be reached, or all.

    Each has its line as soon as it is checked; why some failed is said at the end, those that failed in the same
    way together.
    """
    with options.session() as xs:
        if not names:
            _require_accounts(xs.accounts)
        outcomes = xs.verify(names or None, progress=OutcomeLines(lines=not as_json))
    if as_json:
        show_json(list(map(_document, outcomes.values())))
    elif not outcomes.ok:
        for line in str(outcomes).splitlines():
            say(line)
    return status_of_many(len(outcomes.errors), len(outcomes))


def _require_accounts(found: xsession.Accounts) -> None:
    for name, error in found.unusable.items():
        warn(f"{name} is not checked: {error}")
    if not found:
        msg = "there is nothing to verify: no account can be used"
        raise ConfigError(msg, hint="add accounts to xsession.toml or ~/.aws/config, or name a file by --config")


def _document(outcome: Outcome[Identity]) -> dict[str, Any]:
    identity = outcome.value
    return {
        "name": outcome.account,
        "ok": outcome.ok,
        "account_id": None if identity is None else identity.account_id,
        "arn": None if identity is None else identity.arn,
        "notes": list(outcome.notes),
        "error": None if outcome.error is None else error_document(outcome.error),
    }
