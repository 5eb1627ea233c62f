"""What Training History shows of one run with all that is known of it, and of sweeps."""

import time
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from rlsweep.analysis.curves import aligned
from rlsweep.analysis.figures import SeedFigures, seed_figures
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.progress import done_by_status, total_seconds_left
from rlsweep.analysis.scores import definition
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.wording import number, percent, signed
from rlsweep.config.differences import flat_record
from rlsweep.reports.commands import go_on, train_again, train_long
from rlsweep.reports.records import seed_record
from rlsweep.runs import Budget, Checkpoint, Evaluation, RunStatus, TrainingRun
from rlsweep.store import sweep_listing, sweeps, training_runs
from rlsweep.store.charts import fingerprint
from rlsweep.store.curves import checkpoints_of, recorded_of
from rlsweep.store.database import Database
from rlsweep.store.overview import overview
from rlsweep.store.sweep_listing import Standing
from rlsweep.sweep_records import Sweep, SweepStatus

SPARKLINE_POINTS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseConfig:
    """The base config that a variant is set against. source: where it was found, in words."""

    name: str
    run_id: UUID
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A hyperparameter, by its dotted key, in which a run differs from its agent's base config."""

    key: str
    value: Any
    base: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistic:
    """A figure. text: as people read it."""

    name: str
    label: str
    value: float | None
    unit: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedPolicy(Checkpoint):
    """A checkpoint, and the command that goes on from it; null where a trial of a sweep is complete."""

    resume_command: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduction:
    """How to train the run again.

    command: trains it anew, alone; recorded_command: what was typed when it was trained
    """

    command: str
    recorded_command: str | None
    git_commit: str | None
    git_dirty: bool | None
    versions: dict[str, str]
    seed: int
    host: str | None
    engine: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDetail(TrainingRun):
    """A training run with all that its page shows.

    score, score_definition: as in lists; score_win_rate: share of wins in the same episodes
    description, hyperparameters: of its agent config; hyperparameters by their dotted keys
    base: the base config that a variant is set against; null where there is none
    reproduce, long_run_command: how to train it again, or for long
    """

    score: float | None
    score_definition: str | None
    score_win_rate: float | None
    description: str
    hyperparameters: dict[str, Any]
    base: BaseConfig | None
    differs_from_base: tuple[Difference, ...]
    statistics: tuple[Statistic, ...]
    checkpoints: tuple[SavedPolicy, ...]
    evaluations: tuple[Evaluation, ...]
    reproduce: Reproduction
    long_run_command: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepRow:
    """A sweep as lists show it.

    seconds: from its submission to its end, or to now by the server's clock
    runs_by_status: a status that none has is left out
    episodes, env_steps: over all runs
    progress: the part that is done of what all runs are to train, 0 to 1; done_by_status: the same in runs, by status
    note, tags: what people wrote about it; note_version: number of changes of either
    """

    id: UUID
    name: str
    status: SweepStatus
    mode: str
    budget: Budget
    environment: str | None
    created_at: datetime
    finished_at: datetime | None
    seconds: float
    runs_by_status: dict[RunStatus, int]
    runs: int
    episodes: int
    env_steps: int
    progress: float
    done_by_status: dict[RunStatus, float]
    note: str
    tags: tuple[str, ...]
    note_version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepDetail(SweepRow):
    """A sweep with all that is known of it.

    driver: host, process id and a suffix of what drives it; driver_lost: it holds the sweep but has fallen silent
    eta_seconds: a guess at the time to its end; null where nothing runs
    run_ids: in the order of the plan
    """

    patterns: tuple[str, ...]
    seeds: tuple[int, ...]
    overrides: tuple[str, ...]
    git_commit: str | None
    git_dirty: bool | None
    versions: dict[str, str]
    base_config: dict[str, Any]
    base_config_path: str | None
    driver: str | None
    heartbeat_at: datetime | None
    driver_lost: bool
    eta_seconds: float | None
    run_ids: tuple[UUID, ...]


def run_mark(database: Database, run: TrainingRun) -> str:
    """What changes whenever the run's detail does, at a fraction of the work; that of a running one always does."""
    base = None if run.sweep_variant is None else training_runs.base_of(database, run)
    parts = [fingerprint(database, [run.id]), len(checkpoints_of(database, run.id)), base and base.id]
    parts.append(run.note_version)
    return f"{parts} {time.time_ns() if run.status is RunStatus.RUNNING else ''}"


def run_detail(database: Database, run: TrainingRun) -> RunDetail:
    """A run with all that is known of it."""
    sweep = None if run.sweep_id is None else sweeps.get(database, run.sweep_id)
    agent = run.config.get("agent", {})
    hyperparameters = flat_record(agent)
    base = None if run.sweep_variant is None else training_runs.base_of(database, run)
    recorded = recorded_of(database, [run.id])[run.id]
    record = seed_record(run, recorded)
    figures = seed_figures(record)
    source = next(iter(figures.scores), None)
    return RunDetail(
        **{field.name: getattr(run, field.name) for field in fields(TrainingRun)},
        score=None if source is None else figures.scores[source],
        score_definition=None if source is None else definition(Objective.EVALUATION_REWARD, source),
        score_win_rate=None if source is None else figures.win_rates.get(source),
        description=str(agent.get("description") or ""),
        hyperparameters=hyperparameters,
        base=None if base is None else _base_config(run, base),
        differs_from_base=() if base is None else _differences(hyperparameters, base),
        statistics=_statistics(run, record, figures),
        checkpoints=tuple(
            SavedPolicy(**asdict(checkpoint), resume_command=go_on(run, checkpoint))
            for checkpoint in checkpoints_of(database, run.id)
        ),
        evaluations=tuple(recorded.evaluations),
        reproduce=_reproduction(run, sweep),
        long_run_command=train_long(run, sweep),
    )


