"""From one model and one rollout, stock PPO or MaskablePPO and the fast one end an update with the same parameters."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv

from rlsweep.training.fast.dense import DenseUpdate
from rlsweep.training.fast.ppo import FastMaskablePPO, FastOnPolicy, FastPPO
from rlsweep.training.fast.rollout import FastRolloutBuffer, LegalRolloutBuffer, part_sizes
from rlsweep.training.fast.update import CompiledUpdate
from tests.integration.training.masked_env import MaskedEnv

pytestmark = pytest.mark.xdist_group("fast_parity")  # the loops are compiled for float64 nowhere else, and once here

TOLERANCE = 1e-8
"""Of each tensor's norm, in float64."""

UPDATES: list[tuple[type[CompiledUpdate | DenseUpdate], str]] = [(CompiledUpdate, "cpu"), (DenseUpdate, "cpu")]
if torch.cuda.is_available():
    UPDATES.append((DenseUpdate, "cuda"))

BUFFERED = ("observations", "actions", "rewards", "episode_starts", "values", "log_probs", "advantages", "returns")

BOX = spaces.Box(-1, 1, (3,), np.float32)

CASES: dict[str, dict[str, Any]] = {
    "tanh": {},
    "relu": {"activation_fn": torch.nn.ReLU},
    "elu": {"activation_fn": torch.nn.ELU},
    "unequal towers": {"net_arch": {"pi": [32, 16], "vf": [24]}},
    "towers of different inner widths": {"net_arch": {"pi": [32, 16], "vf": [24, 16]}},
    "one layer": {"net_arch": [20]},
    "no layers": {"net_arch": []},
    "no layers for values": {"net_arch": {"pi": [16, 16], "vf": []}},
    "768 actions": {"actions": 768},
    "one action": {"actions": 1},
    "eight environments": {"envs": 8},
    "a smaller last minibatch": {"batch_size": 48},
    "the whole rollout at once": {"batch_size": None},
    "a minibatch larger than the rollout": {"batch_size": 1000},
    "target_kl": {"target_kl": 0.003, "learning_rate": 3e-3},
    "clip_range_vf": {"clip_range_vf": 0.1},
    "schedules": {
        "learning_rate": LinearSchedule(1e-3, 0, 1),
        "clip_range": LinearSchedule(0.3, 0, 1),
        "clip_range_vf": LinearSchedule(0.3, 0, 1),
    },
    "advantages as they are": {"normalize_advantage": False},
    "no entropy bonus": {"ent_coef": 0.0},
    "gradients clipped hard": {"max_grad_norm": 1e-3},
    "gradients not clipped": {"max_grad_norm": 1e3},
    "everything at once": {
        "actions": 768, "envs": 4, "net_arch": {"pi": [32], "vf": [16, 16]}, "activation_fn": torch.nn.ELU,
        "target_kl": 0.2, "clip_range_vf": 0.2, "learning_rate": LinearSchedule(1e-3, 0, 1), "batch_size": 50,
    },
    "parts": {"actions": spaces.MultiDiscrete([3, 5, 2])},
    "parts, eight environments": {"actions": spaces.MultiDiscrete([3, 1, 4]), "envs": 8, "batch_size": 50},
    "switches": {"actions": spaces.MultiBinary(4)},
    "without masks": {"algorithm": PPO},
    "parts without masks": {"algorithm": PPO, "actions": spaces.MultiDiscrete([3, 5, 2])},
    "continuous": {"algorithm": PPO, "actions": BOX},
    "continuous, of another shape": {"algorithm": PPO, "actions": spaces.Box(-2, 2, (2, 2), np.float32), "envs": 4},
    "continuous, as it may be": {
        "algorithm": PPO, "actions": BOX, "envs": 8, "net_arch": {"pi": [32], "vf": [16, 16]}, "log_std_init": -0.7,
        "activation_fn": torch.nn.ReLU, "target_kl": 0.02, "clip_range_vf": 0.2, "max_grad_norm": 0.1, "batch_size": 50,
    },
    "a last minibatch of one": {"algorithm": PPO, "actions": BOX, "steps": 193},
}  # fmt: skip

MASKING = (MaskablePPO, FastMaskablePPO)
FAST: dict[type[OnPolicyAlgorithm], type[FastOnPolicy]] = {MaskablePPO: FastMaskablePPO, PPO: FastPPO}


def build(
    algorithm: type[OnPolicyAlgorithm],
    *,
    actions: int | spaces.Space[Any],
    envs: int,
    steps: int,
    legal: int,
    **options: Any,
) -> OnPolicyAlgorithm:
    network = {key: options.pop(key) for key in ("net_arch", "activation_fn", "log_std_init") if key in options}
    vector = DummyVecEnv([lambda: MaskedEnv(actions, legal=legal if algorithm in MASKING else None)] * envs)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
        return algorithm("MlpPolicy", vector, n_steps=steps, seed=3, policy_kwargs=network, **options)


def in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """SB3 casts observations to float32."""
    monkeypatch.setattr(
        "stable_baselines3.common.policies.preprocess_obs", lambda obs, *_, **__: torch.as_tensor(obs).double()
    )


