"""Single runs that benchmarks train and then play."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_run
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder


def trained(agent: Path | Mapping[str, Any], base: Path, folder: Path, *, seed: int, steps: int | None) -> Path:
    """Train without evaluations, for as long as the configs say or for `steps`; the last checkpoint."""
    run = make_run(
        agent,
        base_config=base,
        overrides=[f"seed={seed}", "evaluation.enabled=false", "checkpoint_interval_episodes=1000000"],
        mode=Mode.FULL,
        episodes=None,
        total_timesteps=steps,
    ).config
    result = train(run, ListRecorder(), checkpoint_folder=folder / str(seed), tensorboard_folder=None)
    return Path(result.checkpoint.uri)
