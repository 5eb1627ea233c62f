"""How much of the budgets of many runs is spent, and how long the rest will take."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from rlsweep.analysis.rungs import AshaProgress, asha_progress, beyond_rung
from rlsweep.runs import Budget, RunStatus, RunSummary
from rlsweep.scheduler_records import AshaStanding
from rlsweep.sweep_records import Overview


def seconds_left(run: RunSummary) -> float | None:
    """Guess from the pace of its latest update when it ends or pauses; None where it does not run, or has no pace."""
    steps = _steps_left(run, run.mean_length)
    if run.status is not RunStatus.RUNNING or not run.steps_per_second or steps is None:
        return None
    return steps / run.steps_per_second


def done_by_status(runs: Mapping[RunStatus, int], trained: Mapping[RunStatus, float]) -> dict[RunStatus, float]:
    """What is done of what all runs are to train, each its budget, or up to its pause if it has one; in runs.

    A completed run has done all of its own, and so has a paused one, which waits for nothing once a race is decided.
    One that was stopped or failed has done what it trained.
    trained: by status, the mean share that these runs have trained, 0 to 1
    """
    whole = (RunStatus.COMPLETED, RunStatus.PAUSED)
    return {
        status: float(number) if status in whole else number * trained.get(status, 0.0)
        for status, number in runs.items()
    }


def total_share_done(seen: Overview) -> float:
    """Part that is done of what all runs are to train, 0 to 1.

    Of runs that are not shown, those that run or ended early are taken to be as far as the shown ones, those that wait
    at the start. With ASHA it is what is done of what is expected to come. The members of a population go on from their
    pauses: they are to train their whole budgets.
    """
    if seen.asha is not None:
        return _asha_progress(seen, seen.asha).share
    if seen.population is not None:
        return fmean(run.progress or 0.0 for run in seen.runs) if seen.runs else 0.0
    shares: dict[RunStatus, list[float]] = {}
    for run in seen.runs:
        shares.setdefault(run.status, []).append(_share_done(run))
    trained = {status: fmean(shown) for status, shown in shares.items()}
    if waiting := shares.get(RunStatus.PENDING):
        trained[RunStatus.PENDING] = sum(waiting) / seen.runs_by_status[RunStatus.PENDING]
    return sum(done_by_status(seen.runs_by_status, trained).values()) / max(1, seen.total)


def total_seconds_left(seen: Overview) -> float | None:
    """Guess when the last run ends, if as many run side by side as do now and those to come are like them.

    Runs that are not shown are taken for ones that have all of their budget before them. None where none runs, or too
    little is known yet.
    """
    running = [run for run in seen.runs if run.status is RunStatus.RUNNING]
    paces = [run.steps_per_second for run in running if run.steps_per_second]
    lengths = [run.mean_length for run in seen.runs if run.mean_length]
    typical_length = fmean(lengths) if lengths else None
    if seen.asha is not None:
        return _asha_seconds_left(seen, seen.asha, paces, typical_length)
    if seen.population is not None:
        return _population_seconds_left(seen, paces)
    unfinished = [run for run in seen.runs if not run.status.is_finished]
    steps = [_steps_left(run, run.mean_length or typical_length) for run in unfinished]
    hidden = seen.total - seen.finished - len(unfinished)
    if hidden and unfinished:
        afresh = _steps_beyond(_goal(unfinished[-1]), 0, 0, typical_length)
        steps += [None if afresh is None else hidden * afresh]
    if not paces or None in steps:
        return None
    side_by_side = seen.runs_by_status[RunStatus.RUNNING]
    shared_out = sum(each for each in steps if each is not None) / (fmean(paces) * side_by_side)
    return max([shared_out, *(left for run in running if (left := seconds_left(run)) is not None)])


def _population_seconds_left(seen: Overview, paces: Sequence[float]) -> float | None:
    """As `total_seconds_left`, with members that go on from their pauses; their budgets are env steps."""
    still = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED)
    steps = [_steps_beyond(run.budget, 0, run.env_steps, None) or 0.0 for run in seen.runs if run.status in still]
    if not paces or not steps:
        return None
    shared_out = sum(steps) * seen.total / len(seen.runs) / (fmean(paces) * seen.runs_by_status[RunStatus.RUNNING])
    return max(shared_out, max(steps) / fmean(paces))


def _asha_seconds_left(
    seen: Overview, asha: AshaStanding, paces: Sequence[float], episode_length: float | None
) -> float | None:
    """As `total_seconds_left`, with runs that are expected to go on."""
    whole = _steps_beyond(seen.runs[0].budget, 0, 0, episode_length) if seen.runs else None
    if not paces or whole is None:
        return None
    return _asha_progress(seen, asha).left * whole / (fmean(paces) * seen.runs_by_status[RunStatus.RUNNING])


def _asha_progress(seen: Overview, asha: AshaStanding) -> AshaProgress:
    """With what runs have trained since their last rung, which is what the shown ones have where not all are shown."""
    under_way = 0.0
    for status in (RunStatus.RUNNING, RunStatus.PENDING, RunStatus.STOPPED):
        shown = [beyond_rung(run, asha) for run in seen.runs if run.status is status]
        if shown:
            under_way += sum(shown) if status is RunStatus.PENDING else fmean(shown) * seen.runs_by_status[status]
    return asha_progress(asha, under_way)


def _steps_left(run: RunSummary, episode_length: float | None) -> float | None:
    """Env steps up to its end or its pause; None where the budget counts episodes and their length is not known."""
    return _steps_beyond(_goal(run), run.episodes, run.env_steps, episode_length)


def _share_done(run: RunSummary) -> float:
    """Part that is done of what the run is to train, 0 to 1."""
    return min(1.0, (run.progress or 0.0) / (run.pause_at or 1.0))


def _goal(run: RunSummary) -> Budget:
    """What the run is to train: its budget, or the part of it before its pause."""
    if run.pause_at is None:
        return run.budget
    episodes, steps = run.budget.episodes, run.budget.total_timesteps
    return Budget(
        episodes=None if episodes is None else math.ceil(episodes * run.pause_at),
        total_timesteps=None if steps is None else math.ceil(steps * run.pause_at),
    )


def _steps_beyond(budget: Budget, episodes: int, env_steps: int, episode_length: float | None) -> float | None:
    """Env steps between what is done and the end of the budget; it may be the part before a pause."""
    bounds = [] if budget.total_timesteps is None else [float(budget.total_timesteps - env_steps)]
    if budget.episodes is not None and episode_length is not None:
        bounds.append((budget.episodes - episodes) * episode_length)
    return max(0.0, min(bounds)) if bounds else None
