"""FastPPO, and FastMaskablePPO with actions of several parts: their distributions, files, callbacks and limits."""

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from scipy.stats import kstest
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from rlsweep.errors import EnvironmentStateError
from rlsweep.training.fast.ppo import FastMaskablePPO, FastPPO
from tests.integration.training.masked_env import MaskedEnv

SMALL: dict[str, Any] = {
    "n_steps": 32, "batch_size": 16, "n_epochs": 2, "seed": 0, "device": "cpu", "policy_kwargs": {"net_arch": [16]},
}  # fmt: skip
BOX = spaces.Box(-0.5, 0.5, (2, 3), np.float32)
PARTS = spaces.MultiDiscrete([3, 5, 2])
ACTIONS = {
    "discrete": (FastPPO, spaces.Discrete(4)),
    "parts": (FastPPO, PARTS),
    "continuous": (FastPPO, BOX),
    "masked parts": (FastMaskablePPO, PARTS),
    "masked switches": (FastMaskablePPO, spaces.MultiBinary(4)),
}
every_action = pytest.mark.parametrize(("algorithm", "actions"), ACTIONS.values(), ids=ACTIONS)


def small(algorithm: type[OnPolicyAlgorithm], actions: spaces.Space[Any], **options: Any) -> OnPolicyAlgorithm:
    legal = 8 if issubclass(algorithm, MaskablePPO) else None
    env = DummyVecEnv([lambda: MaskedEnv(actions, legal=legal)] * 2)
    return algorithm("MlpPolicy", env, **SMALL | options)


def stock_of(algorithm: type[OnPolicyAlgorithm]) -> type[OnPolicyAlgorithm]:
    return MaskablePPO if issubclass(algorithm, MaskablePPO) else PPO


def rollout(model: OnPolicyAlgorithm) -> Any:
    _, callback = model._setup_learn(1000)
    assert model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    return model.rollout_buffer


@every_action
def test_what_a_rollout_records_is_what_stock_computes_of_it(
    algorithm: type[OnPolicyAlgorithm], actions: spaces.Space[Any]
) -> None:
    model = small(algorithm, actions)
    assert model.fallback is None
    buffer = rollout(model)
    taken = torch.from_numpy(buffer.actions.reshape(64, -1))
    masks = {}
    if algorithm is FastMaskablePPO:
        is_legal = np.zeros((64, model.policy.action_net.out_features), np.bool_)
        starts = buffer.legal.starts[:: buffer.legal.starts.size // 64]
        for row, (begin, end) in enumerate(pairwise(starts)):
            is_legal[row, buffer.legal.actions[begin:end]] = True
        masks = {"action_masks": is_legal}
    with torch.no_grad():
        values, log_probs, _ = model.policy.evaluate_actions(
            torch.from_numpy(buffer.observations.reshape(64, -1)),
            taken.flatten() if isinstance(actions, spaces.Discrete) else taken,
            **masks,
        )
    np.testing.assert_allclose(buffer.values.reshape(64), values[:, 0].numpy(), atol=1e-5)
    np.testing.assert_allclose(buffer.log_probs.reshape(64), log_probs.numpy(), atol=1e-5)


def test_continuous_actions_are_normal_and_clipped_to_the_space_only_for_the_environment() -> None:
    given = []

    class Noting(MaskedEnv):
        def step(self, action: Any) -> Any:
            given.append(action)
            return super().step(action)

    model = FastPPO("MlpPolicy", DummyVecEnv([lambda: Noting(BOX)]), **SMALL | {"n_steps": 512})
    with torch.no_grad():
        model.policy.log_std.copy_(torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 0.0]))
    buffer = rollout(model)
    with torch.no_grad():
        means = model.policy.get_distribution(torch.from_numpy(buffer.observations[:, 0])).distribution.mean.numpy()
        deviations = model.policy.log_std.exp().numpy()
    drawn = buffer.actions[:, 0]
    assert kstest(((drawn - means) / deviations).flatten(), "norm").pvalue > 1e-3
    np.testing.assert_array_equal(np.array(given), drawn.reshape(-1, 2, 3).clip(-0.5, 0.5))
    assert np.abs(drawn).max() > 0.5


