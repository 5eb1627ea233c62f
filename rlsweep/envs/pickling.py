"""Pickle environments, and check that a copy continues like the environment itself; exact resume needs that."""

import pickle
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np

from rlsweep.envs.random_actions import RandomActions, mask_of

STEPS_BEFORE = 20
"""Steps before the copy is made; enough for a short episode to end and another to begin."""

STEPS_AFTER = 40
"""Steps that are compared."""


def pickled(env: gym.Env[Any, Any]) -> bytes:
    """Pickle an environment, during its episode; plain pickle reads it. Raises any error of its pickling."""
    try:
        return pickle.dumps(env)
    except Exception:  # noqa: BLE001 - cloudpickle raises its own
        # most of Gymnasium's wrappers keep a lambda, which only the slower cloudpickle (Gymnasium's own) can write
        return bytes(cloudpickle.dumps(env))


def pickling_problem(env: gym.Env[Any, Any], *, seed: int) -> str | None:
    """Return why a pickled copy cannot replace `env` during an episode, as a clause; None if it can.

    Plays random legal actions in `env`; do not use `env` afterwards.
    """
    actions = RandomActions(env.action_space, seed)
    env.reset(seed=seed)
    for _ in range(STEPS_BEFORE):
        _step(env, actions.draw_for(env))
    try:
        copy = pickle.loads(pickled(env))
    except Exception as exc:  # noqa: BLE001 - whatever an environment's own pickling raises
        return f"it cannot be pickled ({type(exc).__name__}: {exc})"
    try:
        for _ in range(STEPS_AFTER):
            action = actions.draw_for(env)
            if not _is_same(_step(copy, action), _step(env, action)):
                return "its pickled copy plays on differently"
        if not _is_same(copy.reset(), env.reset()):  # the steps above may not reach the end of an episode
            return "its pickled copy begins different episodes"
    except Exception as exc:  # noqa: BLE001 - a copy without state can raise anything
        return f"its pickled copy cannot be played ({type(exc).__name__}: {exc})"
    finally:
        copy.close()
    return None


def _step(env: gym.Env[Any, Any], action: Any) -> tuple[Any, ...]:
    """Return the results of a step, of the reset if the episode ended, and the action mask if the env has one."""
    seen: tuple[Any, ...] = env.step(action)
    if seen[2] or seen[3]:
        seen += env.reset()
    return (*seen, mask_of(env))


def _is_same(one: Any, other: Any) -> bool:
    """Equal in value; NaN equals NaN."""
    try:
        np.testing.assert_equal(one, other)
    except AssertionError:
        return False
    return True
