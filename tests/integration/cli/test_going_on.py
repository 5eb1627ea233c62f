"""Runs that lost their process, runs that are gone on with, and checkpoints far from home."""

import json
import shutil
from typing import Any

import pytest

from rlsweep.attempts.provenance import Provenance
from rlsweep.config.run import Mode
from rlsweep.errors import InputError
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store import sweeps, training_runs, transitions
from rlsweep.store.curves import updates_of
from rlsweep.store.database import Database
from rlsweep.sweep_records import SweepStatus

pytestmark = pytest.mark.integration


@pytest.fixture
def killed(database: Database, new_sweep: Any, new_run: Any) -> tuple[Any, list[TrainingRun]]:
    """A sweep of two trials, one running and one waiting, whose driver was killed two minutes ago."""
    config = {"budget": {"episodes": 100, "total_timesteps": None}}
    sweep = sweeps.create(database, new_sweep(name="night"), [new_run(config=config), new_run(config=config)])
    running, waiting = training_runs.of_sweep(database, sweep.id)
    sweeps.take_lease(database, sweep.id, "host:1")
    transitions.begin_attempt(database, running.id, {})
    with database.connect() as connection:
        for table in ("sweeps", "training_runs"):
            connection.execute(f"update {table} set heartbeat_at = clock_timestamp() - interval '2 minutes'")
    return sweep, [running, waiting]


def test_status_tells_of_killed_processes_and_stop_ends_the_rest(
    cli_on_database: Any, database: Database, killed: Any
) -> None:
    sweep, (running, waiting) = killed
    told = cli_on_database.run("status", "night", "--follow")
    assert "Recorded as stopped: 1 run whose process was gone" in told.stderr
    assert "Its driver host:1 gives no sign of life" in told.stdout
    assert "rlsweep resume night" in told.stdout
    lost = training_runs.get(database, running.id)
    assert lost.status is RunStatus.STOPPED
    assert "The worker was lost." in str(lost.error)
    assert "0 running trials will end by themselves, 1 pending" in cli_on_database.run("stop", "night").stdout
    assert training_runs.get(database, waiting.id).status is RunStatus.STOPPED
    assert sweeps.get(database, sweep.id).status is SweepStatus.STOPPED


def test_status_that_follows_prints_json_at_the_end(cli_on_database: Any, killed: Any) -> None:
    told = cli_on_database.run("status", "night", "--follow", "--json")
    assert "stopped, 0/100 ep" in told.stderr, "it is followed before"
    assert [run["status"] for run in json.loads(told.stdout)["runs"]] == ["stopped", "pending"]


def test_a_run_of_no_sweep_that_was_killed_does_not_run_for_ever(
    cli_on_database: Any, database: Database, new_run: Any
) -> None:
    run = transitions.create_single(database, new_run(trial_key=None))
    transitions.begin_attempt(database, run.id, {})
    with database.connect() as connection:
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '50 seconds'")
    assert cli_on_database.json("runs")[0]["status"] == "running"
    with database.connect() as connection:
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '2 minutes'")
    told = cli_on_database.run("runs")
    assert "Recorded as stopped: 1 run whose process was gone" in told.stderr
    assert "stopped" in told.stdout
    assert "The worker was lost." in str(training_runs.get(database, run.id).error)


def test_a_larger_budget_keeps_the_schedule_if_asked_to(cli_on_database: Any, database: Database, request: Any) -> None:
    cli = cli_on_database
    agent = str(request.config.rootpath / "config" / "agents" / "ppo_agent_v1.yaml")
    quick = ("--set", "n_steps=16", "--set", "batch_size=16", "--set", "environment=CartPole-v1")
    assert "--keep-schedule is for" in cli.run("train", "--agent-config", agent, "--keep-schedule", expect=2).stderr
    cli.run("train", "--agent-config", agent, "--total-timesteps", "32", *quick, "--learning-rate", "linear_0.1")
    run = training_runs.list_runs(database)[0]
    refused = cli.run("train", "--resume", str(run.id), "--keep-schedule", expect=2).stderr
    assert "add --total-timesteps or --episodes" in refused
    told = cli.run("train", "--resume", str(run.id), "--total-timesteps", "64", "--keep-schedule").stdout
    assert "learning_rate: the linear schedules of 32 env steps have ended and stay at 0" in told
    kept = training_runs.get(database, run.id)
    assert kept.config["schedule_budget"] == {"episodes": None, "total_timesteps": 32}
    assert "over 32 env steps, then 0" in cli.run("show", str(run.id)).stdout
    told = cli.run("train", "--resume", str(run.id), "--total-timesteps", "128").stdout
    assert "stretches the linear schedules: learning_rate from 0 to 0.05" in told
    assert "schedule_budget" not in training_runs.get(database, run.id).config
    rates = updates_of(database, [run.id])[run.id].learning_rate
    assert rates.tolist() == pytest.approx([0.05, 0, 0, 0, *(0.1 * (1 - step / 128) for step in (80, 96, 112, 128))])


