"""Runs with curves whose right verdict is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rlsweep.analysis.figures import SeedRecord
from rlsweep.runs import RunStatus

Shape = Callable[[np.ndarray], np.ndarray]


@pytest.fixture
def record() -> Callable[..., SeedRecord]:
    """Makes one run: rewards follow `shape` over progress 0 to 1, with normal noise around it."""

    def make(
        shape: Shape = lambda progress: progress,
        *,
        seed: int = 0,
        episodes: int = 400,
        noise: float = 0.2,
        updates: int = 20,
        kl: float = 0.02,
        explained_variance: float = 0.5,
        **given: Any,
    ) -> SeedRecord:
        rng = np.random.default_rng(seed)
        env_steps = np.cumsum(rng.integers(5, 15, episodes))
        progress = env_steps / env_steps[-1] if episodes else np.zeros(0)
        reward = shape(progress) + rng.normal(0, noise, episodes)
        values: dict[str, Any] = {
            "seed": seed,
            "status": RunStatus.COMPLETED,
            "diverged": False,
            "env_steps": env_steps,
            "reward": np.asarray(reward, dtype=np.float64),
            "won": np.full(episodes, np.nan),
            "approx_kl": np.full(updates, kl),
            "explained_variance": np.full(updates, explained_variance),
            "losses": np.zeros((updates, 2)),
            "evaluation_steps": np.zeros(0, dtype=np.int64),
            "evaluation_reward": np.zeros(0),
        }
        return SeedRecord(**(values | given))

    return make
