"""Exported files hold what the database holds."""

import csv

import pytest
from pyarrow import parquet

from rlsweep.errors import InputError
from rlsweep.reports.export import export
from rlsweep.reports.formats import ExportFormat
from rlsweep.store import training_runs
from rlsweep.store.curves import episodes_of

pytestmark = pytest.mark.integration

NAMES = ["runs", "episodes", "updates", "evaluations"]


@pytest.fixture
def sweep(record_sweep, course):
    return record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=2)


def test_parquet(database, sweep, tmp_path):
    files = export(database, sweep, ExportFormat.PARQUET, tmp_path / "new" / "folder")
    assert [file.name for file in files] == [f"{name}.parquet" for name in NAMES]
    tables = {file.stem: parquet.read_table(file) for file in files}
    runs = training_runs.of_sweep(database, sweep.id)
    assert tables["runs"]["run_id"].to_pylist() == [str(run.id) for run in runs]
    assert tables["runs"]["learning_rate"].to_pylist() == ["0.0003"] * 2 + ["0.001"] * 2
    assert tables["runs"]["network.net_arch"].to_pylist() == ["[256, 256]"] * 4
    first = tables["episodes"].slice(0, 400)
    recorded = episodes_of(database, [runs[0].id])[runs[0].id]
    assert first["reward"].to_pylist() == recorded.reward.tolist()
    assert first["env_steps"].to_pylist() == recorded.env_steps.tolist()
    assert set(first["outcome"].to_pylist()) == {"win", "loss"}
    assert tables["updates"].num_rows == 4 * 12
    assert tables["updates"]["explained_variance"].to_pylist()[:2] == [None, 0.2]
    assert tables["evaluations"].num_rows == 0


def test_csv(database, sweep, tmp_path):
    files = export(database, sweep, ExportFormat.CSV, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(files)
    with (tmp_path / "episodes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 400
    assert [rows[0][key] for key in ("config_short_name", "seed", "episode")] == ["ppo_agent_v1", "0", "1"]
    with (tmp_path / "updates.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["explained_variance"] == ""


def test_a_second_export_replaces_the_first(database, sweep, tmp_path):
    (tmp_path / "runs.csv").write_text("old")
    export(database, sweep, ExportFormat.CSV, tmp_path)
    assert (tmp_path / "runs.csv").read_text().startswith('"run_id"')


def test_a_folder_that_cannot_be_made(database, sweep, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="Cannot write the export to"):
        export(database, sweep, ExportFormat.CSV, tmp_path / "file")


def test_a_sweep_whose_runs_were_deleted(database, sweep, tmp_path):
    with database.connect() as connection:
        connection.execute("delete from training_runs where sweep_id = %s", [sweep.id])
    files = export(database, sweep, ExportFormat.PARQUET, tmp_path)
    assert [parquet.read_table(file).num_rows for file in files] == [0, 0, 0, 0]
