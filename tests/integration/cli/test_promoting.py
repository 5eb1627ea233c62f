"""`rlsweep promote`: the best config of a sweep becomes the agent's next version, and nothing is written over."""

import shlex
from pathlib import Path

import pytest

import rlsweep
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.loading import load_agent
from rlsweep.config.run import Mode
from rlsweep.errors import InputError
from rlsweep.planning.plan import make_plan
from rlsweep.runs import EndReason
from rlsweep.store import training_runs

pytestmark = pytest.mark.integration


@pytest.fixture
def night(record_sweep, course):
    """A base config, a winner, and one that stays where it was."""
    courses = {
        None: course(win_rate=0.8),
        "lr_high": course(win_rate=0.97, learning_rate=1e-3),
        "lr_low": course(win_rate=0.5, learning_rate=1e-4),
    }
    overrides = ("environment=CartPole-v1", "learning_rate=0.5", "n_envs=2")
    return record_sweep(courses, base_config_path="/my configs/base.yaml", overrides=overrides)


def test_the_winner_becomes_the_next_version(cli_on_database, database, night, tmp_path):
    done = cli_on_database.json("promote", "night", "--out", "next")
    path = Path("next") / "ppo_agent_v2.yaml"
    run = next(run for run in training_runs.of_sweep(database, night.id) if run.sweep_variant == "lr_high")
    assert (done["path"], done["agent_id"], done["version"]) == (str(path), "ppo_agent", 2)
    assert (done["config"], done["is_winner"], done["seeds"]) == ("ppo_agent_lr_high", True, [0, 1, 2])
    assert done["score_definition"] == "training reward, mean of the last fifth"
    assert done["score"]["interval"]["low"] < done["score"]["mean"]
    assert not done["keeps_comments"]
    assert str(run.id) in done["run_ids"]

    written = load_agent(tmp_path / path, {"gamma": 0.5}, ()).config
    assert hyperparameter_hash(written) == run.config_hash
    assert (written.name, written.version, written.sweep_variant) == ("PPO Agent lr_high v2", 2, None)
    assert written.description == (
        "ppo_agent_lr_high of sweep night: the winner, significantly better than every other config; "
        "score 0.85 (95% from 0.79 to 0.92), training reward, mean of the last fifth, over 3 seeds (0, 1, 2) "
        "of 400 episodes"
    )
    planned = {"mode": Mode.FULL, "episodes": 9, "total_timesteps": None, "seeds": 1, "with_base": False}
    (trial,) = make_plan([str(tmp_path / path)], base_config=None, **planned).trials
    assert trial.config_hash == run.config_hash
    assert trial.config.agent.short_name == "ppo_agent_v2"
    assert shlex.split(done["command"]) == [
        *("rlsweep", "train", "--agent-config", str(path), "--base-config", "/my configs/base.yaml"),
        *("--set", "environment=CartPole-v1", "--set", "n_envs=2"),
        *("--mode", "full", "--total-timesteps", "1000000"),
    ]


def test_versions_go_up_and_no_file_is_written_over(cli_on_database, night, tmp_path):
    said = cli_on_database.run("promote", "night").stdout
    assert "Take ppo_agent_lr_high: the winner, significantly better than every other config." in said
    assert "Score 0.85 (95% from 0.79 to 0.92), training reward, mean of the last fifth, over 3 seeds." in said
    assert f"Wrote {tmp_path / 'ppo_agent_v2.yaml'} (version 2; a fresh file without comments)." in said
    before = (tmp_path / "ppo_agent_v2.yaml").read_text()
    refused = cli_on_database.run("promote", "night", "--as", "ppo_agent_v2", expect=2).stderr
    assert f"{tmp_path / 'ppo_agent_v2.yaml'} exists already, and is left as it is." in refused
    assert (tmp_path / "ppo_agent_v2.yaml").read_text() == before
    assert cli_on_database.json("promote", "night")["version"] == 3
    assert cli_on_database.json("promote", "night", "--as", "other_v7")["path"] == str(tmp_path / "other_v7.yaml")
    assert load_agent(tmp_path / "other_v7.yaml", {}, ()).config.agent_id == "other"
    assert "--as must be AGENT_vVERSION" in cli_on_database.run("promote", "--as", "other", expect=2).stderr


def test_a_run_names_its_config_and_a_tie_is_said(database, settings, record_sweep, course, tmp_path):
    courses = {None: course(win_rate=0.8), "lr_high": course(win_rate=0.81, learning_rate=1e-3)}
    sweep = record_sweep(courses)
    first = rlsweep.promote(rlsweep.sweep("night", settings=settings), folder=tmp_path, settings=settings)
    others = {"ppo_agent_v1": "ppo_agent_lr_high", "ppo_agent_lr_high": "ppo_agent_v1"}
    assert first.standing == f"first by score, and not significantly better than {others[first.config]}"
    assert not first.is_winner
    assert "risk" not in load_agent(first.path, {}, ()).config.description
    base = next(run for run in training_runs.of_sweep(database, sweep.id) if run.sweep_variant is None)
    chosen = rlsweep.promote(base.id, name="base_v4", folder=tmp_path, settings=settings)
    assert (chosen.config, chosen.standing) == (
        "ppo_agent_v1",
        f"the config of run {str(base.id)[:8]}, rank 1= of 2 configs",
    )
    assert hyperparameter_hash(load_agent(chosen.path, {}, ()).config) == base.config_hash


def test_a_file_that_was_trained_keeps_its_comments(cli_on_database, recorded_sweep, tmp_path):
    recorded_sweep()
    done = cli_on_database.json("promote", "--out", str(tmp_path))
    assert done["keeps_comments"]
    assert "# PPO-specific parameters" in Path(done["path"]).read_text()
    assert done["version"] == 2
    assert "--base-config" not in done["command"]


def test_where_nothing_is_finished_it_says_what_to_do(cli_on_database, settings, record_sweep, course, tmp_path):
    assert "No sweeps yet." in cli_on_database.run("promote", expect=2).stderr
    record_sweep({None: course(error="ValueError: no", failure=EndReason.FAILED)}, seeds=1)
    said = cli_on_database.run("promote", "night", expect=2).stderr
    assert "Sweep night has no completed run with an episode, so there is nothing to promote." in said
    assert "`rlsweep retry night` goes on with them" in said
    with pytest.raises(InputError, match="nothing to promote"):
        rlsweep.promote(settings=settings)
    assert "not found: 'nowhere'" in cli_on_database.run("promote", "nowhere", expect=2).stderr
    assert list(tmp_path.glob("*.yaml")) == []
