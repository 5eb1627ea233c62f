"""How population-based training decides what the members of its sweep train, and from what."""

from collections.abc import Sequence
from uuid import UUID

from rlsweep.analysis.objectives import Objective
from rlsweep.config.run import RunConfig
from rlsweep.driver.decided_runs import Decided
from rlsweep.driver.pbt_exploit import new_exploit
from rlsweep.jsonable import jsonable
from rlsweep.reports.population_record import PopulationReader, PopulationState
from rlsweep.scheduler_records import Scheduler
from rlsweep.schedulers.pbt import decide
from rlsweep.schedulers.pbt_records import PbtSettings, Step
from rlsweep.spaces.reading import space_on_record
from rlsweep.spaces.space import SearchSpace
from rlsweep.store import schedulers, sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.store.decisions import Scheduled
from rlsweep.store.schedulers import NewDecision


class PbtRule:
    """The rule of `schedulers.pbt` over the record of one sweep, for `DecidedRuns`."""

    def __init__(self, database: Database, scheduler: Scheduler) -> None:
        self._database = database
        self._sweep_id = scheduler.sweep_id
        self._settings = PbtSettings.from_json(scheduler.settings)
        objective = Objective(scheduler.objective)
        self._reader = PopulationReader(database, scheduler.sweep_id, objective, self._settings)
        self._space: SearchSpace | None = None

    def scheduled(self) -> Sequence[UUID]:
        """The pending members: all train to the first interval, and from there on as decisions say."""
        return training_runs.pending_ids(self._database, self._sweep_id)

    def decide(self, *, driver: str, free: int) -> Decided | None:
        """Make the next decision, and put it on record with the copies that it makes; see `Rule`."""
        state = self._reader.read()
        decision = decide(self._settings, state.record, free=free)
        if not decision.steps and decision.stop is None:
            return None
        new = NewDecision(
            free=free,
            record=state.as_json(),
            decision=jsonable(decision),
            stop=None if decision.stop is None else decision.stop.value,
        )
        chosen = [self._scheduled(step, state) for step in decision.steps]
        run_ids = schedulers.decide(self._database, self._sweep_id, driver, new, chosen)
        if run_ids is None or decision.stop is not None:
            return Decided(is_over=True)
        return Decided(runs=run_ids)

    def _scheduled(self, step: Step, state: PopulationState) -> Scheduled:
        member = state.runs[step.member - 1]
        copy = None if step.source is None else new_exploit(self._settings, self._space_of(state), state, step)
        budget = member.budget.total_timesteps
        assert budget is not None
        return Scheduled(run=member.id, pause_at=self._settings.pause_after(step.interval, budget), copy=copy)

    def _space_of(self, state: PopulationState) -> SearchSpace:
        """The search space of the sweep, next to the config with which the first member began."""
        if self._space is None:
            data = sweeps.get(self._database, self._sweep_id).space
            assert data is not None
            base = RunConfig.from_record(state.config_at(1, 0))
            self._space = space_on_record(data, base.to_record()["agent"])
        return self._space
