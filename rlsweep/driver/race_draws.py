"""The configs that a race draws while it runs: a pure function of its search space and its record."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import digest, hyperparameter_hash
from rlsweep.config.given import GivenConfig
from rlsweep.config.loading import LoadedAgent, combination_problems
from rlsweep.config.problems import check
from rlsweep.config.run import RunConfig
from rlsweep.deciding.known_scores import known_scores
from rlsweep.deciding.records import RaceRecord, RaceSettings
from rlsweep.runs import NewRun, TrainingRun
from rlsweep.spaces.adaptive import KnownConfig, draw_next
from rlsweep.spaces.keys import base_values
from rlsweep.spaces.reading import space_on_record
from rlsweep.spaces.search import DrawnConfig
from rlsweep.spaces.writing import written


class RaceDraws:
    """Draws configs of a race's search space next to its base, the first config of the race."""

    def __init__(self, space: Mapping[str, Any], base: TrainingRun) -> None:
        """space: as the sweep has it on record; base: a run of the base config."""
        self._base = base
        self._config = RunConfig.from_record(base.config)
        self._agent = self._config.agent.model_dump(mode="json")
        self._space = space_on_record(space, self._agent)
        self._values: dict[UUID, Mapping[str, Any]] = {}

    def draw(
        self, settings: RaceSettings, record: RaceRecord, configs: Sequence[TrainingRun], count: int
    ) -> tuple[NewRun, ...]:
        """The first runs of the next configs; fewer than `count` where the space has no more.

        configs: a run of each config of the record. Each config is drawn with those before it as ones that train.
        """
        known = [
            KnownConfig(variant=run.sweep_variant, values=self._values_of(run), score=score)
            for run, score in zip(configs, known_scores(settings, record), strict=True)
        ]
        found: list[NewRun] = []
        while len(found) < count and (drawn := draw_next(self._space, known, self._can_train)) is not None:
            values = {**known[0].values, **drawn.values}
            known.append(KnownConfig(variant=drawn.variant, values=values, score=None))
            agent, _ = self._agent_of(drawn)
            assert agent is not None  # what cannot be trained is not drawn
            found.append(self._run(drawn, agent))
        return tuple(found)

    def _values_of(self, run: TrainingRun) -> Mapping[str, Any]:
        if run.id not in self._values:
            config = RunConfig.from_record(run.config)
            self._values[run.id] = base_values(config.agent, config.training, self._space.keys)
        return self._values[run.id]

    def _can_train(self, drawn: DrawnConfig) -> bool:
        agent, source = self._agent_of(drawn)
        if agent is None:
            return False
        return not combination_problems(
            LoadedAgent(source=source, config=agent, given=frozenset()), self._config.training
        )

    def _agent_of(self, drawn: DrawnConfig) -> tuple[AgentConfig | None, GivenConfig]:
        source = written(self._space, drawn, self._agent, self._config.agent.name)
        return check(AgentConfig, source.data)[0], source

    def _run(self, drawn: DrawnConfig, agent: AgentConfig) -> NewRun:
        config = self._config.model_copy(update={"agent": agent})
        return NewRun(
            trial_key=digest([self._base.trial_key, drawn.variant, drawn.values]),
            agent_id=agent.agent_id,
            algorithm=agent.algorithm,
            version=agent.version,
            sweep_variant=agent.sweep_variant,
            config_name=agent.name,
            config_short_name=agent.short_name,
            config_path=None,
            config=config.to_record(),
            config_hash=hyperparameter_hash(agent),
            seed=config.seed,
        )
