"""Planning a sweep or a single run, and measuring what it will take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsweep.config.run import Mode
from rlsweep.planning import plan as planning
from rlsweep.planning.agents import GivenAgent
from rlsweep.planning.forecast import Forecast, forecast
from rlsweep.planning.plan import Plan, check_trials
from rlsweep.planning.scheduler_options import NO_SCHEDULER, SchedulerOptions, drawn_members
from rlsweep.spaces.flags import SpaceFlags


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanOptions:
    """What a plan is made of, beside its agent configs.

    base_config: file of the base training config: environment, budget, checkpoints; None takes the defaults
    overrides: KEY=VALUE each, above what files say
    episodes, total_timesteps: the budget of each trial; None takes the base config's, else a default
    seeds: of each config, the same ones for every config
    with_base: add the base configs from the folders of the variants
    space, sampler, configs, space_seed: KEY=RANGE each, and what is said of the search space above its file
    """

    base_config: Path | Mapping[str, Any] | None = None
    overrides: tuple[str, ...] = ()
    mode: Mode = Mode.SMOKE
    episodes: int | None = None
    total_timesteps: int | None = None
    seeds: int = 1
    with_base: bool = False
    space: tuple[str, ...] = ()
    sampler: str | None = None
    configs: int | None = None
    space_seed: int | None = None


def make_plan(configs: Sequence[GivenAgent], options: PlanOptions, asked: SchedulerOptions = NO_SCHEDULER) -> Plan:
    """Read all configs and make the trials of a sweep. Raises ConfigError with the problems of all files and flags.

    asked: what the sweep's scheduler is asked for; the members of a population are drawn as configs
    """
    return planning.make_plan(
        configs,
        base_config=options.base_config,
        overrides=options.overrides,
        mode=options.mode,
        episodes=options.episodes,
        total_timesteps=options.total_timesteps,
        seeds=options.seeds,
        with_base=options.with_base,
        space=SpaceFlags(
            entries=options.space,
            sampler=options.sampler,
            configs=options.configs,
            seed=options.space_seed,
            population=drawn_members(asked),
        ),
    )


def measure(plan: Plan, *, gpus_per_trial: float = 0.0) -> Forecast:
    """Measure the plan's environment and networks in a child process, and estimate what each trial will take.

    Raises InputError where its trials could not be run, another RlsweepError where playing the environment fails.
    """
    check_trials(plan.base_training, gpus_per_trial=gpus_per_trial)
    return forecast(plan, gpus_per_trial=gpus_per_trial)
