"""The runs of tests/data/ppo_runs, as the diagnosis takes them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsweep.analysis.diagnosis.series import UpdateSeries, settings_of

FOLDER = Path(__file__).parents[1] / "data" / "ppo_runs"
METRICS = (
    "approx_kl", "clip_fraction", "entropy", "explained_variance", "gradient_steps", "policy_loss", "value_loss",
)  # fmt: skip


@cache
def recorded(group: str) -> dict[str, UpdateSeries]:
    """The runs of a group by name: apart, healthy or sick."""
    runs: dict[str, dict[str, Any]] = json.loads((FOLDER / f"{group}.json").read_text())
    return {
        name: UpdateSeries(
            settings=settings_of(run["config"], np.array(run["update_steps"], dtype=np.int64)),
            update_steps=np.array(run["update_steps"], dtype=np.int64),
            reward_steps=floats(run["reward_steps"]),
            reward=floats(run["reward"]),
            diverged=run["diverged"],
            **{metric: floats(run[metric]) for metric in METRICS},
        )
        for name, run in runs.items()
    }


def floats(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
