"""What the values of updates say of the training of runs and configs: findings in words, and strips for a page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from rlsweep.analysis.curves import CURVE_POINTS
from rlsweep.analysis.diagnosis.rules import FEWEST_UPDATES, Finding, findings
from rlsweep.analysis.diagnosis.series import UpdateSeries, known_steps, series_of, settings_of
from rlsweep.analysis.diagnosis.strips import Strip, reward_cells, strips
from rlsweep.analysis.diagnosis.zones import STRIP_METRICS, StripMetric, Zone
from rlsweep.analysis.sweeps import ConfigRecord
from rlsweep.analysis.wording import of_seeds, plural
from rlsweep.reports.records import ConfigRuns, by_config
from rlsweep.runs import EndReason, TrainingRun
from rlsweep.store.charts import RewardMeans, reward_means
from rlsweep.store.curves import UpdateColumns, updates_of
from rlsweep.store.database import Database

_ZONE_WORDS = {Zone.USUAL: "usual", Zone.UNUSUAL: "unusual", Zone.FAR: "far from usual"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigFinding:
    """A rule that holds for runs of a config.

    seeds: of those runs, out of `of`; since: the earliest update from which it holds in one of them
    sentence: the fact and the cure, of that run; text: with how many seeds
    """

    rule: str
    title: str
    seeds: tuple[int, ...]
    of: int
    since: int
    sentence: str
    text: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigHealth:
    """A config with something wrong in its training."""

    name: str
    findings: tuple[ConfigFinding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownBand:
    """Values of one zone, as a legend has them: `far from usual: 0.1 and more`."""

    zone: Zone
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownMetric:
    """A metric of updates. judged: what the bands are of; source: where their limits are from."""

    name: str
    label: str
    judged: str
    bands: tuple[ShownBand, ...]
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedFindings:
    """One run of a config, with what is wrong with it."""

    run_id: UUID
    seed: int
    updates: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigDiagnosis:
    """One config.

    env_steps: of its longest run at the last update; strips and reward (the mean over its runs) go from 0 to there
    note: what cannot be judged, and why; None where all can
    """

    name: str
    is_base: bool
    findings: tuple[ConfigFinding, ...]
    env_steps: int
    reward: tuple[float | None, ...]
    strips: tuple[Strip, ...]
    runs: tuple[SeedFindings, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepDiagnosis:
    """All configs, those with findings first. summary: one sentence."""

    summary: str
    metrics: tuple[ShownMetric, ...]
    configs: tuple[ConfigDiagnosis, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDiagnosis:
    """One run; fields as in `ConfigDiagnosis`."""

    run_id: UUID
    seed: int
    updates: int
    summary: str
    metrics: tuple[ShownMetric, ...]
    findings: tuple[Finding, ...]
    env_steps: int
    reward: tuple[float | None, ...]
    strips: tuple[Strip, ...]
    note: str | None


class HealthWatch:
    """Judges the training of configs while their records pass by."""

    def __init__(self) -> None:
        self._found: list[ConfigHealth] = []

    @property
    def found(self) -> tuple[ConfigHealth, ...]:
        """The configs with something wrong, of those that have passed."""
        return tuple(self._found)

    def watch(self, configs: Sequence[ConfigRuns], records: Iterable[ConfigRecord]) -> Iterator[ConfigRecord]:
        """The records, none of which is held on to."""
        for config, record in zip(configs, records, strict=True):
            found = [
                findings(series_of(seed, settings_of(run.config, seed.update_steps)))
                for run, seed in zip(config.runs, record.seeds, strict=True)
            ]
            if any(found):
                seeds = [run.seed for run in config.runs]
                self._found.append(ConfigHealth(name=config.name, findings=_over_seeds(seeds, found)))
            yield record


def sweep_diagnosis(database: Database, runs: Sequence[TrainingRun]) -> SweepDiagnosis:
    """The diagnosis of every config among the runs."""
    series = dict(zip([run.id for run in runs], _read(database, runs), strict=True))
    configs = [_config_diagnosis(config, [series[run.id] for run in config.runs]) for config in by_config(runs)]
    configs.sort(key=lambda config: not config.findings)
    return SweepDiagnosis(summary=_summary_of_configs(configs), metrics=shown_metrics(), configs=tuple(configs))


def run_diagnosis(database: Database, run: TrainingRun) -> RunDiagnosis:
    """The diagnosis of one run."""
    (series,) = _read(database, [run])
    found = findings(series)
    return RunDiagnosis(
        run_id=run.id,
        seed=run.seed,
        updates=series.updates,
        summary=_summary(bool(found), series),
        metrics=shown_metrics(),
        findings=found,
        env_steps=_end([series]),
        reward=reward_cells([series]),
        strips=strips([series]),
        note=_note([series]),
    )


def shown_metrics() -> tuple[ShownMetric, ...]:
    """The metrics, in the order of the strips."""
    return tuple(
        ShownMetric(
            name=metric.name,
            label=metric.label,
            judged=metric.judged,
            bands=tuple(_shown_bands(metric)),
            source=metric.source,
        )
        for metric in STRIP_METRICS
    )


def _shown_bands(metric: StripMetric) -> Iterator[ShownBand]:
    above = -np.inf
    for band in metric.bands:
        if not np.isfinite(above):
            limits = f"below {band.below:g}"
        elif not np.isfinite(band.below):
            limits = f"{above:g} and more"
        else:
            limits = f"{above:g} to {band.below:g}"
        yield ShownBand(zone=band.zone, text=f"{_ZONE_WORDS[band.zone]}: {limits}")
        above = band.below


def _read(database: Database, runs: Sequence[TrainingRun]) -> list[UpdateSeries]:
    ids = [run.id for run in runs]
    if not ids:
        return []
    updates = updates_of(database, ids)
    rewards = reward_means(database, ids, CURVE_POINTS)
    return [_series(run, updates[run.id], rewards[run.id]) for run in runs]


def _series(run: TrainingRun, updates: UpdateColumns, rewards: RewardMeans) -> UpdateSeries:
    settings = settings_of(run.config, updates.env_steps)
    return UpdateSeries(
        settings=settings,
        update_steps=updates.env_steps,
        approx_kl=updates.approx_kl,
        clip_fraction=updates.clip_fraction,
        entropy=updates.entropy,
        explained_variance=updates.explained_variance,
        gradient_steps=known_steps(updates.gradient_steps, settings),
        policy_loss=updates.policy_loss,
        value_loss=updates.value_loss,
        reward_steps=rewards.env_steps,
        reward=rewards.mean,
        diverged=run.end_reason is EndReason.DIVERGED,
    )


def _config_diagnosis(config: ConfigRuns, series: Sequence[UpdateSeries]) -> ConfigDiagnosis:
    found = [findings(each) for each in series]
    return ConfigDiagnosis(
        name=config.name,
        is_base=config.is_base,
        findings=_over_seeds([run.seed for run in config.runs], found),
        env_steps=_end(series),
        reward=reward_cells(series),
        strips=strips(series),
        runs=tuple(
            SeedFindings(run_id=run.id, seed=run.seed, updates=each.updates, findings=holding)
            for run, each, holding in zip(config.runs, series, found, strict=True)
        ),
        note=_note(series),
    )


def _over_seeds(seeds: Sequence[int], found: Sequence[Sequence[Finding]]) -> tuple[ConfigFinding, ...]:
    """Put the same rule of several runs together, that of most runs first."""
    by_rule: dict[str, list[tuple[int, Finding]]] = {}
    for seed, holding in zip(seeds, found, strict=True):
        for each in holding:
            by_rule.setdefault(each.rule, []).append((seed, each))
    merged = [_merged(holding, len(seeds)) for holding in by_rule.values()]
    return tuple(sorted(merged, key=lambda finding: -len(finding.seeds)))


def _merged(holding: Sequence[tuple[int, Finding]], of: int) -> ConfigFinding:
    first = min((finding for _, finding in holding), key=lambda finding: finding.since)
    counted = "" if of == 1 else f"{of_seeds(len(holding), of)}: "
    return ConfigFinding(
        rule=first.rule,
        title=first.title,
        seeds=tuple(seed for seed, _ in holding),
        of=of,
        since=first.since,
        sentence=first.sentence,
        text=f"{counted}{first.sentence}",
        source=first.source,
    )


def _end(series: Iterable[UpdateSeries]) -> int:
    return max((int(each.update_steps[-1]) for each in series if each.updates), default=0)


def _summary(has_findings: bool, series: UpdateSeries) -> str:
    if has_findings:
        return "Something is wrong with this run's training."
    if series.updates < FEWEST_UPDATES:
        return f"Its {plural(series.updates, 'update')} cannot be judged: the rules need {FEWEST_UPDATES}."
    return "No rule found anything wrong in the values of this run's updates."


def _summary_of_configs(configs: Sequence[ConfigDiagnosis]) -> str:
    wrong = sum(bool(config.findings) for config in configs)
    if wrong:
        return f"Something is wrong with the training of {wrong} of {plural(len(configs), 'config')}."
    return f"No rule found anything wrong in the updates of {plural(len(configs), 'config')}."


def _note(series: Sequence[UpdateSeries]) -> str | None:
    """What is not judged, and why."""
    short = sum(each.updates < FEWEST_UPDATES for each in series)
    said = []
    if short:
        which = "It has" if len(series) == 1 else f"{short} of {plural(len(series), 'run')} have"
        said.append(f"{which} fewer than the {FEWEST_UPDATES} updates that the rules need.")
    judged = [each for each in series if each.updates]
    if judged and all(not np.isfinite(each.approx_kl).any() for each in judged):
        said.append("Its algorithm records no approximate KL and no clip fraction.")
    if any(np.isnan(each.gradient_steps).any() for each in judged):
        said.append("An older version recorded updates without their gradient steps, which target_kl makes fewer.")
    return " ".join(said) or None
