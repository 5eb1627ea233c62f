"""An SB3 model's policy as a DensePolicy, which NumPy plays in a tenth of torch's time."""

from typing import Any

import gymnasium as gym
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import FlattenExtractor

from rlsweep.envs.dense_policy import DensePolicy, ObservationScale, dense_policy


def dense_policy_of(model: BaseAlgorithm, scale: ObservationScale | None = None) -> DensePolicy:
    """A copy of the model's policy as it is now, for flat observations and Discrete actions.

    scale: of the observations, if the environment does not scale them

    Raises ValueError, with a clause as its text, if its network is of another kind.
    """
    policy: Any = model.policy
    if type(policy.features_extractor) is not FlattenExtractor:  # it may have no weights
        raise ValueError(f"it has the features extractor {type(policy.features_extractor).__name__}")
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in policy.state_dict().items()}
    return dense_policy(weights, policy.activation_fn.__name__, scale)


def is_dense(model: BaseAlgorithm) -> bool:
    """Whether `dense_policy_of` plays as the model does: observations are numbers, and actions are Discrete."""
    seen = model.observation_space
    is_flat = isinstance(seen, gym.spaces.Box) and not is_image_space(seen)
    return is_flat and isinstance(model.action_space, gym.spaces.Discrete)
