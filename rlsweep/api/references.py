"""From what a user typed to what it names."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlsweep.config import globbing
from rlsweep.config.reading import EXTENSIONS
from rlsweep.errors import NotFoundError

if TYPE_CHECKING:
    from rlsweep.runs import TrainingRun
    from rlsweep.store.database import Database
    from rlsweep.sweep_records import Sweep


NO_SWEEPS = "No sweeps yet. Start one: rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml'"


def find_sweep(database: "Database", reference: str) -> "Sweep":
    """The sweep of that name or id. Raises NotFoundError, which says so where there is none at all."""
    from rlsweep.store import sweeps

    try:
        return sweeps.get(database, reference)
    except NotFoundError:
        if sweeps.list_recent(database, 1):
            raise
        raise NotFoundError(NO_SWEEPS) from None


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


def is_sweep_reference(text: str) -> bool:
    """Whether a text names a sweep rather than agent configs: no file, folder, glob, or name of a config file."""
    path = Path(text).expanduser()
    return not (path.exists() or globbing.MAGIC.search(text) or path.suffix.lower() in EXTENSIONS or "/" in text)
