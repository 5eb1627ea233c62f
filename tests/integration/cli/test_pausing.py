"""What the commands say of paused trials, and do with them."""

import csv
import threading
from typing import Any

import pytest

from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.attempts.provenance import Provenance
from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.store import sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import SweepStatus

pytestmark = pytest.mark.integration

AGENT = (
    "agent_id: tiny\nname: Tiny\nalgorithm: PPO\nversion: 1\nn_steps: 32\nbatch_size: 16\nnetwork: {net_arch: [8]}\n"
)


@pytest.fixture
def trials(cli_on_database: Any, database: Database) -> tuple[TrainingRun, ...]:
    """Of the completed sweep `night`: one that was paused at half of its 128 env steps, one that was completed."""
    path = cli_on_database.folder / "tiny.yaml"
    path.write_text(AGENT)
    plan = make_plan(
        [str(path)],
        base_config=None,
        overrides=("environment=CartPole-v1",),
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=128,
        seeds=2,
        with_base=False,
    )
    provenance = Provenance(versions={}, git_commit=None, git_dirty=None, host="here", command="rlsweep")
    sweep = create_sweep(database, plan, name="night", patterns=["tiny.yaml"], provenance=provenance)
    first, second = training_runs.of_sweep(database, sweep.id)
    with database.connect() as connection:
        transitions.schedule(connection, first.id, pause_at=0.5)
    settings = Settings(home=cli_on_database.home, storage=cli_on_database.home, database_url=database.url)
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)
    ended = [execute_run(run.id, context, stop=threading.Event()) for run in (first, second)]
    assert ended == [RunStatus.PAUSED, RunStatus.COMPLETED]
    assert sweeps.settle(database, sweep.id).status is SweepStatus.COMPLETED
    return tuple(training_runs.of_sweep(database, sweep.id))


def test_paused_trials_are_shown_played_and_trained_on(
    cli_on_database: Any, database: Database, trials: tuple[TrainingRun, ...]
) -> None:
    cli, run_id = cli_on_database, str(trials[0].id)
    (listed,) = cli.json("runs", "--status", "paused")
    assert (listed["id"], listed["status"], listed["end_reason"], listed["pause_at"]) == (
        run_id, "paused", "paused", 0.5,
    )  # fmt: skip
    assert listed["progress"] == 0.5
    shown = cli.run("status", "night").stdout
    assert "Sweep night: completed" in shown
    assert "1 of 2 trials done, 100%, 1 paused" in shown
    assert "1 paused, 1 completed" in cli.run("sweeps").stdout
    assert "pauses at          50% of its budget" in cli.run("show", run_id[:8]).stdout
    report = " ".join(cli.run("report", "night").stdout.split())
    assert "1 of 2 seeds paused at the rung and not in the means" in report
    cli.run("export", "night", "-o", "out")
    with (cli.folder / "out" / "runs.csv").open() as file:
        assert [row["pause_at"] for row in csv.DictReader(file)] == ["0.5", ""]
    for command in ("resume", "retry"):
        said = cli.run(command, "night").stdout
        assert "Sweep night is completed, and 1 trial stayed paused." in said
        assert "rlsweep train --resume RUN" in said
    assert cli.run("stop", "night").stdout == "Sweep night: completed\n"
    assert cli.json("eval", run_id[:8], "--episodes", "2")["summary"]["episodes"] == 2
    assert training_runs.get(database, run_id).status is RunStatus.PAUSED
    said = cli.run("train", "--resume", run_id[:8]).stdout
    assert "tiny_v1 seed 0 was to pause at 50% of its budget; now it trains on." in said
    assert "tiny_v1 seed 0: completed, 128/128 env steps" in said
    assert training_runs.get(database, run_id).pause_at is None


def test_a_paused_trial_that_is_stopped_is_unfinished(
    cli_on_database: Any, database: Database, trials: tuple[TrainingRun, ...]
) -> None:
    run_id = str(trials[0].id)
    assert "tiny_v1 seed 0: stopped" in cli_on_database.run("stop", run_id[:8]).stdout
    stopped = training_runs.get(database, run_id)
    assert (stopped.status, stopped.pause_at) == (RunStatus.STOPPED, 0.5)
    assert "stopped" in cli_on_database.run("status", "night").stdout.splitlines()[0]
