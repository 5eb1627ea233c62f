"""Patterns, files and flags → the trials of a sweep, complete and checked, or every problem at once."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rlsweep.config.agent import MAX_COUNT
from rlsweep.config.differences import differing_keys, digest, flat_hyperparameters, hyperparameter_hash, labels
from rlsweep.config.loading import AgentFile, combination_problems, load_agent, load_training
from rlsweep.config.overrides import Override, parse_overrides
from rlsweep.config.patterns import expand
from rlsweep.config.rllib import rllib_problems
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import MAX_SEED, TrainingConfig
from rlsweep.errors import ConfigError, InputError
from rlsweep.planning.advice import absent_bases, base_file, config_advice, grouped, sweep_advice

DEFAULT_EPISODES = 100
SMOKE_TIMESTEPS = 10_000
MAX_SEEDS = 10_000

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One agent config with one seed.

    label: its config's name in the plan: the short name, with its file where two configs share one
    key: SHA-256 of config path, overrides and seed; the same submission gives the same keys
    config_path: absolute
    config_hash: SHA-256 of the resolved hyperparameters, and of nothing else
    warnings: what its user should know of this config by itself, without its name
    """

    label: str
    key: str
    config: RunConfig
    config_path: Path
    config_hash: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All trials of one submission.

    trials: every config with the first seed, then every config with the second, …
    base_training: the resolved training config that all trials share
    differing_keys: dotted key → value of each config by its label, for keys that differ between configs
    warnings: what the user should know before it runs, each naming the configs that it is for
    overrides: KEY=VALUE as given on the command line, in order
    base_config_path: absolute; None where there is none
    """

    trials: tuple[Trial, ...]
    base_training: TrainingConfig
    differing_keys: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]
    overrides: tuple[str, ...]
    base_config_path: Path | None

    @property
    def labels(self) -> tuple[str, ...]:
        """Every config once, in the order of the first seed's trials."""
        return tuple(dict.fromkeys(trial.label for trial in self.trials))


def make_plan(
    patterns: Sequence[str],
    *,
    base_config: Path | None,
    overrides: Sequence[str] = (),
    mode: Mode,
    episodes: int | None,
    total_timesteps: int | None,
    seeds: int,
    with_base: bool,
) -> Plan:
    """Read everything that a sweep is made of; the command line is above agent configs, these above the base config.

    `seeds` counts the seeds of each config; `with_base` adds the base configs that lie beside the variants.
    Raises ConfigError with the problems of all files, flags and overrides.
    """
    problems = _Problems()
    problems.add(_wrong_flags(episodes, total_timesteps, seeds))
    sets = problems.gather(parse_overrides, overrides) or ()
    training = problems.gather(load_training, base_config, sets) or TrainingConfig()
    paths = problems.gather(expand, patterns) or ()
    files = _load(paths, training, sets, problems)
    if with_base:
        problems.add(_bases_not_found(files))
        files = sorted([*files, *_load(absent_bases(files), training, sets, problems)], key=lambda file: file.path)
    if training.seed + seeds - 1 > MAX_SEED:
        problems.add([f"--seeds {seeds}: the last seed would be above {MAX_SEED}; lower the base config's seed"])
    problems.raise_any()

    budget = _budget(training, mode, episodes, total_timesteps)
    names = labels(
        [file.config.short_name for file in files],
        [str(file.path) for file in files],
        [hyperparameter_hash(file.config) for file in files],
    )
    by_label = dict(zip(names, files, strict=True))
    trials = tuple(
        _trial(label, file, training, sets, mode, budget, training.seed + offset)
        for offset in range(seeds)
        for label, file in by_label.items()
    )
    return Plan(
        trials=trials,
        base_training=training,
        differing_keys=differing_keys({label: flat_hyperparameters(file.config) for label, file in by_label.items()}),
        warnings=(
            *sweep_advice(by_label),
            *grouped({label: config_advice(file, training) for label, file in by_label.items()}),
        ),
        overrides=tuple(overrides),
        base_config_path=None if base_config is None else Path(os.path.abspath(base_config)),
    )


