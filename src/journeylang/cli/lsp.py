"""``journey lsp``: the language server, for editors."""

from __future__ import annotations

import os

import click

from journeylang.cli.extras import needs


@click.command("lsp")
@click.option(
    "--env",
    default="dev",
    show_default=True,
    metavar="ENV",
    help="Whose people are counted beside the steps.",
)
def command(env: str) -> None:
    """Answer an editor over standard input and output, until it closes them.

    Needs the extra `lsp`: `pip install 'journeylang[lsp]'`.
    """
    needs("lsp", "pygls")
    from journeylang.lsp.server import make_server

    # An editor does not wait for a database that does not answer.
    os.environ.setdefault("PGCONNECT_TIMEOUT", "3")
    os.environ.setdefault("PGOPTIONS", "-c statement_timeout=5000")
    make_server(env=env).start_io()
