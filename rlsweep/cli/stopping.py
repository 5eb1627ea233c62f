"""`rlsweep stop`, and putting an end on record for runs whose process was killed."""

from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call
from rlsweep.cli.options import SweepOrRun
from rlsweep.cli.references import find_sweep_or_run
from rlsweep.errors import StoreUnavailableError
from rlsweep.runs import RunStatus, Sweep, SweepStatus

if TYPE_CHECKING:
    from uuid import UUID

    from rlsweep.store.database import Database


def stop(
    reference: SweepOrRun,
) -> None:
    """Ask a sweep or a run to stop; it keeps what it recorded."""
    from rlsweep.store.opening import open_database

    with open_database(call.settings()) as database:
        found = find_sweep_or_run(database, reference)
        if isinstance(found, Sweep):
            _stop_sweep(database, found)
        else:
            _stop_run(database, found.id)


def settle_abandoned(database: "Database", sweep: Sweep) -> Sweep:
    """Put an end on record for the sweep's runs whose process was killed, tell how many, return the sweep as it is."""
    from rlsweep.store import sweeps as store
    from rlsweep.store import training_runs

    abandoned = training_runs.end_abandoned(database, sweep_id=sweep.id)
    tell_abandoned(len(abandoned))
    # Its driver may have been killed between its last run's end and its own. One that lives, or that it waits for, has
    # perhaps yet to take its runs up.
    is_left = sweep.status is SweepStatus.RUNNING and (
        sweep.driver is None or store.lost_driver(database, sweep.id) is not None
    )
    return store.settle(database, sweep.id) if abandoned or is_left else sweep


def settle_all_abandoned(database: "Database") -> None:
    """As `settle_abandoned`, of all sweeps and of runs that belong to none; what may only be read stays as it is."""
    from rlsweep.store import sweeps as store
    from rlsweep.store import training_runs

    with suppress(StoreUnavailableError):
        abandoned = training_runs.end_abandoned(database)
        tell_abandoned(len(abandoned))
        for sweep_id in {run.sweep_id for run in abandoned if run.sweep_id is not None}:
            store.settle(database, sweep_id)


def tell_abandoned(count: int) -> None:
    """Say on stderr that runs had lost their process."""
    if count:
        typer.echo(f"{plural(count, 'run')} found whose process was gone; their end is on record now.", err=True)


def _stop_sweep(database: "Database", sweep: Sweep) -> None:
    from rlsweep.store import sweeps as store
    from rlsweep.store import training_runs
    from rlsweep.store.liveness import LEASE_PATIENCE_S

    touched = store.request_stop(database, sweep.id)
    # Whoever asks to stop need not wait the minute that a silent process is given otherwise.
    abandoned = training_runs.end_abandoned(database, sweep_id=sweep.id, patience_s=LEASE_PATIENCE_S)
    store.settle(database, sweep.id)
    tell_abandoned(len(abandoned))
    typer.echo(
        f"Sweep {sweep.name}: {touched[RunStatus.RUNNING] - len(abandoned)} running trials will end by themselves, "
        f"{touched[RunStatus.STOPPED]} waiting ones were stopped."
    )


def _stop_run(database: "Database", run_id: "UUID") -> None:
    from rlsweep.store import sweeps as store
    from rlsweep.store import training_runs
    from rlsweep.store.liveness import LEASE_PATIENCE_S

    asked = training_runs.request_stop(database, run_id)
    abandoned = training_runs.end_abandoned(database, run_id=run_id, patience_s=LEASE_PATIENCE_S)
    if asked.sweep_id is not None:
        store.settle(database, asked.sweep_id)
    tell_abandoned(len(abandoned))
    run = abandoned[0] if abandoned else asked
    typer.echo(f"{run.label}: {'stopping' if run.status is RunStatus.RUNNING else run.status.value}")
