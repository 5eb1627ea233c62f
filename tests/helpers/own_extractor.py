"""Features extractors as users write them."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor


class Powers(BaseFeaturesExtractor):
    """The powers of each observed number, from 1 to `highest`; it has no weights."""

    def __init__(self, observation_space: spaces.Box, *, highest: int = 2) -> None:
        super().__init__(observation_space, features_dim=highest * observation_space.shape[0])
        self._highest = highest

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return torch.cat([observations**power for power in range(1, self._highest + 1)], dim=-1)


class NoExtractor:
    """Of another kind."""
