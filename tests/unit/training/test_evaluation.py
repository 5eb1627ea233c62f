import pickle
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import DummyVecEnv

from rlsweep.config.agent import NetworkConfig
from rlsweep.config.run import RunConfig
from rlsweep.config.training import MAX_SEED, EnvironmentSpec, WrapperSpec
from rlsweep.envs import make_env
from rlsweep.errors import CheckpointError, DivergedError, EnvironmentSpecError, UntrustedFileError
from rlsweep.training.checkpoints import read_saved_run
from rlsweep.training.evaluate import evaluate
from rlsweep.training.evaluation import PolicyPlayer
from rlsweep.training.policy import load_policy
from rlsweep.training.seeding import evaluation_seed, score_seed, training_seed
from tests.list_recorder import ListRecorder

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


@pytest.mark.parametrize("network", [{}, {"net_arch": [24, 8], "activation_fn": "relu"}])
def test_numpy_plays_a_dense_policy_as_torch_does(make_config, run, network):
    result, _ = run(make_config(environment=TIC_TAC_TOE, total_timesteps=64, agent={"network": network}))
    model = load_policy(Path(result.checkpoint.uri))
    env = make_env(EnvironmentSpec(id=TIC_TAC_TOE), seed=3)
    player = PolicyPlayer(model, None, uses_masks=True)
    rng = np.random.default_rng(0)
    seen, _ = env.reset(seed=3)
    for _ in range(200):
        mask = env.get_wrapper_attr("action_masks")()
        assert player.act(seen, env) == model.predict(seen, action_masks=mask, deterministic=True)[0]
        seen, _, terminated, truncated, _ = env.step(int(rng.choice(np.flatnonzero(mask))))
        if terminated or truncated:
            seen, _ = env.reset()


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
        total_timesteps=320,
        normalize_observations=True,
        agent={"learning_rate": 0.01},
        evaluation={"every_rollouts": 10, "episodes": 5},
    )
    result, recorder = run(config)
    checkpoint = Path(result.checkpoint.uri)
    with pytest.raises(UntrustedFileError, match="add --trust"):
        evaluate(checkpoint, episodes=5)
    summary = evaluate(checkpoint, episodes=5, seed=config.seed, is_trusted=lambda: True)
    assert summary.mean_reward == recorder.evaluations[-1].mean_reward

    statistics = pickle.loads(read_saved_run(checkpoint).snapshot.statistics)
    normalized, raw = (
        played_by_hand(checkpoint, config, seen_as) for seen_as in (statistics.normalize_obs, lambda seen: seen)
    )
    assert summary.mean_reward == normalized != raw


def test_wrappers_and_stacked_observations_are_evaluated_as_they_were_trained(make_config, run):
    spec = EnvironmentSpec(
        id="CartPole-v1", wrappers=(WrapperSpec(id="gymnasium.wrappers:TimeAwareObservation"),), frame_stack=3
    )
    config = make_config(environment=spec, total_timesteps=320, evaluation={"every_rollouts": 10, "episodes": 5})
    result, recorder = run(config)
    checkpoint = Path(result.checkpoint.uri)
    assert read_saved_run(checkpoint).config.training.environment == spec
    summary = evaluate(checkpoint, episodes=5, seed=config.seed)
    assert summary.mean_reward == recorder.evaluations[-1].mean_reward
    assert summary.mean_reward == played_by_hand(checkpoint, config, lambda seen: seen)
    model = load_policy(checkpoint)
    assert model.get_env().reset().shape == (1, 3 * 5)
    assert model.observation_space.contains(model.get_env().reset()[0])


def played_by_hand(checkpoint: Path, config: RunConfig, seen_as: Callable[[Any], Any]) -> float:
    model = MaskablePPO.load(checkpoint)
    env = make_env(config.training.environment, seed=0)
    rewards = []
    for episode in range(5):
        observation, _ = env.reset(seed=evaluation_seed(config.seed) if episode == 0 else None)
        total, done = 0.0, False
        while not done:
            action, _ = model.predict(seen_as(observation), deterministic=True)
            observation, reward, terminated, truncated, _ = env.step(int(action))
            total, done = total + reward, terminated or truncated
        rewards.append(total)
    return sum(rewards) / 5


