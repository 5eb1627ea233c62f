"""Which drivers and workers are alive: they write heartbeats, whose age is measured by the database's clock."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rlsweep.errors import DriverBusyError
from rlsweep.runs import TrainingRun
from rlsweep.store.database import Connection
from rlsweep.store.queries import load

LEASE_PATIENCE_SECONDS = 15.0
"""Seconds without a heartbeat after which a sweep's driver or a run's worker may be replaced."""

RUN_PATIENCE_SECONDS = 60.0
"""Seconds without a heartbeat after which a command that lists a run without a driver ends it as abandoned."""

_SQL = load("liveness")


def get_lease(connection: Connection, sweep_id: UUID) -> dict[str, Any] | None:
    """Return `driver` (None without one) and `silent_s`, the seconds since its last heartbeat.

    Returns None if the sweep does not exist.
    """
    return connection.execute(_SQL["get_lease"], {"id": sweep_id}).fetchone()


def check_no_driver(connection: Connection, sweep_id: UUID) -> None:
    """Raise DriverBusyError if the sweep's driver has a recent heartbeat."""
    lease = get_lease(connection, sweep_id)
    if lease is not None and lease["driver"] is not None and lease["silent_s"] < LEASE_PATIENCE_SECONDS:
        raise sweep_busy_error(sweep_id, lease)


def check_no_worker(connection: Connection, runs: Sequence[TrainingRun]) -> None:
    """Raise DriverBusyError if one of the runs is running and its worker has a recent heartbeat."""
    live = connection.execute(
        _SQL["list_trained"], {"ids": [run.id for run in runs], "patience_seconds": LEASE_PATIENCE_SECONDS}
    ).fetchall()
    trained_ids = {row["id"] for row in live}
    for run in runs:
        if run.id in trained_ids:
            raise run_busy_error(run)


def sweep_busy_error(sweep_id: UUID, lease: dict[str, Any]) -> DriverBusyError:
    """Make the error for a sweep that has a live driver."""
    return DriverBusyError(
        f"Sweep {sweep_id} is driven by {lease['driver']}, seen {lease['silent_s']:.0f} s ago. Follow it with "
        f"`rlsweep status {str(sweep_id)[:8]}`, end it with `rlsweep stop {str(sweep_id)[:8]}`, or try again "
        f"{LEASE_PATIENCE_SECONDS:.0f} s after that process has ended."
    )


def run_busy_error(run: TrainingRun) -> DriverBusyError:
    """Make the error for a run that has a live worker."""
    return DriverBusyError(
        f"Training run {run.id} is being trained by a process on {run.metadata.get('host', 'an unknown host')}. "
        f"Stop it first: rlsweep stop {str(run.id)[:8]}"
    )


def actor_alive_error(run: TrainingRun) -> DriverBusyError:
    """Make the error for a run whose worker has no recent heartbeat but is alive in Ray."""
    assert run.actor is not None
    return DriverBusyError(
        f"Training run {run.id} has no recent heartbeat, but Ray reports that its process {run.actor.pid} on "
        f"{run.metadata.get('host', 'an unknown host')} (Ray node {run.actor.node[:12]}) is alive. End that process "
        "or restore its connection to the database, then try again."
    )
