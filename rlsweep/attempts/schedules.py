"""What a larger budget does to the schedules of a resumed run."""

from rlsweep.analysis.wording import limits, number
from rlsweep.config.differences import used_hyperparameters
from rlsweep.config.run import RunConfig
from rlsweep.config.schedule import initial_value
from rlsweep.training.progress import Progress


def schedule_warning(before: RunConfig, after: RunConfig, *, episodes: int, env_steps: int) -> str | None:
    """Say how the schedules of a run go on under its new config; None if it has none, or the budget is the same.

    episodes, env_steps: done so far
    """
    values = used_hyperparameters(after.agent)
    starts = {key: initial_value(each) for key, each in values.items() if str(each).startswith("linear_")}
    if not starts or before.budget == after.budget:
        return None
    done = Progress(episodes=episodes, env_steps=env_steps)
    remaining, planned = done.remaining(after.scheduled_over), limits(before.scheduled_over)
    if after.schedule_budget is None:
        earlier = done.remaining(before.scheduled_over)
        changes = ", ".join(
            f"{key} from {_at(start, earlier)} to {_at(start, remaining)}" for key, start in starts.items()
        )
        return (
            f"The larger budget stretches the linear schedules: {changes}, falling to 0 at {limits(after.budget)}. "
            f"--keep-schedule (keep_schedule=True in Python) keeps those of {planned}."
        )
    which = f"{', '.join(starts)}: the linear schedules of {planned}"
    if "learning_rate" not in starts:
        return f"{which} {'have ended and' if remaining == 0 else 'end there, and'} stay at 0."
    if remaining == 0:
        return f"{which} have ended and stay at 0, so nothing more is learnt. Leave out --keep-schedule to learn on."
    return f"{which} end there and stay at 0, so nothing is learnt after that."


def _at(start: float, remaining: float) -> str:
    return number(start * remaining)
