"""The pick of a sweep, written as the agent's next version: `rlsweep.promote`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from rlsweep.analysis.intervals import Estimate
from rlsweep.analysis.wording import limits, number, plural
from rlsweep.api.opening import database_of
from rlsweep.api.references import find_sweep_or_run
from rlsweep.api.runs import Run
from rlsweep.api.settling import settle_all_abandoned
from rlsweep.api.sweeps import Sweep
from rlsweep.errors import InputError, NotFoundError
from rlsweep.runs import TrainingRun
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep as SweepRecord
from rlsweep.sweep_records import SweepStatus

if TYPE_CHECKING:
    from rlsweep.reports.comparison import Comparison
    from rlsweep.reports.pick import Pick
    from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """An agent config that was written.

    path: of the new file; keeps_comments: whether it is the text of the file that was trained, with its comments
    config: name of the config that was taken; standing: how sure that is, as a clause; is_winner: told from all others
    sweep: name of its sweep; None for a run without one
    seeds: that the score is the mean over; score_definition: what the score is; risk: as a race states it
    command: trains the new version for long
    """

    path: Path
    agent_id: str
    version: int
    keeps_comments: bool
    config: str
    standing: str
    is_winner: bool
    sweep: str | None
    run_ids: tuple[UUID, ...]
    seeds: tuple[int, ...]
    score: Estimate | None
    score_definition: str
    risk: float | None
    command: str


def promote(
    reference: "Sweep | Run | UUID | str" = "latest",
    *,
    name: str | None = None,
    folder: str | Path | None = None,
    settings: Settings | None = None,
) -> Promotion:
    """Write the next version of an agent's config with the hyperparameters of a sweep's pick, or of a run.

    reference: a sweep, of which what its race takes, its winner or the first by score is taken; or a run of the config
    name: of the new file, as `ppo_agent_v2`; by default the agent's next free version
    folder: to write into; by default that of the config, or the current one if it has no file

    The file never replaces another. Raises NotFoundError, and InputError where nothing is finished or the file exists.
    """
    settings = settings or Settings.from_environ()
    database = database_of(settings)
    settle_all_abandoned(database)
    found = _found(database, reference)
    sweep, run = (found, None) if isinstance(found, SweepRecord) else (_sweep_of(database, found), found)
    report, pick = _pick(database, sweep, run)
    return _write(database, sweep, report, pick, name=name, folder=folder)


def _found(database: "Database", reference: "Sweep | Run | UUID | str") -> "SweepRecord | TrainingRun":
    from rlsweep.api.references import find_sweep

    text = str(reference.id if isinstance(reference, Sweep | Run) else reference)
    try:
        return find_sweep_or_run(database, text)
    except NotFoundError:
        find_sweep(database, text)  # says so where there is no sweep at all
        raise


def _sweep_of(database: "Database", run: TrainingRun) -> SweepRecord | None:
    from rlsweep.store import sweeps

    return None if run.sweep_id is None else sweeps.get(database, run.sweep_id)


def _pick(database: "Database", sweep: SweepRecord | None, run: TrainingRun | None) -> "tuple[Comparison, Pick]":
    from rlsweep.reports.pick import pick_of, pick_of_run
    from rlsweep.reports.summary import compare, summarise

    if sweep is None:
        assert run is not None
        report = compare(database, [run])
        return report, pick_of_run(report, run.id)
    judged = summarise(database, sweep)
    answers = (judged.race, judged.race_lines, judged.asha, judged.population)
    pick = pick_of(judged, *answers) if run is None else pick_of_run(judged, run.id)
    if pick is None:
        go_on = "retry" if sweep.status is SweepStatus.FAILED else "resume"
        raise InputError(
            f"Sweep {sweep.name} has no completed run with an episode, so there is nothing to promote. "
            f"`rlsweep status {sweep.name}` shows its runs; `rlsweep {go_on} {sweep.name}` goes on with them."
        )
    return judged, pick


def _write(
    database: "Database",
    sweep: SweepRecord | None,
    report: "Comparison",
    pick: "Pick",
    *,
    name: str | None,
    folder: str | Path | None,
) -> Promotion:
    from rlsweep.config.promotion import next_name, promoted_text, stem_of, write_new
    from rlsweep.config.run import RunConfig
    from rlsweep.reports.commands import train_file
    from rlsweep.store import training_runs

    config = pick.config
    run = training_runs.get(database, config.seeds[0].run_id)
    trained = RunConfig.from_record(run.config).agent
    original = None if run.config_path is None else Path(run.config_path)
    into = Path(folder) if folder is not None else _home_of(original, sweep)
    agent_id, version = _next(database, into, run, name)
    path = into / f"{stem_of(agent_id, version)}.yaml"
    target = trained.model_copy(
        update={
            "agent_id": agent_id,
            "name": next_name(trained.name, version),
            "version": version,
            "sweep_variant": None,
            "description": _description(sweep, report, pick),
        }
    )
    text, keeps = promoted_text(
        target,
        original,
        defaults={} if sweep is None else sweep.base_config.get("hyperparameters") or {},
        overrides=() if sweep is None else sweep.overrides,
    )
    write_new(path, text)
    return Promotion(
        path=path,
        agent_id=agent_id,
        version=version,
        keeps_comments=keeps,
        config=config.name,
        standing=pick.standing,
        is_winner=pick.is_winner,
        sweep=None if sweep is None else sweep.name,
        run_ids=tuple(seed.run_id for seed in config.seeds),
        seeds=_seeds(pick),
        score=config.score_estimate,
        score_definition=report.scored_by.definition,
        risk=pick.risk,
        command=train_file(path, run, sweep),
    )


def _home_of(original: Path | None, sweep: SweepRecord | None) -> Path:
    """The folder of the config's file, or of the base that it was drawn next to, if it exists; else the current one."""
    if original is None and sweep is not None and sweep.space is not None and sweep.space["base"] is not None:
        original = Path(sweep.space["base"])
    return original.parent if original is not None and original.parent.is_dir() else Path.cwd()


