"""Commands that run another program's command, which stands behind `--`."""

from __future__ import annotations

import click

_COMMAND = f"{__name__}.command"
_DASHES = "--"


class CommandAfterDashes(click.Command):
    """Leaves all that stands behind `--` as it is: it is another program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keeps the command apart from our own arguments."""
        own, dashes, command = args, False, []
        if _DASHES in args:
            place = args.index(_DASHES)
            own, dashes, command = args[:place], True, args[place + 1 :]
        ctx.meta[_COMMAND] = command
        try:
            return super().parse_args(ctx, [*own])
        except click.UsageError as error:
            if dashes or len(own) < 2:
                raise
            # What must stand there, such as an account's name, is not a part of the command.
            needed = sum(isinstance(each, click.Argument) and each.required for each in self.params)
            example = " ".join((ctx.command_path, *own[:needed], "-- aws s3 ls"))
            msg = f"{error.message} (a command stands behind --, as in: {example})"
            raise click.UsageError(msg, ctx) from error

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """How it is called."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def command_after_dashes(context: click.Context) -> list[str]:
    """The command, with its arguments; empty: there is none.

    Args:
        context: That of the command whose own arguments stand before it.
    """
    command: list[str] = context.meta[_COMMAND]
    return command
