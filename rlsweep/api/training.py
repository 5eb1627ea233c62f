"""What Python calls to train a single run: `rlsweep.train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from rlsweep.api.arguments import GivenBase, GivenEnvironment, GivenOverrides, agent_config, plan_options
from rlsweep.api.observers import make_observer
from rlsweep.api.plan import PlanOptions
from rlsweep.api.policy import PolicyReference, Which, find_policy
from rlsweep.api.runs import Run
from rlsweep.config.run import Mode
from rlsweep.errors import InputError
from rlsweep.planning.plan import Trial, make_run
from rlsweep.settings import Settings


def train(
    config: Run | str | Path | Mapping[str, Any] | None = None,
    *,
    environment: GivenEnvironment = None,
    base_config: GivenBase = None,
    overrides: GivenOverrides = (),
    mode: Mode | str = Mode.FULL,
    episodes: int | None = None,
    total_timesteps: int | None = None,
    weights_from: PolicyReference | None = None,
    resume: Run | UUID | str | Path | None = None,
    keep_schedule: bool = False,
    trust: bool = False,
    threads: int = 1,
    address: str | None = None,
    progress: bool = True,
    settings: Settings | None = None,
) -> Run:
    """Train one config for long in this process, with checkpoints that resume; return the run when it has ended.

    config: an agent config's file or dict, or a run whose agent config and base config are taken from its record
    weights_from: a run, or a checkpoint's path or URI, whose policy weights the new run begins with
    resume: in place of a config, a run, its id or a checkpoint to continue, with a larger budget where one is given;
        keep_schedule: linear schedules end with the earlier budget and stay at 0, instead of running over the larger
        one; trust: load a checkpoint that is on no run's record, which may execute code
    threads: of torch; address: of the Ray cluster for backend: rllib. The rest is as `submit` has it.

    A run that fails has it on its record and raises nothing: look at `.status` and `.record.error`. A KeyboardInterrupt
    stops it at its next step with a checkpoint, and is raised again; `rlsweep.train(resume=...)` continues it.

    Raises InputError, with nothing on record, for what cannot be used.

    >>> import rlsweep
    >>> run = rlsweep.train(config, environment="CartPole-v1", total_timesteps=64, progress=False)
    >>> run = rlsweep.train(resume=run, total_timesteps=128, progress=False)  # 128 in all
    >>> run.record.env_steps
    128
    """
    from rlsweep.api.train import TrainingOptions, resume_run
    from rlsweep.api.train import train as train_trial

    settings = settings or Settings.from_environ()
    observer, options = make_observer(progress=progress), TrainingOptions(threads=threads, address=address)
    if resume is not None:
        if config is not None or base_config is not None or environment is not None or overrides:
            raise InputError("resume continues a run with its own config: leave out all but a larger budget.")
        outcome = resume_run(
            str(resume.id if isinstance(resume, Run) else resume),
            episodes=episodes,
            total_timesteps=total_timesteps,
            keep_schedule=keep_schedule,
            trust=trust,
            settings=settings,
            observer=observer,
            options=options,
        )
    elif config is None or keep_schedule:
        raise InputError(
            "Give a config to train, or the run to continue with resume=; keep_schedule= is for the latter."
        )
    else:
        plan = plan_options(environment, base_config, overrides, mode, episodes, total_timesteps)
        trial = _trial(config, plan)
        weights = None if weights_from is None else find_policy(weights_from, Which.LATEST, settings).location
        outcome = train_trial(
            trial,
            weights_from=None if weights is None else str(weights),
            settings=settings,
            observer=observer,
            options=options,
        )
    if outcome.is_interrupted:
        raise KeyboardInterrupt
    if outcome.run.error_text:
        observer.warning(str(outcome.run.error))
    return Run(outcome.run, settings)


def _trial(config: Run | str | Path | Mapping[str, Any], plan: PlanOptions) -> Trial:
    """The single trial of `train`; a run as the config gives the base config too, where no other is given."""
    taken = config.training_config if isinstance(config, Run) and plan.base_config is None else plan.base_config
    return make_run(
        agent_config(config),
        base_config=taken,
        overrides=plan.overrides,
        mode=plan.mode,
        episodes=plan.episodes,
        total_timesteps=plan.total_timesteps,
    )
