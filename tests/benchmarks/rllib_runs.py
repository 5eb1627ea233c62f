"""Train connect_four with `backend: rllib` and several seeds. Arguments: env runners, env steps, first seed, seeds.

Prints JSON: for each seed the win rate of its last 500 episodes, and the medians over its updates, but the first, of
env steps a second and of env steps a second of playing alone.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EvaluationConfig, RLlibConfig, TrainingConfig
from rlsweep.rllib.session import ray_for_run
from rlsweep.runs import Outcome
from rlsweep.training.remote_workers import EpisodePart
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

LAST = 500
ROLLOUT = 2048


def config_of(runners: int, steps: int, seed: int) -> RunConfig:
    return RunConfig(
        agent=AgentConfig(
            agent_id="bench",
            name="Bench",
            algorithm="MaskablePPO",
            version=1,
            n_steps=min(ROLLOUT, steps // 2) // runners,
        ),
        training=TrainingConfig(
            n_envs=runners,
            backend="rllib",
            rllib=RLlibConfig(env_runners=runners),
            evaluation=EvaluationConfig(enabled=False),
        ),
        mode=Mode.FULL,
        budget=Budget(total_timesteps=steps),
        seed=seed,
    )


def trained(config: RunConfig) -> dict[str, float]:
    from rlsweep.rllib.workers import RLlibWorkers

    class Timed(RLlibWorkers):
        def __init__(self, config: RunConfig) -> None:
            super().__init__(config)
            self.speeds: list[float] = []

        def collect_rollout(self, must_stop: Callable[[], bool]) -> Sequence[EpisodePart]:
            began = time.perf_counter()
            parts = super().collect_rollout(must_stop)
            self.speeds.append(config.rollout_steps / (time.perf_counter() - began))
            return parts

    recorder, workers = ListRecorder(), Timed(config)
    with tempfile.TemporaryDirectory() as folder:
        train(config, recorder, checkpoint_folder=Path(folder), tensorboard_folder=None, workers=workers)
    outcomes = [episode.outcome for episode in recorder.episodes[-LAST:]]
    return {
        "win_rate": outcomes.count(Outcome.WIN) / len(outcomes),
        "steps_per_second": statistics.median(update.steps_per_second for update in recorder.updates[1:]),
        "played_per_second": statistics.median(workers.speeds[1:]),
    }


def main() -> None:
    runners, steps, first_seed, seeds = map(int, sys.argv[1:5])
    configs = {seed: config_of(runners, steps, seed) for seed in range(first_seed, first_seed + seeds)}
    with ray_for_run(configs[first_seed].training, address=None):
        print(json.dumps({seed: trained(config) for seed, config in configs.items()}))


if __name__ == "__main__":
    main()
