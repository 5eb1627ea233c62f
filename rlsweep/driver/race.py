"""How a race decides which of its runs are trained."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from rlsweep.config.differences import digest
from rlsweep.config.run import RunConfig
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import Decision, Move, RaceSettings
from rlsweep.driver.decided_runs import Decided
from rlsweep.driver.race_draws import RaceDraws
from rlsweep.jsonable import jsonable
from rlsweep.race_records import Race
from rlsweep.reports.race_record import RaceReader, RaceState, settings_of
from rlsweep.runs import NewRun, TrainingRun
from rlsweep.store import races, sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.store.decisions import Scheduled
from rlsweep.store.races import NewDecision


class RaceRule:
    """The rule of `deciding.race` over the record of one race, for `DecidedRuns`."""

    def __init__(self, database: Database, race: Race) -> None:
        self._database = database
        self._race = race
        self._reader = RaceReader(database, race)
        self._draws: RaceDraws | None = None
        self._began = time.monotonic()

    def scheduled(self) -> Sequence[UUID]:
        """All pending runs: those of the plan, and what decisions scheduled."""
        return training_runs.pending_ids(self._database, self._race.sweep_id)

    def decide(self, *, driver: str, free: int) -> Decided | None:
        """Make the next decision, and put it on record with the runs that it chose; see `Rule`."""
        state = self._reader.read()
        settings, decision, drawn = self._decision(state, free)
        if not decision.moves and decision.stop is None:
            return None
        new = NewDecision(
            free=free,
            settings=jsonable(settings),
            record=state.as_json(),
            decision=jsonable(decision),
            stop=None if decision.stop is None else decision.stop.value,
        )
        runs = self._chosen(decision, state, drawn)
        chosen = races.decide(self._database, self._race.sweep_id, driver, new, runs)
        if chosen is None or decision.stop is not None:
            return Decided(is_over=True)
        return Decided(runs=chosen)

    def _decision(self, state: RaceState, free: int) -> tuple[RaceSettings, Decision, Sequence[NewRun]]:
        """The next decision, what it was made of, and the first runs of the configs that it draws."""
        is_out_of_time = self._is_out_of_time()
        settings = settings_of(self._race, state, is_out_of_time=is_out_of_time)
        decision = decide(settings, state.record, free=free)
        wanted = sum(move.config >= len(state.configs) for move in decision.moves)
        if not wanted:
            return settings, decision, ()
        if self._draws is None:
            sweep = sweeps.get(self._database, self._race.sweep_id)
            assert sweep.space is not None
            self._draws = RaceDraws(sweep.space, state.configs[0].runs[0])
        drawn = self._draws.draw(settings, state.record, [config.runs[0] for config in state.configs], wanted)
        if len(drawn) < wanted:  # the space has no other config, and the race goes on with those that it has
            self._race = replace(self._race, configs=len(state.configs) + len(drawn))
            settings = settings_of(self._race, state, is_out_of_time=is_out_of_time)
            decision = decide(settings, state.record, free=free)
        return settings, decision, drawn

    def _pause_at(self, move: Move) -> float | None:
        return None if move.to_end else self._race.rung

    def _is_out_of_time(self) -> bool:
        hours = (time.monotonic() - self._began) / 3600
        return self._race.max_hours is not None and hours >= self._race.max_hours

    def _chosen(self, decision: Decision, state: RaceState, drawn: Sequence[NewRun]) -> list[Scheduled]:
        """The runs of the moves: those on record, new ones with the next seeds of their configs, or first ones."""
        runs = {(run.config, run.place): run.run_id for run in state.runs}
        new: Counter[int] = Counter()
        chosen = []
        for move in decision.moves:
            pause_at = self._pause_at(move)
            if move.config >= len(state.configs):
                new_run = replace(drawn[move.config - len(state.configs)], pause_at=pause_at)
                chosen.append(Scheduled(run=new_run, pause_at=pause_at))
                continue
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
