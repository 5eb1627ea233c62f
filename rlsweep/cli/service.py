"""`rlsweep up` and `rlsweep down`: a service with everything running, and a driver whose workers stay warm."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call, options
from rlsweep.cli.output import PIPE_WIDTH, when
from rlsweep.paths import Paths
from rlsweep.places.options import DEFAULT_GRACE
from rlsweep.settings import Settings

if TYPE_CHECKING:
    from rlsweep.cli.observer import ConsoleObserver
    from rlsweep.places.service import ServiceCard


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    for command in (up, down):
        app.command()(command)


def up(
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Port of Training History.")] = 5173,
    dashboard_port: Annotated[
        int, typer.Option("--dashboard-port", min=1, max=65_535, help="Port of Ray's dashboard and Jobs API.")
    ] = 8265,
    cpus: Annotated[int | None, typer.Option("--cpus", min=1, help="CPUs for trials (default: all).")] = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay in this terminal; Ctrl-C ends it.")] = False,
) -> None:
    """Start a background service: Ray, the database, Training History, and a driver with warm workers."""
    from rlsweep.places.service import find_service

    settings = call.settings()
    folder = Paths(settings).service
    if (card := find_service(folder)) is not None:
        return typer.echo(f"The service is up already, since {when(card.since)}.\n{describe(card)}")
    if foreground:
        return _be_the_service(settings, port=port, dashboard_port=dashboard_port, cpus=cpus)
    from rlsweep.places.service_control import start_service

    card = start_service(folder, call.environ(), page_port=port, dashboard_port=dashboard_port, cpus=cpus)
    return typer.echo(f"{describe(card)}\n`rlsweep submit` hands sweeps to it; `rlsweep down` ends it.")


def down(
    grace: options.Grace = DEFAULT_GRACE,
) -> None:
    """End the service: its sweeps stop at their next step, and `rlsweep resume` continues them."""
    from rlsweep.places.service_control import ServiceEnd, end_service

    words = {
        ServiceEnd.WAS_NOT_UP: "The service is not up.",
        ServiceEnd.STARTING: "The service is starting; try again.",
        ServiceEnd.ENDED: "The service has ended.",
        ServiceEnd.KILLED: "The service did not end in time, and was killed; nothing is lost.",
    }
    typer.echo(words[end_service(Paths(call.settings()).service, grace=grace, on_stopping=_tell_stopping)])


def describe(card: "ServiceCard") -> str:
    """Where its parts are."""
    cpus = f"{card.resources.get('CPU', 0):g} CPUs"
    gpus = f", {card.resources['GPU']:g} GPUs" if card.resources.get("GPU") else ""
    return (
        f"Training History: {card.page_url}\n"
        f"Ray:              {card.dashboard_url} (token in {card.token_file}), {cpus}{gpus} for trials"
    )


def _tell_stopping(sweeps: Sequence[str]) -> None:
    typer.echo(f"{plural(len(sweeps), 'sweep')} will stop, and can be resumed: {', '.join(sweeps)}")


def _be_the_service(settings: Settings, *, port: int, dashboard_port: int, cpus: int | None) -> None:
    from rlsweep.places.service_process import run_service

    run_service(
        settings,
        environ=call.environ(),
        page_port=port,
        dashboard_port=dashboard_port,
        cpus=cpus,
        log_observer=_log_observer,
        on_ready=lambda card: typer.echo(describe(card)),
    )


def _log_observer(file: TextIO) -> "ConsoleObserver":
    from rich.console import Console

    from rlsweep.cli.observer import ConsoleObserver

    return ConsoleObserver(Console(file=file, width=PIPE_WIDTH, highlight=False))