@every_action
@pytest.mark.parametrize("writes_fast", [True, False])
def test_files_go_both_ways_and_training_goes_on(
    algorithm: type[OnPolicyAlgorithm], actions: spaces.Space[Any], writes_fast: bool, tmp_path: Path
) -> None:
    writer, reader = (algorithm, stock_of(algorithm)) if writes_fast else (stock_of(algorithm), algorithm)
    model = small(writer, actions)
    model.learn(64)
    model.save(tmp_path / "model.zip")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = reader.load(tmp_path / "model.zip", env=model.get_env(), device="cpu")
    assert type(loaded) is reader
    for name, tensor in model.policy.state_dict().items():
        assert torch.equal(tensor, loaded.policy.state_dict()[name])
    theirs, ours = model.policy.optimizer.state_dict()["state"], loaded.policy.optimizer.state_dict()["state"]
    for key, state in theirs.items():
        for name, tensor in state.items():
            assert torch.equal(tensor, ours[key][name]), name
    loaded.learn(64, reset_num_timesteps=False)
    assert loaded.num_timesteps == 128
    assert not torch.equal(loaded.policy.action_net.weight, model.policy.action_net.weight)


class Seen(BaseCallback):
    """Keeps the names and shapes that callbacks are shown."""

    def _on_step(self) -> bool:
        shown = ("actions", "clipped_actions", "values", "log_probs", "rewards", "dones", "new_obs")
        self.names = set(self.locals)
        self.shapes = {name: self.locals[name].shape for name in shown if name in self.locals}
        return True


@every_action
def test_callbacks_and_logs_are_those_of_stock(algorithm: type[OnPolicyAlgorithm], actions: spaces.Space[Any]) -> None:
    seen, logged = [], []
    for each in (algorithm, stock_of(algorithm)):
        seen.append(Seen())
        model = small(each, actions, clip_range_vf=0.2, target_kl=10.0)
        model.learn(64, callback=seen[-1])
        logged.append({key for key in model.logger.name_to_value if key.startswith("train/")})
    fast, stock = seen
    passing = {"action_masks", "obs_tensor", "idx", "done", "terminal_obs", "terminal_value"}
    assert stock.names - fast.names <= passing
    assert stock.shapes.items() <= fast.shapes.items()
    assert logged[0] == logged[1]
    assert ("train/std" in logged[0]) == isinstance(actions, spaces.Box)


class Stuck(MaskedEnv):
    """Allows nothing for the second of three parts."""

    def action_masks(self) -> np.ndarray:
        mask = super().action_masks()
        mask[3:8] = False
        return mask


def test_a_part_without_a_legal_value_is_an_error_that_says_which() -> None:
    model = FastMaskablePPO("MlpPolicy", DummyVecEnv([lambda: Stuck(PARTS)]), **SMALL)
    with pytest.raises(EnvironmentStateError, match="its mask is all zero for part 2 of the action"):
        model.learn(32)


@pytest.mark.parametrize(
    ("actions", "options", "reason"),
    [
        (BOX, {"use_sde": True}, "gSDE"),
        (spaces.MultiBinary(4), {}, "not MultiBinary"),
        (BOX, {"policy_kwargs": {"optimizer_kwargs": {"weight_decay": 0.1}}}, "weight_decay"),
    ],
)
def test_what_fast_ppo_does_not_cover_stock_trains_and_it_says_so_once(
    actions: spaces.Space[Any], options: dict[str, Any], reason: str
) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = small(FastPPO, actions, **options)
        model.learn(32)
    [message] = [str(warning.message) for warning in said if "FastPPO trains as stock PPO does" in str(warning.message)]
    assert reason in message
    assert reason in (model.fallback or "")
    assert model.policy.optimizer.state_dict()["state"]