def same_rollout(stock: OnPolicyAlgorithm, fast: FastOnPolicy, dtype: type[np.floating] = np.float64) -> None:
    """Give the fast model the stock one's rollout, both in a dtype."""
    _, callback = stock._setup_learn(1000)
    stock.collect_rollouts(stock.env, callback, stock.rollout_buffer, stock.n_steps)
    fast._setup_learn(1000)
    theirs, ours = stock.rollout_buffer, fast.rollout_buffer
    assert isinstance(ours, FastRolloutBuffer)
    ours.reset()
    for name in BUFFERED:
        setattr(theirs, name, getattr(theirs, name).astype(dtype))
        setattr(ours, name, getattr(theirs, name).copy())
    if isinstance(ours, LegalRolloutBuffer):
        everything = np.ones((ours.buffer_size, ours.n_envs, sum(part_sizes(fast.action_space))), np.bool_)
        for masks in getattr(theirs, "action_masks", everything):
            for mask in masks:
                ours.legal.append(np.flatnonzero(mask))
    ours.full = True


def copy_weights(stock: OnPolicyAlgorithm, fast: FastOnPolicy) -> None:
    fast.set_parameters(stock.get_parameters())
    for model in (stock, fast):
        model._current_progress_remaining = 0.7


def update(model: OnPolicyAlgorithm) -> dict[str, float]:
    np.random.seed(11)
    model.train()
    return dict(model.logger.name_to_value)


def distances(stock: OnPolicyAlgorithm, fast: FastOnPolicy) -> dict[str, float]:
    """Of each parameter and of each of Adam's moments, by the tensor's own norm."""
    result = {}
    for name, theirs in stock.policy.named_parameters():
        ours = fast.policy.get_parameter(name)
        their_state, our_state = stock.policy.optimizer.state[theirs], fast.policy.optimizer.state[ours]
        assert their_state["step"] == our_state["step"]
        pairs = {name: (theirs, ours)} | {
            f"{name} {key}": (their_state[key], our_state[key]) for key in ("exp_avg", "exp_avg_sq")
        }
        for key, (a, b) in pairs.items():
            norm = a.norm().item()
            # a value that is exactly zero for stock, such as an unused gradient's moments, has to be so here
            result[key] = (a - b).norm().item() / (norm or 1.0)
    return result


def both(
    *,
    algorithm: type[OnPolicyAlgorithm] = MaskablePPO,
    actions: int | spaces.Space[Any] = 7,
    envs: int = 1,
    steps: int = 192,
    legal: int = 8,
    **options: Any,
) -> tuple[OnPolicyAlgorithm, FastOnPolicy]:
    options = {"batch_size": 64, "n_epochs": 3, "ent_coef": 0.01, "learning_rate": 1e-3, "device": "cpu"} | options
    stock, fast = (
        build(each, actions=actions, envs=envs, steps=steps // envs, legal=legal, **options)
        for each in (algorithm, FAST[algorithm])
    )
    assert isinstance(fast, FastOnPolicy)
    assert fast.fallback is None
    return stock, fast


@pytest.fixture(params=UPDATES, ids=lambda of: f"{of[0].__name__} on {of[1]}")
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where an update is computed, in each way there is; the one for GPUs is torch alone, and works on a CPU too."""
    update, name = request.param
    monkeypatch.setattr("rlsweep.training.fast.ppo.update_on", lambda _: update)
    return str(name)


@pytest.mark.parametrize("case", CASES)
def test_updates_are_the_same(case: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_float64(monkeypatch)
    stock, fast = both(device=device, **CASES[case])
    for model in (stock, fast):
        model.policy.double()
    same_rollout(stock, fast)
    copy_weights(stock, fast)
    for _ in range(2):  # the second goes on from the moments of the first
        theirs, ours = update(stock), update(fast)
        assert ours == pytest.approx(theirs, rel=1e-7, abs=1e-9)
        far = {name: distance for name, distance in distances(stock, fast).items() if distance > TOLERANCE}
        assert not far


def after_one_update(monkeypatch: pytest.MonkeyPatch, **options: Any) -> float:
    """The largest distance of a tensor after an update in float64, whose logged figures are compared here."""
    in_float64(monkeypatch)
    stock, fast = both(**options)
    for model in (stock, fast):
        model.policy.double()
    same_rollout(stock, fast)
    copy_weights(stock, fast)
    theirs, ours = update(stock), update(fast)
    assert ours == pytest.approx(theirs, rel=1e-7, abs=1e-9)
    return max(distances(stock, fast).values())


def parameters_after_one_update_in_float32(**options: Any) -> dict[str, float]:
    """Each parameter's distance: rounding errors, which minibatch after minibatch amplifies."""
    stock, fast = both(**options)
    same_rollout(stock, fast, np.float32)
    copy_weights(stock, fast)
    update(stock)
    update(fast)
    names = dict(stock.policy.named_parameters())
    return {name: distance for name, distance in distances(stock, fast).items() if name in names}


def test_updates_are_the_same_for_36400_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert after_one_update(monkeypatch, actions=36_400, legal=340, steps=256, n_epochs=1, net_arch=[64]) < TOLERANCE
