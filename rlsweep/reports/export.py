"""Everything a sweep recorded, as files for other tools: one a table, joined by `run_id`."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from rlsweep.config.differences import flat_hyperparameters
from rlsweep.config.run import RunConfig
from rlsweep.errors import InputError
from rlsweep.reports.formats import ExportFormat
from rlsweep.runs import Evaluation, Outcome, Sweep, TrainingRun
from rlsweep.store import training_runs
from rlsweep.store.curves import DRAW, LOSS, WIN, EpisodeColumns, UpdateColumns, episodes_of, evaluations_of, updates_of
from rlsweep.store.database import Database

_OUTCOMES = {WIN: Outcome.WIN.value, DRAW: Outcome.DRAW.value, LOSS: Outcome.LOSS.value}

_RUN_COLUMNS: dict[str, pa.DataType] = {
    "config_short_name": pa.string(),
    "config_name": pa.string(),
    "config_path": pa.string(),
    "agent_id": pa.string(),
    "version": pa.int64(),
    "sweep_variant": pa.string(),
    "seed": pa.int64(),
    "status": pa.string(),
    "attempt": pa.int64(),
    "episodes": pa.int64(),
    "updates": pa.int64(),
    "env_steps": pa.int64(),
    "mean_reward": pa.float64(),
    "win_rate": pa.float64(),
    "mean_length": pa.float64(),
    "started_at": pa.timestamp("us", tz="UTC"),
    "ended_at": pa.timestamp("us", tz="UTC"),
    "error": pa.string(),
}

_EVALUATION_TYPES: dict[str, pa.DataType] = {"env_steps": pa.int64(), "episodes": pa.int64(), "is_best": pa.bool_()}


def export(database: Database, sweep: Sweep, file_format: ExportFormat, folder: Path) -> tuple[Path, ...]:
    """Write runs, episodes, updates and evaluations into `folder`, made if need be; return the four files.

    What is missing or not finite is null (empty in CSV). Files of an earlier export are replaced, each at once when
    its successor is complete. Raises InputError where the folder cannot be written.
    """
    runs = training_runs.of_sweep(database, sweep.id)
    ids = [run.id for run in runs]
    episodes, updates = episodes_of(database, ids), updates_of(database, ids)
    evaluations = evaluations_of(database, ids)
    tables = {
        "runs": _runs_table(runs),
        "episodes": _joined(runs, [_episode_table(episodes[run_id]) for run_id in ids]),
        "updates": _joined(runs, [_update_table(updates[run_id]) for run_id in ids]),
        "evaluations": _joined(runs, [_evaluation_table(evaluations[run_id]) for run_id in ids]),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(_write(table, folder / f"{name}.{file_format}") for name, table in tables.items())
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise InputError(f"Cannot write the export to {folder}: {reason}. Name another folder.") from exc


def _write(table: pa.Table, path: Path) -> Path:
    """Write aside and rename, so that nobody reads half a file."""
    write: Callable[[pa.Table, Path], None] = csv.write_csv if path.suffix == ".csv" else parquet.write_table
    aside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        write(table, aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def _runs_table(runs: Sequence[TrainingRun]) -> pa.Table:
    """A row a run: who it is, where it stands, and every hyperparameter by its dotted key, as text."""
    columns: dict[str, pa.Array] = {"run_id": pa.array([str(run.id) for run in runs], pa.string())}
    columns |= {name: pa.array([getattr(run, name) for run in runs], kind) for name, kind in _RUN_COLUMNS.items()}
    settings = [flat_hyperparameters(RunConfig.from_record(run.config).agent) for run in runs]
    for key in dict.fromkeys(key for each in settings for key in each):
        values = [each.get(key) for each in settings]
        columns[key] = pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.table(columns)


def _joined(runs: Sequence[TrainingRun], tables: Sequence[pa.Table]) -> pa.Table:
    """The runs' tables one under the other, each row with its run, config and seed."""
    labelled = []
    for run, table in zip(runs, tables, strict=True):
        who = {"run_id": str(run.id), "config_short_name": run.config_short_name}
        columns = {name: pa.repeat(pa.scalar(value), table.num_rows) for name, value in who.items()}
        columns["seed"] = pa.repeat(pa.scalar(run.seed, pa.int64()), table.num_rows)
        labelled.append(pa.table(columns | {name: table[name] for name in table.column_names}))
    return pa.concat_tables(labelled) if labelled else pa.table({})


def _episode_table(columns: EpisodeColumns) -> pa.Table:
    outcome = pa.array([_OUTCOMES.get(code) for code in columns.outcome.tolist()], pa.string())
    return pa.table(_arrays(columns) | {"outcome": outcome})


def _update_table(columns: UpdateColumns) -> pa.Table:
    return pa.table(_arrays(columns))


def _evaluation_table(evaluations: Sequence[Evaluation]) -> pa.Table:
    names = [field.name for field in fields(Evaluation)]
    return pa.table(
        {
            name: pa.array([getattr(each, name) for each in evaluations], _EVALUATION_TYPES.get(name, pa.float64()))
            for name in names
        }
    )


def _arrays(columns: EpisodeColumns | UpdateColumns) -> dict[str, pa.Array]:
    """Each column as an Arrow array, null where a float is not finite."""
    arrays = {}
    for field in fields(columns):
        values = getattr(columns, field.name)
        arrays[field.name] = pa.array(values, mask=~np.isfinite(values))
    return arrays
