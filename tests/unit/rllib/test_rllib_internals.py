"""Every method of RLlib's that is not public and that ours override or call is there, with the arguments we know."""

import inspect
import re
from typing import Any

import pytest
import ray
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.core.learner.learner import Learner
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

CALLS: dict[tuple[type, str], tuple[tuple[Any, ...], dict[str, Any]]] = {
    (SingleAgentEnvRunner, "_try_env_step"): ((None, [0]), {}),
    (PPOTorchLearner, "_make_batch_if_necessary"): ((None,), {"training_data": None}),
    (PPOTorchLearner, "_set_optimizer_lr"): ((None, 1e-3), {}),
    (TorchRLModule, "_forward"): ((None, {}), {}),
    (TorchRLModule, "_forward_train"): ((None, {}), {}),
}
"""The positional arguments of each method, with the object first where it is no static method, and the keywords."""


@pytest.mark.parametrize(("owner", "method"), CALLS)
def test_a_method_takes_the_arguments_that_we_know(owner: type, method: str) -> None:
    assert callable(getattr(owner, method, None)), f"{owner.__name__}.{method} is gone in Ray {ray.__version__}"
    arguments, keywords = CALLS[owner, method]
    signature = inspect.signature(getattr(owner, method))
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as error:
        pytest.fail(f"{owner.__name__}.{method} of Ray {ray.__version__} is now called with {signature}: {error}")


@pytest.mark.parametrize("name", ["_params", "_named_optimizers"])
def test_a_learner_keeps_its_parameters_and_optimizers_by_name(name: str) -> None:
    declared = re.search(rf"self\.{name}: (\w*Dict)\b", inspect.getsource(Learner.__init__))
    assert declared, f"a learner of Ray {ray.__version__} has no dict {name}"
