"""Showing the progress of a run that this process trains, by its record."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rlsweep.errors import StoreUnavailableError
from rlsweep.places.observer import ProgressObserver
from rlsweep.runs import TrainingRun
from rlsweep.store import training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Overview
from rlsweep.threads import in_thread

WATCH_SECONDS = 1.0
"""Between two looks at the record."""


@contextmanager
def watched(database: Database, run: TrainingRun, observer: ProgressObserver) -> Iterator[None]:
    """Show how far the run has come while the context lasts."""

    def watch(done: threading.Event) -> None:
        with observer.live_progress() as show:
            while not done.wait(WATCH_SECONDS):
                # Training goes on without the database for a while, and so does watching it.
                with suppress(StoreUnavailableError):
                    show(Overview.of_all([training_runs.get(database, run.id)]))

    with in_thread(watch, name="progress"):
        yield
