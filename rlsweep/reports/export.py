"""Everything a sweep recorded, as files for other tools: one a table, joined by `run_id`."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
from pyarrow import csv, parquet

from rlsweep.errors import InputError
from rlsweep.reports.formats import ExportFormat
from rlsweep.reports.tables import episodes_table, evaluations_table, runs_table, updates_table
from rlsweep.store import training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep


def export(database: Database, sweep: Sweep, file_format: ExportFormat, folder: Path) -> tuple[Path, ...]:
    """Write runs, episodes, updates and evaluations into `folder`, made if need be; return the four files.

    What is missing or not finite is null (empty in CSV). Files of an earlier export are replaced, each at once when
    its successor is complete. Raises InputError where the folder cannot be written.
    """
    runs = training_runs.of_sweep(database, sweep.id)
    tables = {
        "runs": runs_table(database, runs),
        "episodes": episodes_table(database, runs),
        "updates": updates_table(database, runs),
        "evaluations": evaluations_table(database, runs),
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
