"""How ASHA decides which runs of its sweep are trained."""

from collections import deque
from collections.abc import Sequence
from uuid import UUID

from rlsweep.driver.decided_runs import Decided
from rlsweep.jsonable import jsonable
from rlsweep.reports.asha_record import AshaReader, AshaState, states_of
from rlsweep.scheduler_records import Scheduler
from rlsweep.schedulers.asha import AshaDecision, AshaRecord, AshaSettings, decide
from rlsweep.store import schedulers
from rlsweep.store.database import Database
from rlsweep.store.decisions import Scheduled
from rlsweep.store.schedulers import NewDecision


class AshaRule:
    """The rule of `schedulers.asha` over the record of one sweep, for `DecidedRuns`."""

    def __init__(self, database: Database, scheduler: Scheduler) -> None:
        self._database = database
        self._sweep_id = scheduler.sweep_id
        self._settings = AshaSettings.from_json(scheduler.settings)
        before = deque(states_of(schedulers.decisions(database, scheduler.sweep_id)), maxlen=1)
        self._reader = AshaReader(database, scheduler, before[0] if before else None)
        self._before: AshaRecord | None = before[0].record if before else None

    def scheduled(self) -> Sequence[UUID]:
        """The pending runs that earlier decisions chose."""
        return schedulers.scheduled_ids(self._database, self._sweep_id)

    def decide(self, *, driver: str, free: int) -> Decided | None:
        """Make the next decision, and put it on record with the runs that it chose; see `Rule`."""
        state = self._reader.read()
        decision = decide(self._settings, state.record, free=free)
        if not decision.moves and decision.stop is None:
            return None
        new = NewDecision(
            free=free,
            record=state.changes(self._before),
            decision=jsonable(decision),
            stop=None if decision.stop is None else decision.stop.value,
        )
        chosen = schedulers.decide(self._database, self._sweep_id, driver, new, self._chosen(decision, state))
        if chosen is None or decision.stop is not None:
            return Decided(is_over=True)
        self._before = state.record
        return Decided(runs=chosen)

    def _chosen(self, decision: AshaDecision, state: AshaState) -> list[Scheduled]:
        """The runs of the moves, all seeds of a config together; at the top rung a run trains to its end."""
        rungs = self._settings.rungs
        return [
            Scheduled(run=run_id, pause_at=None if move.rung == len(rungs) - 1 else rungs[move.rung])
            for move in decision.moves
            for run_id in state.run_ids[move.config]
        ]
