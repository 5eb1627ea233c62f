"""Load one agent config or training config: read the file, merge the layers, check the values."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsweep.config.agent import AgentConfig, Hyperparameters
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.differences import flat_hyperparameters
from rlsweep.config.engines import keys_for_stock
from rlsweep.config.environments import environment_problems, is_checkpoint, module_problem, opponent_problem
from rlsweep.config.foreign.corrections import corrected_agent, corrected_training
from rlsweep.config.given import GivenConfig
from rlsweep.config.layers import expand_environment, given_keys, layered
from rlsweep.config.overrides import Override, override_agent, override_training
from rlsweep.config.problems import Model, check
from rlsweep.config.reading import read_config_file
from rlsweep.config.stepped import every_value, is_stepped, may_change
from rlsweep.config.training import EvaluationConfig, TrainingConfig
from rlsweep.errors import ConfigError
from rlsweep.storage import is_uri

HOLDER_PREFIX = "x-"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedAgent:
    """One agent config, checked.

    source: its file as the user gave it, or the given dict; messages name the config by it
    config: resolved: the base config's defaults, then the config's own values, then the command line's
    given: dotted keys set in the config, in the base config or on the command line
    """

    source: Path | GivenConfig
    config: AgentConfig
    given: frozenset[str]

    @property
    def path(self) -> Path | None:
        """The file's path as the user gave it; None without a file."""
        return self.source if isinstance(self.source, Path) else None

    @property
    def absolute_path(self) -> Path | None:
        """The file's path, absolute, with symbolic links unresolved; None without a file."""
        return None if self.path is None else Path(os.path.abspath(self.path))


def load_training(source: Path | GivenConfig | None, overrides: Sequence[Override]) -> TrainingConfig:
    """Read the base config (or the defaults, if `source` is None) and apply the overrides.

    `hyperparameters` stays as written, for `load_agent`. An opponent's checkpoint must exist on this machine; its
    path becomes absolute. Raises ConfigError with every problem found.
    """
    data = expand_environment(_read(source, kind="Base")) if source else {}
    _, problems = check(TrainingConfig, data)
    _, below = check(Hyperparameters, _mapping(data.get("hyperparameters")))
    problems += [(f"hyperparameters.{key}", problem) for key, problem in below]
    _raise_if(problems, source, corrected_training(data, _file_name(source)) if problems else ())
    training = _build(TrainingConfig, override_training(data, overrides))
    for key, problem in (*environment_problems(training.environment), *_evaluation_problems(training.evaluation)):
        setter = next((each for each in reversed(overrides) if key.startswith(each.key)), None)
        raise ConfigError(f"{setter or source or 'default environment'}: {problem if setter else f'{key}: {problem}'}")
    return _with_absolute_opponents(training)


def load_agent(source: Path | GivenConfig, defaults: Mapping[str, Any], overrides: Sequence[Override]) -> LoadedAgent:
    """Read an agent config with the base config's `defaults` below it and the overrides on top.

    Raises ConfigError with every problem found in it.
    """
    data = _read(source, kind="Agent")
    _, problems = check(AgentConfig, data)
    _raise_if(problems, source, corrected_agent(data, Path(_file_name(source)).stem) if problems else ())
    data = override_agent(layered(defaults, data), overrides)
    config = _build(AgentConfig, data)
    extractor = config.network.features_extractor
    if extractor is not None and (problem := module_problem(extractor)):
        raise ConfigError(f"{source}: network.features_extractor: {problem}")
    return LoadedAgent(source=source, config=config, given=given_keys(data))


def combination_problems(agent: LoadedAgent, training: TrainingConfig) -> list[str]:
    """Return the problems of values that are valid alone but cannot be trained with together."""
    problems = [*_engine_problems(agent, training), *_too_small(agent, training), *_unused_steps(agent.config)]
    return [f"{agent.source}: {problem}" for problem in problems]


def _engine_problems(agent: LoadedAgent, training: TrainingConfig) -> list[str]:
    if training.engine != "fast" or training.backend != "sb3":
        return []
    return [f"{key}: engine: fast does not support it; use auto or stock" for key in keys_for_stock(agent.config)]


def _too_small(agent: LoadedAgent, training: TrainingConfig) -> list[str]:
    config = agent.config
    if not config.ppo.normalize_advantage:
        return []
    way_out = "raise it, or set ppo.normalize_advantage: false"
    if config.n_steps * training.n_envs == 1:
        return [f"n_steps: advantages of a rollout of one step cannot be normalised; {way_out}"]
    if 1 in every_value(config.batch_size) and "batch_size" in ALGORITHMS[config.algorithm].hyperparameters:
        return [f"batch_size: the advantage of one sample cannot be normalised; {way_out}"]
    return []


def _unused_steps(config: AgentConfig) -> list[str]:
    """A key that changes is meant to matter, unlike one that came with a copied file."""
    used, values = ALGORITHMS[config.algorithm].hyperparameters, flat_hyperparameters(config)
    return [
        f"{key}: {config.algorithm} does not use it, so it cannot change; give it one value, or remove it"
        for key, value in values.items()
        if may_change(key) and is_stepped(value) and key not in used
    ]


def _read(source: Path | GivenConfig, *, kind: str) -> dict[str, Any]:
    """The values of a config. Keys that begin with x- hold anchors of YAML, and are left out."""
    data = source.data if isinstance(source, GivenConfig) else read_config_file(source, kind=kind)
    return {key: value for key, value in data.items() if not key.startswith(HOLDER_PREFIX)}


def _file_name(source: Path | GivenConfig | None) -> str:
    return source.name if isinstance(source, Path) else "config.yaml"


def _raise_if(
    problems: Sequence[tuple[str, str]], source: Path | GivenConfig | None, pasted: Sequence[str] = ()
) -> None:
    if problems:
        raise ConfigError(*(f"{source}: {key}: {problem}" for key, problem in problems), pasted=pasted)


def _build(model: type[Model], data: dict[str, Any]) -> Model:
    """Build a model from merged layers. Each layer was checked alone, and its keys do not depend on other layers."""
    built, problems = check(model, data)
    if built is None:
        raise ConfigError(*(f"{key}: {problem}" for key, problem in problems))
    return built


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _evaluation_problems(evaluation: EvaluationConfig) -> list[tuple[str, str]]:
    problem = None if evaluation.opponent is None else opponent_problem(evaluation.opponent)
    return [] if problem is None else [("evaluation.opponent", problem)]


def _with_absolute_opponents(training: TrainingConfig) -> TrainingConfig:
    return training.model_copy(
        update={
            "environment": training.environment.model_copy(
                update={"opponent": _absolute(training.environment.opponent)}
            ),
            "evaluation": training.evaluation.model_copy(update={"opponent": _absolute(training.evaluation.opponent)}),
        }
    )


def _absolute(opponent: Any) -> Any:
    """A checkpoint's path as an absolute one; every other opponent unchanged."""
    if not is_checkpoint(opponent) or is_uri(opponent):
        return opponent
    return os.path.abspath(os.path.expanduser(opponent))
