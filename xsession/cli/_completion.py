"""`xsession completion`."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

PROGRAM = "xsession"

_BASH_NEW = "complete -o nosort -F %(complete_func)s %(prog_name)s"
_BASH_ANY = f"{{ {_BASH_NEW} 2>/dev/null || complete -F %(complete_func)s %(prog_name)s; }}"
_ZSH_FIRST = "#compdef %(prog_name)s\n"
_ZSH_LOADED = "(( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit -D; }\n"

# click's own, but that a bash of before 4.4 knows no nosort, and a zsh may not have loaded its completion yet.
SCRIPTS = {
    "bash": (BashComplete, BashComplete.source_template.replace(_BASH_NEW, _BASH_ANY)),
    "fish": (FishComplete, FishComplete.source_template),
    "zsh": (ZshComplete, ZshComplete.source_template.replace(_ZSH_FIRST, _ZSH_FIRST + _ZSH_LOADED)),
}


@click.command(short_help="Print what completes commands and account names.")
@click.argument("shell", type=click.Choice(sorted(SCRIPTS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the lines by which SHELL completes commands, options and the names of accounts.

    \b
    bash: put into ~/.bashrc   eval "$(xsession completion bash)"
    zsh:  put into ~/.zshrc    eval "$(xsession completion zsh)"
    fish: xsession completion fish > ~/.config/fish/completions/xsession.fish

    Names come from files alone, without a network call.
    """  # noqa: D301 # click's mark of lines that stay as they are
    kind, template = SCRIPTS[shell]
    root = context.find_root()
    words = kind(root.command, {}, PROGRAM, f"_{PROGRAM}_complete".upper()).source_vars()
    click.echo(template % words)
