"""What monitoring asks of the store: how each unfinished sweep stands, whether or not it has a driver."""

from dataclasses import dataclass

from rlsweep.runs import RunStatus
from rlsweep.store.database import Database
from rlsweep.store.queries import load

MOST_SWEEPS = 200
"""Maximum number of sweeps that are told; each adds eight series to Prometheus."""

_SQL = load("monitoring")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How an unfinished sweep stands.

    env_steps: that all its runs have recorded
    driver_silent_seconds: since its driver's last heartbeat; since it was made if it never had a driver
    """

    name: str
    runs_by_status: dict[RunStatus, int]
    env_steps: int
    driver_silent_seconds: float


def unfinished(database: Database) -> list[Standing]:
    """The newest unfinished sweeps; a status without runs is left out. It takes 30 ms for ten thousand runs."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_unfinished"], {"limit": MOST_SWEEPS}).fetchall()
    return [
        Standing(
            name=row["name"],
            runs_by_status={RunStatus(status): runs for status, runs in row["runs_by_status"].items()},
            env_steps=row["env_steps"],
            driver_silent_seconds=row["driver_silent_seconds"],
        )
        for row in rows
    ]
