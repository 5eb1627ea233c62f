"""An opponent that plays a saved MaskablePPO policy."""

import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from rlsweep.envs.turns import Position
from rlsweep.errors import EnvironmentSpecError

STATISTICS_MEMBER = "vecnormalize.pkl"
"""Where a checkpoint of ours carries the VecNormalize that its policy's observations went through."""


class CheckpointOpponent:
    """Samples from the policy's distribution over the legal actions.

    The checkpoint is loaded at the first move, since that imports torch. Neither loading nor playing draws from a
    global generator, so the agent's training is not disturbed.
    Raises EnvironmentSpecError, at the first move, for a checkpoint that cannot be loaded or was trained elsewhere.
    """

    def __init__(self, path: Path, *, actions: int, observation_size: int) -> None:
        self._path = path
        self._actions = actions
        self._observation_size = observation_size
        self._policy: Any = None
        self._normalizer: Any = None

    def act(self, position: Position, rng: random.Random) -> int:
        """A legal action, drawn by its probability."""
        import torch

        if self._policy is None:
            self._load()
        legal = np.asarray(position.legal_actions(), np.intp)
        mask = np.zeros(self._actions, np.bool_)
        mask[legal] = True
        seen = position.observation()
        if self._normalizer is not None:
            seen = self._normalizer.normalize_obs(seen)
        with torch.no_grad():
            distribution = self._policy.get_distribution(torch.as_tensor(seen)[None], action_masks=mask[None])
            probabilities = distribution.distribution.probs[0].numpy()[legal]
        reached = np.cumsum(probabilities, dtype=np.float64)
        drawn = int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
        return int(legal[min(drawn, legal.size - 1)])

    def _load(self) -> None:
        """Read the policy, on the CPU, and the normaliser where there is one."""
        import torch
        from sb3_contrib import MaskablePPO

        # A rollout buffer of one step, not of the training run's thousands; and no seed, which SB3 would set globally.
        spare = {"n_steps": 1, "n_envs": 1, "seed": None}
        try:
            with torch.random.fork_rng(devices=[]):
                policy = MaskablePPO.load(self._path, device="cpu", custom_objects=spare).policy
            with zipfile.ZipFile(self._path) as archive:
                if STATISTICS_MEMBER in archive.namelist():
                    self._normalizer = pickle.loads(archive.read(STATISTICS_MEMBER))
        except (OSError, ValueError, KeyError, AttributeError, RuntimeError, AssertionError) as exc:
            raise EnvironmentSpecError(
                f"Opponent checkpoint {self._path} cannot be loaded as a MaskablePPO policy: {exc}"
            ) from exc
        trained_for = (policy.observation_space.shape, getattr(policy.action_space, "n", None))
        if trained_for != ((self._observation_size,), self._actions):
            raise EnvironmentSpecError(
                f"Opponent checkpoint {self._path} was trained for observations of shape {trained_for[0]} and "
                f"{trained_for[1]} actions, but this environment has ({self._observation_size},) and {self._actions}."
            )
        policy.set_training_mode(False)
        self._policy = policy

    def __getstate__(self) -> dict[str, Any]:
        """A copy loads the policy anew."""
        return {**self.__dict__, "_policy": None, "_normalizer": None}
