"""Whether a pickled copy of an environment goes on as the environment itself would: what an exact resume rests on."""

import pickle
from typing import Any

import gymnasium as gym
import numpy as np

STEPS_BEFORE = 20
"""At most so many before the copy is made: enough for a short episode to have ended, and another to be under way."""

STEPS_AFTER = 40
"""So many are compared."""


def reason_against_copies(env: gym.Env[Any, Any], *, seed: int) -> str | None:
    """Why a copy of `env` cannot take its place in midst of an episode, as a clause; None where it can.

    Plays random legal actions in `env`, which is of no more use afterwards.
    """
    random = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _ in range(STEPS_BEFORE):
        _step(env, _any_action(env, random))
    try:
        copy = pickle.loads(pickle.dumps(env))
    except Exception as exc:  # noqa: BLE001 - whatever an environment's own pickling raises
        return f"it cannot be pickled ({type(exc).__name__}: {exc})"
    try:
        for _ in range(STEPS_AFTER):
            action = _any_action(env, random)
            if not _is_same(_step(copy, action), _step(env, action)):
                return "its pickled copy plays on differently"
        if not _is_same(copy.reset(), env.reset()):  # an episode may be longer than what was played
            return "its pickled copy begins other episodes"
    except Exception as exc:  # noqa: BLE001 - a blank copy breaks wherever it breaks
        return f"its pickled copy cannot be played ({type(exc).__name__}: {exc})"
    finally:
        copy.close()
    return None


def _step(env: gym.Env[Any, Any], action: Any) -> tuple[Any, ...]:
    """All that is seen of a step, and of the reset after an episode's last one; with the mask where there is one."""
    seen: tuple[Any, ...] = env.step(action)
    if seen[2] or seen[3]:
        seen += env.reset()
    return (*seen, env.get_wrapper_attr("action_masks")()) if env.has_wrapper_attr("action_masks") else seen


def _any_action(env: gym.Env[Any, Any], random: np.random.Generator) -> Any:
    if env.has_wrapper_attr("action_masks") and isinstance(env.action_space, gym.spaces.Discrete):
        return int(random.choice(np.flatnonzero(env.get_wrapper_attr("action_masks")())))
    # the space draws from a generator of its own, which must not be the one that env and copy compare by
    space = pickle.loads(pickle.dumps(env.action_space))
    space.seed(int(random.integers(2**31)))
    return space.sample()


def _is_same(one: Any, other: Any) -> bool:
    """Equal in value; NaN equals NaN."""
    try:
        np.testing.assert_equal(one, other)
    except AssertionError:
        return False
    return True
