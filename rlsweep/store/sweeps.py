"""Sweeps: create, find, list, assign to a driver, stop, and set the final status."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation
from psycopg.types.json import Json, Jsonb

from rlsweep.errors import DriverBusyError, InputError, RlsweepError
from rlsweep.race_records import RaceTerms
from rlsweep.runs import NewRun, RunStatus
from rlsweep.scheduler_records import SchedulerTerms
from rlsweep.store import races, schedulers, transitions
from rlsweep.store.database import Connection, Database
from rlsweep.store.liveness import (
    LEASE_PATIENCE_SECONDS,
    check_no_driver,
    get_lease,
    gone_drivers,
    is_live,
    sweep_busy_error,
)
from rlsweep.store.queries import load
from rlsweep.store.records import ambiguous, id_range, missing, one, sweep_from_row
from rlsweep.sweep_records import NewSweep, Sweep

_SQL = load("sweeps")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedSweep:
    """A sweep and the number of its runs by status; statuses without runs are left out."""

    sweep: Sweep
    runs_by_status: dict[RunStatus, int]


def create(
    database: Database,
    sweep: NewSweep,
    runs: Sequence[NewRun],
    *,
    race: RaceTerms | None = None,
    scheduler: SchedulerTerms | None = None,
) -> Sweep:
    """Write a planned sweep and its runs as pending, in the given order, in one transaction.

    race: its terms if it is a race; scheduler: what says which of its runs train, if anything does

    Raises InputError if another sweep has the name.
    """
    with database.connect() as connection:
        try:
            row = connection.execute(
                _SQL["insert_sweep"],
                {
                    "id": uuid4(),
                    "name": sweep.name,
                    "patterns": Jsonb(list(sweep.patterns)),
                    "mode": sweep.mode,
                    "budget": Jsonb(asdict(sweep.budget)),
                    "seeds": Jsonb(list(sweep.seeds)),
                    "base_config": Jsonb(sweep.base_config),
                    "base_config_path": sweep.base_config_path,
                    "overrides": Jsonb(list(sweep.overrides)),
                    "git_commit": sweep.git_commit,
                    "git_dirty": sweep.git_dirty,
                    "versions": Jsonb(sweep.versions),
                    "confirms": sweep.confirms,
                    "space": None if sweep.space is None else Json(sweep.space),
                },
            ).fetchone()
        except UniqueViolation as exc:
            raise _taken(sweep.name) from exc
        created = sweep_from_row(one(row))
        transitions.insert(connection, created.id, runs)
        if race is not None:
            races.insert_terms(connection, created.id, race)
        if scheduler is not None:
            schedulers.insert_terms(connection, created.id, scheduler)
    return created


def check_free(database: Database, name: str) -> None:
    """Raise InputError if a sweep has the name; until `create`, which checks again, another one may still take it."""
    with database.readonly() as connection:
        if connection.execute(_SQL["get_sweep_by_name"], {"name": name}).fetchone() is not None:
            raise _taken(name)


def _taken(name: str) -> InputError:
    return InputError(f"A sweep named {name!r} exists already. Choose another name.")


def get(database: Database, reference: str | UUID) -> Sweep:
    """Find a sweep by exact name, id, start of its id (4 hex digits or more), or `latest` for the newest.

    Raises NotFoundError with similar names, or with the ids that match an ambiguous start.
    """
    wanted = str(reference)
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_sweep_by_name"], {"name": wanted}).fetchone()
        if row is None and wanted == "latest":
            row = connection.execute(_SQL["get_latest_sweep"]).fetchone()
        if row is None and (bounds := id_range(wanted)):
            rows = connection.execute(_SQL["list_sweeps_in_id_range"], {"low": bounds[0], "high": bounds[1]}).fetchall()
            if len(rows) > 1:
                raise ambiguous("Sweep", wanted, [found["id"] for found in rows])
            row = rows[0] if rows else None
        if row is None:
            names = [found["name"] for found in connection.execute(_SQL["list_recent_names"])]
            raise missing("Sweep", wanted, "rlsweep sweeps", names)
    return sweep_from_row(row)


def find_unfinished(
    database: Database, runs: Sequence[NewRun], *, scheduler: SchedulerTerms | None = None
) -> Sweep | None:
    """The newest unfinished sweep without a live driver that has exactly these runs (by trial key and config).

    scheduler: that it has; None for a sweep that has none
    """
    with database.readonly() as connection:
        row = connection.execute(
            _SQL["find_unfinished"],
            {
                "trial_key": [run.trial_key for run in runs],
                "config": [Jsonb(run.config) for run in runs],
                "patience_seconds": LEASE_PATIENCE_SECONDS,
                "gone": gone_drivers(connection),
                "scheduler": None if scheduler is None else Jsonb([scheduler.kind, scheduler.settings]),
            },
        ).fetchone()
    return None if row is None else sweep_from_row(row)


def confirmations(database: Database, sweep_id: UUID) -> list[Sweep]:
    """The sweeps that check this one's choice on held-out seeds, newest first."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_confirmations"], {"id": sweep_id}).fetchall()
    return [sweep_from_row(row) for row in rows]


