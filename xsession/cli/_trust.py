"""`xsession trust`."""

from __future__ import annotations

import click

from xsession.accounts import TrustedFiles

from ._output import say, show_json
from ._parameters import json_option


@click.command(short_help="Trust a file that was found.")
@click.argument("path", required=False)
@click.option("--list", "listed", is_flag=True, help="List the files that are trusted.")
@click.option("--remove", is_flag=True, help="Trust PATH no more.")
@json_option
def trust(path: str | None, listed: bool, remove: bool, as_json: bool) -> None:
    """Trust the file at PATH as it is now, or those that are found here.

    A project's file may name a profile, a token file or an MFA device only where you trust it; once it has changed,
    you are asked again. Look at it before.
    """
    trusted = TrustedFiles.of_user()
    document: object
    if listed:
        document = lines = list(map(str, trusted))
    elif remove:
        if path is None:
            msg = "--remove needs the file's PATH"
            raise click.UsageError(msg)
        removed = trusted.remove(path)
        document = {"path": path, "removed": removed}
        lines = [f"{path}: {'not trusted any more' if removed else 'was not trusted'}"]
    else:
        files = trusted.trust(path)
        document = [{"path": str(file.path), "values": dict(file.values)} for file in files]
        lines = []
        for file in files:
            lines.append(f"{file.path}: {'trusted' if file.values else 'needs no trust'}")
            lines += [f"  {key} = {value}" for key, value in file.values.items()]
    if as_json:
        show_json(document)
    else:
        for line in lines:
            say(line)
