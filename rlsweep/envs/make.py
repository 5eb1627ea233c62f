"""Make a Gymnasium env from an environment spec."""

import importlib
from typing import Any

import gymnasium as gym
from gymnasium.wrappers import TimeLimit

from rlsweep.config.environments import family_of
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.wrappers import with_frames
from rlsweep.errors import EnvironmentSpecError


def make_env(spec: EnvironmentSpec, *, seed: int, max_steps_per_episode: int | None = None) -> gym.Env[Any, Any]:
    """Make the environment that `spec` describes: the environment itself, then the user's wrappers, then what follows.

    Every environment guarantees:
    - Observations of games and Dict observations are a flat float32 Box; other Gymnasium observations are unchanged.
    - With `spec.frame_stack`, an observation is the last ones joined (`with_frames`); a mask is always the newest one.
    - With Discrete actions, `env.get_wrapper_attr("action_masks")()` is the action mask, shape (n_actions,), bool.
    - The last step's `info["outcome"]` is an `Outcome` (a string) if the environment has winners.
    - The first `reset()` uses `seed`, later ones continue its random stream, and `reset(seed=…)` reseeds environment,
      seat and opponent. Equal seeds and equal actions give equal episodes; no global random generator is used.
    - An episode longer than `max_steps_per_episode` is truncated; a shorter limit of the environment still applies.

    Raises EnvironmentSpecError if the environment cannot be made.
    """
    try:
        module, function = family_of(spec.id).target.split(":")
    except ValueError as exc:
        raise EnvironmentSpecError(f"{exc}.") from exc
    env: gym.Env[Any, Any] = getattr(importlib.import_module(module), function)(spec, seed=seed)
    env = with_frames(env, spec.frame_stack)
    return env if max_steps_per_episode is None else TimeLimit(env, max_steps_per_episode)
