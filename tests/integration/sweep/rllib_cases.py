"""What becomes of runs with `backend: rllib`, on one local Ray. Arguments: folder. Prints JSON.

`cases`: one entry each; `benchmark`: what the benchmark of RLlib measures in its short form.
"""

import json
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from sb3_contrib import MaskablePPO

from rlsweep.config.agent import AgentConfig, NetworkConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, EvaluationConfig, RLlibConfig, TrainingConfig
from rlsweep.envs import make_env
from rlsweep.rllib.session import ray_for_run
from rlsweep.training.train import train
from tests.benchmarks import rllib_runs
from tests.list_recorder import ListRecorder

STEPS = 64
"""A rollout."""

BENCHMARK = (2, 256)
"""Env runners and env steps of its short form."""


def config_of(
    environment: str = "open_spiel/connect_four",
    *,
    runners: int = 2,
    learners: int = 0,
    budget: dict[str, int],
    kwargs: dict[str, Any] | None = None,
) -> RunConfig:
    return RunConfig(
        agent=AgentConfig(
            agent_id="test_agent",
            name="Test",
            algorithm="MaskablePPO",
            version=1,
            learning_rate="linear_0.01",
            n_steps=STEPS // runners,
            batch_size=32,
            n_epochs=2,
            network=NetworkConfig(net_arch=(8,)),
        ),
        training=TrainingConfig(
            environment=EnvironmentSpec(id=environment, kwargs=kwargs or {}),
            n_envs=runners,
            backend="rllib",
            rllib=RLlibConfig(env_runners=runners, learners=learners),
            evaluation=EvaluationConfig(enabled="open_spiel" in environment, every_rollouts=2, episodes=2),
            checkpoint_interval_episodes=10,
        ),
        mode=Mode.FULL,
        budget=Budget(**budget),
        seed=4,
    )


class Case:
    """One run, and what it leaves."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.recorder = ListRecorder()

    def train(self, config: RunConfig, recorder: ListRecorder | None = None, **more: Any) -> dict[str, Any]:
        from rlsweep.rllib.workers import RLlibWorkers

        self.recorder = recorder or ListRecorder()
        workers = RLlibWorkers(config)
        try:
            result = train(
                config,
                self.recorder,
                checkpoint_folder=self.folder,
                tensorboard_folder=self.folder / "events",
                workers=workers,
                **more,
            )
            ended: dict[str, Any] = {"result": {"status": result.status, "env_steps": result.env_steps}}
        except Exception as error:  # noqa: BLE001
            ended = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        return ended | {
            "facts": self.recorder.facts,
            "episodes": [asdict(episode) for episode in self.recorder.episodes],
            "updates": [asdict(update) for update in self.recorder.updates],
            "evaluations": len(self.recorder.evaluations),
            "checkpoints": [asdict(checkpoint) for checkpoint in self.recorder.checkpoints],
            "left_behind": len(psutil.wait_procs(processes_of("Runner", "_WrappedExecutable"), timeout=20)[1]),
        }


class StopsAfterUpdates(ListRecorder):
    def __init__(self, updates: int) -> None:
        super().__init__()
        self._most = updates

    def add_update(self, update: Any) -> None:
        super().add_update(update)
        self.stop_requested = len(self.updates) >= self._most


class KillsOne(ListRecorder):
    """Kills an env runner's process after the first update, as a node's end would."""

    has_killed = False

    def add_update(self, update: Any) -> None:
        super().add_update(update)
        if len(self.updates) == 1:
            process = processes_of("Runner")[0]
            process.kill()
            process.wait()
            self.has_killed = True


def processes_of(*actors: str) -> list[psutil.Process]:
    """The live processes of this test's Ray that are such actors, as Ray titles them."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            title = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if title.startswith(tuple(f"ray::{actor}" for actor in actors)):
            found.append(process)
    return found


