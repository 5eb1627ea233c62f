"""What each config of a comparison is set against: the base config, or else the runner-up; and the difference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rlsweep.analysis.intervals import Estimate
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.paired import paired_difference
from rlsweep.analysis.wording import number, plural, signed
from rlsweep.reports.config_report import ConfigReport
from rlsweep.runs import RunStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The config that the others are set against. is_base: it is the base config; else the runner-up."""

    name: str
    is_base: bool

    @property
    def words(self) -> str:
        """`the base config a_v1`, or `the runner-up a_lr_high`."""
        return f"the {'base config' if self.is_base else 'runner-up'} {self.name}"


def reference_of(configs: Sequence[ConfigReport], take: str | None, objective: Objective) -> Reference | None:
    """The base config where it has a score, else the runner-up of the config to take; None without either."""
    base = next((config for config in configs if config.is_base and config.score is not None), None)
    found = base or runner_up(configs, take, objective)
    return None if found is None else Reference(name=found.name, is_base=found.is_base)


def runner_up(configs: Sequence[ConfigReport], take: str | None, objective: Objective) -> ConfigReport | None:
    """The config with the best score beside the one to take, or beside the first where none is taken."""
    first = take or next((config.name for config in configs), None)
    others = [config for config in configs if config.name != first and config.score is not None]
    return max(others, key=lambda config: objective.signed(config.score or 0.0), default=None)


def with_differences(configs: Sequence[ConfigReport], reference: Reference | None) -> tuple[ConfigReport, ...]:
    """The configs with their differences to the reference, which has none to itself."""
    other = next((config for config in configs if reference is not None and config.name == reference.name), None)
    return tuple(
        config if other is None or config is other else replace(config, difference=difference(config, other))
        for config in configs
    )


def difference(ours: ConfigReport, theirs: ConfigReport) -> Estimate | None:
    """Ours less theirs, by the seeds that both have a score of."""
    return paired_difference(counted_scores(ours), counted_scores(theirs))


def difference_words(found: Estimate) -> str:
    """`+0.12 (95% 0.05 to 0.19, 3 equal seeds)`."""
    seeds = plural(found.seeds, "equal seed")
    if found.interval is None:
        return f"{signed(found.mean)} ({seeds}: no interval)"
    return f"{signed(found.mean)} (95% {number(found.interval.low)} to {number(found.interval.high)}, {seeds})"


def counted_scores(config: ConfigReport) -> dict[int, float]:
    """By seed: the scores that enter the config's mean."""
    left_out = (RunStatus.FAILED, RunStatus.PAUSED)
    return {seed.seed: seed.score for seed in config.seeds if seed.score is not None and seed.status not in left_out}
