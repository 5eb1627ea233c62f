"""From what Python's callers give to what plans are made of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rlsweep.api.plan import PlanOptions
from rlsweep.api.runs import Run
from rlsweep.config.given import class_id, given_config
from rlsweep.config.run import Mode
from rlsweep.errors import EnvironmentSpecError, InputError
from rlsweep.planning.agents import GivenAgent
from rlsweep.planning.scheduler_options import SchedulerOptions

GivenBase = str | Path | Mapping[str, Any] | None
"""A base training config: its file, or its content as a dict; None takes the defaults."""

GivenOverrides = Mapping[str, Any] | Sequence[str]
"""Config keys that are set in every trial, such as {"ppo.ent_coef": 0.0}, or `KEY=VALUE` texts."""

GivenEnvironment = str | type | None
"""An environment by its id, as `module:Id-v0` if importing the module registers it, as `module:Class`, or a class that
trials can import; None takes the base config's."""


def listed(configs: GivenAgent | Sequence[GivenAgent]) -> list[GivenAgent]:
    """The configs, where one may be given without a list around it."""
    return [configs] if isinstance(configs, str | Path | Mapping) else list(configs)


def patterns_of(configs: Sequence[GivenAgent]) -> list[str]:
    """What was given as files, folders and globs, for the record."""
    return [str(config) for config in configs if not isinstance(config, Mapping)]


def agent_config(config: Run | str | Path | Mapping[str, Any]) -> Path | Mapping[str, Any]:
    """One agent config: a run's as its record has it, text as a path."""
    if isinstance(config, Run):
        return config.agent_config
    return Path(config) if isinstance(config, str) else config


def plan_options(
    environment: GivenEnvironment,
    base_config: GivenBase,
    overrides: GivenOverrides,
    mode: Mode | str,
    episodes: int | None,
    total_timesteps: int | None,
    *,
    seeds: int = 1,
    with_base: bool = False,
) -> PlanOptions:
    """The options of a plan. The environment comes above the overrides, these above what configs say.

    Raises ConfigError, EnvironmentSpecError for a class that trials cannot import, InputError for a mode that is none.
    """
    texts = _override_texts(overrides)
    if environment is not None:
        texts.append(f"environment={_environment_id(environment)}")
    return PlanOptions(
        base_config=Path(base_config) if isinstance(base_config, str) else base_config,
        overrides=tuple(texts),
        mode=_mode(mode),
        episodes=episodes,
        total_timesteps=total_timesteps,
        seeds=seeds,
        with_base=with_base,
    )


def scheduler_options(
    scheduler: str | None,
    rungs: int | None,
    reduction: int | None,
    population: int | None,
    interval: int | None,
    objective: str | None,
) -> SchedulerOptions:
    """What a sweep's scheduler is asked for."""
    return SchedulerOptions(
        scheduler=scheduler,
        rungs=rungs,
        reduction=reduction,
        population=population,
        interval=interval,
        objective=objective,
    )


def _override_texts(overrides: GivenOverrides) -> list[str]:
    """`KEY=VALUE` for each, as the command line and the record have them."""
    if not isinstance(overrides, Mapping):
        return list(overrides)
    plain = given_config(overrides, name="overrides").data
    return [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()]


def _environment_id(environment: str | type) -> str:
    try:
        return environment if isinstance(environment, str) else class_id(environment)
    except ValueError as error:
        raise EnvironmentSpecError(f"environment: {error}.") from error


def _mode(mode: Mode | str) -> Mode:
    try:
        return Mode(mode)
    except ValueError:
        raise InputError(f"mode must be one of {', '.join(Mode)}, got {mode!r}.") from None
