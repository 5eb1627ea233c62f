"""What to do after a sweep, each with its command: go on with it, decide with more runs, take a config."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rlsweep.analysis.sweeps import SweepAssessment
from rlsweep.analysis.update_counts import TOO_FEW_UPDATES
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.analysis.wording import plural
from rlsweep.reports.commands import submit_longer, train_long
from rlsweep.reports.config_report import ConfigReport
from rlsweep.reports.findings import NOT_WORTH_A_LONG_RUN, NextStep, shortest_budget
from rlsweep.reports.pick import choice_of
from rlsweep.reports.records import ConfigRuns
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.sweep_records import Sweep, SweepStatus

PLACES = (
    ("Compare the learning curves in Training History, http://localhost:5173/training", "rlsweep serve"),
    ("Or in TensorBoard", "rlsweep tensorboard {sweep}"),
    ("Export data", "rlsweep export {sweep} --format csv"),
)
"""Next steps as (purpose, command); a new page adds one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A sweep, or runs that were chosen freely, as they were judged.

    sweep: that all runs are of; None where they were chosen freely
    configs: the reports of `recorded`, best first
    take: name of the config that a race takes; is_race: whether there is a race
    """

    sweep: Sweep | None
    recorded: Sequence[ConfigRuns]
    assessment: SweepAssessment
    configs: Sequence[ConfigReport]
    take: str | None
    is_race: bool

    @property
    def winner(self) -> str | None:
        """Name of the config that is significantly better than all others."""
        winner = self.assessment.ranking.winner
        return None if winner is None else self.recorded[winner].name

    def count(self, *statuses: RunStatus) -> int:
        """Number of runs in one of these statuses."""
        return sum(run.status in statuses for config in self.recorded for run in config.runs)


def next_steps(judged: Judged, sweep_of: Callable[[TrainingRun], Sweep | None]) -> tuple[NextStep, ...]:
    """Where the curves are, how to go on, what would tell more, and the config to take, if there is one."""
    steps: list[NextStep] = []
    if judged.sweep is not None:
        name = shlex.quote(judged.sweep.name)
        steps += [NextStep(text=text, command=command.format(sweep=name)) for text, command in PLACES]
        steps += _to_go_on(judged, judged.sweep, name)
        if not judged.count(RunStatus.RUNNING, RunStatus.PENDING, RunStatus.STOPPED):
            steps += _to_know_more(judged, judged.sweep)
    return (*steps, *_to_take(judged, sweep_of))


def _to_go_on(judged: Judged, sweep: Sweep, name: str) -> Iterator[NextStep]:
    """Follow, finish or repeat what is not complete; a race that is decided has nothing left to do."""
    running, pending = judged.count(RunStatus.RUNNING), judged.count(RunStatus.PENDING)
    if running or (pending and sweep.driver is not None):
        yield NextStep(text="Follow it", command=f"rlsweep status {name} --follow")
        return
    if sweep.status is SweepStatus.COMPLETED:
        return
    if left := pending + judged.count(RunStatus.STOPPED):
        yield NextStep(text=f"Finish {plural(left, 'run')}", command=f"rlsweep resume {name}")
    if failed := judged.count(RunStatus.FAILED):
        yield NextStep(text=f"Run {plural(failed, 'failed trial')} again", command=f"rlsweep retry {name}")


def _to_know_more(judged: Judged, sweep: Sweep) -> Iterator[NextStep]:
    """A longer budget where it was too short; what more seeds would tell is for the decision card to say."""
    short = shortest_budget(judged.recorded, judged.assessment)
    if judged.is_race:
        return
    if short is not None:
        run = judged.recorded[0].runs[0]
        runs = [config.runs[0] for config in judged.recorded]
        command = submit_longer(run, sweep, runs, option=short.option, amount=short.amount)
        yield NextStep(text="Give each trial a longer budget", command=command)


def _to_take(judged: Judged, sweep_of: Callable[[TrainingRun], Sweep | None]) -> Iterator[NextStep]:
    """Write the config to take as the next version, and train it for long, if that is worth it."""
    raced = next((config for config in judged.configs if config.name == judged.take), None)
    if raced is None and judged.count(RunStatus.RUNNING, RunStatus.PENDING):
        return
    chosen = choice_of(judged.configs, judged.winner) if raced is None else raced
    if chosen is None or not _is_worth_a_long_run(chosen, judged.winner):
        return
    run = next(config.runs[0] for config in judged.recorded if config.name == chosen.name)
    what = "which the race takes" if raced is not None else _standing(judged, chosen)
    if judged.sweep is not None and (raced is not None or chosen.name == judged.winner):
        text = f"Write {chosen.name} ({what}) as the agent's next version"
        yield NextStep(text=text, command=f"rlsweep promote {shlex.quote(judged.sweep.name)}")
    yield NextStep(text=f"Train {chosen.name} ({what}) for long", command=train_long(run, sweep_of(run)))


def _is_worth_a_long_run(config: ConfigReport, winner: str | None) -> bool:
    if config.updates < TOO_FEW_UPDATES:
        return False
    kind = config.verdict.kind
    return kind not in NOT_WORTH_A_LONG_RUN or (kind is VerdictKind.UNSTABLE and config.name == winner)


def _standing(judged: Judged, chosen: ConfigReport) -> str:
    """What the config to choose is among the others."""
    if chosen.name == judged.winner:
        return "the winner"
    if len(judged.configs) == 1:
        return "the only config"
    return (
        f"first by score, tied with {plural(len(chosen.tied_with), 'other')}" if chosen.tied_with else "first by score"
    )
