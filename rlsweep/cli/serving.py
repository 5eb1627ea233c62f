"""`rlsweep serve`: Training History in the browser."""

import os
import signal
import threading
import time
from typing import Annotated

import typer

from rlsweep.cli import call

PARENT_SECONDS = 1.0
"""Between two looks at who the parent is."""


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(serve)


def serve(
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port; 0 takes a free one.")] = 5173,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on. One that other machines reach needs a token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            help="Access token (default: RLSWEEP_TOKEN). Generated for addresses that other machines can reach.",
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allowed-host", metavar="NAME", help="Host name used by your reverse proxy; needs a token. Repeatable."
        ),
    ] = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when the process that started this one does.")
    ] = False,
) -> None:
    """Open Training History: lists, curves and comparisons of all runs, at http://localhost:5173/training."""
    from rlsweep.web.server import serve as serve_pages

    if with_parent:
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), name="parent", daemon=True).start()
    token = token or call.environ().get("RLSWEEP_TOKEN") or None
    serve_pages(call.settings(), host=host, port=port, names=allowed_host or (), token=token, say=typer.echo)


def _end_with_parent(parent: int) -> None:
    """A process whose parent ends gets another one."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
