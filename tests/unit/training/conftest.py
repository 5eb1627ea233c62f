from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.training.session import Result
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder


class Scripted(gym.Env[Any, Any]):
    """Ends an episode every `length` steps; gives `reward` each step, or `poison` once at step `poison_at`."""

    observation_space = gym.spaces.Box(-10.0, 10.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(3)

    def __init__(
        self, *, length: int = 5, reward: float = 1.0, poison: float = 0.0, poison_at: int = -1, poisons: str = "reward"
    ) -> None:
        self._length = length
        self._reward = reward
        self._poison = poison
        self._poison_at = poison_at
        self._poisons = poisons
        self._taken = 0
        self._in_episode = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._in_episode = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._taken += 1
        self._in_episode += 1
        poisoned = self._taken == self._poison_at
        reward = self._poison if poisoned and self._poisons == "reward" else self._reward
        observation = self._observe()
        if poisoned and self._poisons == "observation":
            observation[0] = self._poison
        return observation, reward, self._in_episode == self._length, False, {"is_success": action == 0}

    def _observe(self) -> Any:
        return self.np_random.uniform(-1, 1, 2).astype(np.float32)


@pytest.fixture(scope="session", autouse=True)
def _scripted_environment() -> None:
    gym.register("Scripted-v0", entry_point=Scripted)


@pytest.fixture
def make_config() -> Callable[..., RunConfig]:
    """A run small enough for a unit test; keywords go where they belong."""

    def make(
        *,
        environment: str | EnvironmentSpec = "CartPole-v1",
        algorithm: str = "MaskablePPO",
        mode: Mode = Mode.FULL,
        episodes: int | None = None,
        total_timesteps: int | None = None,
        seed: int = 3,
        agent: dict[str, Any] | None = None,
        **training: Any,
    ) -> RunConfig:
        spec = EnvironmentSpec(id=environment) if isinstance(environment, str) else environment
        hyperparameters: dict[str, Any] = {
            "n_steps": 32,
            "batch_size": 16,
            "n_epochs": 2,
            "network": {"net_arch": [8]},
            **(agent or {}),
        }
        return RunConfig(
            agent=AgentConfig.model_validate_json(
                AgentConfig(agent_id="test_agent", name="Test", algorithm=algorithm, version=1)
                .model_copy(update=hyperparameters)
                .model_dump_json(warnings=False)
            ),
            training=TrainingConfig(environment=spec, **training),
            mode=mode,
            budget=Budget(episodes=episodes, total_timesteps=total_timesteps),
            seed=seed,
        )

    return make


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[Result, ListRecorder]]:
    """Train into `tmp_path`, with TensorBoard logs."""

    def run(
        config: RunConfig, *, recorder: ListRecorder | None = None, folder: str = "run", resume_from: Path | None = None
    ) -> tuple[Result, ListRecorder]:
        recorder = recorder or ListRecorder()
        result = train(
            config,
            recorder,
            checkpoint_folder=tmp_path / folder / "checkpoints",
            tensorboard_folder=tmp_path / folder / "tensorboard",
            resume_from=resume_from,
        )
        return result, recorder

    return run
