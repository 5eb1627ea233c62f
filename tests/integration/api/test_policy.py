"""A trained policy as an SB3 model."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3.common.vec_env import VecNormalize

import rlsweep
from rlsweep.config.run import Mode
from rlsweep.errors import NotFoundError, UntrustedFileError

pytestmark = pytest.mark.integration


def played(model) -> float:
    """The reward of one episode of the deterministic policy in the model's own environment."""
    env, total, done = model.get_env(), 0.0, [False]
    observation = env.reset()
    while not done[0]:
        action, _ = model.predict(observation, action_masks=get_action_masks(env), deterministic=True)
        observation, reward, done, _ = env.step(action)
        total += float(reward[0])
    return total


def test_the_model_of_a_run(train_run):
    run = train_run()
    (checkpoint,) = run.checkpoints()
    model = rlsweep.load_policy(run)
    assert type(model) is MaskablePPO
    stock = MaskablePPO.load(checkpoint.uri, device="cpu")
    for name, weights in stock.policy.state_dict().items():
        assert np.array_equal(weights, model.policy.state_dict()[name]), name
    assert played(model) == rlsweep.evaluate(run, episodes=1).mean_reward > 0
    for other in (run.id, str(run.id)[:8], Path(checkpoint.uri), checkpoint.uri):
        assert played(rlsweep.load_policy(other)) == played(rlsweep.load_policy(run))
    assert played(rlsweep.load_policy(run, seed=7)) == rlsweep.evaluate(run, episodes=1, seed=7).mean_reward


def test_observations_are_normalised_as_the_run_had_them(train_run):
    run = train_run("normalize_observations=true", "normalize_rewards=true")
    model = rlsweep.load_policy(run)
    env = model.get_env()
    assert isinstance(env, VecNormalize)
    before = env.obs_rms.mean.copy()
    assert played(model) == rlsweep.evaluate(run, episodes=1).mean_reward > 0  # whole: one a step, not normalised
    assert np.array_equal(env.obs_rms.mean, before)


def test_a_file_that_nobody_vouches_for(train_run, poison, tmp_path):
    """Weights alone are read of any file; statistics, which are a pickle, of those on record or trusted by name."""
    run = train_run("normalize_observations=true")
    (checkpoint,) = run.checkpoints()
    moved = shutil.copy(checkpoint.uri, tmp_path / "moved.zip")
    assert played(rlsweep.load_policy(moved)) == played(rlsweep.load_policy(run))
    marker = tmp_path / "created"
    evil = poison(Path(checkpoint.uri), tmp_path / "evil.zip", marker, "data", "vecnormalize.pkl", "boundary.pkl")
    with pytest.raises(UntrustedFileError, match="trust=True in Python"):
        rlsweep.load_policy(evil)
    with pytest.raises(UntrustedFileError, match="trust=True in Python"):
        rlsweep.evaluate(evil, episodes=1)
    shutil.copy(evil, checkpoint.uri)  # the run's own file was replaced
    with pytest.raises(UntrustedFileError):
        rlsweep.load_policy(run)
    assert not marker.exists()
    with pytest.raises(AttributeError):  # it is unpickled, and is no normaliser
        rlsweep.load_policy(evil, trust=True)
    assert marker.exists()


def test_the_best_checkpoint(train_run):
    run = train_run("evaluation.every_rollouts=1", "evaluation.episodes=1", mode=Mode.FULL)
    best = next(checkpoint for checkpoint in run.checkpoints() if checkpoint.uri.endswith("/best.zip"))
    model = rlsweep.load_policy(run, checkpoint="best")
    stock = MaskablePPO.load(best.uri, device="cpu")
    assert all(
        np.array_equal(weights, model.policy.state_dict()[name]) for name, weights in stock.policy.state_dict().items()
    )
    with pytest.raises(NotFoundError, match="no best checkpoint"):
        rlsweep.load_policy(train_run(), checkpoint="best")
    with pytest.raises(ValueError, match="'worst' is not a valid Which"):
        rlsweep.load_policy(run, checkpoint="worst")


def test_a_run_without_a_checkpoint(record_sweep, course):
    record_sweep({None: course()}, seeds=1)
    with pytest.raises(NotFoundError, match="has no checkpoint yet"):
        rlsweep.load_policy(rlsweep.sweep().report().configs[0].seeds[0].run_id)
