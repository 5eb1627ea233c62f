"""Runs with curves whose right verdict is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.sweeps import ConfigRecord
from rlsweep.runs import Budget, RunStatus

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
        length = rng.integers(5, 15, episodes)
        env_steps = np.cumsum(length)
        progress = env_steps / env_steps[-1] if episodes else np.zeros(0)
        reward = shape(progress) + rng.normal(0, noise, episodes)
        values: dict[str, Any] = {
            "seed": seed,
            "status": RunStatus.COMPLETED,
            "has_begun": True,
            "diverged": False,
            "budget": Budget(episodes=episodes or 400),
            "trained_steps": int(env_steps[-1]) if episodes else 0,
            "env_steps": env_steps,
            "length": length,
            "reward": np.asarray(reward, dtype=np.float64),
            "won": np.full(episodes, np.nan),
            "update_steps": _evenly(env_steps, updates),
            "approx_kl": np.full(updates, kl),
            "clip_fraction": np.full(updates, 0.1),
            "entropy": np.linspace(1.5, 1.0, updates),
            "explained_variance": np.full(updates, explained_variance),
            "gradient_steps": np.full(updates, 40.0),
            "losses": np.zeros((updates, 2)),
        }
        return SeedRecord(**(values | _no_evaluations(len(given.get("evaluation_steps", ()))) | given))

    return make


@pytest.fixture
def config(record: Callable[..., SeedRecord]) -> Callable[..., ConfigRecord]:
    """Makes a config of some seeds; `offset` keeps the noise of different configs apart."""

    def make(
        name: str, *args: Any, seeds: int = 3, is_base: bool = False, offset: int = 0, **given: Any
    ) -> ConfigRecord:
        runs = tuple(record(*args, seed=offset + seed, **given) for seed in range(seeds))
        return ConfigRecord(name=name, is_base=is_base, seeds=runs)

    return make


def _evenly(env_steps: np.ndarray, updates: int) -> np.ndarray:
    end = int(env_steps[-1]) if env_steps.size else 0
    return np.linspace(0, end, updates + 1)[1:].astype(np.int64)


def _no_evaluations(number: int) -> dict[str, Any]:
    return {
        "evaluation_steps": np.zeros(0, dtype=np.int64),
        "evaluation_reward": np.zeros(number),
        "evaluation_length": np.full(number, 10.0),
        "evaluation_win_rate": np.full(number, np.nan),
        "evaluation_is_score": np.zeros(number, dtype=np.bool_),
    }
