"""The runs of a race: whenever a slot is free, the next decision says which one is trained."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection
from uuid import UUID

from rlsweep.config.differences import digest
from rlsweep.config.run import RunConfig
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import Decision, Move
from rlsweep.driver.run_source import RESTARTS
from rlsweep.errors import DriverBusyError, StoreUnavailableError
from rlsweep.jsonable import jsonable
from rlsweep.race_records import Race
from rlsweep.reports.race_record import RaceReader, RaceState, settings_of
from rlsweep.runs import NewRun, TrainingRun
from rlsweep.store import races, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.races import NewDecision, Scheduled

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Time between two decisions while no run ends."""


class RaceRuns:
    """Gives the runs that the decisions of a race choose; a decision and its runs are on record before that.

    Runs that earlier decisions scheduled come first: a new driver continues where the last one was killed.
    """

    def __init__(
        self,
        database: Database,
        race: Race,
        *,
        driver: str,
        slots: int,
        on_scheduled: Callable[[Collection[UUID]], None],
    ) -> None:
        """driver: name of the driver that has the sweep's lease; on_scheduled: told of runs before they are given."""
        self._database = database
        self._race = race
        self._driver = driver
        self._slots = slots
        self._on_scheduled = on_scheduled
        self._reader = RaceReader(database, race)
        self._given: set[UUID] = set()
        self._times_given: Counter[UUID] = Counter()
        self._is_over = False
        self._next_look = 0.0
        self._began = time.monotonic()

    @property
    def is_exhausted(self) -> bool:
        """Whether the race is decided, was stopped, or has another driver."""
        return self._is_over

    def take(self) -> UUID | None:
        """The next run to train; None while the race waits for runs that train, or for the database."""
        if self._is_over or time.monotonic() < self._next_look:
            return None
        try:
            run_id = self._scheduled() or self._decide()
        except StoreUnavailableError as error:
            logger.warning("The race decides nothing until the database is reachable. %s", error)
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
        for run_id in training_runs.pending_ids(self._database, self._race.sweep_id):
            if run_id in self._given:
                continue
            if self._times_given[run_id] <= RESTARTS:
                return run_id
            transitions.fail_lost(self._database, run_id, "The trial could not be started.")
        return None

    def _decide(self) -> UUID | None:
        """Make the next decision, put it on record, and give the first run that it chose."""
        state = self._reader.read()
        settings = settings_of(self._race, state, is_out_of_time=self._is_out_of_time())
        free = max(1, self._slots - len(self._given))
        decision = decide(settings, state.record, free=free)
        if not decision.moves and decision.stop is None:
            return None
        new = NewDecision(
            free=free,
            settings=jsonable(settings),
            record=state.as_json(),
            decision=jsonable(decision),
            stop=None if decision.stop is None else decision.stop.value,
        )
        chosen = races.decide(self._database, self._race.sweep_id, self._driver, new, self._chosen(decision, state))
        if chosen is None or decision.stop is not None:
            self._is_over = True
            return None
        self._on_scheduled(chosen)
        return chosen[0]

    def _is_out_of_time(self) -> bool:
        hours = (time.monotonic() - self._began) / 3600
        return self._race.max_hours is not None and hours >= self._race.max_hours

    def _chosen(self, decision: Decision, state: RaceState) -> list[Scheduled]:
        """The runs of the moves: those on record, or new ones with the next seeds of their configs."""
        runs = {(run.config, run.place): run.run_id for run in state.runs}
        new: Counter[int] = Counter()
        chosen = []
        for move in decision.moves:
            pause_at = None if move.to_end else self._race.rung
            run_id = runs.get((move.config, move.seed))
            if run_id is not None:
                chosen.append(Scheduled(run=run_id, pause_at=pause_at))
                continue
            chosen.append(Scheduled(run=self._new_run(move, state, new[move.config], pause_at), pause_at=pause_at))
            new[move.config] += 1
        return chosen

    def _new_run(self, move: Move, state: RaceState, earlier: int, pause_at: float | None) -> NewRun:
        """A run of the move's config with a seed that it has not used; `earlier` new ones come before it."""
        config = state.configs[move.config]
        seed = max(run.seed for run in config.runs) + 1 + earlier
        return run_with_seed(config.runs[0], seed, pause_at=pause_at)


def run_with_seed(run: TrainingRun, seed: int, *, pause_at: float | None = None) -> NewRun:
    """A planned run with the config of one on record and another seed."""
    config = RunConfig.from_record(run.config).model_copy(update={"seed": seed})
    return NewRun(
        trial_key=digest([run.trial_key, seed]),
        agent_id=run.agent_id,
        algorithm=run.algorithm,
        version=run.version,
        sweep_variant=run.sweep_variant,
        config_name=run.config_name,
        config_short_name=run.config_short_name,
        config_path=run.config_path,
        config=config.to_record(),
        config_hash=run.config_hash,
        seed=seed,
        pause_at=pause_at,
    )
