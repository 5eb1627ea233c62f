"""Make the trials of a sweep from agent configs and flags, or report all problems at once."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsweep.config.agent import MAX_COUNT
from rlsweep.config.differences import differing_keys, digest, flat_hyperparameters, hyperparameter_hash, labels
from rlsweep.config.given import GivenConfig
from rlsweep.config.loading import LoadedAgent, load_training
from rlsweep.config.overrides import Override, parse_overrides
from rlsweep.config.reading import EXTENSIONS
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import MAX_SEED, TrainingConfig
from rlsweep.errors import ConfigError, InputError
from rlsweep.planning.advice import config_advice, grouped, sweep_advice
from rlsweep.planning.agents import GivenAgent, Problems, load, load_all, source_of
from rlsweep.spaces.flags import NO_FLAGS, SpaceFlags
from rlsweep.spaces.recognition import is_space_file

DEFAULT_EPISODES = 100
SMOKE_TIMESTEPS = 10_000
MAX_SEEDS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One agent config with one seed; it becomes one training run.

    label: the config's name in the plan: its short name, and also its file if configs have the same short name
    key: SHA-256 of config path (or the given dict), overrides and seed; equal submissions have equal keys
    config: agent, training, mode, budget and seed, with all defaults filled in
    config_path: absolute; None for a config given as a dict
    config_hash: SHA-256 of the algorithm and the hyperparameters that it uses
    warnings: warnings about this config, which do not contain its name
    """

    label: str
    key: str
    config: RunConfig
    config_path: Path | None
    config_hash: str
    warnings: tuple[str, ...]

    @property
    def config_folder(self) -> Path:
        """The folder of the config's file; the current folder if it was given as a dict."""
        return Path.cwd() if self.config_path is None else self.config_path.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All trials of one submission. `submission.create_sweep` writes it to the database.

    trials: every config with the first seed, then every config with the second seed, and so on
    base_training: the training config of all trials, with all defaults filled in
    differing_keys: dotted key → label → value, for the hyperparameters in which the configs differ
    warnings: warnings for the user; each names its configs
    overrides: KEY=VALUE texts of the command line, in order
    base_config_path: absolute; None without a base config, or if it was given as a dict
    space: the search space that configs were drawn from, as a file has it; None without one
    to_draw: configs of the space that a race draws while it runs
    """

    trials: tuple[Trial, ...]
    base_training: TrainingConfig
    differing_keys: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]
    overrides: tuple[str, ...]
    base_config_path: Path | None
    space: dict[str, Any] | None = None
    to_draw: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each config, in the order of the first seed's trials."""
        return tuple(dict.fromkeys(trial.label for trial in self.trials))


def make_plan(
    configs: Sequence[GivenAgent],
    *,
    base_config: Path | Mapping[str, Any] | None,
    overrides: Sequence[str] = (),
    mode: Mode,
    episodes: int | None,
    total_timesteps: int | None,
    seeds: int,
    with_base: bool,
    space: SpaceFlags = NO_FLAGS,
) -> Plan:
    """Read all configs and make the trials. Flags override agent configs, and agent configs override the base config.

    configs: files, folders, globs, or agent configs as dicts. Each file counts once. Files come first, sorted, then
        dicts in the given order; messages name dicts as `configs[0]` and so on. One of the files or dicts may be a
        search space: its base config and what is drawn from it come before all others
    base_config: a file or a dict
    seeds: number of seeds per config
    with_base: add the base configs in the folders of the variants
    space: what flags say of the search space

    Raises ConfigError with the problems of all files, flags and overrides.
    """
    problems = Problems()
    problems.add(_wrong_flags(episodes, total_timesteps, seeds))
    sets = problems.gather(parse_overrides, overrides) or ()
    training = _load_training(base_config, sets, problems)
    given = load_all(configs, space, training, sets, problems, with_base=with_base)
    agents = given.agents
    if training.seed + seeds - 1 > MAX_SEED:
        problems.add([f"--seeds {seeds}: the last seed would be above {MAX_SEED}; lower the base config's seed"])
    problems.raise_any()

    budget = _budget(training, mode, episodes, total_timesteps)
    by_label = _labelled(agents)
    trials = tuple(
        _trial(label, agent, training, sets, mode, budget, training.seed + offset)
        for offset in range(seeds)
        for label, agent in by_label.items()
    )
    return Plan(
        trials=trials,
        base_training=training,
        differing_keys=differing_keys({label: flat_hyperparameters(agent.config) for label, agent in by_label.items()}),
        warnings=(
            *given.left_out,
            *sweep_advice(by_label),
            *grouped({label: config_advice(agent, training, budget) for label, agent in by_label.items()}),
        ),
        overrides=tuple(overrides),
        base_config_path=Path(os.path.abspath(base_config)) if isinstance(base_config, Path) else None,
        space=None if given.space is None else given.space.as_data(),
        to_draw=0 if given.space is None else given.space.to_draw,
    )


