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

from rlsweep.checkpoint_format import (
    OBSERVATIONS_KEY,
    POLICY_MEMBER,
    RECORD_MEMBER,
    SETTINGS_MEMBER,
    STATISTICS_MEMBER,
)
from rlsweep.envs.dense_policy import DensePolicy, ObservationScale, dense_policy
from rlsweep.envs.positions import Position
from rlsweep.errors import EnvironmentSpecError
from rlsweep.storage import Location, local_copy

_ACTIVATION = re.compile(r"<class 'torch\.nn\.modules\.activation\.(\w+)'>")


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
        self._policy: DensePolicy | None = None

    def act(self, position: Position, rng: random.Random) -> int:
        """A legal action, drawn with its probability."""
        return self.policy().draw(position.observation(), position.legal_actions(), rng)

    def policy(self) -> DensePolicy:
        """The policy, which is loaded by the first call."""
        if self._policy is None:
            self._policy = self._loaded()
        return self._policy

    def _loaded(self) -> DensePolicy:
        """Read the policy, and how its observations are scaled."""
        import torch

        try:
            with local_copy(self._path) as file, zipfile.ZipFile(file) as archive:
                tensors = torch.load(io.BytesIO(archive.read(POLICY_MEMBER)), map_location="cpu", weights_only=True)
                settings = json.loads(archive.read(SETTINGS_MEMBER))
                scale = self._read_scale(archive)
            _check_extractor(settings)
            weights = {name: tensor.numpy() for name, tensor in tensors.items()}
            policy = dense_policy(weights, _activation(settings), scale)
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
        self._check_trained_here(policy)
        return policy

    def _read_scale(self, archive: zipfile.ZipFile) -> ObservationScale | None:
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
        return None if scale is None else ObservationScale.of(scale)

    def _check_trained_here(self, policy: DensePolicy) -> None:
        size, actions = policy.layers[0][0].shape[1], policy.layers[-1][0].shape[0]
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
        return {**self.__dict__, "_policy": None}


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
    return str(note) if known is None else known[1]
