"""What is on record, read from Python."""

from dataclasses import fields

import pyarrow as pa
import pytest

import rlsweep
from rlsweep.errors import NotFoundError
from rlsweep.reports.tables import EPISODE_COLUMNS, EVALUATION_COLUMNS, RUN_COLUMNS, UPDATE_COLUMNS
from rlsweep.runs import Evaluation, RunStatus
from rlsweep.store import training_runs
from rlsweep.store.curves import EpisodeColumns, UpdateColumns
from rlsweep.sweep_records import SweepStatus

pytestmark = pytest.mark.integration

WHO = ["run_id", "config_short_name", "seed"]


@pytest.fixture
def night(record_sweep, course):
    return record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=2, name="night")


def test_a_sweep_and_its_tables(database, night):
    sweep = rlsweep.sweep("night")
    assert (sweep.id, sweep.name, sweep.status) == (night.id, "night", SweepStatus.COMPLETED)
    assert sweep.record == night
    assert rlsweep.sweep().id == rlsweep.sweep(night.id).id == rlsweep.sweep(str(night.id)[:8]).id == night.id
    runs = training_runs.of_sweep(database, night.id)
    assert sweep.runs()["run_id"].to_pylist() == [str(run.id) for run in runs]
    episodes = sweep.episodes().to_pandas()
    assert episodes.groupby("run_id").size().to_dict() == {str(run.id): 400 for run in runs}
    assert set(episodes.outcome) == {"win", "loss"}
    updates = sweep.updates().to_pandas()
    assert len(updates) == 4 * 12
    assert updates.explained_variance.isna().sum() == 4
    assert sweep.evaluations().num_rows == 0
    assert {config.name for config in sweep.report().configs} == {"ppo_agent_v1", "ppo_agent_lr_high"}


def test_a_run_and_its_tables(database, night):
    known = training_runs.of_sweep(database, night.id)[3]
    run = rlsweep.run(known.id)
    assert (run.id, run.label, run.status) == (known.id, "ppo_agent_lr_high seed 1", RunStatus.COMPLETED)
    assert run.record == rlsweep.run(str(known.id)[:8]).record == known
    assert run.episodes().num_rows == 400
    assert run.episodes()["seed"].unique().to_pylist() == [1]
    assert run.updates().num_rows == 12
    assert run.evaluations().num_rows == 0
    assert run.checkpoints() == []
    assert run.agent_config["learning_rate"] == 1e-3
    assert run.training_config["environment"]["id"] == known.config["training"]["environment"]["id"]
    assert [config.name for config in run.report().configs] == ["ppo_agent_lr_high"]


def test_the_tables_have_a_column_for_everything_that_is_recorded(night):
    """A figure that is added to a record has to be declared, with what it means, before it is exported."""
    sweep = rlsweep.sweep("night")
    declared = {
        EPISODE_COLUMNS: (sweep.episodes(), [*WHO, *(field.name for field in fields(EpisodeColumns))]),
        UPDATE_COLUMNS: (sweep.updates(), [*WHO, *(field.name for field in fields(UpdateColumns))]),
        EVALUATION_COLUMNS: (sweep.evaluations(), [*WHO, *(field.name for field in fields(Evaluation))]),
    }
    for columns, (table, recorded) in declared.items():
        assert [column.name for column in columns] == recorded == table.column_names
        assert [table.schema.field(column.name).type for column in columns] == [column.kind for column in columns]
    for table in (sweep.runs(), sweep.episodes(), sweep.updates(), sweep.evaluations()):
        assert all(len(table.field(name).metadata[b"doc"]) > 10 for name in table.column_names if name != "run_id")
    assert sweep.runs().column_names[: len(RUN_COLUMNS)] == [column.name for column in RUN_COLUMNS]
    assert sweep.runs()["learning_rate"].to_pylist() == ["0.0003"] * 2 + ["0.001"] * 2


def test_a_sweep_without_runs_has_empty_tables_with_their_columns(database, night):
    with database.connect() as connection:
        connection.execute("delete from training_runs where sweep_id = %s", [night.id])
    sweep = rlsweep.sweep("night")
    for table in (sweep.runs(), sweep.episodes(), sweep.updates(), sweep.evaluations()):
        assert isinstance(table, pa.Table)
        assert table.num_rows == 0
        assert "run_id" in table.column_names


def test_what_is_not_there(record_sweep, course):
    with pytest.raises(NotFoundError, match="No sweeps yet"):
        rlsweep.sweep("night")
    record_sweep({None: course()}, seeds=1, name="night")
    with pytest.raises(NotFoundError, match="Did you mean night"):
        rlsweep.sweep("nigt")
    with pytest.raises(NotFoundError, match="Training run not found"):
        rlsweep.run("0123456789")


def test_sweeps_are_listed_newest_first(record_sweep, course):
    assert rlsweep.sweeps() == []
    for name in ("one", "two", "three"):
        record_sweep({None: course()}, seeds=1, name=name)
    assert [sweep.name for sweep in rlsweep.sweeps()] == ["three", "two", "one"]
    assert [sweep.name for sweep in rlsweep.sweeps(limit=1)] == ["three"]


def test_settings_that_are_given_win(settings, night, monkeypatch):
    monkeypatch.setenv("RLSWEEP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert rlsweep.sweep("night", settings=settings).episodes().num_rows == 1600