def check_trials(training: TrainingConfig, *, gpus_per_trial: float) -> None:
    """Raise InputError where a config is not for trials side by side, or asks for a GPU that its trials do not get."""
    if training.backend == "rllib":
        raise InputError(
            "backend: rllib is for one long run over many machines, not for the trials of a sweep: "
            "rlsweep train --agent-config CONFIG --base-config BASE. Sweep with backend: sb3."
        )
    if training.device.startswith("cuda") and not gpus_per_trial:
        raise InputError(
            f"device: {training.device} is asked for, but trials get no GPU: add --gpus-per-trial 1, or a fraction "
            "where several share one; or use device: auto."
        )


def make_run(
    agent_config: Path,
    *,
    base_config: Path | None,
    overrides: Sequence[str] = (),
    mode: Mode,
    episodes: int | None,
    total_timesteps: int | None,
) -> Trial:
    """Make the one trial of `rlsweep train`, as `make_plan` would; raises ConfigError with all problems."""
    problems = _Problems()
    problems.add(_wrong_flags(episodes, total_timesteps, seeds=1))
    sets = problems.gather(parse_overrides, overrides) or ()
    training = problems.gather(load_training, base_config, sets) or TrainingConfig()
    files = _load([agent_config], training, sets, problems)
    problems.raise_any()
    budget = _budget(training, mode, episodes, total_timesteps)
    return _trial(files[0].config.short_name, files[0], training, sets, mode, budget, training.seed)


class _Problems:
    """Collects what is wrong, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def add(self, problems: Sequence[str]) -> None:
        self._found |= dict.fromkeys(problems)

    def gather(self, function: Callable[..., _Result], *arguments: Any) -> _Result | None:
        """Call `function`; where it raises ConfigError keep the problems and return None."""
        try:
            return function(*arguments)
        except ConfigError as exc:
            self.add(exc.problems)
            return None

    def raise_any(self) -> None:
        if self._found:
            raise ConfigError(*self._found)


def _load(
    paths: Sequence[Path], training: TrainingConfig, overrides: Sequence[Override], problems: _Problems
) -> list[AgentFile]:
    loaded = (problems.gather(load_agent, path, training.hyperparameters, overrides) for path in paths)
    files = [file for file in loaded if file is not None]
    for file in files:
        problems.add(combination_problems(file, training))
        problems.add([f"{file.path}: {problem}" for problem in rllib_problems(file.config, training)])
    return files


def _wrong_flags(episodes: int | None, total_timesteps: int | None, seeds: int) -> list[str]:
    given = {
        "--episodes": (episodes, MAX_COUNT),
        "--total-timesteps": (total_timesteps, MAX_COUNT),
        "--seeds": (seeds, MAX_SEEDS),
    }
    return [
        f"{flag} must be at least 1 and at most {highest}, got {value}"
        for flag, (value, highest) in given.items()
        if value is not None and not 1 <= value <= highest
    ]


def _bases_not_found(files: Sequence[AgentFile]) -> list[str]:
    return [
        f"--with-base: {file.path} has no base config beside it; "
        f"it would be named {file.config.agent_id}_v{file.config.version}.yaml"
        for file in files
        if file.config.sweep_variant is not None and base_file(file) is None
    ]


def _budget(training: TrainingConfig, mode: Mode, episodes: int | None, total_timesteps: int | None) -> Budget:
    """Take the command line's budget, or the base config's, or the default, each as a whole."""
    if episodes or total_timesteps:
        return Budget(episodes=episodes, total_timesteps=total_timesteps)
    if training.max_episodes or training.total_timesteps:
        return Budget(episodes=training.max_episodes, total_timesteps=training.total_timesteps)
    return Budget(episodes=DEFAULT_EPISODES, total_timesteps=SMOKE_TIMESTEPS if mode is Mode.SMOKE else None)


def _trial(
    label: str,
    file: AgentFile,
    training: TrainingConfig,
    overrides: Sequence[Override],
    mode: Mode,
    budget: Budget,
    seed: int,
) -> Trial:
    resolved: dict[str, Any] = {"hyperparameters": {}, "max_episodes": None, "total_timesteps": None}
    return Trial(
        label=label,
        key=digest([str(file.absolute_path), [[each.key, each.value] for each in overrides], seed]),
        config=RunConfig(
            agent=file.config, training=training.model_copy(update=resolved), mode=mode, budget=budget, seed=seed
        ),
        config_path=file.absolute_path,
        config_hash=hyperparameter_hash(file.config),
        warnings=config_advice(file, training),
    )
