"""`xsession demo`."""

from __future__ import annotations

import click

from ._exit_status import ExitStatus
from ._output import say


@click.command(short_help="Tell the story of Batman and Vegeta, on an AWS of its own.")
def demo() -> ExitStatus:
    """Tell how Batman reads Vegeta's bucket, on an AWS that runs in this process; real accounts are not touched.

    Needs the extra xsession[testing].
    """
    from ._story import tell  # noqa: PLC0415 # it imports boto3

    return ExitStatus.FAILED if tell(say) else ExitStatus.OK
