"""``journey completion``: what a shell needs to complete verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_JOURNEY_COMPLETE"
"""By which the shell asks: click's own name for a program called so."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script by which SHELL completes verbs, options and files of `journey`.

    bash: `eval "$(journey completion bash)"` in ~/.bashrc; zsh: the same in ~/.zshrc; fish:
    `journey completion fish > ~/.config/fish/completions/journey.fish`.
    """
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(ctx.find_root().command, {}, "journey", _VARIABLE).source())
