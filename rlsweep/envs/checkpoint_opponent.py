"""An opponent that plays a saved MaskablePPO policy.

SB3's zip files contain pickles, which can run code when they are read, and an opponent's file may come from anywhere.
So nothing is unpickled here: the network is built from the shapes of its tensors, all else is read from JSON.
"""

import io
import json
import pickle
import random
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsweep.checkpoint_format import (
    OBSERVATIONS_KEY,
    POLICY_MEMBER,
    RECORD_MEMBER,
    SETTINGS_MEMBER,
    STATISTICS_MEMBER,
)
from rlsweep.envs.positions import Position
from rlsweep.errors import EnvironmentSpecError
from rlsweep.storage import Location, local_copy

_ACTIVATION = re.compile(r"<class 'torch\.nn\.modules\.activation\.(Tanh|ReLU|ELU)'>")
_LAYER = "mlp_extractor.{}_net.{}.weight"


class CheckpointOpponent:
    """Samples from the policy's distribution over the legal actions.

    The checkpoint is loaded at the first move, because loading imports torch. Loading and playing draw from no global
    random generator, so they do not change the agent's training.
    Raises EnvironmentSpecError, at the first move, if the checkpoint cannot be loaded or has other spaces, and
    NotFoundError or StorageUnavailableError if a URI cannot be read.
    """

    def __init__(self, path: Location, *, actions: int, observation_size: int) -> None:
        self._path = path
        self._actions = actions
        self._observation_size = observation_size
        self._policy: Any = None
        self._scale: Mapping[str, Any] | None = None

    def act(self, position: Position, rng: random.Random) -> int:
        """A legal action, drawn with its probability."""
        import torch

        if self._policy is None:
            self._load()
        legal = np.asarray(position.legal_actions(), np.intp)
        mask = np.zeros(self._actions, np.bool_)
        mask[legal] = True
        seen = _scaled(position.observation(), self._scale)
        with torch.no_grad():
            distribution = self._policy.get_distribution(torch.as_tensor(seen)[None], action_masks=mask[None])
            probabilities = distribution.distribution.probs[0].numpy()[legal]
        reached = np.cumsum(probabilities, dtype=np.float64)
        drawn = int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
        return int(legal[min(drawn, legal.size - 1)])

    def _load(self) -> None:
        """Read the policy, on the CPU, and how its observations are scaled."""
        import torch

        try:
            with local_copy(self._path) as file, zipfile.ZipFile(file) as archive:
                weights = torch.load(io.BytesIO(archive.read(POLICY_MEMBER)), map_location="cpu", weights_only=True)
                settings = json.loads(archive.read(SETTINGS_MEMBER))
                scale = self._read_scale(archive)
            _check_extractor(settings)
            self._check_trained_here(weights)
            with torch.random.fork_rng(devices=[]):  # building a layer draws random weights
                policy = _build(weights, settings)
        except pickle.UnpicklingError as exc:
            raise self._unloadable(f"{POLICY_MEMBER} contains more than tensors") from exc
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RuntimeError,
            EOFError,
            zipfile.BadZipFile,
        ) as exc:
            raise self._unloadable(str(exc).strip().split("\n", 1)[0]) from exc
        policy.set_training_mode(False)
        self._policy, self._scale = policy, scale

    def _read_scale(self, archive: zipfile.ZipFile) -> Mapping[str, Any] | None:
        members = archive.namelist()
        if STATISTICS_MEMBER not in members:
            return None
        record = json.loads(archive.read(RECORD_MEMBER)) if RECORD_MEMBER in members else {}
        if OBSERVATIONS_KEY not in record:
            raise self._unloadable(
                "it normalises observations, and its statistics are stored only as a pickle, which could run code; "
                "resume its run once to save a checkpoint that can be read"
            )
        scale = record[OBSERVATIONS_KEY]
        return None if scale is None else {key: np.asarray(value, np.float64) for key, value in scale.items()}

    def _check_trained_here(self, weights: Mapping[str, Any]) -> None:
        first = weights.get(_LAYER.format("policy", 0), weights["action_net.weight"])
        size, actions = first.shape[1], weights["action_net.weight"].shape[0]
        if (size, actions) != (self._observation_size, self._actions):
            raise EnvironmentSpecError(
                f"Opponent checkpoint {self._path} was trained for observations of shape ({size},) and {actions} "
                f"actions, but this environment has ({self._observation_size},) and {self._actions}."
            )

    def _unloadable(self, reason: str) -> EnvironmentSpecError:
        return EnvironmentSpecError(
            f"Opponent checkpoint {self._path} cannot be loaded as a MaskablePPO policy: {reason}."
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the policy; a copy loads it again."""
        return {**self.__dict__, "_policy": None, "_scale": None}


def _build(weights: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """Build the policy of these weights: dense layers over a flat observation, with the sizes of the tensors.

    Raises RuntimeError if a tensor belongs to another kind of network, ValueError for an unknown activation.
    """
    import gymnasium as gym
    import torch
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy

    layers = {
        name: [weights[key].shape[0] for i in range(0, len(weights), 2) if (key := _LAYER.format(tower, i)) in weights]
        for name, tower in (("pi", "policy"), ("vf", "value"))
    }
    first = weights.get(_LAYER.format("policy", 0), weights["action_net.weight"])
    policy = MaskableActorCriticPolicy(
        gym.spaces.Box(-np.inf, np.inf, (first.shape[1],), np.float32),
        gym.spaces.Discrete(weights["action_net.weight"].shape[0]),
        lambda _: 0.0,
        net_arch=layers,
        activation_fn=getattr(torch.nn, _activation(settings)),
    )
    policy.load_state_dict(weights)
    return policy


def _check_extractor(settings: Mapping[str, Any]) -> None:
    """Raise ValueError for a features extractor of the user's: it may have no weights, and only a pickle names it."""
    if extractor := settings.get("policy_kwargs", {}).get("features_extractor_class"):
        raise ValueError(f"it has a features extractor of its own, {extractor}, which an opponent cannot have")


def _activation(settings: Mapping[str, Any]) -> str:
    """The name of the activation's torch class, from the text that SB3 writes next to its pickle; default Tanh."""
    note = settings.get("policy_kwargs", {}).get("activation_fn")
    if note is None:
        return "Tanh"
    known = _ACTIVATION.fullmatch(str(note))
    if known is None:
        raise ValueError(f"its activation is {note}; supported are Tanh, ReLU and ELU")
    return known[1]


def _scaled(seen: NDArray[np.float32], scale: Mapping[str, Any] | None) -> NDArray[np.float32]:
    """Scale an observation as `VecNormalize.normalize_obs` does."""
    if scale is None:
        return seen
    centred = (seen - scale["mean"]) / np.sqrt(scale["variance"] + scale["epsilon"])
    clipped: NDArray[np.float32] = np.clip(centred, -scale["clip"], scale["clip"]).astype(np.float32)
    return clipped