def _next(database: "Database", folder: Path, run: TrainingRun, name: str | None) -> tuple[str, int]:
    """Agent and version of the new file: as it is named, or the version after those in the folder and on record."""
    from rlsweep.config.promotion import latest_version, parsed_stem
    from rlsweep.store import training_runs

    if name is not None:
        return parsed_stem(name)
    taken = (latest_version(folder, run.agent_id), training_runs.latest_version(database, run.agent_id))
    return run.agent_id, 1 + max(run.version, *taken)


def _seeds(pick: "Pick") -> tuple[int, ...]:
    return tuple(seed.seed for seed in pick.config.seeds if seed.score is not None)


def _description(sweep: SweepRecord | None, report: "Comparison", pick: "Pick") -> str:
    """Where it comes from, in one line."""
    of = "" if sweep is None else f" of sweep {sweep.name}"
    budget = "" if report.budget is None else f" of {limits(report.budget)}"
    parts = [f"{pick.config.name}{of}: {pick.standing}"]
    if pick.config.score_estimate is not None:
        seeds = _seeds(pick)
        parts.append(
            f"score {scored(pick.config.score_estimate)}, {report.scored_by.definition}, over "
            f"{plural(len(seeds), 'seed')}{_numbers(seeds)}{budget}"
        )
    if pick.risk_text is not None:
        parts.append(f"risk: {pick.risk_text}")
    return "; ".join(parts)


def _numbers(seeds: Sequence[int]) -> str:
    return f" ({', '.join(map(str, seeds))})" if seeds else ""


def scored(score: Estimate) -> str:
    """`0.85 (95% from 0.79 to 0.92)`."""
    interval = score.interval
    within = "" if interval is None else f" (95% from {number(interval.low)} to {number(interval.high)})"
    return f"{number(score.mean)}{within}"
