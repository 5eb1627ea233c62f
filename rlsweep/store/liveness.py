"""Which drivers and workers are alive: they write heartbeats, whose age is measured by the database's clock.

One whose process has ended on this host is dead at once, whatever its last heartbeat.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rlsweep.errors import DriverBusyError
from rlsweep.process_identity import describe_process, is_gone, is_here
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


def is_live(lease: dict[str, Any] | None) -> bool:
    """Whether a lease of `get_lease` has a driver with a recent heartbeat whose process has not ended on this host."""
    if lease is None or lease["driver"] is None or lease["silent_s"] >= LEASE_PATIENCE_SECONDS:
        return False
    return not is_gone(lease["driver"])


def gone_drivers(connection: Connection) -> list[str]:
    """The drivers on record whose process has ended on this host."""
    rows = connection.execute(_SQL["list_drivers"]).fetchall()
    return [row["driver"] for row in rows if is_gone(row["driver"])]


def check_no_driver(connection: Connection, sweep_id: UUID) -> None:
    """Raise DriverBusyError if the sweep has a live driver."""
    lease = get_lease(connection, sweep_id)
    if lease is not None and is_live(lease):
        raise sweep_busy_error(sweep_id, lease)


def is_lost_here(run: TrainingRun) -> bool:
    """Whether the run's worker has ended on this host."""
    return is_gone(run.metadata.get("process"))


def check_no_worker(connection: Connection, runs: Sequence[TrainingRun]) -> None:
    """Raise DriverBusyError if one of the runs is running and has a live worker: a recent heartbeat, and not ended."""
    live = connection.execute(
        _SQL["list_trained"], {"ids": [run.id for run in runs], "patience_seconds": LEASE_PATIENCE_SECONDS}
    ).fetchall()
    trained_ids = {row["id"] for row in live}
    for run in runs:
        if run.id in trained_ids and not is_lost_here(run):
            raise run_busy_error(run)


def sweep_busy_error(sweep_id: UUID, lease: dict[str, Any]) -> DriverBusyError:
    """Make the error for a sweep that has a live driver."""
    short_id = str(sweep_id)[:8]
    seconds_left = max(0.0, LEASE_PATIENCE_SECONDS - lease["silent_s"])
    again = "" if is_here(lease["driver"]) else f"; if that process has ended, try again in {seconds_left:.0f} s"
    return DriverBusyError(
        f"Sweep {sweep_id} is driven by {describe_process(lease['driver'])}, seen {lease['silent_s']:.0f} s ago. "
        f"Follow it with `rlsweep status {short_id}`, or end it with `rlsweep stop {short_id}`{again}."
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
