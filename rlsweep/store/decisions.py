"""What decisions of races and schedulers have in common: the lease they need, and the runs that they schedule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import DictRow

from rlsweep.errors import DriverBusyError
from rlsweep.population_records import NewExploit
from rlsweep.runs import NewRun
from rlsweep.store import exploits, transitions
from rlsweep.store.database import Connection, Database
from rlsweep.store.queries import load
from rlsweep.store.records import missing, one

_SQL = load("decisions")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scheduled:
    """A run that a decision chose: one on record, or a new one.

    pause_at: share of its budget; None for its end
    copy: what it becomes first, if it copies another run
    """

    run: UUID | NewRun
    pause_at: float | None
    copy: NewExploit | None = None


def put_on_record(
    database: Database,
    sweep_id: UUID,
    driver: str,
    write: Callable[[Connection], None],
    chosen: Sequence[Scheduled],
) -> list[UUID] | None:
    """Write a decision and schedule the runs that it chose, in one transaction; return their ids in order.

    write: puts the decision on record within the transaction

    Returns None, and writes nothing, if a stop of the sweep was requested. Raises DriverBusyError if another driver has
    the sweep.
    """
    with database.connect() as connection:
        sweep = _lock(connection, sweep_id)
        if sweep["driver"] != driver:
            raise DriverBusyError(
                f"Sweep {sweep_id} is no longer driven by {driver}, but by {sweep['driver'] or 'nobody'}."
            )
        if sweep["stop_requested"]:
            return None
        write(connection)
        return [_schedule(connection, sweep_id, each) for each in chosen]


def pause_waiting(database: Database, sweep_id: UUID) -> None:
    """Let the runs that waited at their rung when the sweep was stopped wait there again."""
    with database.connect() as connection:
        connection.execute(_SQL["pause_waiting"], {"sweep_id": sweep_id})


def _lock(connection: Connection, sweep_id: UUID) -> DictRow:
    row = connection.execute(_SQL["lock_sweep"], {"sweep_id": sweep_id}).fetchone()
    if row is None:
        raise missing("Sweep", str(sweep_id), "rlsweep sweeps")
    return row


def _schedule(connection: Connection, sweep_id: UUID, chosen: Scheduled) -> UUID:
    if isinstance(chosen.run, UUID):
        if chosen.copy is not None:
            transitions.lock(connection, chosen.run)
            exploits.insert(connection, chosen.copy, pause_at=chosen.pause_at)
            return chosen.run
        transitions.schedule(connection, chosen.run, pause_at=chosen.pause_at)
        return chosen.run
    position = one(connection.execute(_SQL["get_next_position"], {"sweep_id": sweep_id}).fetchone())["position"]
    (run_id,) = transitions.insert(connection, sweep_id, [chosen.run], first_position=position)
    return run_id