def _labelled(agents: Sequence[LoadedAgent]) -> dict[str, LoadedAgent]:
    names = labels(
        [agent.config.short_name for agent in agents],
        [None if agent.path is None else str(agent.path) for agent in agents],
        [hyperparameter_hash(agent.config) for agent in agents],
    )
    return dict(zip(names, agents, strict=True))


def check_all_drawn(plan: Plan) -> None:
    """Raise InputError if configs of the plan are drawn from scores, which only a race has while it runs."""
    if plan.to_draw and plan.space is not None:
        source, sampler = plan.space["source"], plan.space["sampler"]
        command = f"rlsweep race {shlex.quote(source)}" if source.endswith(EXTENSIONS) else "rlsweep race"
        raise InputError(
            f"{source}: {sampler} draws configs from scores while a race runs. Use {command}, or take sampler: sobol."
        )


def check_trials(training: TrainingConfig, *, gpus_per_trial: float) -> None:
    """Raise InputError if a sweep cannot use the training config, or it needs a GPU and trials get none."""
    if training.backend == "rllib":
        raise InputError(
            "backend: rllib does not support sweeps. Use backend: sb3, or train a single run: "
            "rlsweep train --agent-config CONFIG --base-config BASE."
        )
    if training.device.startswith("cuda") and not gpus_per_trial:
        raise InputError(
            f"device: {training.device} needs a GPU, but trials get none. Add --gpus-per-trial 1, or a fraction to "
            "share one; or use device: auto."
        )


def make_run(
    agent_config: Path | Mapping[str, Any],
    *,
    base_config: Path | Mapping[str, Any] | None,
    overrides: Sequence[str] = (),
    mode: Mode,
    episodes: int | None,
    total_timesteps: int | None,
) -> Trial:
    """Make the single trial of `rlsweep train`, as `make_plan` does; raise ConfigError with all problems."""
    problems = Problems()
    if isinstance(agent_config, Path) and is_space_file(agent_config):
        raise ConfigError(f"{agent_config}: is a search space, which has many configs; give it to submit or race")
    problems.add(_wrong_flags(episodes, total_timesteps, seeds=1))
    sets = problems.gather(parse_overrides, overrides) or ()
    training = _load_training(base_config, sets, problems)
    source = _source(agent_config, "config", problems)
    agents = [] if source is None else load([source], training, sets, problems)
    problems.raise_any()
    budget = _budget(training, mode, episodes, total_timesteps)
    return _trial(agents[0].config.short_name, agents[0], training, sets, mode, budget, training.seed)


def _load_training(
    base_config: Path | Mapping[str, Any] | None, overrides: Sequence[Override], problems: Problems
) -> TrainingConfig:
    """Load the base config; if it has problems, return the defaults, so that agent configs are still checked."""
    source = None if base_config is None else _source(base_config, "base_config", problems)
    return problems.gather(load_training, source, overrides) or TrainingConfig()


def _source(config: Path | Mapping[str, Any], name: str, problems: Problems) -> Path | GivenConfig | None:
    """Return a path unchanged, and a dict with its name for messages; None for a dict with invalid values."""
    return config if isinstance(config, Path) else source_of(config, name, problems)


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


def _budget(training: TrainingConfig, mode: Mode, episodes: int | None, total_timesteps: int | None) -> Budget:
    """Return the whole budget of the command line, else of the base config, else the default."""
    if episodes or total_timesteps:
        return Budget(episodes=episodes, total_timesteps=total_timesteps)
    if training.max_episodes or training.total_timesteps:
        return Budget(episodes=training.max_episodes, total_timesteps=training.total_timesteps)
    return Budget(episodes=DEFAULT_EPISODES, total_timesteps=SMOKE_TIMESTEPS if mode is Mode.SMOKE else None)


def _trial(
    label: str,
    agent: LoadedAgent,
    training: TrainingConfig,
    overrides: Sequence[Override],
    mode: Mode,
    budget: Budget,
    seed: int,
) -> Trial:
    resolved: dict[str, Any] = {"hyperparameters": {}, "max_episodes": None, "total_timesteps": None}
    return Trial(
        label=label,
        key=digest([_identity(agent), [[each.key, each.value] for each in overrides], seed]),
        config=RunConfig(
            agent=agent.config, training=training.model_copy(update=resolved), mode=mode, budget=budget, seed=seed
        ),
        config_path=agent.absolute_path,
        config_hash=hyperparameter_hash(agent.config),
        warnings=config_advice(agent, training, budget),
    )


def _identity(agent: LoadedAgent) -> str | dict[str, Any]:
    """The identity of a config across submissions: its path, or the content of its dict."""
    return agent.source.data if isinstance(agent.source, GivenConfig) else str(agent.absolute_path)