def list_recent(database: Database, limit: int = 20, *, tags: Sequence[str] = ()) -> list[ListedSweep]:
    """The newest sweeps with all of these tags first, each with the number of its runs by status."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_recent_sweeps"], {"limit": limit, "tags": list(tags)}).fetchall()
    return [
        ListedSweep(
            sweep=sweep_from_row(row),
            runs_by_status={RunStatus(status): count for status, count in row["runs_by_status"].items()},
        )
        for row in rows
    ]


def request_stop(database: Database, sweep_id: UUID) -> dict[RunStatus, int]:
    """Stop the sweep's pending runs and request its running ones to stop; a driver that starts later begins no run.

    Paused runs of a sweep that is not completed are stopped too. Returns the number of affected runs by their new
    status: `stopped` were pending or paused, `running` will stop soon.
    """
    with database.connect() as connection:
        connection.execute(_SQL["request_stop"], {"id": sweep_id})
        statuses = transitions.request_stop_of_sweep(connection, sweep_id)
    return {status: statuses.count(status) for status in (RunStatus.STOPPED, RunStatus.RUNNING)}


def check_undriven(database: Database, sweep_id: UUID) -> None:
    """Raise DriverBusyError if the sweep has a live driver. Only `take_lease` prevents others from driving it."""
    with database.readonly() as connection:
        check_no_driver(connection, sweep_id)


def assign(database: Database, sweep_id: UUID, *, resources: dict[str, Any], address: str | None) -> Sweep:
    """Set the trials' resources and where the sweep is driven; it is pending until its driver takes the lease.

    Raises DriverBusyError if the sweep has a live driver.
    """
    with database.connect() as connection:
        row = connection.execute(
            _SQL["assign"],
            {
                "id": sweep_id,
                "resources": Jsonb(resources),
                "address": address,
                "patience_seconds": LEASE_PATIENCE_SECONDS,
                "gone": gone_drivers(connection),
            },
        ).fetchone()
        if row is None:
            raise _lease_lost_error(connection, sweep_id)
    return sweep_from_row(row)


def is_to_stop(database: Database, sweep_id: UUID) -> bool:
    """Whether a stop was requested since the sweep was assigned."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_stop_requested"], {"id": sweep_id}).fetchone()
    return row is not None and bool(row["stop_requested"])


def take_lease(database: Database, sweep_id: UUID, driver: str) -> Sweep:
    """Set the sweep's driver (host, process id and a suffix) and mark the sweep as running.

    Raises DriverBusyError if another driver has a recent heartbeat, by the database's clock, and has not ended here.
    """
    with database.connect() as connection:
        values = {"patience_seconds": LEASE_PATIENCE_SECONDS, "gone": gone_drivers(connection)}
        row = connection.execute(_SQL["take_lease"], {"id": sweep_id, "driver": driver, **values}).fetchone()
        if row is None:
            raise _lease_lost_error(connection, sweep_id)
    return sweep_from_row(row)


def renew_lease(database: Database, sweep_id: UUID, driver: str) -> None:
    """Write the driver's heartbeat, every few seconds. Raises DriverBusyError if another driver has the sweep."""
    with database.connect() as connection:
        renewed = connection.execute(_SQL["renew_lease"], {"id": sweep_id, "driver": driver}).rowcount
        if not renewed:
            lease = get_lease(connection, sweep_id)
            if lease is None:
                raise missing("Sweep", str(sweep_id), "rlsweep sweeps")
            raise DriverBusyError(
                f"Sweep {sweep_id} is no longer driven by {driver}, but by {lease['driver'] or 'nobody'}."
            )


def lost_driver(database: Database, sweep_id: UUID) -> str | None:
    """The driver that has the lease but no recent heartbeat, or has ended on this host; None if there is none."""
    with database.readonly() as connection:
        lease = get_lease(connection, sweep_id)
    return None if lease is None or lease["driver"] is None or is_live(lease) else str(lease["driver"])


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveDriver:
    """A sweep's driver with a recent heartbeat, and the seconds since that."""

    driver: str
    silent_seconds: float


def live_driver(database: Database, sweep_id: UUID) -> LiveDriver | None:
    """The driver that may be alive; None if there is none."""
    with database.readonly() as connection:
        lease = get_lease(connection, sweep_id)
    if lease is None or not is_live(lease):
        return None
    return LiveDriver(driver=lease["driver"], silent_seconds=lease["silent_s"])


def release(database: Database, sweep_id: UUID, driver: str) -> None:
    """Release the lease if this driver has it; another driver may take it at once.

    An unfinished sweep becomes pending: it waits for a driver.
    """
    with database.connect() as connection:
        connection.execute(_SQL["release_lease"], {"id": sweep_id, "driver": driver})


def settle(database: Database, sweep_id: UUID) -> Sweep:
    """Set the sweep's final status if all its runs are finished; return the sweep.

    The status is failed if any run failed, else stopped if any was stopped, else completed: paused runs are those that
    the sweep trains no further.
    """
    with database.connect() as connection:
        connection.execute(_SQL["settle_sweep"], {"id": sweep_id})
        row = connection.execute(_SQL["get_sweep"], {"id": sweep_id}).fetchone()
    if row is None:
        raise missing("Sweep", str(sweep_id), "rlsweep sweeps")
    return sweep_from_row(row)


def _lease_lost_error(connection: Connection, sweep_id: UUID) -> RlsweepError:
    """Make the error for a sweep that another driver has or that does not exist."""
    lease = get_lease(connection, sweep_id)
    return missing("Sweep", str(sweep_id), "rlsweep sweeps") if lease is None else sweep_busy_error(sweep_id, lease)
