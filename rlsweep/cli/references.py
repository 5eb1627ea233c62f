"""From what a user typed to what it names."""

from typing import TYPE_CHECKING

from rlsweep.errors import NotFoundError

if TYPE_CHECKING:
    from rlsweep.runs import Sweep, TrainingRun
    from rlsweep.store.database import Database


def find_sweep_or_run(database: "Database", reference: str) -> "Sweep | TrainingRun":
    """The sweep of that name or id, else the run of that id. Raises NotFoundError, about sweeps where neither is."""
    from rlsweep.store import sweeps, training_runs

    try:
        return sweeps.get(database, reference)
    except NotFoundError as no_sweep:
        try:
            return training_runs.get(database, reference)
        except NotFoundError:
            raise no_sweep from None
