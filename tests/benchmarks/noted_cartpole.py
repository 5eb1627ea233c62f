"""CartPole that notes when a trial's first env step was, in a file of the folder in which trials run."""

import sys
import time
from pathlib import Path
from typing import Any

from gymnasium.envs.classic_control import CartPoleEnv

NOTES = "first_steps"
TRAINED_STEPS = 60
"""What only tries the environment takes fewer."""


class NotedCartPole(CartPoleEnv):
    """Only in a worker of Ray: the measuring process plays too, and trains nothing that counts."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0
        self._began = 0.0

    def step(self, action: int) -> Any:
        if self._steps == 0:
            self._began = time.time()
        self._steps += 1
        if self._steps == TRAINED_STEPS and "ray" in sys.modules and sys.modules["ray"].is_initialized():
            with Path(NOTES).open("a") as notes:
                notes.write(f"{self._began}\n")
        return super().step(action)
