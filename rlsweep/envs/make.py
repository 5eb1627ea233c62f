"""From an environment spec to a Gymnasium env."""

import importlib
from typing import Any

import gymnasium as gym
from gymnasium.wrappers import TimeLimit

from rlsweep.config.environments import family_of
from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import EnvironmentSpecError


def make_env(spec: EnvironmentSpec, *, seed: int, max_steps_per_episode: int | None = None) -> gym.Env[Any, Any]:
    """Make the environment that `spec` describes.

    What is promised of every environment:
    - Games and Dict observations come as a flat float32 Box; other Gymnasium observations stay as they are.
    - With Discrete actions, `env.get_wrapper_attr("action_masks")()` gives the legal ones, shape (n_actions,), bool.
    - The last step's `info["outcome"]` is an `Outcome` (a string) where the environment knows winners.
    - The first `reset()` uses `seed`, later ones go on from there, and `reset(seed=…)` reseeds all: environment, seat
      and opponent. Equal seeds and equal actions give equal episodes, and no global generator is drawn from.
    - An episode longer than `max_steps_per_episode` is truncated; the environment's own limit holds where shorter.

    Raises EnvironmentSpecError where the spec cannot be made.
    """
    try:
        module, function = family_of(spec.id).target.split(":")
    except ValueError as exc:
        raise EnvironmentSpecError(f"{exc}.") from exc
    env: gym.Env[Any, Any] = getattr(importlib.import_module(module), function)(spec, seed=seed)
    return env if max_steps_per_episode is None else TimeLimit(env, max_steps_per_episode)
