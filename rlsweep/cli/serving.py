"""`rlsweep serve`: Training History in the browser."""

from typing import Annotated

import typer

from rlsweep.settings import Settings


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
            envvar="RLSWEEP_TOKEN",
            help="What a browser must know. Without one, a token is made for any address that others reach.",
        ),
    ] = None,
) -> None:
    """Open Training History: lists, curves and comparisons of all runs, at http://localhost:5173/training."""
    from rlsweep.web.server import serve as serve_pages

    serve_pages(Settings.from_environ(), host=host, port=port, token=token or None, say=typer.echo)
