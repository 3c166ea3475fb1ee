"""``journey lsp``: the language server, for editors."""

from __future__ import annotations

import click


@click.command("lsp")
def command() -> None:
    """Answer an editor over standard input and output, until it closes them.

    Needs the extra `lsp`: `pip install 'journeylang[lsp]'`.
    """
    try:
        import pygls  # noqa: F401 -- asked for before anything is imported that rests on it
    except ModuleNotFoundError:
        raise click.ClickException(
            "pygls is not installed: `pip install 'journeylang[lsp]'`"
        ) from None
    from journeylang.lsp.server import make_server

    make_server().start_io()
