"""Findings about a whole sweep, and the next steps."""

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlsweep.analysis.intervals import FEWEST_SEEDS
from rlsweep.analysis.ranking import Ranking
from rlsweep.analysis.sweeps import ConfigAssessment, SweepAssessment
from rlsweep.analysis.trends import Direction
from rlsweep.analysis.update_counts import GOOD_UPDATES, TOO_FEW_UPDATES
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.analysis.wording import number, plural
from rlsweep.reports.commands import train_long
from rlsweep.reports.records import ConfigRuns
from rlsweep.runs import TrainingRun
from rlsweep.sweep_records import Sweep

PLACES = (
    ("Compare the learning curves in Training History, http://localhost:5173/training", "rlsweep serve"),
    ("Or in TensorBoard", "rlsweep tensorboard {sweep}"),
    ("Export data", "rlsweep export {sweep} --format csv"),
)
"""Next steps as (purpose, command); a new page adds one line."""

FAR_FASTER = 1.25
"""Times the env steps of the fastest config that the next one must take before the difference is told."""

_NOT_WORTH_A_LONG_RUN = (VerdictKind.FAILED, VerdictKind.UNSTABLE, VerdictKind.NOT_IMPROVING, VerdictKind.CLEARLY_WORSE)


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """What for, and the command."""

    text: str
    command: str


def findings(recorded: Sequence[ConfigRuns], assessment: SweepAssessment, *, is_race: bool = False) -> tuple[str, ...]:
    """Sentences about the sweep, the most important first; what a race has decided is said by its answer."""
    if all(not judged.figures.counted for judged in assessment.configs):
        return ("No config has a finished episode in a run that did not fail.",)
    if all(judged.figures.updates < TOO_FEW_UPDATES for judged in assessment.configs):
        return tuple(_budget(recorded, assessment))
    if is_race:
        return (*_budget(recorded, assessment), *_fastest(recorded, assessment))
    return (
        *_budget(recorded, assessment),
        *_best(recorded, assessment),
        *_consistency(assessment.ranking),
        *_fastest(recorded, assessment),
    )


def next_steps(
    sweep: Sweep | None,
    recorded: Sequence[ConfigRuns],
    assessment: SweepAssessment,
    sweep_of: Callable[[TrainingRun], Sweep | None],
    *,
    take: str | None = None,
) -> tuple[NextStep, ...]:
    """Where the curves are, and the next version and the long run of the config to choose, if there is one to choose.

    sweep: that all runs are of; None where they were chosen freely
    take: name of the config that a race takes
    """
    places = PLACES if sweep is not None else ()
    name = "" if sweep is None else shlex.quote(sweep.name)
    steps = [NextStep(text=text, command=command.format(sweep=name)) for text, command in places]
    raced = next((index for index, config in enumerate(recorded) if config.name == take), None)
    chosen = _choice(recorded, assessment) if raced is None else raced
    if chosen is not None:
        config = recorded[chosen]
        what = "which the race takes" if raced is not None else _standing(assessment.ranking)
        if sweep is not None and chosen in (raced, assessment.ranking.winner):
            text = f"Write {config.name} ({what}) as the agent's next version"
            steps.append(NextStep(text=text, command=f"rlsweep promote {name}"))
        text = f"Train {config.name} ({what}) for long"
        steps.append(NextStep(text=text, command=train_long(config.runs[0], sweep_of(config.runs[0]))))
    return tuple(steps)


def _budget(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> list[str]:
    short = [
        _episodes_needed(config, judged)
        for config, judged in zip(recorded, assessment.configs, strict=True)
        if judged.figures.counted and judged.figures.updates < TOO_FEW_UPDATES
    ]
    if not short:
        return []
    which = "every config" if len(short) == len(recorded) else f"{len(short)} of {len(recorded)} configs"
    return [
        f"The budget was too short: fewer than about {GOOD_UPDATES} policy updates for {which}. "
        f"About {max(short):,} episodes per trial give {GOOD_UPDATES}."
    ]


def _episodes_needed(config: ConfigRuns, judged: ConfigAssessment) -> int:
    """Episodes, rounded up to two digits, that hold ten rollouts at the episode length seen."""
    settings = config.runs[0].config
    counted = judged.figures.counted
    length = sum(seed.env_steps for seed in counted) / sum(seed.episodes for seed in counted)
    rollout = settings["agent"]["n_steps"] * settings["training"]["n_envs"]
    needed = GOOD_UPDATES * rollout / length
    unit = 10 ** max(0, math.floor(math.log10(max(needed, 1))) - 1)
    return int(math.ceil(needed / unit) * unit)


def _best(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> list[str]:
    ranking = assessment.ranking
    if len(recorded) < 2 or not ranking.groups:
        return []
    top = [recorded[index].name for index in ranking.groups[0]]
    if ranking.winner is not None:
        kind = assessment.configs[ranking.winner].verdict.kind
        doubt = f" Its verdict is still {kind}." if kind in _NOT_WORTH_A_LONG_RUN else ""
        return [
            f"{top[0]} is the winner: its score is significantly better than every other config's "
            f"({ranking.definition}; Welch's t tests over seeds, Holm's correction, 5%).{doubt}"
        ]
    seeds = max(len(scores) for scores in ranking.scores)
    if seeds == 1:
        return [
            "No winner: with one seed per config the differences may be chance. "
            f"Repeat with --seeds {FEWEST_SEEDS} or more; configs are listed by score."
        ]
    if len(top) == 1:
        return []
    others = "" if len(ranking.groups) > 1 else " (these are all configs)"
    return [
        f"No single winner: {_listed(top)} do not differ significantly at {plural(seeds, 'seed')} per config{others}."
    ]


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
        (judged.figures.steps_to_90, recorded[index].name)
        for index, judged in enumerate(assessment.configs)
        if index in best
        and judged.figures.steps_to_90 is not None
        and len(judged.figures.counted) >= FEWEST_SEEDS
        and judged.figures.updates >= TOO_FEW_UPDATES
        and judged.figures.trend is not None
        and judged.figures.trend.direction is Direction.RISING
        and not judged.is_dead
    )
    if len(rising) < 2 or rising[1][0] < FAR_FASTER * rising[0][0]:
        return []
    steps, name = rising[0]
    return [f"{name} converged fastest of the best: 90% of its gain after {steps:,.0f} env steps."]


def _choice(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> int | None:
    """The best config that is worth a long run: of a tie the base config, which needs no new reason, else the best."""
    ranking = assessment.ranking
    worth = [
        index
        for group in ranking.groups[:1]
        for index in group
        if assessment.configs[index].verdict.kind not in _NOT_WORTH_A_LONG_RUN
        and assessment.configs[index].figures.updates >= TOO_FEW_UPDATES
    ]
    promising = [index for index in worth if assessment.configs[index].verdict.kind is VerdictKind.PROMISING]
    bases = [index for index in worth if recorded[index].runs[0].sweep_variant is None]
    return next(iter([*promising, *bases, *worth]), None)


def _standing(ranking: Ranking) -> str:
    """What the config to choose is among the others."""
    if ranking.winner is not None:
        return "the winner"
    if len(ranking.groups) > 1:
        return "one of the best"
    return "tied with the others" if len(ranking.ranks) > 1 else "the only config"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
