"""A run that plays against its own earlier policies: when its pool grows, where it is saved, what evaluates it."""

from pathlib import Path

import pytest
import torch

from rlsweep.config.training import EnvironmentSpec, EvaluationConfig, SelfPlay, SelfPlayPool
from rlsweep.envs.dense_policy import unpack
from rlsweep.envs.mcts import MCTSOpponent
from rlsweep.envs.random_opponent import RandomOpponent
from rlsweep.errors import CheckpointError, ConfigError, EnvironmentSpecError
from rlsweep.planning.probe import measure_all
from rlsweep.storage import locate
from rlsweep.training import algorithms
from rlsweep.training.checkpoints import read_saved_run
from rlsweep.training.evaluate import evaluate
from rlsweep.training.evaluation import Evaluator
from rlsweep.training.opponent_pool import OpponentPool
from rlsweep.training.policy import load_policy
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

TIC_TAC_TOE = "open_spiel/tic_tac_toe"


def against(opponent: str | SelfPlay, env_id: str = TIC_TAC_TOE) -> EnvironmentSpec:
    return EnvironmentSpec(id=env_id, opponent=opponent)


def pool_of(pool: int, every_rollouts: int) -> SelfPlay:
    return SelfPlay(self=SelfPlayPool(pool=pool, every_rollouts=every_rollouts))


def members(checkpoint: Path) -> list[int]:
    """The env steps of the policies in a checkpoint's pool, in their places."""
    packed = read_saved_run(checkpoint).snapshot.opponents
    assert packed is not None
    return [note["env_steps"] for _, note in unpack(packed)]


@pytest.mark.parametrize("env_id", [TIC_TAC_TOE, "pettingzoo/tictactoe_v3"])
def test_the_pool_grows_and_is_bounded(make_config, run, env_id):
    result, recorder = run(make_config(environment=against(pool_of(3, 2), env_id), total_timesteps=32 * 9))
    # after every second rollout of 32 steps, the initial policy first: 0, 64, 128, and then 192 and 256 in their places
    assert members(Path(result.checkpoint.uri)) == [192, 256, 128]
    assert recorder.facts["opponents"] == "3 policies of this run, of env steps 128, 192, 256"
    assert {episode.outcome for episode in recorder.episodes} >= {"win", "loss"}


def test_self_is_the_latest_policy_at_every_rollout(make_config, run, monkeypatch):
    played = []
    hand_over = OpponentPool.hand_over
    monkeypatch.setattr(
        OpponentPool, "hand_over", lambda pool, model: played.append((model.num_timesteps, hand_over(pool, model)))
    )
    result, recorder = run(make_config(environment=against("self"), total_timesteps=96, n_envs=2))
    assert [steps for steps, _ in played] == [0, 64], "before each rollout, and never in one"
    checkpoint = Path(result.checkpoint.uri)
    assert members(checkpoint) == [64]
    assert recorder.facts["opponents"] == "the latest policy of this run"
    [(newest, _)] = unpack(read_saved_run(checkpoint).snapshot.opponents)
    last = load_policy(checkpoint).policy.state_dict()["action_net.bias"].numpy()
    assert newest.layers[-1][1].tolist() != last.tolist(), "what the last rollout taught is played in the next one"


def test_observations_of_the_opponent_are_normalised_as_of_its_time(make_config, run):
    config = make_config(environment=against(pool_of(2, 1)), total_timesteps=64, normalize_observations=True)
    result, _ = run(config)
    packed = read_saved_run(Path(result.checkpoint.uri)).snapshot.opponents
    first, second = (policy.scale for policy, _ in unpack(packed))
    assert first.mean.tolist() == [0.0] * 27
    assert second.mean.any()
    assert (first.clip, first.epsilon) == (10.0, 1e-8)


@pytest.mark.parametrize(
    ("opponent", "evaluation", "kind"),
    [
        (pool_of(2, 1), None, RandomOpponent),
        ("self", "mcts:5", MCTSOpponent),
        ("mcts:5", None, MCTSOpponent),
        ("mcts:5", "random", RandomOpponent),
    ],
)
def test_evaluations_have_a_fixed_opponent(make_config, opponent, evaluation, kind):
    config = make_config(
        environment=against(opponent), total_timesteps=32, evaluation=EvaluationConfig(opponent=evaluation)
    )
    assert type(Evaluator(config)._env.unwrapped._opponent) is kind


def test_a_checkpoint_is_evaluated_as_its_run_was(make_config, run):
    evaluation = EvaluationConfig(every_rollouts=2, episodes=9)
    config = make_config(environment=against("self"), total_timesteps=64, evaluation=evaluation)
    result, recorder = run(config)
    checkpoint = Path(result.checkpoint.uri)
    by_default, random = (
        evaluate(checkpoint, episodes=9, seed=config.seed, opponent=each) for each in (None, "random")
    )
    assert by_default == random
    assert by_default.mean_reward == recorder.evaluations[-1].mean_reward
    with pytest.raises(EnvironmentSpecError, match="Opponent self plays in training only"):
        evaluate(checkpoint, episodes=1, opponent="self")
    assert evaluate(checkpoint, episodes=3, opponent=str(checkpoint)).episodes == 3


def test_a_plan_counts_the_pool_into_the_checkpoints(make_config, run):
    config = make_config(environment=against(pool_of(30, 1)), total_timesteps=32 * 32)
    [measured] = measure_all([config])
    result, _ = run(config)
    assert len(members(Path(result.checkpoint.uri))) == 30
    assert result.checkpoint.bytes < measured.checkpoint_bytes < 2 * result.checkpoint.bytes


def test_a_run_that_begins_with_other_weights_resumes_from_its_start(make_config, run, tmp_path):
    class StopsAtOnce(ListRecorder):
        def add_checkpoint(self, checkpoint, *, dropped_uris):
            super().add_checkpoint(checkpoint, dropped_uris=dropped_uris)
            self.stop_requested = True

    config = make_config(environment=against("self"), total_timesteps=64)
    trained, _ = run(config)
    recorder = StopsAtOnce()
    weights = {"weights_from": Path(trained.checkpoint.uri)}
    train(config, recorder, checkpoint_folder=tmp_path / "begun", tensorboard_folder=None, **weights)
    [start] = recorder.checkpoints
    assert start.env_steps == 0
    result, _ = run(config, folder="begun", resume_from=Path(start.uri))
    assert members(Path(result.checkpoint.uri)) == [32]


def test_damaged_opponents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"The opponents in .*a\.zip cannot be read"):
        OpponentPool(SelfPlayPool()).restore(b"no archive", locate(str(tmp_path / "a.zip")))


def test_a_network_that_cannot_be_played_is_refused_before_training(make_config, monkeypatch):
    own = {"network": {"net_arch": [8], "features_extractor": "own_extractor:Powers"}}
    with pytest.raises(ConfigError, match=r"self cannot play this policy: it has the features extractor Powers; take"):
        measure_all([make_config(environment=against("self"), total_timesteps=32, agent=own)])
    monkeypatch.setitem(algorithms.ACTIVATIONS, "tanh", torch.nn.GELU)
    with pytest.raises(ConfigError, match=r"self cannot play this policy: its activation is GELU"):
        measure_all([make_config(environment=against("self"), total_timesteps=32)])


def test_an_opponent_of_evaluations_that_cannot_play_is_refused_before_training(make_config) -> None:
    config = make_config(total_timesteps=32, evaluation=EvaluationConfig(opponent="mcts"))
    with pytest.raises(EnvironmentSpecError, match="'CartPole-v1' has one agent, so opponent 'mcts' cannot play"):
        measure_all([config])
