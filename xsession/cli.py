"""The command line: lists accounts, says who we are in them, and checks them. Needs the extra `xsession[cli]`."""

from __future__ import annotations

import json
import sys
from typing import Any

import xsession
from xsession import Accounts, CrossAccountSession, Identity, Outcome

from .accounts import TrustedFiles
from .errors import ConfigError, UnknownAccountError, XSessionError
from .escape import for_terminal

try:
    import click
except ImportError:  # the extra is not installed

    def main() -> int:
        """Says what is missing."""
        sys.stderr.write("xsession: the command line needs click; pip install 'xsession[cli]'\n")
        return 1

else:

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.option("--config", metavar="FILE", help="Use this xsession.toml alone; default: all that are found.")
    @click.option("--profile", metavar="NAME", help="The profile whose credentials the chains start from.")
    @click.option("--region", metavar="REGION", help="The region for accounts that name none.")
    @click.version_option(package_name="xsession", message="xsession %(version)s")
    @click.pass_context
    def cli(context: click.Context, config: str | None, profile: str | None, region: str | None) -> None:
        """Name the AWS account, get the client."""
        context.obj = {"path": config, "profile_name": profile, "region_name": region}

    @cli.command()
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def accounts(options: dict[str, Any], as_json: bool) -> None:
        """List the accounts."""
        with _session(options) as xs:
            found = xs.accounts
        if as_json:
            click.echo(json.dumps(_documents(found), indent=2))
            return
        for name, account in found.items():
            chain = " -> ".join(role.role_arn for role in account.roles) or f"source {account.source}"
            click.echo(for_terminal(f"{name}  {account.account_id or '-'}  {chain}"))

    @cli.command()
    @click.argument("account", required=False)
    @click.pass_obj
    def whoami(options: dict[str, Any], account: str | None) -> None:
        """Say who we are in ACCOUNT, or as the source."""
        with _session(options, needs_file=account is not None) as xs:
            click.echo(for_terminal(xs.whoami(xsession.SOURCE if account is None else account).arn))

    @cli.command(short_help="Check that accounts can be reached.")
    @click.argument("names", metavar="[ACCOUNT]...", nargs=-1)
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, once all are checked.")
    @click.pass_obj
    def verify(options: dict[str, Any], names: tuple[str, ...], as_json: bool) -> None:
        """Check that ACCOUNTs can be reached, or all.

        Each has its line as soon as it is checked; why some failed is said at the end, those that failed in the same
        way together. The exit status is 1 if one can't be reached, 2 if there is nothing to check.
        """
        with _session(options) as xs:
            if not names:
                _require_accounts(xs.accounts)
            outcomes = xs.verify(names or None, progress=None if as_json else _show_outcome)
        if as_json:
            click.echo(json.dumps([_outcome_document(outcome) for outcome in outcomes.values()], indent=2))
        elif not outcomes.ok:
            for line in str(outcomes).splitlines():
                click.echo(for_terminal(line))
        if not outcomes.ok:
            sys.exit(1)

    @cli.command(short_help="Say why ACCOUNT can't be reached.")
    @click.argument("account")
    @click.option("--using", metavar="ACCOUNT", multiple=True, help="An account that may read IAM; may be repeated.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def diagnose(options: dict[str, Any], account: str, using: tuple[str, ...], as_json: bool) -> None:
        """Ask for each role on the way to ACCOUNT; say which is refused, why, and what to change.

        The exit status is 1 if one is.
        """
        with _session(options) as xs:
            diagnosis = xs.diagnose(account, using=using)
        # Its text is safe for a terminal already.
        click.echo(json.dumps(diagnosis.to_dict(), indent=2) if as_json else str(diagnosis))
        if not diagnosis.ok:
            sys.exit(1)

    @cli.command(short_help="Trust a file that was found.")
    @click.argument("path", required=False)
    @click.option("--list", "listed", is_flag=True, help="List the files that are trusted.")
    @click.option("--remove", is_flag=True, help="Trust PATH no more.")
    def trust(path: str | None, listed: bool, remove: bool) -> None:
        """Trust the file at PATH as it is now, or those that are found here.

        A project's file may name a profile, a token file or an MFA device only where you trust it; once it has changed,
        you are asked again. Look at it before.
        """
        trusted = TrustedFiles.of_user()
        if listed:
            lines = list(trusted)
        elif remove:
            if path is None:
                msg = "--remove needs the file's PATH"
                raise click.UsageError(msg)
            lines = [f"{path}: {'not trusted any more' if trusted.remove(path) else 'was not trusted'}"]
        else:
            lines = []
            for file in trusted.trust(path):
                lines.append(f"{file.path}: {'trusted' if file.values else 'needs no trust'}")
                lines += [f"  {key} = {value}" for key, value in file.values.items()]
        for line in lines:
            click.echo(for_terminal(line))

    def main() -> int:
        """Runs the command line; what it returns is the exit status."""
        try:
            cli(standalone_mode=False)
        except XSessionError as error:
            return _failed(str(error), 2 if isinstance(error, ConfigError | UnknownAccountError) else 1)
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except click.Abort:
            return _failed("interrupted", 130)
        except OSError as error:
            return _failed(str(error), 1)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 0
        return 0

    def _session(options: dict[str, Any], *, needs_file: bool = True) -> CrossAccountSession:
        source = {"profile_name": options["profile_name"], "region_name": options["region_name"]}
        if not needs_file and options["path"] is None:
            return CrossAccountSession(**source)
        return CrossAccountSession.from_config(options["path"], **source)

    def _require_accounts(found: Accounts) -> None:
        for name, error in found.unusable.items():
            click.echo(for_terminal(f"xsession: {name} is not checked: {error}"), err=True)
        if not found:
            msg = "there is nothing to verify: no account can be used"
            raise ConfigError(msg, hint="add accounts to xsession.toml or ~/.aws/config, or name a file by --config")

    def _show_outcome(outcome: Outcome[Identity]) -> None:
        failed = f"FAILED: {getattr(outcome.error, 'code', None) or type(outcome.error).__name__}"
        click.echo(for_terminal(f"{outcome.account}: {failed if outcome.value is None else outcome.value.arn}"))
        for note in outcome.notes:
            click.echo(for_terminal(f"  {note}"))

    def _outcome_document(outcome: Outcome[Identity]) -> dict[str, Any]:
        identity, error = outcome.value, outcome.error
        named = ("code", "hop", "role_arn", "request_id", "hint")
        return {
            "name": outcome.account,
            "ok": outcome.ok,
            "account_id": None if identity is None else identity.account_id,
            "arn": None if identity is None else identity.arn,
            "notes": list(outcome.notes),
            "error": None
            if error is None
            else {
                "type": type(error).__name__,
                "message": str(error),
                **{name: getattr(error, name, None) for name in named},
            },
        }

    def _documents(found: Accounts) -> list[dict[str, Any]]:
        return [
            {
                "name": account.name,
                "account_id": account.account_id,
                "source": None if account.source is None else str(account.source),
                "chain": [role.role_arn for role in account.roles],
                "region_name": account.region_name,
                "tags": dict(account.tags),
            }
            for account in found.values()
        ]

    def _failed(message: str, status: int) -> int:
        click.echo(for_terminal(f"xsession: {message}"), err=True)
        return status
