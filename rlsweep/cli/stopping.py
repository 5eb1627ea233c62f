"""`rlsweep stop`, and telling of runs whose process was killed."""

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call
from rlsweep.cli.options import SweepOrRun
from rlsweep.runs import RunStatus
from rlsweep.sweep_records import Sweep


def stop(
    reference: SweepOrRun,
) -> None:
    """Ask a sweep or a run to stop; it keeps what it recorded."""
    from rlsweep.api.control import stop as ask_to_stop

    stopped = ask_to_stop(reference, settings=call.settings())
    tell_abandoned(stopped.abandoned)
    target = stopped.target
    if isinstance(target, Sweep) and target.status.is_finished and not stopped.stopping + stopped.stopped:
        typer.echo(f"Sweep {target.name}: {target.status.value}")
    elif isinstance(target, Sweep):
        typer.echo(
            f"Sweep {target.name}: {stopped.stopping} running trials will end by themselves, {stopped.stopped} pending "
            "or paused ones were stopped."
        )
    else:
        typer.echo(f"{target.label}: {'stopping' if target.status is RunStatus.RUNNING else target.status.value}")


def tell_abandoned(count: int) -> None:
    """Say on stderr that runs had lost their process."""
    if count:
        typer.echo(f"Recorded as stopped: {plural(count, 'run')} whose process was gone.", err=True)
