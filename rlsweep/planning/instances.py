"""How many instances of the environment a sweep has at once: a simulator that allows one needs to know before."""

import math
import os
from dataclasses import dataclass

from rlsweep.cluster.resources import Resources
from rlsweep.planning.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentInstances:
    """Instances of the environment at the same time, at most.

    per_trial: in one trial: those that train, and that of its evaluations
    trials_at_once: trials at the same time on this machine
    at_once: in all these trials
    """

    per_trial: int
    trials_at_once: int
    at_once: int


def environment_instances(plan: Plan, resources: Resources) -> EnvironmentInstances:
    """Count them for a sweep whose trials share this machine's CPUs."""
    fitting = max(1, math.floor((os.cpu_count() or 1) / resources.cpus_per_trial + 1e-9))
    trials_at_once = min(len(plan.trials) + plan.to_draw, fitting, resources.max_concurrent or fitting)
    per_trial = max(trial.config.environment_instances for trial in plan.trials)
    return EnvironmentInstances(per_trial=per_trial, trials_at_once=trials_at_once, at_once=per_trial * trials_at_once)


def instances_line(plan: Plan, found: EnvironmentInstances) -> str | None:
    """Say how many there are and how to have fewer, if there is more than one."""
    if found.at_once == 1:
        return None
    config = max((trial.config for trial in plan.trials), key=lambda config: config.environment_instances)
    kinds = [f"{config.training.n_envs} to train"]
    kinds += ["1 in the run's own process"] if config.training.backend == "rllib" else []
    kinds += ["1 to evaluate"] if config.has_evaluation_environment else []
    ways = ["--max-concurrent"] if found.trials_at_once > 1 else []
    ways += ["evaluation.enabled=false"] if config.evaluates and config.score_evaluation is None else []
    ways += ["n_envs"] if config.training.n_envs > 1 else []
    trials = f" in each of {found.trials_at_once} trials on this machine's CPUs" if found.trials_at_once > 1 else ""
    fewer = f"; {' or '.join(ways)} can lower that" if ways else ""
    return f"Up to {found.at_once} instances of the environment exist at once: {', '.join(kinds)}{trials}{fewer}."
