"""How much of the budgets of many runs is spent, and how long the rest will take."""

from statistics import fmean

from rlsweep.runs import Budget, RunStatus, RunSummary
from rlsweep.sweep_records import Overview


def seconds_left(run: RunSummary) -> float | None:
    """Guess from the pace of its latest update; None where it does not run, or its pace is not known yet."""
    steps = _steps_left(run, run.mean_length)
    if run.status is not RunStatus.RUNNING or not run.steps_per_second or steps is None:
        return None
    return steps / run.steps_per_second


def total_share_done(seen: Overview) -> float:
    """Part of all runs' budgets that is spent, 0 to 1, a finished run counting as all of its own.

    Of runs that are not shown, those that run are taken to be as far as the shown ones, those that wait at the start.
    """
    running = [run.progress or 0.0 for run in seen.runs if run.status is RunStatus.RUNNING]
    waiting = [run.progress or 0.0 for run in seen.runs if run.status is RunStatus.PENDING]
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
        afresh = _steps_beyond(unfinished[-1].budget, 0, 0, typical_length)
        steps += [None if afresh is None else hidden * afresh]
    if not paces or None in steps:
        return None
    side_by_side = seen.runs_by_status[RunStatus.RUNNING]
    shared_out = sum(each for each in steps if each is not None) / (fmean(paces) * side_by_side)
    return max([shared_out, *(left for run in running if (left := seconds_left(run)) is not None)])


def _steps_left(run: RunSummary, episode_length: float | None) -> float | None:
    """Env steps up to the end of the budget; None where it counts episodes and their length is not known."""
    return _steps_beyond(run.budget, run.episodes, run.env_steps, episode_length)


def _steps_beyond(budget: Budget, episodes: int, env_steps: int, episode_length: float | None) -> float | None:
    """Env steps between what is done and the end of the budget."""
    bounds = [] if budget.total_timesteps is None else [float(budget.total_timesteps - env_steps)]
    if budget.episodes is not None and episode_length is not None:
        bounds.append((budget.episodes - episodes) * episode_length)
    return max(0.0, min(bounds)) if bounds else None
