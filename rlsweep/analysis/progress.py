"""How much of a budget is spent, and how long the rest will take."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from rlsweep.runs import RunStatus, TrainingRun


def share_spent(status: RunStatus, budget: Mapping[str, int | None], *, episodes: int, env_steps: int) -> float | None:
    """Part of the budget that is spent, 0 to 1; None where there is no budget to speak of."""
    if status is RunStatus.COMPLETED:
        return 1.0
    spent = ((episodes, budget.get("episodes")), (env_steps, budget.get("total_timesteps")))
    shares = [done / allowed for done, allowed in spent if allowed]
    return min(1.0, max(shares)) if shares else None


def share_done(run: TrainingRun) -> float:
    """Part of the run's budget that is spent, 0 to 1."""
    share = share_spent(run.status, run.config["budget"], episodes=run.episodes, env_steps=run.env_steps)
    return 0.0 if share is None else share


def seconds_left(run: TrainingRun) -> float | None:
    """Guess from the pace of its latest update; None where it does not run, or its pace is not known yet."""
    steps = _steps_left(run, run.mean_length)
    if run.status is not RunStatus.RUNNING or not run.steps_per_second or steps is None:
        return None
    return steps / run.steps_per_second


def total_seconds_left(runs: Sequence[TrainingRun]) -> float | None:
    """Guess when the last run ends, if as many run side by side as do now and those to come are like them.

    None where none runs, or too little is known yet.
    """
    running = [run for run in runs if run.status is RunStatus.RUNNING]
    paces = [run.steps_per_second for run in running if run.steps_per_second]
    lengths = [run.mean_length for run in runs if run.mean_length]
    typical_length = fmean(lengths) if lengths else None
    unfinished = [run for run in runs if not run.status.is_finished]
    steps = [_steps_left(run, run.mean_length or typical_length) for run in unfinished]
    if not paces or None in steps:
        return None
    shared_out = sum(each for each in steps if each is not None) / (fmean(paces) * len(running))
    return max([shared_out, *(left for run in running if (left := seconds_left(run)) is not None)])


def _steps_left(run: TrainingRun, episode_length: float | None) -> float | None:
    """Env steps up to the end of the budget; None where it counts episodes and their length is not known."""
    episodes, steps = run.config["budget"]["episodes"], run.config["budget"]["total_timesteps"]
    bounds = [] if steps is None else [float(steps - run.env_steps)]
    if episodes is not None and episode_length is not None:
        bounds.append((episodes - run.episodes) * episode_length)
    return max(0.0, min(bounds)) if bounds else None
