"""Who is at work: drivers and workers give signs of life, and the database's clock tells how old those are."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rlsweep.errors import DriverBusyError
from rlsweep.runs import TrainingRun
from rlsweep.store.database import Connection
from rlsweep.store.queries import load

LEASE_PATIENCE_SECONDS = 15.0
"""Seconds without a sign of life after which whoever drives a sweep, or trains a run, may be replaced."""

RUN_PATIENCE_SECONDS = 60.0
"""Seconds without a sign of life after which a run that no driver looks after is ended by whoever lists it."""

_SQL = load("liveness")


def get_lease(connection: Connection, sweep_id: UUID) -> dict[str, Any] | None:
    """`driver`, None where nobody has the sweep, and `silent_s`, the seconds since its last sign of life.

    None where there is no such sweep.
    """
    return connection.execute(_SQL["get_lease"], {"id": sweep_id}).fetchone()


def check_no_driver(connection: Connection, sweep_id: UUID) -> None:
    """Raise DriverBusyError while a driver of the sweep gives signs of life."""
    lease = get_lease(connection, sweep_id)
    if lease is not None and lease["driver"] is not None and lease["silent_s"] < LEASE_PATIENCE_SECONDS:
        raise sweep_busy_error(sweep_id, lease)


def check_no_worker(connection: Connection, runs: Sequence[TrainingRun]) -> None:
    """Raise DriverBusyError where one of the runs is running and its worker gave a sign of life lately."""
    live = connection.execute(
        _SQL["list_trained"], {"ids": [run.id for run in runs], "patience_seconds": LEASE_PATIENCE_SECONDS}
    ).fetchall()
    trained_ids = {row["id"] for row in live}
    for run in runs:
        if run.id in trained_ids:
            raise run_busy_error(run)


def sweep_busy_error(sweep_id: UUID, lease: dict[str, Any]) -> DriverBusyError:
    """Say that somebody drives the sweep, who it is, and the ways out."""
    return DriverBusyError(
        f"Sweep {sweep_id} is driven by {lease['driver']}, seen {lease['silent_s']:.0f} s ago. Follow it with "
        f"`rlsweep status {str(sweep_id)[:8]}`, end it with `rlsweep stop {str(sweep_id)[:8]}`, or try again "
        f"{LEASE_PATIENCE_SECONDS:.0f} s after that process has ended."
    )


def run_busy_error(run: TrainingRun) -> DriverBusyError:
    """Say that somebody trains the run, where, and the way out."""
    return DriverBusyError(
        f"Training run {run.id} is being trained by a process on {run.metadata.get('host', 'some host')}; "
        f"stop it first: rlsweep stop {str(run.id)[:8]}"
    )


def actor_alive_error(run: TrainingRun) -> DriverBusyError:
    """Say that the run's worker is silent but, as Ray says, alive, where it is, and the way out."""
    assert run.actor is not None
    return DriverBusyError(
        f"Training run {run.id} gives no sign of life, but its process {run.actor.pid} on "
        f"{run.metadata.get('host', 'some host')} (Ray node {run.actor.node[:12]}) is alive, as Ray says. End that "
        "process, or let it reach the database again; then try again."
    )
