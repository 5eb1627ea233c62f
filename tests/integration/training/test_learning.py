"""Agents really learn: environments whose answer is known, and games against a random opponent."""

from pathlib import Path

import pytest

from rlsweep.config.agent import AgentConfig, NetworkConfig, PPOConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.runs import Outcome
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

pytestmark = pytest.mark.integration


def learn(folder: Path, environment: str, *, algorithm: str, steps: int, n_envs: int = 8, **agent) -> ListRecorder:
    recorder = ListRecorder()
    config = RunConfig(
        agent=AgentConfig(
            agent_id="test_agent",
            name="Test",
            algorithm=algorithm,
            version=1,
            network=NetworkConfig(net_arch=(64, 64)),
            **agent,
        ),
        training=TrainingConfig(environment=EnvironmentSpec(id=environment), n_envs=n_envs),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=steps),
        seed=0,
    )
    train(config, recorder, checkpoint_folder=folder, tensorboard_folder=None)
    return recorder


@pytest.mark.parametrize("algorithm", ["MaskablePPO", "PPO"])
def test_ppo_balances_the_pole(tmp_path: Path, algorithm: str):
    recorder = learn(
        tmp_path, "CartPole-v1", algorithm=algorithm, steps=16_384, n_steps=128, batch_size=128, learning_rate=1e-3
    )
    assert _mean_length(recorder.episodes[:50]) < 40
    assert _mean_length(recorder.episodes[-20:]) > 100


def test_a2c_balances_the_pole(tmp_path: Path):
    recorder = learn(
        tmp_path,
        "CartPole-v1",
        algorithm="A2C",
        steps=24_000,
        n_steps=16,
        learning_rate=2e-3,
        ppo=PPOConfig(ent_coef=0.0, gae_lambda=1.0, normalize_advantage=False),
    )
    assert _mean_length(recorder.episodes[-20:]) > 60


def test_masked_play_wins_more_tic_tac_toe_than_it_did(tmp_path: Path):
    recorder = learn(
        tmp_path,
        "open_spiel/tic_tac_toe",
        algorithm="MaskablePPO",
        steps=12_288,
        n_steps=128,
        batch_size=128,
        learning_rate=1e-3,
    )
    outcomes = [episode.outcome for episode in recorder.episodes]
    assert None not in outcomes
    assert outcomes[-500:].count(Outcome.WIN) > outcomes[:500].count(Outcome.WIN) + 75


def _mean_length(episodes) -> float:
    return sum(episode.length for episode in episodes) / len(episodes)
