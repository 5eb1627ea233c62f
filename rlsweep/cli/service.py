"""`rlsweep up` and `rlsweep down`: a service with everything running, and a driver whose workers stay warm."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call, options
from rlsweep.cli.output import when
from rlsweep.errors import InputError, RlsweepError
from rlsweep.paths import Paths

if TYPE_CHECKING:
    from rlsweep.places.service import ServiceCard

START_SECONDS = 240.0
"""How long everything may take to start on a busy machine; 8 s are usual."""

KILL_SECONDS = 20.0
"""How long the service may take to end once its sweeps have."""


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
    """Start a service in the background: Ray, the database, Training History, and a driver that stays warm."""
    from rlsweep.places.service import find_service

    settings = call.settings()
    folder = Paths(settings).service
    card = find_service(folder)
    if card is not None:
        typer.echo(f"The service is up already, since {when(card.since)}.\n{describe(card)}")
        return
    if foreground:
        from rlsweep.cli.resident import Resident

        Resident(
            settings,
            environ=call.environ(),
            page_port=port,
            dashboard_port=dashboard_port,
            cpus=cpus,
            say=typer.echo,
        ).run()
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = ["up", "--foreground", "--port", str(port), "--dashboard-port", str(dashboard_port)]
    arguments += [] if cpus is None else ["--cpus", str(cpus)]
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rlsweep", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(call.environ()),
            start_new_session=True,  # it goes on when the terminal is closed
        )
    typer.echo(
        f"{describe(_wait_for(process, folder, log))}\n`rlsweep submit` leaves sweeps to it; `rlsweep down` ends it."
    )


def down(
    grace: options.Grace = 120.0,
) -> None:
    """End the service: its sweeps stop at their next step, and `rlsweep resume` goes on with them."""
    from rlsweep.places.service import ask_to_end, find_service, has_ended, host_elsewhere, is_up, sweeps_driven_by

    folder = Paths(call.settings()).service
    card = find_service(folder)
    if card is None:
        if (host := host_elsewhere(folder)) is not None:
            raise InputError(f"The service is up on {host}, which shares this RLSWEEP_HOME: end it there.")
        typer.echo("The service is starting; try again." if is_up(folder) else "The service is not up.")
        return
    patience = grace + KILL_SECONDS
    try:
        if running := sorted(sweeps_driven_by(card).values()):
            typer.echo(f"{plural(len(running), 'sweep')} will stop, and can be resumed: {', '.join(running)}")
        ask_to_end(card)
    except RlsweepError:  # it gives no answer
        with suppress(ProcessLookupError):
            os.kill(card.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while not has_ended(card, folder):
        if time.monotonic() > deadline:
            _kill(card.pid)
            typer.echo(f"The service did not end within {patience:.0f} s, and was killed; nothing is lost.")
            return
        time.sleep(0.1)
    typer.echo("The service has ended.")


def _kill(pid: int) -> None:
    """Kill a process and all below it."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (*process.children(recursive=True), process):
            each.kill()


def describe(card: "ServiceCard") -> str:
    """Where its parts are."""
    cpus = f"{card.resources.get('CPU', 0):g} CPUs"
    gpus = f", {card.resources['GPU']:g} GPUs" if card.resources.get("GPU") else ""
    return (
        f"Training History: {card.page_url}\n"
        f"Ray:              {card.dashboard_url} (token in {card.token_file}), {cpus}{gpus} for trials"
    )


def _wait_for(process: "subprocess.Popen[bytes]", folder: Path, log: Path) -> "ServiceCard":
    """Until the service is ready. Raises RlsweepError, or InputError for what it was given, where it is not in time."""
    from rlsweep.places.service import find_service

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        card = find_service(folder)
        if card is not None and card.pid == process.pid:
            return card
        code = process.poll()
        if code is not None:
            said = log.read_text(errors="replace").strip()
            message = said.rpartition("Error: ")[2] or f"The service ended at once ({code}); see {log}."
            raise InputError(message) if code == InputError.exit_code else RlsweepError(message)
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    raise RlsweepError(f"The service was not ready within {START_SECONDS:.0f} s, and was ended; see {log}.")
