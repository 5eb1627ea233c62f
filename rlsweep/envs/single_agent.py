"""Gymnasium environments with one agent: masks, outcome, seeding and flat Dict observations."""

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.flatten import MASK_KEY, Flattener
from rlsweep.envs.opponents import no_seat
from rlsweep.envs.turns import TurnGame
from rlsweep.envs.wrappers import with_wrappers
from rlsweep.runs import Outcome


class SingleAgent(gym.Wrapper[Any, Any, Any, Any]):
    """Gives a Gymnasium env the guarantees of `make_env`, except action masks.

    The first `reset()` without a seed uses the seed given here; later ones continue its random stream.
    If the env's info has `is_success`, `info["outcome"]` is win or loss as of that step.
    """

    def __init__(self, env: gym.Env[Any, Any], *, seed: int, flatten: Flattener | None) -> None:
        super().__init__(env)
        self._seed: int | None = seed
        self._flatten = flatten
        self._mask: Any = None
        if flatten is not None:
            self.observation_space = flatten.box
        self.action_space.seed(seed)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; a seed reseeds everything."""
        observation, info = self.env.reset(seed=self._seed if seed is None else seed, options=options)
        self._seed = None
        return self._seen(observation, info), info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One env step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        observation = self._seen(observation, info)
        if "is_success" in info:
            info["outcome"] = Outcome.WIN if info["is_success"] else Outcome.LOSS
        return observation, reward, terminated, truncated, info

    def _seen(self, observation: Any, info: dict[str, Any]) -> Any:
        """Keep the observation's action mask and flatten the rest."""
        if self._flatten is None:
            self._mask = info.get(MASK_KEY)
            return observation
        self._mask = observation[MASK_KEY] if MASK_KEY in observation else info.get(MASK_KEY)
        return self._flatten(observation)


class MaskedSingleAgent(SingleAgent):
    """A SingleAgent with Discrete actions; its action mask is in its observation or info, else all True."""

    def __init__(self, env: gym.Env[Any, Any], *, seed: int, flatten: Flattener | None) -> None:
        super().__init__(env, seed=seed, flatten=flatten)
        assert isinstance(env.action_space, spaces.Discrete)
        self._all_legal = np.ones(int(env.action_space.n), np.bool_)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal now: a new array, shape (n_actions,), bool."""
        return self._all_legal.copy() if self._mask is None else np.array(self._mask, np.bool_)


def adapt(env: gym.Env[Any, Any], spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Wrap `env` in the wrappers of `spec`, and then so that it has the guarantees of `make_env`.

    Dict and Tuple observations become flat float32 vectors, all others are unchanged. An environment with its own
    `action_masks()`, or with actions other than Discrete, gets no action mask here.
    Raises EnvironmentSpecError for an opponent (there is one seat), for wrong `observation_keys`, and as
    `with_wrappers` does.
    """
    if spec.opponent != "random":
        raise no_seat(spec)
    return _guaranteed(with_wrappers(env, spec), spec.id, keys=spec.observation_keys, seed=seed)


def adapt_game(game: TurnGame, spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Wrap a game, which has the guarantees of `make_env`, in the wrappers of `spec`, and so that it has them again.

    Raises EnvironmentSpecError as `with_wrappers` does.
    """
    if not spec.wrappers:
        return game
    return _guaranteed(with_wrappers(game, spec), spec.id, keys=None, seed=seed)


def _guaranteed(env: gym.Env[Any, Any], env_id: str, *, keys: tuple[str, ...] | None, seed: int) -> gym.Env[Any, Any]:
    needs_flattening = isinstance(env.observation_space, spaces.Dict | spaces.Tuple)
    flatten = None
    if needs_flattening or keys is not None:
        flatten = Flattener(env.observation_space, keys, env_id)
    masked = isinstance(env.action_space, spaces.Discrete) and not env.has_wrapper_attr("action_masks")
    return (MaskedSingleAgent if masked else SingleAgent)(env, seed=seed, flatten=flatten)
