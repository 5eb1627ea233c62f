"""What Python calls to run sweeps: `rlsweep.plan`, `submit`, `resume` and `retry`.

They take keywords and make of them what the command line makes of its flags; both call the same functions from there.
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from rlsweep.api.arguments import (
    GivenBase,
    GivenEnvironment,
    GivenOverrides,
    listed,
    patterns_of,
    plan_options,
    scheduler_options,
)
from rlsweep.api.observers import make_observer
from rlsweep.api.plan import PlanOptions, make_plan, measure
from rlsweep.api.sweeps import Sweep
from rlsweep.config.run import Mode
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DEFAULT_GRACE, DrivingOptions
from rlsweep.places.outcome import Ending, SweepOutcome
from rlsweep.planning.agents import GivenAgent
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.plan import Plan, check_all_drawn
from rlsweep.planning.scheduler import SchedulerPlan, scheduler_plan
from rlsweep.planning.scheduler_options import SchedulerOptions
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep as SweepRecord


def plan(
    configs: GivenAgent | Sequence[GivenAgent],
    *,
    environment: GivenEnvironment = None,
    base_config: GivenBase = None,
    overrides: GivenOverrides = (),
    mode: Mode | str = Mode.SMOKE,
    episodes: int | None = None,
    total_timesteps: int | None = None,
    seeds: int = 1,
    with_base: bool = False,
    scheduler: str | None = None,
    rungs: int | None = None,
    reduction: int | None = None,
    population: int | None = None,
    interval: int | None = None,
    objective: str | None = None,
    gpus_per_trial: float = 0.0,
) -> Forecast:
    """Say what `submit` would run, and measure what it would take. Nothing is put on record.

    Arguments are as `submit` has them. Raises InputError, and RlsweepError where playing the environment fails.

    >>> import rlsweep
    >>> forecast = rlsweep.plan([config], environment="CartPole-v1", total_timesteps=1000, seeds=2)
    >>> [(trial.label, trial.config.seed) for trial in forecast.plan.trials]
    [('ppo_v1', 0), ('ppo_v1', 1)]
    >>> forecast.estimates[0].env_steps  # at least, at most: 63 rollouts of 16
    (1008, 1008)
    """
    options = plan_options(
        environment, base_config, overrides, mode, episodes, total_timesteps, seeds=seeds, with_base=with_base
    )
    asked = scheduler_options(scheduler, rungs, reduction, population, interval, objective)
    made, _ = _planned(listed(configs), options, asked)
    return measure(made, gpus_per_trial=gpus_per_trial)


def _planned(
    configs: Sequence[GivenAgent], options: PlanOptions, asked: SchedulerOptions
) -> tuple[Plan, SchedulerPlan | None]:
    """The plan, and what says which of its runs train, if anything does."""
    made = make_plan(configs, options, asked)
    check_all_drawn(made)
    scheduled = scheduler_plan(made, asked)
    return made if scheduled is None else scheduled.plan, scheduled


def submit(
    configs: GivenAgent | Sequence[GivenAgent],
    *,
    environment: GivenEnvironment = None,
    base_config: GivenBase = None,
    overrides: GivenOverrides = (),
    mode: Mode | str = Mode.SMOKE,
    episodes: int | None = None,
    total_timesteps: int | None = None,
    seeds: int = 1,
    with_base: bool = False,
    scheduler: str | None = None,
    rungs: int | None = None,
    reduction: int | None = None,
    population: int | None = None,
    interval: int | None = None,
    objective: str | None = None,
    name: str | None = None,
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
    max_concurrent: int | None = None,
    autoscale: bool = False,
    address: str | None = None,
    detach: bool = False,
    dashboard: bool = False,
    grace: float = DEFAULT_GRACE,
    progress: bool = True,
    settings: Settings | None = None,
) -> Sweep:
    """Train all configs in parallel, each with every seed; return the sweep when it has ended.

    configs: files, folders, globs, and agent configs as dicts; one may be a search space, as a file or a dict such as
        {"base": "config/agents/ppo_agent_v1.yaml", "space": {"gamma": {"choice": [0.95, 0.99]}}}
    environment: id, `module:Class`, or a class from a module; above the base config's
    base_config: of the training: a file, or a dict
    overrides: config keys set in every trial, such as {"ppo.ent_coef": 0.0}
    mode: "smoke", a quick check with detailed logs, or "full"
    episodes, total_timesteps: budget of each trial; env steps count over all parallel environments
    seeds: how many for each config; with_base: add the base configs from the folders of the variants
    scheduler: "asha" or "pbt", which say which runs train on from a pause; None trains every run to its end
    rungs, reduction: of asha: how many rungs, and 1 / the share of the configs that goes on from each
    population, interval: of pbt: how many members, and env steps between two copies; objective: what is scored
    name: of the sweep; None makes one of agent, date and time
    cpus_per_trial, gpus_per_trial, max_concurrent, autoscale, address, dashboard, grace: as in `DrivingOptions`
    detach: return as soon as the service or the cluster has the sweep
    progress: tell how it goes; settings: by default what the RLSWEEP_* variables say now

    Trials that fail are on the sweep's record and raise nothing: look at `.status`. A KeyboardInterrupt stops the
    trials, which keep what they recorded, and is raised again once they have ended; `rlsweep.resume` continues them.
    A second one ends the sweep at once.

    Raises InputError, with nothing on record, for what cannot be used (ConfigError holds every problem of the configs),
    and RlsweepError where the sweep could not be driven to its end.

    >>> import rlsweep
    >>> fast = {**config, "sweep_variant": "fast", "learning_rate": 1e-3}
    >>> sweep = rlsweep.submit([config, fast], environment="CartPole-v1", total_timesteps=64, name="lr", progress=False)
    >>> sweep
    <Sweep lr (...)>
    >>> sweep.status.value
    'completed'
    """
    from rlsweep.api.submit import submit as submit_plan

    options = plan_options(
        environment, base_config, overrides, mode, episodes, total_timesteps, seeds=seeds, with_base=with_base
    )
    driving = DrivingOptions(
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        max_concurrent=max_concurrent,
        autoscale=autoscale,
        address=address,
        detach=detach,
        dashboard=dashboard,
        grace=grace,
    )
    settings = settings or Settings.from_environ()
    observer = make_observer(progress=progress)
    asked = scheduler_options(scheduler, rungs, reduction, population, interval, objective)
    made, scheduled = _planned(given := listed(configs), options, asked)
    outcome = submit_plan(
        made,
        patterns=patterns_of(given),
        settings=settings,
        observer=observer,
        options=driving,
        name=name,
        scheduler=scheduled,
        on_forecast=partial(warn_of_forecast, observer),
        resume_instead=partial(warn_of_unfinished, observer),
    )
    return sweep_of(outcome, settings)


def resume(
    sweep: Sweep | UUID | str = "latest",
    *,
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
    max_concurrent: int | None = None,
    autoscale: bool = False,
    address: str | None = None,
    detach: bool = False,
    dashboard: bool = False,
    grace: float = DEFAULT_GRACE,
    progress: bool = True,
    settings: Settings | None = None,
) -> Sweep:
    """Continue the pending, stopped and crashed trials of a sweep, each from its last checkpoint; paused ones stay so.

    sweep: a handle, or name, id or start of the id; `latest` is the newest. The rest is as `submit` has it; trials ask
    for what they asked for before where nothing else is given.

    Raises NotFoundError, DriverBusyError where somebody drives it, and otherwise what `submit` raises.

    >>> import rlsweep
    >>> rlsweep.resume("calibration").status.value
    Sweep calibration is completed: there is nothing left to run.
    Sweep calibration: completed.
    'completed'
    """
    from rlsweep.api.resume import resume as resume_sweep

    driving = DrivingOptions(
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        max_concurrent=max_concurrent,
        autoscale=autoscale,
        address=address,
        detach=detach,
        dashboard=dashboard,
        grace=grace,
    )
    settings = settings or Settings.from_environ()
    outcome = resume_sweep(
        reference_of(sweep), settings=settings, observer=make_observer(progress=progress), options=driving
    )
    return sweep_of(outcome, settings)


def retry(
    sweep: Sweep | UUID | str = "latest",
    *,
    from_start: bool = False,
    max_concurrent: int | None = None,
    address: str | None = None,
    grace: float = DEFAULT_GRACE,
    progress: bool = True,
    settings: Settings | None = None,
) -> Sweep:
    """Run the failed trials of a sweep again; all others stay as they are.

    from_start: begin them anew instead of at their last checkpoints. The rest is as `resume` has it.
    """
    from rlsweep.api.resume import retry as retry_sweep

    settings = settings or Settings.from_environ()
    outcome = retry_sweep(
        reference_of(sweep),
        from_start=from_start,
        settings=settings,
        observer=make_observer(progress=progress),
        options=DrivingOptions(max_concurrent=max_concurrent, address=address, grace=grace),
    )
    return sweep_of(outcome, settings)


def reference_of(sweep: Sweep | UUID | str) -> str:
    """The sweep's id if a handle is given, else what is given, as text."""
    return str(sweep.id if isinstance(sweep, Sweep) else sweep)


def warn_of_forecast(observer: SweepObserver, forecast: Forecast) -> None:
    """Tell the warnings of a forecast."""
    for warning in forecast.warnings:
        observer.warning(warning)


def warn_of_unfinished(observer: SweepObserver, unfinished: SweepRecord) -> bool:
    """Say that a sweep of the same plan could be resumed, and begin a new one."""
    name = unfinished.name
    observer.warning(f"Sweep {name} has the same plan and is unfinished. Resume it: rlsweep.resume({name!r})")
    return False


def sweep_of(outcome: SweepOutcome, settings: Settings) -> Sweep:
    """The handle of a sweep that was driven; raises KeyboardInterrupt if the user ended it."""
    if outcome.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    return Sweep(outcome.sweep, settings)
