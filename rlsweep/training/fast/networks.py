"""Split an SB3 actor-critic policy into its layers, and check which policies the fast engine supports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import Tensor, nn

from rlsweep.training.fast.towers import ACTIVATIONS, Activation, Layer, Pass


def reason_against(policy_class: type, supported: type, policy_kwargs: Mapping[str, Any]) -> str | None:
    """Return why the fast engine cannot train a policy, as a clause; None if it can.

    supported: the class that the algorithm's MlpPolicy stands for
    """
    given = {"activation_fn": nn.Tanh, "optimizer_class": torch.optim.Adam, "optimizer_kwargs": None} | dict(
        policy_kwargs
    )
    activation, optimizer, options = given["activation_fn"], given["optimizer_class"], given["optimizer_kwargs"] or {}
    extractor = given.get("features_extractor_class", FlattenExtractor)
    if policy_class is not supported:
        return f"the fast engine supports MlpPolicy, not {policy_class.__name__}"
    if extractor is not FlattenExtractor:
        return (
            f"the fast engine does not support the features extractor {extractor.__name__} (network.features_extractor)"
        )
    if activation not in ACTIVATIONS:
        return f"the fast engine supports tanh, relu and elu, not {activation.__name__}"
    if optimizer is torch.optim.Adam and options.get("weight_decay"):
        return "the fast engine does not support weight decay (optimizer.weight_decay)"
    if optimizer is not torch.optim.Adam or not options.keys() <= {"eps", "betas"}:
        return f"the fast engine supports Adam with eps and betas, not {optimizer.__name__} with {options}"
    return None


def is_plain(policy: ActorCriticPolicy) -> bool:
    """Whether features equal the observations: no images to scale and no values to encode as one-hot."""
    space = policy.observation_space
    return isinstance(space, spaces.Box) and not is_image_space(space)


def features_of(policy: ActorCriticPolicy, observations: NDArray[np.generic]) -> Tensor:
    """The towers' inputs (N, F) for observations (N, …), with SB3's preprocessing."""
    with torch.no_grad():
        features = policy.extract_features(
            torch.as_tensor(observations, device=policy.device), policy.pi_features_extractor
        )
    # flattening has no parameters, so both towers' extractors return the same
    return features if isinstance(features, Tensor) else features[0]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A policy's linear layers.

    towers: groups of towers that are computed together. If both towers' layers have equal shapes, they are one group,
        (policy's, value's) layer by layer; else each tower is its own group, the policy's first.
    """

    towers: tuple[tuple[tuple[nn.Linear, ...], ...], ...]
    value: nn.Linear
    action: nn.Linear
    activation: Activation

    @classmethod
    def of(cls, policy: ActorCriticPolicy) -> "Architecture":
        """Split a policy into its layers."""
        actor = _linear_layers(policy.mlp_extractor.policy_net)
        critic = _linear_layers(policy.mlp_extractor.value_net)
        towers: tuple[tuple[tuple[nn.Linear, ...], ...], ...]
        if [layer.weight.shape for layer in actor] == [layer.weight.shape for layer in critic]:
            towers = (tuple(zip(actor, critic, strict=True)),)
        else:
            towers = (tuple((layer,) for layer in actor), tuple((layer,) for layer in critic))
        assert isinstance(policy.action_net, nn.Linear)
        return cls(towers, policy.value_net, policy.action_net, ACTIVATIONS[policy.activation_fn])

    def in_order(self) -> list[Tensor]:
        """The parameters of the towers and the value layer; those that are computed together are adjacent."""
        layers = [*(beside for tower in self.towers for beside in tower), (self.value,)]
        return [parameter for beside in layers for parameter in _weights_and_biases(beside)]


def _weights_and_biases(beside: Sequence[nn.Linear]) -> list[Tensor]:
    return [*(layer.weight for layer in beside), *(layer.bias for layer in beside)]


def _linear_layers(tower: nn.Module) -> list[nn.Linear]:
    return [layer for layer in tower.modules() if isinstance(layer, nn.Linear)]


class Trunk:
    """The network without its action head, for batches of B samples.

    features (B, F): filled by the caller before `forward`
    latent (B, H), d_latent: the action head's input, and its gradient, filled by the caller before `backward`
    values (B,), d_values: the values and their gradient, likewise
    """

    def __init__(
        self,
        architecture: Architecture,
        make_layer: Callable[[Sequence[nn.Linear], Activation | None], Layer],
        features: Tensor,
    ) -> None:
        self.features = features
        beside = 2 if len(architecture.towers) == 1 else 1
        self._towers = [
            Pass(
                [make_layer(layers, architecture.activation) for layers in tower],
                features.expand(beside, *features.shape),
            )
            for tower in architecture.towers
        ]
        first, last = self._towers[0], self._towers[-1]
        self.latent, self.d_latent = first.outputs[0], first.d_outputs[0]
        self._value = Pass([make_layer([architecture.value], None)], last.outputs[-1:], d_inputs=last.d_outputs[-1:])
        self.values, self.d_values = self._value.outputs.view(-1), self._value.d_outputs.view(-1)

    def forward(self) -> None:
        """Compute `latent` and `values` from `features`."""
        for tower in self._towers:
            tower.forward()
        self._value.forward()

    def backward(self) -> None:
        """Compute the layers' gradients from `d_latent` and `d_values`."""
        self._value.backward()
        for tower in self._towers:
            tower.backward()


def copied_layer(beside: Sequence[nn.Linear], activation: Activation | None) -> Layer:
    """A layer only for `forward`, on copies in the memory order in which they are read."""
    return Layer(
        torch.stack([layer.weight.detach().cpu().t() for layer in beside]).contiguous(),
        torch.stack([layer.bias.detach().cpu()[None] for layer in beside]),
        activation,
    )
