"""Every name of SB3's and torch's that we use and that is not public is there, with the shape that we use it in."""

import inspect
import sys
from typing import Any

import numpy as np
import pytest
import sb3_contrib
import stable_baselines3
import torch
import torch._compile
from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, subproc_vec_env

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env

VERSIONS = f"stable-baselines3 {stable_baselines3.__version__}, sb3-contrib {sb3_contrib.__version__}"

CALLS: dict[str, tuple[Any, ...]] = {
    "_setup_model": (),
    "_setup_learn": (100, None),
    "_excluded_save_params": (),
    "_update_learning_rate": ([],),
    "_update_info_buffer": ([], np.zeros(1, bool)),
    "_update_current_progress_remaining": (1, 2),
    "collect_rollouts": (None, None, None, 8),
    "train": (),
}
"""Methods of an algorithm that ours override or call, and their arguments."""

ATTRIBUTES: dict[str, type] = {
    "_last_obs": np.ndarray,
    "_last_episode_starts": np.ndarray,
    "_n_updates": int,
    "_current_progress_remaining": float,
}
"""Attributes of a model that has learned a little, and what they are."""

ALGORITHMS = [MaskablePPO, PPO, A2C]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("method", CALLS)
def test_an_algorithm_has_the_methods_that_ours_override_or_call(
    algorithm: type[OnPolicyAlgorithm], method: str
) -> None:
    assert callable(getattr(algorithm, method, None)), f"{algorithm.__name__}.{method} is gone in {VERSIONS}"
    signature = inspect.signature(getattr(algorithm, method))
    try:
        signature.bind(None, *CALLS[method])
    except TypeError as error:
        pytest.fail(f"{algorithm.__name__}.{method} of {VERSIONS} is now called with {signature}: {error}")


def test_masks_may_be_left_out_of_a_rollout() -> None:
    assert "use_masking" in inspect.signature(MaskablePPO.collect_rollouts).parameters


@pytest.fixture(scope="module", params=ALGORITHMS)
def learned(request: pytest.FixtureRequest) -> OnPolicyAlgorithm:
    vector = DummyVecEnv([lambda: make_env(EnvironmentSpec(), seed=0)])
    batch = {} if request.param is A2C else {"batch_size": 8, "n_epochs": 1}
    model: OnPolicyAlgorithm = request.param("MlpPolicy", vector, n_steps=8, device="cpu", **batch)
    return model.learn(8)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_model_has_the_attributes_that_a_checkpoint_keeps(learned: OnPolicyAlgorithm, name: str) -> None:
    value = getattr(learned, name, None)
    assert isinstance(value, ATTRIBUTES[name]), f"{type(learned).__name__}.{name} of {VERSIONS} is {value!r}"


def test_updates_are_counted_by_epochs(learned: OnPolicyAlgorithm) -> None:
    assert learned._n_updates == 1


@pytest.mark.parametrize("hook", ["_on_step", "_on_rollout_end"])
def test_a_callback_has_the_hooks_that_ours_fill(hook: str) -> None:
    assert callable(getattr(BaseCallback, hook, None)), f"BaseCallback.{hook} is gone in {VERSIONS}"


def test_torch_wraps_its_optimizers_methods_and_looks_where_we_keep_the_compiler_out() -> None:
    wrapped = [method for method in vars(torch.optim.Optimizer).values() if hasattr(method, "__wrapped__")]
    assert wrapped, f"torch {torch.__version__} wraps no method of Optimizer any more"
    assert "__dynamo_disable" in inspect.getsource(torch._compile), (
        f"torch {torch.__version__} keeps what keep_compiler_out sets under another name"
    )
    assert "torch._compile" in sys.modules


def test_the_process_of_an_environment_takes_what_ours_gives_it() -> None:
    assert list(inspect.signature(subproc_vec_env._worker).parameters) == ["remote", "parent_remote", "env_fn_wrapper"]
