"""Runs that decisions choose: whenever a slot is free, the next decision says which ones are trained."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from rlsweep.driver.run_source import RESTARTS
from rlsweep.errors import DriverBusyError, StoreUnavailableError
from rlsweep.store import transitions
from rlsweep.store.database import Database

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Time between two decisions while no run ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What a decision on record chose.

    runs: that it scheduled, in the order in which they train
    is_over: whether no run begins any more: it was the last decision, or a stop of the sweep was requested
    """

    runs: Sequence[UUID] = ()
    is_over: bool = False


class Rule(Protocol):
    """How a race or a scheduler decides which runs of a sweep are trained. Both methods are called again and again."""

    def scheduled(self) -> Sequence[UUID]:
        """The pending runs that earlier decisions scheduled, and those that train in any case, in order."""
        ...

    def decide(self, *, driver: str, free: int) -> Decided | None:
        """Read the record, decide what to begin on so many free slots, and put the decision on record.

        driver: name of the driver that has the sweep's lease

        Returns None, with nothing on record, while the runs that train must come further first. Raises DriverBusyError
        if another driver has the sweep.
        """
        ...


class DecidedRuns:
    """Gives the runs that decisions choose; a decision and its runs are on record before that.

    Runs that earlier decisions scheduled come first: a new driver continues where the last one was killed.
    """

    def __init__(
        self,
        database: Database,
        rule: Rule,
        *,
        driver: str,
        slots: int,
        on_scheduled: Callable[[Collection[UUID]], None],
    ) -> None:
        """driver: name of the driver that has the sweep's lease; on_scheduled: told of runs before they are given."""
        self._database = database
        self._rule = rule
        self._driver = driver
        self._slots = slots
        self._on_scheduled = on_scheduled
        self._given: set[UUID] = set()
        self._times_given: Counter[UUID] = Counter()
        self._is_over = False
        self._next_look = 0.0

    @property
    def is_exhausted(self) -> bool:
        """Whether the last decision is made, a stop was requested, or another driver has the sweep."""
        return self._is_over

    def take(self) -> UUID | None:
        """The next run to train; None while decisions wait for runs that train, or for the database."""
        if self._is_over or time.monotonic() < self._next_look:
            return None
        try:
            run_id = self._scheduled() or self._decide()
        except StoreUnavailableError as error:
            logger.warning("Nothing is decided until the database is reachable. %s", error)
            run_id = None
        except DriverBusyError:
            self._is_over = True  # the driver finds out by itself and says so
            return None
        if run_id is None:
            self._next_look = time.monotonic() + LOOK_SECONDS
            return None
        self._given.add(run_id)
        self._times_given[run_id] += 1
        return run_id

    def has_ended(self, run_id: UUID) -> None:
        """Note that a run is trained no longer: it paused, ended, or lost its process."""
        self._given.discard(run_id)
        self._next_look = 0.0

    def _scheduled(self) -> UUID | None:
        """A run that an earlier decision scheduled and that nobody trains yet."""
        for run_id in self._rule.scheduled():
            if run_id in self._given:
                continue
            if self._times_given[run_id] <= RESTARTS:
                return run_id
            transitions.fail_lost(self._database, run_id, "The trial could not be started.")
        return None

    def _decide(self) -> UUID | None:
        """Let the rule decide, and give the first run that it chose."""
        decided = self._rule.decide(driver=self._driver, free=max(1, self._slots - len(self._given)))
        if decided is None:
            return None
        if decided.is_over:
            self._is_over = True
            return None
        for run_id in decided.runs:
            self._times_given.pop(run_id, None)  # a run that pauses again and again is given again and again
        self._on_scheduled(decided.runs)
        return decided.runs[0]