def test_another_environment_must_fit(make_config, run):
    result, _ = run(make_config(total_timesteps=32))
    checkpoint = Path(result.checkpoint.uri)
    with pytest.raises(CheckpointError, match=r"The policy in .* does not fit environment 'open_spiel"):
        evaluate(checkpoint, episodes=1, environment=EnvironmentSpec(id=TIC_TAC_TOE))
    with pytest.raises(EnvironmentSpecError, match="opponent"):
        evaluate(checkpoint, episodes=1, opponent="mcts")


def test_a_zip_of_stock_sb3_plays_under_the_config_that_is_given(make_config, run, tmp_path: Path):
    config = make_config(environment="CartPole-v1")
    env = DummyVecEnv([lambda: make_env(EnvironmentSpec(id="CartPole-v1"), seed=0)])
    stock = MaskablePPO("MlpPolicy", env, n_steps=8, batch_size=8, seed=3, policy_kwargs={"net_arch": [16]})
    stock.save(tmp_path / "stock.zip")
    with pytest.raises(CheckpointError, match=r"not written by rlsweep.* --agent-config CONFIG .*--set environment=ID"):
        evaluate(tmp_path / "stock.zip", episodes=5, is_trusted=lambda: True)
    same_network = config.model_copy(
        update={"agent": config.agent.model_copy(update={"network": NetworkConfig(net_arch=(16,))})}
    )
    summary = evaluate(tmp_path / "stock.zip", episodes=5, seed=config.seed, given=same_network)
    assert summary.mean_reward == played_by_hand(tmp_path / "stock.zip", config, lambda seen: seen)
    with pytest.raises(CheckpointError, match="does not fit environment 'CartPole-v1' and config"):
        evaluate(tmp_path / "stock.zip", episodes=5, given=make_config(environment="CartPole-v1"))
    with pytest.raises(CheckpointError, match="no statistics of its observations"):
        evaluate(tmp_path / "stock.zip", episodes=5, given=make_config(normalize_observations=True))
    result, _ = run(make_config(total_timesteps=32))
    with pytest.raises(CheckpointError, match="leave out --agent-config"):
        evaluate(Path(result.checkpoint.uri), episodes=5, given=config)


@pytest.mark.parametrize("poison", [float("inf"), float("nan")])
def test_a_reward_that_is_not_finite_names_the_evaluation(make_config, run, poison):
    # training's environment takes 32 steps, and the evaluation's own comes further
    poisoned = EnvironmentSpec(id="Scripted-v0", kwargs={"length": 8, "poison": poison, "poison_at": 60})
    recorder = ListRecorder()
    with pytest.raises(DivergedError, match=r"at env step 4 of episode 8 of the evaluation after update 1 \(32 env"):
        run(
            make_config(environment=poisoned, total_timesteps=32, evaluation={"every_rollouts": 1, "episodes": 10}),
            recorder=recorder,
        )
    assert not recorder.evaluations


def test_seeds_of_evaluation_suit_every_generator_and_are_none_of_training():
    assert [evaluation_seed(seed) for seed in (0, MAX_SEED)] == [MAX_SEED, 0]
    assert [score_seed(seed) for seed in (0, MAX_SEED)] == [2**30, 2**30 - 1]
    training = {training_seed(seed, n_envs=8) + index for seed in range(1000) for index in range(8)}
    evaluating = {evaluation_seed(seed) for seed in range(1000)}
    scoring = {score_seed(seed) for seed in range(1000)}
    assert len(training | evaluating | scoring) == 8000 + 1000 + 1000
    for seed in evaluating | scoring:
        np.random.RandomState(seed)