def test_a_driver_that_was_killed_at_its_very_end_leaves_a_sweep_that_ends(
    cli_on_database: Any, database: Database, killed: Any
) -> None:
    with database.connect() as connection:
        connection.execute(
            "update training_runs set status = 'completed', end_reason = 'completed', ended_at = clock_timestamp()"
        )
        connection.execute("update sweeps set heartbeat_at = clock_timestamp()")
    assert cli_on_database.json("status", "night")["sweep"]["status"] == "running", "its driver may be about to say so"
    with database.connect() as connection:
        connection.execute("update sweeps set heartbeat_at = clock_timestamp() - interval '2 minutes'")
    assert cli_on_database.json("status", "night")["sweep"]["status"] == "completed"


def test_stop_ends_what_lost_its_process(cli_on_database: Any, database: Database, killed: Any) -> None:
    sweep, _ = killed
    with database.connect() as connection:
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '16 seconds'")
    told = cli_on_database.run("stop", "night")
    assert "Recorded as stopped: 1 run whose process was gone" in told.stderr
    assert "0 running trials will end by themselves" in told.stdout
    assert {run.status for run in training_runs.of_sweep(database, sweep.id)} == {RunStatus.STOPPED}
    assert sweeps.get(database, sweep.id).status is SweepStatus.STOPPED


def test_stop_ends_one_run_that_lost_its_process(cli_on_database: Any, database: Database, killed: Any) -> None:
    _, (running, _) = killed
    assert cli_on_database.run("stop", str(running.id)).stdout == f"{running.label}: stopped\n"
    assert training_runs.get(database, running.id).status is RunStatus.STOPPED


def test_a_name_that_cannot_be_one_leaves_nothing_behind(database: Database, request: pytest.FixtureRequest) -> None:
    agents = str(request.config.rootpath / "config" / "agents")
    plan = make_plan(
        [agents], base_config=None, mode=Mode.SMOKE, episodes=9, total_timesteps=None, seeds=1, with_base=False
    )
    provenance = Provenance(versions={}, git_commit=None, git_dirty=None, host="here", command="rlsweep")
    with pytest.raises(InputError, match="use at most"):
        create_sweep(database, plan, name="a[/b]", patterns=[agents], provenance=provenance)
    assert sweeps.list_recent(database) == []


def test_a_name_from_before_names_were_checked_is_shown(
    cli_on_database: Any, database: Database, new_sweep: Any
) -> None:
    sweeps.create(database, new_sweep(name="a[/b]"), [])
    assert "a[/b]" in cli_on_database.run("sweeps").stdout


def test_a_limit_beyond_reason_is_a_usage_error(cli_on_database: Any) -> None:
    for command in ("runs", "sweeps"):
        assert "--limit" in cli_on_database.run(command, "--limit", "9" * 20, expect=2).stderr


def test_a_run_is_gone_on_with_and_its_checkpoint_played_anywhere(
    cli_on_database: Any, database: Database, new_sweep: Any, request: pytest.FixtureRequest
) -> None:
    cli = cli_on_database
    agent = str(request.config.rootpath / "config" / "agents" / "ppo_agent_v1.yaml")
    cli.run("train", "--agent-config", agent, "--mode", "smoke", "--episodes", "4", "--set", "n_steps=16",
            "--set", "batch_size=16", "--set", "environment=open_spiel/tic_tac_toe")  # fmt: skip
    (run,) = training_runs.list_runs(database)
    reference = str(run.id)
    too_small = cli.run("train", "--resume", reference, "--episodes", "4", expect=2).stderr
    assert "--episodes 4: ppo_agent_v1 seed 0 has already done 4;" in too_small
    too_small = cli.run("train", "--resume", reference, "--total-timesteps", "1", expect=2).stderr
    assert "--total-timesteps 1" in too_small
    assert training_runs.get(database, run.id) == run
    assert "leave out" in cli.run("train", "--resume", reference, "--mode", "full", expect=2).stderr

    checkpoint = training_runs.latest_checkpoint(database, run.id)
    assert checkpoint is not None
    shutil.copy(checkpoint.uri, cli.folder / "copied.zip")
    away = cli.with_environ(RLSWEEP_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert away.run("eval", "copied.zip", "--episodes", "2").stdout.startswith("copied.zip: 2 episodes")

    cli.run("train", "--resume", "copied.zip", "--episodes", "6")
    assert training_runs.get(database, run.id).episodes == 6

    sweep = sweeps.create(database, new_sweep(), [])
    with database.connect() as connection:
        connection.execute(
            "update training_runs set sweep_id = %s, position = 1, status = 'failed', end_reason = 'failed', config = "
            "jsonb_set(config, '{budget,episodes}', '8') where id = %s",
            [sweep.id, run.id],
        )
    assert sweeps.settle(database, sweep.id).status is SweepStatus.FAILED
    cli.run("train", "--resume", reference)
    assert sweeps.get(database, sweep.id).status is SweepStatus.COMPLETED
