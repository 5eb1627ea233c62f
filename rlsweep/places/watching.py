"""Showing the progress of a run that this process trains, by its record."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rlsweep.errors import StoreUnavailableError
from rlsweep.places.observer import ProgressObserver
from rlsweep.runs import Overview, TrainingRun
from rlsweep.store import training_runs
from rlsweep.store.database import Database

WATCH_SECONDS = 1.0
"""Between two looks at the record."""


@contextmanager
def watched(database: Database, run: TrainingRun, observer: ProgressObserver) -> Iterator[None]:
    """Show how far the run has come while the context lasts."""
    done = threading.Event()

    def watch() -> None:
        with observer.live_progress() as show:
            while not done.wait(WATCH_SECONDS):
                # Training goes on without the database for a while, and so does watching it.
                with suppress(StoreUnavailableError):
                    show(Overview.of_all([training_runs.get(database, run.id)]))

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
