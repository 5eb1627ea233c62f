"""Findings about a whole sweep."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlsweep.analysis.intervals import FEWEST_SEEDS
from rlsweep.analysis.ranking import Ranking
from rlsweep.analysis.sweeps import ConfigAssessment, SweepAssessment
from rlsweep.analysis.trends import Direction
from rlsweep.analysis.update_counts import GOOD_UPDATES, TOO_FEW_UPDATES
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.analysis.wording import listed, number, plural
from rlsweep.reports.records import ConfigRuns
from rlsweep.runs import RunStatus

FAR_FASTER = 1.25
"""Times the env steps of the fastest config that the next one must take before the difference is told; it must also be
larger than the spread over seeds."""

NOT_WORTH_A_LONG_RUN = (
    VerdictKind.NOT_STARTED,
    VerdictKind.FAILED,
    VerdictKind.UNSTABLE,
    VerdictKind.NOT_IMPROVING,
    VerdictKind.CLEARLY_WORSE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """What for, and the command."""

    text: str
    command: str


def findings(
    recorded: Sequence[ConfigRuns],
    assessment: SweepAssessment,
    *,
    is_race: bool = False,
    is_population: bool = False,
) -> tuple[str, ...]:
    """Sentences about the sweep, the most important first; what a race has decided is said by its answer.

    The members of a population copied one another: seeds cannot be added to them, and none of them can be a winner.
    """
    state = [] if is_race else _state(recorded)
    if all(not judged.figures.counted for judged in assessment.configs):
        return (_no_figures(recorded),)
    short = shortest_budget(recorded, assessment)
    budget = [] if short is None else [short.text]
    if all(judged.figures.updates < TOO_FEW_UPDATES for judged in assessment.configs):
        return (*state, *budget)
    if is_race:
        return (*budget, *_fastest(recorded, assessment))
    if _unfinished(recorded):
        return (*state, *budget, *_so_far(recorded, assessment.ranking))
    return (
        *state,
        *budget,
        *([] if is_population else _best(recorded, assessment)),
        *_consistency(assessment.ranking),
        *_fastest(recorded, assessment),
    )


def _unfinished(recorded: Sequence[ConfigRuns]) -> int:
    return sum(not run.status.is_finished for config in recorded for run in config.runs)


def _state(recorded: Sequence[ConfigRuns]) -> list[str]:
    """What has not ended, and what was stopped: a sentence each."""
    runs = [run for config in recorded for run in config.runs]
    said = []
    if waiting := _unfinished(recorded):
        have = "has" if waiting == 1 else "have"
        said.append(f"{waiting:,} of {plural(len(runs), 'run')} {have} not ended yet: what follows may change.")
    unbegun = sum(run.status is RunStatus.STOPPED and run.attempt == 0 for run in runs)
    stopped = sum(run.status is RunStatus.STOPPED for run in runs) - unbegun
    if stopped:
        was, counts = ("was", "counts") if stopped == 1 else ("were", "count")
        said.append(
            f"{stopped:,} of {plural(len(runs), 'run')} {was} stopped before the budget was spent and {counts} with "
            "what was recorded."
        )
    if unbegun:
        said.append(f"{unbegun:,} of {plural(len(runs), 'run')} did not start before the sweep was stopped.")
    return said


def _no_figures(recorded: Sequence[ConfigRuns]) -> str:
    runs = [run for config in recorded for run in config.runs]
    if not any(run.attempt for run in runs):
        return "No run has begun yet." if _unfinished(recorded) else "No run was begun."
    if all(run.status is RunStatus.STOPPED for run in runs):
        return "No run finished an episode before the sweep was stopped."
    if _unfinished(recorded):
        return "No run has finished an episode yet."
    return "No config has a finished episode in a run that did not fail."


def _so_far(recorded: Sequence[ConfigRuns], ranking: Ranking) -> list[str]:
    """Who is first by score while runs go on; with one config nobody is."""
    if not ranking.groups or len(recorded) < 2:
        return []
    return [f"So far {recorded[ranking.groups[0][0]].name} is first by score ({ranking.definition})."]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShortBudget:
    """A budget that was too short.

    amount: of a trial's episodes or env steps that hold about ten updates; option: the flag that sets it
    """

    text: str
    amount: int
    option: str


def shortest_budget(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> ShortBudget | None:
    """Say which completed runs had too few updates, and what would do; None where all had enough.

    Runs that were stopped or still go on say nothing of the budget.
    """
    short = [
        config
        for config, judged in zip(recorded, assessment.configs, strict=True)
        if any(seed.status is RunStatus.COMPLETED and seed.updates < TOO_FEW_UPDATES for seed in judged.figures.counted)
    ]
    if not short:
        return None
    which = "every config" if len(short) == len(recorded) else f"{len(short)} of {len(recorded)} configs"
    counts_episodes = short[0].runs[0].budget.episodes is not None
    needed = max(_needed(config, in_episodes=counts_episodes) for config in short)
    unit = "episodes" if counts_episodes else "env steps"
    return ShortBudget(
        text=(
            f"The budget was too short: fewer than about {GOOD_UPDATES} policy updates for {which}. "
            f"About {needed:,} {unit} per trial give {GOOD_UPDATES}."
        ),
        amount=needed,
        option="--episodes" if counts_episodes else "--total-timesteps",
    )


def _needed(config: ConfigRuns, *, in_episodes: bool) -> int:
    """What holds ten rollouts: env steps, or episodes of the length seen, rounded up to two digits."""
    settings = config.runs[0].config
    steps: int = GOOD_UPDATES * settings["agent"]["n_steps"] * settings["training"]["n_envs"]
    if not in_episodes:
        return steps
    ended = [run for run in config.runs if run.episodes]
    length = sum(run.env_steps for run in ended) / sum(run.episodes for run in ended)
    unit = 10 ** max(0, math.floor(math.log10(max(steps / length, 1))) - 1)
    return int(math.ceil(steps / length / unit) * unit)


def _best(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> list[str]:
    ranking = assessment.ranking
    if len(recorded) < 2 or not ranking.groups:
        return []
    top = [recorded[index].name for index in ranking.groups[0]]
    if ranking.winner is not None:
        kind = assessment.configs[ranking.winner].verdict.kind
        words = [f"Take {top[0]}."] if kind is VerdictKind.UNSTABLE else []
        doubt = "".join(f" {text}" for text in [*words, doubt_words(kind)] if text)
        return [
            f"{top[0]} is the winner: its score is significantly better than every other config's "
            f"({ranking.definition}; Welch's t tests over seeds, Holm's correction, 5%).{doubt}"
        ]
    seeds = max(len(scores) for scores in ranking.scores)
    if seeds == 1 and max(len(config.runs) for config in recorded) > 1:
        return ["No winner: no config has a score of more than one seed, so that the differences may be chance."]
    if seeds == 1:
        return [
            "No winner: with one seed per config the differences may be chance. "
            f"Repeat with --seeds {FEWEST_SEEDS} or more; configs are listed by score."
        ]
    if len(top) == 1:
        return []
    others = "" if len(ranking.groups) > 1 or ranking.untested else " (these are all configs)"
    return [
        f"No single winner: {listed(top)} do not differ significantly at {plural(seeds, 'seed')} per config{others}."
    ]


def doubt_words(kind: VerdictKind) -> str:
    """What the verdict of the config to take means for a long run; empty where it raises no doubt."""
    if kind is VerdictKind.UNSTABLE:
        return (
            "Its learning is unstable: a long run may lose what it learned, so judge it by its evaluations and use "
            "best.zip, the checkpoint of the best one."
        )
    return f"Its verdict is still {kind}." if kind in NOT_WORTH_A_LONG_RUN else ""


def _consistency(ranking: Ranking) -> list[str]:
    """Whether the configs perform alike; unknown with one seed each."""
    means = [float(np.mean(scores)) for scores in ranking.scores if len(scores) >= FEWEST_SEEDS]
    if len(means) < 2 or len(means) < len(ranking.scores):
        return []
    span = f"mean score from {number(min(means))} to {number(max(means))}"
    if len(ranking.groups) == 1:
        return [
            f"The configs perform alike ({span}): their differences matter little here, or there are too few seeds."
        ]
    return [f"The configs differ ({span}, {len(ranking.groups)} significantly different groups)."]


def _fastest(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> list[str]:
    """The config of the best group that learned in far fewer env steps than the others there; of few seeds, nothing."""
    best = assessment.ranking.groups[0] if assessment.ranking.groups else ()
    rising = sorted(
        (judged.figures.steps_to_90, recorded[index].name, _steps_of_seeds(judged))
        for index, judged in enumerate(assessment.configs)
        if index in best
        and judged.figures.steps_to_90 is not None
        and len(judged.figures.counted) >= FEWEST_SEEDS
        and judged.figures.updates >= TOO_FEW_UPDATES
        and judged.figures.trend is not None
        and judged.figures.trend.direction is Direction.RISING
        and not judged.is_dead
    )
    if len(rising) < 2:
        return []
    (steps, name, of_first), (next_steps, _, of_second) = rising[:2]
    if min(len(of_first), len(of_second)) < FEWEST_SEEDS:
        return []
    spread = math.sqrt((np.var(of_first, ddof=1) + np.var(of_second, ddof=1)) / 2)
    if next_steps < FAR_FASTER * steps or next_steps - steps <= spread:
        return []
    return [f"{name} converged fastest of the best: 90% of its gain after {steps:,.0f} env steps."]


def _steps_of_seeds(judged: ConfigAssessment) -> tuple[float, ...]:
    return tuple(seed.steps_to_90 for seed in judged.figures.counted if seed.steps_to_90 is not None)
