"""A callback that the fast engine tells less of each env step, in less time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from typing_extensions import override


class StepCallback(BaseCallback):
    """A callback that needs of an env step only what the environments answered; it works with any algorithm.

    SB3 gives callbacks all local variables, and copies them for that at every env step.
    """

    def count_step(
        self, env_steps: int, rewards: NDArray[np.floating[Any]], dones: NDArray[np.bool_], infos: list[dict[str, Any]]
    ) -> bool:
        """Like `on_step`, with what it needs; env_steps: those of the model so far."""
        self.n_calls += 1
        self.num_timesteps = env_steps
        return self._after_step(rewards, dones, infos)

    def _after_step(
        self, rewards: NDArray[np.floating[Any]], dones: NDArray[np.bool_], infos: list[dict[str, Any]]
    ) -> bool:
        """Return whether training goes on, after a step of every environment: rewards (n_envs,), dones (n_envs,)."""
        raise NotImplementedError

    @override
    def _on_step(self) -> bool:
        return self._after_step(self.locals["rewards"], self.locals["dones"], self.locals["infos"])
