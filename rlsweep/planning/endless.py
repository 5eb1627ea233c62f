"""The warning about a run that may never end."""

from collections.abc import Sequence

from rlsweep.config.run import RunConfig
from rlsweep.planning.estimate import Estimate
from rlsweep.planning.plan import Plan


def endless_warning(config: RunConfig) -> str | None:
    """The warning if no episode ended when the environment was played; None if something else bounds the run."""
    budget = config.budget
    if budget.episodes is None or budget.total_timesteps is not None or config.training.max_steps_per_episode:
        return None
    return (
        f"No episode of {config.training.environment.id} ended while it was tried, and only a budget of episodes ends "
        "the run: it may train for ever. Set max_steps_per_episode, or add --total-timesteps."
    )


def endless_warnings(plan: Plan, estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """`endless_warning` of a plan in whose measurement no episode ended; its trials share budget and environment."""
    if all(each.env_steps is not None for each in estimates):
        return ()
    warning = endless_warning(plan.trials[0].config)
    return () if warning is None else (warning,)