def optimizer_steps(uri: str) -> int:
    """Gradient steps that the optimizer in a checkpoint has taken."""
    states = MaskablePPO.load(uri, device="cpu").policy.optimizer.state_dict()["state"].values()
    return int(next(iter(states))["step"])


def played_by_both(checkpoint: str, config: RunConfig) -> dict[str, Any]:
    """Stock MaskablePPO, and RLlib's module with the weights of the checkpoint, on the same 300 positions."""
    from ray.rllib.core.columns import Columns

    from rlsweep.rllib.environment import ACTION_MASK, OBSERVATIONS, Observed
    from rlsweep.rllib.module import PolicyModule

    model = MaskablePPO.load(checkpoint, device="cpu")
    env = Observed(make_env(config.training.environment, seed=9), uses_masks=True)
    module = PolicyModule(
        observation_space=env.observation_space,
        action_space=env.action_space,
        model_config={"run": config.to_record()},
    )
    module.set_state({f"policy.{name}": value.numpy() for name, value in model.policy.state_dict().items()})
    random, equal, distance = np.random.default_rng(0), 0, 0.0
    seen, _ = env.reset()
    for _ in range(300):
        mask = seen[ACTION_MASK].astype(bool)
        batch = {name: torch.as_tensor(part)[None] for name, part in seen.items()}
        logits = module.forward_inference({Columns.OBS: batch})[Columns.ACTION_DIST_INPUTS][0]
        theirs = model.policy.get_distribution(torch.as_tensor(seen[OBSERVATIONS])[None], action_masks=mask[None])
        distance = max(distance, float((logits.softmax(-1) - theirs.distribution.probs[0]).abs().max().detach()))
        action, _ = model.predict(seen[OBSERVATIONS], action_masks=mask, deterministic=True)
        equal += int(action) == int(logits.argmax())
        seen, _, terminated, truncated, _ = env.step(int(random.choice(np.flatnonzero(mask))))
        if terminated or truncated:
            seen, _ = env.reset()
    return {"equal": equal, "of": 300, "distance": distance, "n_steps": model.n_steps, "n_envs": model.n_envs}


def cases(folder: Path) -> dict[str, Any]:
    from rlsweep.rllib import runners

    found: dict[str, Any] = {}

    config = config_of(budget={"total_timesteps": 6 * STEPS})
    stopped = Case(folder, "stopped")
    found["stopped"] = stopped.train(config, StopsAfterUpdates(4))
    last = found["stopped"]["checkpoints"][-1]["uri"]
    found["stopped"]["optimizer_steps"] = optimizer_steps(last)
    killing = KillsOne()
    found["gone on"] = stopped.train(config, killing, resume_from=Path(last), attempt=2)
    found["gone on"]["has_killed"] = killing.has_killed
    last = found["gone on"]["checkpoints"][-1]["uri"]
    found["gone on"]["optimizer_steps"] = optimizer_steps(last)
    found["played"] = played_by_both(last, config)

    learners = config_of(runners=1, learners=2, budget={"episodes": 20})
    found["learners"] = Case(folder, "learners").train(learners)

    raises = config_of("troubled_envs:Raises", runners=1, budget={"episodes": 20})
    found["raises"] = Case(folder, "raises").train(raises)

    dies = config_of("troubled_envs:Dies", runners=1, budget={"episodes": 20})
    runners.DEATHS = 0
    found["dies"] = Case(folder, "dies").train(dies)
    return found


def benchmark(runners: int, steps: int) -> dict[str, dict[str, float]]:
    """What `rllib_runs.py` prints of one seed."""
    return {"0": rllib_runs.trained(rllib_runs.config_of(runners, steps, seed=0))}


def main() -> None:
    folder = Path(sys.argv[1])
    asks_most = config_of(runners=2, learners=2, budget={"episodes": 1}).training
    with ray_for_run(asks_most, address=None):
        found = {"cases": cases(folder), "benchmark": benchmark(*BENCHMARK)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