def sweep_row(standing: Standing) -> SweepRow:
    """A sweep as lists show it."""
    return SweepRow(**_sweep_values(standing))


def sweep_detail(database: Database, reference: str) -> SweepDetail:
    """A sweep by its id, the start of it, or its name. Raises NotFoundError."""
    sweep = sweeps.get(database, reference)
    return SweepDetail(
        **_sweep_values(sweep_listing.standing(database, sweep)),
        patterns=sweep.patterns,
        seeds=sweep.seeds,
        overrides=sweep.overrides,
        git_commit=sweep.git_commit,
        git_dirty=sweep.git_dirty,
        versions=sweep.versions,
        base_config=sweep.base_config,
        base_config_path=sweep.base_config_path,
        driver=sweep.driver,
        heartbeat_at=sweep.heartbeat_at,
        driver_lost=not sweep.status.is_finished and sweeps.lost_driver(database, sweep.id) is not None,
        eta_seconds=None if sweep.status.is_finished else total_seconds_left(overview(database, sweep.id)),
        run_ids=tuple(training_runs.ids_of_sweep(database, sweep.id)),
    )


def _sweep_values(standing: Standing) -> dict[str, Any]:
    sweep, runs = standing.sweep, sum(standing.runs_by_status.values())
    done = done_by_status(standing.runs_by_status, standing.trained)
    return {
        "id": sweep.id,
        "name": sweep.name,
        "status": sweep.status,
        "mode": sweep.mode,
        "budget": sweep.budget,
        "environment": _environment(sweep.base_config),
        "created_at": sweep.created_at,
        "finished_at": sweep.finished_at,
        "seconds": standing.seconds,
        "runs_by_status": standing.runs_by_status,
        "runs": runs,
        "episodes": standing.episodes,
        "env_steps": standing.env_steps,
        "progress": sum(done.values()) / max(1, runs),
        "done_by_status": done,
        "note": sweep.note,
        "tags": sweep.tags,
        "note_version": sweep.note_version,
    }


def _environment(training: dict[str, Any]) -> str | None:
    """The environment's id in a training config as it is on record."""
    environment = training.get("environment")
    return str(environment["id"]) if isinstance(environment, dict) and "id" in environment else None


def _base_config(run: TrainingRun, base: TrainingRun) -> BaseConfig:
    same = base.sweep_id is not None and base.sweep_id == run.sweep_id
    source = "the base config in the same sweep" if same else "the newest run of this agent's base config"
    return BaseConfig(name=base.config_short_name, run_id=base.id, source=source)


def _differences(ours: dict[str, Any], base: TrainingRun) -> tuple[Difference, ...]:
    theirs = flat_record(base.config.get("agent", {}))
    return tuple(
        Difference(key=key, value=ours.get(key), base=theirs.get(key))
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key)
    )


def _statistics(run: TrainingRun, record: SeedRecord, figures: SeedFigures) -> tuple[Statistic, ...]:
    """The run in figures beside its score; those that cannot be told yet have no value."""
    curve = aligned([(record.env_steps, record.reward)])
    found: list[Statistic] = []

    def add(name: str, label: str, value: float | None, unit: str = "", write: Any = number) -> None:
        text = "–" if value is None else f"{write(value)} {unit}".strip()
        found.append(Statistic(name=name, label=label, value=value, unit=unit, text=text))

    add("first_reward", "Training reward, mean of the first fifth", figures.first.mean if figures.first else None)
    add("last_reward", "Training reward, mean of the last fifth", figures.last.mean if figures.last else None)
    add("gain", "Gain in training reward", figures.gain, write=signed)
    add("best_reward", "Best rolling mean of training reward", None if curve is None else float(curve.reward.max()))
    add("reward_sd", "Scatter between episodes, last fifth", figures.last.sd if figures.last else None)
    add("win_rate", "Win rate, all training episodes", figures.win_rate, write=percent)
    for source, rate in figures.win_rates.items():
        words = definition(Objective.WIN_RATE, source)
        add(f"{source}_win_rate", f"{words[0].upper()}{words[1:]}", rate, write=percent)
    add("mean_length", "Mean episode length", float(record.length.mean()) if record.length.size else None, "steps")
    add("episodes", "Episodes", run.episodes, write=_count)
    add("env_steps", "Env steps", run.env_steps, write=_count)
    add("updates", "Policy updates", run.updates, write=_count)
    add("steps_per_second", "Speed", run.steps_per_second, "env steps/s")
    return tuple(found)


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _reproduction(run: TrainingRun, sweep: Sweep | None) -> Reproduction:
    metadata = run.metadata
    return Reproduction(
        command=train_again(run, sweep),
        recorded_command=metadata.get("command"),
        git_commit=metadata.get("git_commit"),
        git_dirty=metadata.get("git_dirty"),
        versions=metadata.get("versions", {}),
        seed=run.seed,
        host=metadata.get("host"),
        engine=metadata.get("engine"),
    )
