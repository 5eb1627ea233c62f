from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from sb3_contrib import MaskablePPO

from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import CheckpointError, EnvironmentSpecError
from rlsweep.training.evaluate import evaluate

TIC_TAC_TOE = "open_spiel/tic_tac_toe"


def test_evaluating_does_not_disturb_training(make_config, run):
    def weights(evaluation: dict[str, object], folder: str) -> dict[str, torch.Tensor]:
        config = make_config(environment=TIC_TAC_TOE, total_timesteps=128, evaluation=evaluation)
        result, recorder = run(config, folder=folder)
        assert bool(recorder.evaluations) == evaluation["enabled"]
        return MaskablePPO.load(result.checkpoint.uri).policy.state_dict()

    without = weights({"enabled": False}, "without")
    with_evaluation = weights({"enabled": True, "every_rollouts": 1, "episodes": 3}, "with")
    assert all(torch.equal(without[name], with_evaluation[name]) for name in without)


def test_evaluates_a_checkpoint(make_config, run):
    result, _ = run(make_config(environment=TIC_TAC_TOE, total_timesteps=64))
    checkpoint = Path(result.checkpoint.uri)
    summary = evaluate(checkpoint, episodes=30, seed=1)
    assert summary.wins + summary.draws + summary.losses == summary.episodes == 30
    assert summary.mean_reward == pytest.approx((summary.wins - summary.losses) / 30)
    assert summary.win_rate == summary.wins / 30
    assert 0 < summary.reward_half_width < 1
    assert 3 <= summary.mean_length <= 5
    assert asdict(evaluate(checkpoint, episodes=30, seed=1)) == asdict(summary)
    stronger = evaluate(checkpoint, episodes=30, seed=1, opponent="mcts:200")
    assert stronger.mean_reward < summary.mean_reward


def test_one_episode_has_no_interval(make_config, run):
    result, _ = run(make_config(total_timesteps=32))
    summary = evaluate(Path(result.checkpoint.uri), episodes=1)
    assert (summary.reward_half_width, summary.reward_sd) == (None, 0.0)
    assert (summary.win_rate, summary.wins, summary.draws, summary.losses) == (None, None, None, None)


def test_observations_are_normalized_as_in_training(make_config, run):
    config = make_config(
        total_timesteps=160,
        normalize_observations=True,
        agent={"learning_rate": 0.01},
        evaluation={"every_rollouts": 5, "episodes": 5},
    )
    result, recorder = run(config)
    summary = evaluate(Path(result.checkpoint.uri), episodes=5, seed=config.seed)
    assert summary.mean_reward == recorder.evaluations[-1].mean_reward


def test_another_environment_must_fit(make_config, run):
    result, _ = run(make_config(total_timesteps=32))
    checkpoint = Path(result.checkpoint.uri)
    with pytest.raises(CheckpointError, match="trained on other observations or actions than environment 'open_spiel"):
        evaluate(checkpoint, episodes=1, environment=EnvironmentSpec(id=TIC_TAC_TOE))
    with pytest.raises(EnvironmentSpecError, match="opponent"):
        evaluate(checkpoint, episodes=1, opponent="mcts")
