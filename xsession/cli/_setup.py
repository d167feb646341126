"""`xsession setup`: roles as a file says that they should be."""

from __future__ import annotations

import sys

import click

from xsession.provision import RoleSpec

from ._exit_status import ExitStatus
from ._options import GlobalOptions, pass_options
from ._output import is_terminal, say, show_json, working
from ._parameters import json_option, using_option

_file_argument = click.argument("file", type=click.Path())
_role_option = click.option("--role", metavar="NAME", help="Which role of the file; default: its only one.")
_EXPORTS = ("caller-policy", "cloudformation", "terraform")


@click.group(short_help="Compare, make or remove the role over there.")
def setup() -> None:
    """Have a role in an account as FILE says: compare it, make or change it, remove it, or write a template of it."""


@setup.command()
@_file_argument
@_role_option
@using_option
@json_option
@pass_options
def plan(options: GlobalOptions, file: str, role: str | None, using: str, as_json: bool) -> ExitStatus:
    """Say what `apply` would change; change nothing."""
    spec = RoleSpec.from_toml(file, role)
    with options.session() as xs:
        found = spec.compare(xs[using])
    if as_json:
        show_json({**_document(found.role_name, found.role_arn, found.differences, found.notes), "diff": found.diff()})
    else:
        for line in [*str(found).splitlines(), *found.diff().splitlines()]:
            say(line)
    return ExitStatus.DIFFERS if found else ExitStatus.OK


@setup.command()
@_file_argument
@_role_option
@using_option
@json_option
@pass_options
def apply(options: GlobalOptions, file: str, role: str | None, using: str, as_json: bool) -> None:
    """Make the role, or change what differs, and wait until IAM shows it. A second time it does nothing."""
    spec = RoleSpec.from_toml(file, role)
    with options.session() as xs:
        xs.get_frozen_credentials(using)  # a person may be asked for a code, before anything moves on the terminal
        with working(f"setting up {spec.name} by {using}"):
            done = spec.apply(xs[using])
    if as_json:
        show_json(_document(done.role_name, done.role_arn, done.differences, done.notes))
        return
    say(f"{done.role_arn}: {len(done.differences) or 'no'} change(s)")
    for text in done.differences:
        say(f"  {text}")


@setup.command()
@_file_argument
@_role_option
@using_option
@click.option("--force", is_flag=True, help="Even if others put policies on it, or it is in an instance profile.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_options
def remove(
    options: GlobalOptions, file: str, role: str | None, using: str, force: bool, yes: bool, as_json: bool
) -> None:
    """Delete the role, and what `apply` and revocations put on it."""
    spec = RoleSpec.from_toml(file, role)
    if not yes:
        if not is_terminal(sys.stdin):
            msg = "there is nobody to ask: say --yes"
            raise click.UsageError(msg)
        click.confirm(f"Delete the role {spec.name} by {using}?", abort=True, err=True)
    with options.session() as xs:
        xs.get_frozen_credentials(using)  # as in `apply`
        with working(f"removing {spec.name} by {using}"):
            existed = spec.remove(xs[using], force=force)
    if as_json:
        show_json({"role": spec.name, "removed": existed})
    else:
        say(f"{spec.name}: {'removed' if existed else 'there was no such role'}")


@setup.command()
@_file_argument
@_role_option
@click.option(
    "--format",
    "form",
    type=click.Choice(_EXPORTS),
    default="cloudformation",
    show_default=True,
    help="What is printed.",
)
@click.option("--account-id", metavar="ID", help="The account of the role, which caller-policy needs.")
def export(file: str, role: str | None, form: str, account_id: str | None) -> None:
    """Print a template that makes the role, or the policy that its caller needs; JSON, all of them."""
    spec = RoleSpec.from_toml(file, role)
    if form == "caller-policy":
        if account_id is None:
            msg = "caller-policy needs --account-id"
            raise click.UsageError(msg)
        click.echo(spec.caller_policy(account_id).to_json())
    else:
        click.echo(spec.to_cloudformation() if form == "cloudformation" else spec.to_terraform())


def _document(
    role: str, role_arn: str | None, differences: tuple[str, ...], notes: tuple[str, ...]
) -> dict[str, object]:
    return {"role": role, "role_arn": role_arn, "differences": list(differences), "notes": list(notes)}
