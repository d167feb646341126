"""`xsession aws-config`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

import xsession
from xsession.errors import ConfigError

from ._config_file import change, read_text
from ._main import FAST_COMMAND
from ._options import GlobalOptions, pass_options
from ._output import say, show_json, warn
from ._parameters import accounts_argument, json_option
from ._profile_blocks import ProfileEntry, block_of, names_outside, quoted, with_block

_FILE_OF_ORIGIN = re.compile(r"(?P<file>.+?)(:\d+)?: (tool\.xsession\.)?accounts\..*", re.DOTALL)


@click.command("aws-config", short_help="Make profiles of all accounts, for other programs.")
@accounts_argument
@click.option("--write", is_flag=True, help="Write them into the AWS config file.")
@click.option("--file", "path", metavar="FILE", help="That file; default: AWS_CONFIG_FILE, else ~/.aws/config.")
@json_option
@pass_options
def aws_config(options: GlobalOptions, names: tuple[str, ...], write: bool, path: str | None, as_json: bool) -> None:
    """Make a profile of each account, or of ACCOUNTs, by which any AWS SDK or tool gets its credentials from us.

    They stand between two lines; with --write, what was between these is replaced, and the rest of the file stays as
    it is. Before the first change, it is copied to FILE.before-xsession. Accounts that are profiles already are left
    out. Makes no network call, and holds no secret.
    """
    file = Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config" if path is None else path).expanduser()
    text = read_text(file)
    accounts = _by_source(options, names)
    taken = names_outside(text, accounts)
    by_source = {source: _entries(options, source, found, taken) for source, found in accounts.items()}
    if as_json:
        show_json([_document(entry) for entries in by_source.values() for entry in entries])
    blocks = {source: block_of(source, entries, platform=sys.platform) for source, entries in by_source.items()}
    if not (write or as_json):
        click.echo("\n".join(filter(None, blocks.values())), nl=False)
    if not write:
        return

    def changed(text: str) -> str:
        for source, block in blocks.items():
            text = with_block(text, source, block)
        return text

    count = sum(map(len, by_source.values()))
    did = f"written, {count} profile(s)" if change(file, changed) else "nothing to change"
    if not as_json:
        say(f"{file}: {did}")


def program(started_as: str, python: str) -> tuple[str, ...]:
    """The words that start this program from anywhere.

    Args:
        started_as: As `sys.argv[0]`.
        python: As `sys.executable`.
    """
    script = Path(started_as)
    if script.stem == "xsession" and (script.is_file() or script.with_suffix(".exe").is_file()):
        return (os.path.abspath(started_as),)  # noqa: PTH100 # a link stays one: it outlives what it points to
    return (python, "-m", "xsession")


def _by_source(options: GlobalOptions, names: tuple[str, ...]) -> dict[str, list[xsession.Account]]:
    """The accounts by the file that has them, which is named to `credential-process`: that may run in any folder."""
    named = options.path or os.environ.get("XSESSION_CONFIG")
    if named:
        found = xsession.Accounts.from_config(named)
        return {str(Path(named).expanduser().resolve()): _chosen(found, names)}
    found = options.accounts()
    profiles = xsession.Accounts.from_aws_config()
    chosen = [account for account in _chosen(found, names) if not _has(profiles, account)]
    files = dict.fromkeys(filter(None, (_file_of(account) for account in found.values())))
    alone = {file: xsession.Accounts.from_toml(file) for file in files}
    by_source: dict[str, list[xsession.Account]] = {}
    for account in chosen:
        source = next((file for file, accounts in alone.items() if _has(accounts, account)), None)
        if source is None:
            msg = "no file has this account by itself"
            raise ConfigError(msg, account=account.name, hint="name the file that includes it: xsession --config FILE")
        by_source.setdefault(str(Path(source).resolve()), []).append(account)
    return by_source


def _chosen(accounts: xsession.Accounts, names: tuple[str, ...]) -> list[xsession.Account]:
    return list(dict.fromkeys(accounts.find_all(names or None)))


def _has(accounts: xsession.Accounts, account: xsession.Account) -> bool:
    return account.name in accounts and accounts[account.name] == account


def _file_of(account: xsession.Account) -> str | None:
    match = _FILE_OF_ORIGIN.fullmatch(account.origin or "")
    return match["file"] if match else None


def _entries(
    options: GlobalOptions, source: str, accounts: Iterable[xsession.Account], taken: Mapping[str, int]
) -> list[ProfileEntry]:
    entries = []
    for account in accounts:
        if account.name in taken:
            warn(f"{account.name} is left out: the file has a profile of that name, in line {taken[account.name]}")
        elif account.name == "default":
            warn("default is left out: it would be everybody's profile")
        else:
            entries.append(ProfileEntry(account.name, _command(options, source, account), account.region_name))
    return entries


def _command(options: GlobalOptions, source: str, account: xsession.Account) -> tuple[str, ...]:
    given = {"--config": source, "--profile": options.profile_name, "--region": options.region_name}
    flags = [word for flag, value in given.items() if value is not None for word in (flag, value)]
    return (*program(sys.argv[0], sys.executable), FAST_COMMAND, *flags, account.name)


def _document(entry: ProfileEntry) -> dict[str, str | None]:
    command = quoted(entry.command, sys.platform)
    return {"profile": entry.name, "credential_process": command, "region": entry.region_name}
