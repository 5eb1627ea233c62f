"""Files that SB3 would unpickle: known by their checksums, or trusted by name, or good for their weights alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stable_baselines3 import PPO

from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store import training_runs
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration

QUICK = ("--set", "n_steps=16", "--set", "batch_size=16", "--set", "environment=CartPole-v1")


@pytest.fixture
def agent(request: pytest.FixtureRequest) -> str:
    return str(request.config.rootpath / "config" / "agents" / "ppo_agent_v1.yaml")


@pytest.fixture
def train(cli_on_database: Any, database: Database, agent: str) -> Callable[..., tuple[TrainingRun, Path]]:
    """Trains a run; the run, and its last checkpoint."""

    def train(*arguments: str) -> tuple[TrainingRun, Path]:
        cli_on_database.run(
            "train", "--agent-config", agent, "--mode", "smoke", "--total-timesteps", "32", *QUICK, *arguments
        )
        newest = training_runs.list_runs(database)[0]
        checkpoint = training_runs.latest_checkpoint(database, newest.id)
        assert checkpoint is not None
        return newest, Path(checkpoint.uri)

    return train


def test_a_file_on_record_is_gone_on_with_wherever_it_lies(
    cli_on_database: Any, database: Database, train: Any
) -> None:
    run, checkpoint = train("--set", "normalize_observations=true")
    moved = shutil.copy(checkpoint, cli_on_database.folder / "elsewhere.zip")
    assert "episodes" in cli_on_database.run("eval", "elsewhere.zip", "--episodes", "2").stdout
    cli_on_database.run("train", "--resume", str(moved), "--total-timesteps", "64")
    assert training_runs.get(database, run.id).env_steps == 64


def test_a_poisoned_file_is_refused_by_every_way_but_trust(
    cli_on_database: Any, database: Database, train: Any, agent: str, poison: Any
) -> None:
    cli, marker = cli_on_database, cli_on_database.folder / "created"
    run, checkpoint = train("--set", "normalize_observations=true")
    # in the run's own folder, under a name such as its checkpoints have: the name is no proof
    evil_path = checkpoint.with_name("episode_9_step_99.zip")
    evil = str(poison(checkpoint, evil_path, marker, "data", "vecnormalize.pkl", "boundary.pkl"))
    refused = cli.run("train", "--resume", evil, "--total-timesteps", "64", expect=2).stderr
    assert "is not recorded by any training run" in refused
    assert "--trust" in refused
    assert "--agent-config" in refused
    assert "add --trust" in cli.run("eval", evil, "--episodes", "2", expect=2).stderr
    cli.run("train", "--resume", evil, "--agent-config", agent, "--total-timesteps", "32", *QUICK)
    assert not marker.exists()
    (new, old) = training_runs.list_runs(database)
    assert (new.status, old) == (RunStatus.COMPLETED, run)
    assert new.weights_from == evil

    cli.run("train", "--resume", evil, "--total-timesteps", "64", "--trust", expect=1)
    assert marker.exists(), "the poison works"


def test_a_file_that_was_changed_is_not_the_one_on_record(cli_on_database: Any, train: Any, poison: Any) -> None:
    marker = cli_on_database.folder / "created"
    run, checkpoint = train("--set", "normalize_observations=true")
    sound = shutil.move(checkpoint, cli_on_database.folder / "sound.zip")
    poison(sound, checkpoint, marker, "vecnormalize.pkl")
    assert "add --trust" in cli_on_database.run("eval", str(run.id), expect=2).stderr
    assert not marker.exists()


def test_trust_goes_by_the_folder(cli_on_database: Any, database: Database, train: Any, poison: Any) -> None:
    run, checkpoint = train()
    other = poison(checkpoint, checkpoint.with_name("other.zip"), cli_on_database.folder / "unused")
    assert "not recorded by any training run" in cli_on_database.run("train", "--resume", str(other), expect=2).stderr
    cli_on_database.run("train", "--resume", str(other), "--total-timesteps", "64", "--trust")
    assert training_runs.get(database, run.id).env_steps == 64
    stray = shutil.copy(other, cli_on_database.folder / "stray.zip")
    refused = cli_on_database.run("train", "--resume", str(stray), "--trust", expect=2).stderr
    assert "belongs to no recorded training run" in refused


def test_weights_that_do_not_fit_leave_no_run_behind(
    cli_on_database: Any, database: Database, train: Any, agent: str
) -> None:
    run, checkpoint = train()
    refused = cli_on_database.run(
        "train", "--agent-config", agent, "--resume", str(checkpoint), *QUICK, "--set", "network.net_arch=[9]", expect=2
    ).stderr
    assert refused.startswith(f"Error: The policy in {checkpoint} does not fit environment ")
    assert len(refused.splitlines()) == 1
    by_id = cli_on_database.run("train", "--agent-config", agent, "--resume", str(run.id), expect=2).stderr
    assert "name a checkpoint's file" in by_id
    assert training_runs.list_runs(database) == [run]


def test_a_zip_of_stock_sb3_is_played_once_its_config_is_named(cli_on_database: Any, agent: str) -> None:
    cli = cli_on_database
    PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, policy_kwargs={"net_arch": [8]}).save(cli.folder / "m.zip")
    named = ("--set", "environment=CartPole-v1", "--set", "network.net_arch=[8]", "--set", "algorithm=PPO")
    refused = cli.run("eval", "m.zip", "--trust", "--episodes", "2", expect=2).stderr
    assert "m.zip was not written by rlsweep" in refused
    assert "--agent-config CONFIG" in refused
    assert "add --agent-config" in cli.run("eval", "m.zip", *named, expect=2).stderr
    played = cli.run("eval", "m.zip", "--agent-config", agent, *named, "--episodes", "2", "--json").stdout
    assert json.loads(played)["summary"]["episodes"] == 2
