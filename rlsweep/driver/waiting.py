"""Telling which trials wait for their environment."""

import logging
import time
from uuid import UUID

from rlsweep.store import training_runs
from rlsweep.store.database import Database
from rlsweep.training.recorder import WAITED_FOR

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""Time between two looks at the record."""


class WaitingTrials:
    """Logs what a trial has put on record about an environment that does not answer, once for each time."""

    def __init__(self, database: Database, sweep_id: UUID) -> None:
        self._database = database
        self._sweep_id = sweep_id
        self._told: dict[tuple[UUID, int], str] = {}
        self._looked = 0.0

    def tell(self) -> None:
        """Look if it is due; may be called often."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        for run in training_runs.running(self._database, self._sweep_id):
            text, attempt = run.metadata.get(WAITED_FOR), (run.id, run.attempt)
            if text is not None and self._told.get(attempt) != text:
                self._told[attempt] = text
                logger.warning("%s waits for %s.", run.label, text)
