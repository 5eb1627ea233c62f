"""`rlsweep delete`: everything that belongs to a sweep or a run goes, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlsweep.attempts import deletion
from rlsweep.errors import RlsweepError
from rlsweep.paths import Paths
from rlsweep.runs import Checkpoint, TrainingRun
from rlsweep.settings import Settings
from rlsweep.store import deletion as record
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(cli_on_database: Any) -> Settings:
    """Those of the commands."""
    return Settings.from_environ({"RLSWEEP_HOME": str(cli_on_database.home), **cli_on_database.environ})


@pytest.fixture
def swept(database: Database, recorded_sweep: Callable[[], Sweep], settings: Settings) -> Sweep:
    """A sweep whose runs have files."""
    sweep = recorded_sweep()
    for run in training_runs.of_sweep(database, sweep.id):
        for folder in folders_of(settings, run):
            folder.mkdir(parents=True)
            (folder / "file").write_bytes(bytes(1_000_000))
    return sweep


def folders_of(settings: Settings, run: TrainingRun) -> tuple[Path, Path]:
    paths = Paths(settings)
    return (
        paths.run_checkpoints(run.id),
        paths.run_tensorboard(run.sweep_id, run.config_short_name, run.seed, run.id),
    )


def files_below(settings: Settings) -> list[Path]:
    return [path for path in settings.storage.rglob("*") if path.is_file()]


def test_a_sweep_goes_with_all_that_belongs_to_it(
    cli_on_database: Any, database: Database, swept: Sweep, settings: Settings
) -> None:
    cli = cli_on_database
    refused = cli.run("delete", "calibration", expect=2).stderr
    assert "Add --yes to delete 8 runs, 320 episodes, 16 MB of files" in refused
    assert "Nothing was deleted" in cli.run_in_terminal("delete", "calibration", columns=100, typed="n\n")
    assert len(files_below(settings)) == 16
    shown = cli.run_in_terminal("delete", "calibration", columns=100, typed="y\n")
    assert "Deleted sweep calibration: 8 runs, 320 episodes, 16 MB of files." in shown
    assert sweeps.list_recent(database) == training_runs.list_runs(database) == []
    assert list(settings.storage.rglob("*-seed*")) == files_below(settings) == []


def test_files_that_are_out_of_reach_keep_their_record(
    cli_on_database: Any, database: Database, swept: Sweep, settings: Settings
) -> None:
    run = training_runs.of_sweep(database, swept.id)[0]
    file = Paths(settings).run_checkpoints(run.id) / "file"
    with database.connect() as connection:
        connection.execute(
            "insert into checkpoints (run_id, attempt, episode, env_steps, uri, sha256, bytes) "
            "values (%s, 1, 1, 8, %s, '', 1)",
            (run.id, str(file)),
        )
    elsewhere = cli_on_database.with_environ(RLSWEEP_STORAGE=str(settings.home / "another"))
    settings.storage.rename(settings.storage.with_name("not-mounted"))
    refused = elsewhere.run("delete", "calibration", "--yes", expect=2).stderr
    assert f"{file.parent.parent} does not exist, but recorded checkpoints are in it: mount it" in refused
    assert sweeps.get(database, swept.id).name == "calibration"
    file.parent.parent.mkdir(parents=True)
    assert "Deleted sweep calibration" in elsewhere.run("delete", "calibration", "--yes").stdout


def test_one_run_goes_and_its_sweep_is_told(
    cli_on_database: Any, database: Database, swept: Sweep, settings: Settings
) -> None:
    failed, *others = training_runs.of_sweep(database, swept.id)
    told = cli_on_database.run("delete", str(failed.id), "--yes").stdout
    assert told.startswith(f"Deleted training run {str(failed.id)[:8]}, {failed.label}: 1 run, 40 episodes, 2 MB")
    assert training_runs.of_sweep(database, swept.id) == others
    assert sweeps.get(database, swept.id).status == "completed", "what remains completed"
    assert not any(folder.exists() for folder in folders_of(settings, failed))
    assert all(folder.exists() for run in others for folder in folders_of(settings, run))


def test_what_is_driven_or_trained_stays(
    cli_on_database: Any, database: Database, swept: Sweep, settings: Settings
) -> None:
    run = training_runs.of_sweep(database, swept.id)[0]
    for reference in ("calibration", str(run.id)):
        sweeps.take_lease(database, swept.id, "host:1")
        refused = cli_on_database.run("delete", reference, "--yes", expect=1).stderr
        assert "is driven by host:1" in refused
        assert "rlsweep stop" in refused
    sweeps.release(database, swept.id, "host:1")
    transitions.begin_attempt(database, run.id, {"host": "here"})
    for reference in ("calibration", str(run.id)):
        refused = cli_on_database.run("delete", reference, "--yes", expect=1).stderr
        assert f"being trained by a process on here. Stop it first: rlsweep stop {str(run.id)[:8]}" in refused
    assert len(files_below(settings)) == 16


def test_a_deletion_that_was_cut_short_is_told_and_can_be_finished(
    cli_on_database: Any, database: Database, swept: Sweep, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = training_runs.of_sweep(database, swept.id)
    planned = deletion.plan_deletion(database, settings, runs, sweep_id=swept.id)

    def killed(*_: Any, **__: Any) -> None:
        raise RlsweepError("killed")

    for _ in range(2):
        with monkeypatch.context() as cut_short:
            cut_short.setattr(record, "finish", killed)
            with pytest.raises(RlsweepError, match="killed"):
                deletion.delete(database, planned)
    assert files_below(settings) == []
    assert cli_on_database.run("show", str(runs[1].id)).stdout.count("Its deletion is not finished") == 1
    assert "ZeroDivisionError" in cli_on_database.run("show", str(runs[0].id)).stdout
    cli_on_database.run("delete", "calibration", "--yes")
    assert sweeps.list_recent(database) == []


def test_files_in_a_storage_folder_of_before_go_too(
    database: Database, new_run: Any, settings: Settings, tmp_path: Path
) -> None:
    run = transitions.create_single(database, new_run())
    then = Settings(home=settings.home, storage=tmp_path / "before", database_url=settings.database_url)
    for folder in folders_of(then, run):
        folder.mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    attempt = transitions.begin_attempt(database, run.id, {})
    assert attempt is not None
    uris = (str(folders_of(then, run)[0] / "a.zip"), str(tmp_path / "mine" / "b.zip"))
    saved = [Checkpoint(episode=1, env_steps=8, uri=uri, sha256="", bytes=1) for uri in uris]
    progress = recording.Progress(episodes=1, updates=0, env_steps=8)
    recording.flush(database, run.id, 1, recording.Batch(progress=progress, episodes=[], updates=[], checkpoints=saved))
    transitions.request_stop(database, run.id)
    transitions.fail_lost(database, run.id, "")
    deletion.delete(database, deletion.plan_deletion(database, settings, [run], sweep_id=None))
    assert not any(folder.exists() for folder in folders_of(then, run))
    assert (tmp_path / "mine").exists(), "no folder of ours"
