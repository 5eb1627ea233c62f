"""How much of a budget is spent, and how long the rest will take."""

from collections.abc import Mapping
from statistics import fmean

from rlsweep.runs import Overview, RunStatus, TrainingRun


def share_spent(status: RunStatus, budget: Mapping[str, int | None], *, episodes: int, env_steps: int) -> float | None:
    """Spent part of the budget, 0 to 1; None where there is no budget to speak of."""
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


def total_share_done(seen: Overview) -> float:
    """Part of all runs' budgets that is spent, 0 to 1, a finished run counting as all of its own.

    Of runs that are not shown, those that run are taken to be as far as the shown ones, those that wait at the start.
    """
    running = [share_done(run) for run in seen.runs if run.status is RunStatus.RUNNING]
    waiting = [share_done(run) for run in seen.runs if run.status is RunStatus.PENDING]
    spent = seen.finished + sum(waiting)
    if running:
        spent += fmean(running) * seen.runs_by_status[RunStatus.RUNNING]
    return spent / max(1, seen.total)


def total_seconds_left(seen: Overview) -> float | None:
    """Guess when the last run ends, if as many run side by side as do now and those to come are like them.

    Runs that are not shown are taken for ones that have all of their budget before them. None where none runs, or too
    little is known yet.
    """
    running = [run for run in seen.runs if run.status is RunStatus.RUNNING]
    paces = [run.steps_per_second for run in running if run.steps_per_second]
    lengths = [run.mean_length for run in seen.runs if run.mean_length]
    typical_length = fmean(lengths) if lengths else None
    unfinished = [run for run in seen.runs if not run.status.is_finished]
    steps = [_steps_left(run, run.mean_length or typical_length) for run in unfinished]
    hidden = seen.total - seen.finished - len(unfinished)
    if hidden and unfinished:
        afresh = _steps_beyond(unfinished[-1].config["budget"], 0, 0, typical_length)
        steps += [None if afresh is None else hidden * afresh]
    if not paces or None in steps:
        return None
    side_by_side = seen.runs_by_status[RunStatus.RUNNING]
    shared_out = sum(each for each in steps if each is not None) / (fmean(paces) * side_by_side)
    return max([shared_out, *(left for run in running if (left := seconds_left(run)) is not None)])


def _steps_left(run: TrainingRun, episode_length: float | None) -> float | None:
    """Env steps up to the end of the budget; None where it counts episodes and their length is not known."""
    return _steps_beyond(run.config["budget"], run.episodes, run.env_steps, episode_length)


def _steps_beyond(
    budget: Mapping[str, int | None], episodes: int, env_steps: int, episode_length: float | None
) -> float | None:
    """Env steps between what is done and the end of the budget."""
    most_episodes, most_steps = budget["episodes"], budget["total_timesteps"]
    bounds = [] if most_steps is None else [float(most_steps - env_steps)]
    if most_episodes is not None and episode_length is not None:
        bounds.append((most_episodes - episodes) * episode_length)
    return max(0.0, min(bounds)) if bounds else None
