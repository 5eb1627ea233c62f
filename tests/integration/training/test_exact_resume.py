"""A run that is stopped anywhere, any number of times, and gone on with, ends as one that never was."""

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO

from rlsweep.config.agent import AgentConfig, NetworkConfig, OptimizerConfig, PPOConfig
from rlsweep.config.run import Budget, Mode, RunConfig, ScoreEvaluation
from rlsweep.config.training import (
    EnvironmentSpec,
    EvaluationConfig,
    SelfPlay,
    SelfPlayPool,
    TrainingConfig,
    WrapperSpec,
)
from rlsweep.runs import Checkpoint, Episode, RunStatus
from rlsweep.training.checkpoints import read_saved_run
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

pytestmark = pytest.mark.integration

STEPS = 320
CASES: dict[str, dict[str, Any]] = {
    "fast": {"environment": "open_spiel/connect_four", "engine": "fast"},
    "stock": {"environment": "open_spiel/connect_four", "engine": "stock"},
    "fast, 4 in parallel, with values that change": {
        "environment": "open_spiel/connect_four", "engine": "fast", "n_envs": 4,
        "agent": {"n_epochs": {"0": 1, "64": 3, "200": 2}, "batch_size": {"0": 16, "128": 10}},
        "ppo": {"ent_coef": {"0": 0.0, "150": 0.2}, "target_kl": {"0": None, "192": 1e-3}},
    },
    "stock, 4 in parallel": {"environment": "open_spiel/connect_four", "engine": "stock", "n_envs": 4},
    "4 processes": {"environment": "open_spiel/connect_four", "n_envs": 4, "vec_env": "subproc"},
    "chance": {"environment": "open_spiel/backgammon", "max_steps_per_episode": 40},
    "tree search": {"environment": EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent="mcts:3")},
    "against itself in PettingZoo": {
        "environment": EnvironmentSpec(id="pettingzoo/connect_four_v3", opponent="self"), "n_envs": 4,
    },
    "Blokus": {
        "environment": EnvironmentSpec(id="blokus_rl:BlokusEnv", observation_keys=("observation",)),
        "max_steps_per_episode": 15,
    },
    "wrapped, stacked and normalised": {
        "environment": EnvironmentSpec(
            id="CartPole-v1", wrappers=(WrapperSpec(id="gymnasium.wrappers:TimeAwareObservation"),), frame_stack=3
        ),
        "normalize_observations": True, "normalize_rewards": True, "n_envs": 4,
        "agent": {"gamma": {"0": 0.99, "128": 0.5}},
    },
    "PPO": {"environment": "CartPole-v1", "algorithm": "PPO", "engine": "stock"},
    "fast PPO": {"environment": "CartPole-v1", "algorithm": "PPO", "engine": "fast"},
    "fast PPO, continuous": {"environment": "Pendulum-v1", "algorithm": "PPO", "engine": "fast", "n_envs": 4},
    "against its own earlier policies": {
        "environment": EnvironmentSpec(
            id="open_spiel/tic_tac_toe", opponent=SelfPlay(self=SelfPlayPool(pool=2, every_rollouts=1))
        ),
        "n_envs": 2,
        "normalize_observations": True,
    },
}  # fmt: skip


class StopsAfter(ListRecorder):
    """Asks to stop at the so manieth look: a run looks at every env step and every optimizer step."""

    def __init__(self, looks: int | None) -> None:
        super().__init__()
        self._left = looks

    @property
    def stop_requested(self) -> bool:
        if self._left is None:
            return False
        self._left -= 1
        return self._left < 0

    @stop_requested.setter
    def stop_requested(self, _: bool) -> None:
        pass


def config_of(
    *,
    environment: str | EnvironmentSpec,
    algorithm: str = "MaskablePPO",
    agent: dict[str, Any] | None = None,
    ppo: dict[str, Any] | None = None,
    optimizer: dict[str, Any] | None = None,
    **training: Any,
) -> RunConfig:
    spec = EnvironmentSpec(id=environment) if isinstance(environment, str) else environment
    n_envs = training.get("n_envs", 1)
    return RunConfig(
        agent=AgentConfig(
            agent_id="test_agent",
            name="Test",
            algorithm=algorithm,
            version=1,
            learning_rate="linear_0.01",
            n_steps=64 // n_envs,
            **{"batch_size": 16, "n_epochs": 2} | (agent or {}),
            network=NetworkConfig(net_arch=(8,)),
            ppo=PPOConfig(clip_range_vf=0.3, **ppo or {}),
            optimizer=OptimizerConfig(**optimizer or {}),
        ),
        training=TrainingConfig(
            environment=spec,
            evaluation=EvaluationConfig(every_rollouts=2, episodes=2),
            **{"checkpoint_interval_episodes": 5} | training,
        ),
        mode=Mode.FULL,
        budget=Budget(total_timesteps=STEPS),
        seed=4,
        score_evaluation=ScoreEvaluation(at=(0.5, 1.0), episodes=3),
    )


def lived(episode: Episode) -> dict[str, Any]:
    """All of an episode but the clock."""
    return asdict(episode) | {"seconds": None}


class Outcome:
    """What a run left on record, whether it was trained in one piece or in several."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}
        self.weights: dict[str, np.ndarray] = {}

    def add(self, recorder: ListRecorder) -> None:
        for episode in recorder.episodes:
            self._add(("episode", episode.episode), lived(episode))
        for update in recorder.updates:
            self._add(("update", update.update), asdict(update) | {"steps_per_second": None})
        for evaluation in recorder.evaluations:
            self._add((f"{evaluation.kind} evaluation", evaluation.env_steps), asdict(evaluation))

    def load(self, checkpoint: Checkpoint, algorithm: str) -> None:
        policy = {"PPO": PPO, "MaskablePPO": MaskablePPO}[algorithm].load(checkpoint.uri, device="cpu").policy
        self.weights = {name: tensor.numpy() for name, tensor in policy.state_dict().items()}

    def _add(self, key: tuple[str, int], row: dict[str, Any]) -> None:
        """What is recorded once more is recorded as it was."""
        np.testing.assert_equal(self.rows.setdefault(key, row), row)


class Killed(BaseException):
    """Ends the process of a run without a last checkpoint."""


class KilledAfter(StopsAfter):
    """Kills the run in place of a stop."""

    @property
    def stop_requested(self) -> bool:
        if super().stop_requested:
            raise Killed
        return False

    @stop_requested.setter
    def stop_requested(self, _: bool) -> None:
        pass


def trained(
    config: RunConfig, folder: Path, stops: list[int], *, pauses: tuple[float, ...] = (), kills: tuple[int, ...] = ()
) -> Outcome:
    """Train in pieces: one that ends at each stop, at each pause and at each kill, in this order; then to the end."""
    outcome, checkpoint = Outcome(), None
    pieces: list[tuple[ListRecorder, float | None]] = [(StopsAfter(looks), None) for looks in stops]
    pieces += [(ListRecorder(), pause_at) for pause_at in pauses]
    pieces += [(KilledAfter(looks), None) for looks in kills]
    for recorder, pause_at in [*pieces, (ListRecorder(), None)]:
        result = None
        with suppress(Killed):
            result = train(
                config, recorder, checkpoint_folder=folder, tensorboard_folder=None, resume_from=checkpoint,
                pause_at=pause_at,
            )  # fmt: skip
        assert recorder.facts["resumes"] == "exactly"
        outcome.add(recorder)
        checkpoint = next((Path(each.uri) for each in recorder.checkpoints[::-1] if "best" not in each.uri), checkpoint)
        if result is not None and result.status is RunStatus.COMPLETED:
            break
        assert (result is not None and result.status is RunStatus.PAUSED) is (pause_at is not None)
    assert result is not None
    assert result.status is RunStatus.COMPLETED
    outcome.load(result.checkpoint, config.agent.algorithm)
    return outcome


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunConfig, Outcome]:
    """A config, and what came of it in one piece."""
    config = config_of(**CASES[request.param])
    return config, trained(config, tmp_path_factory.mktemp("whole"), [])


@settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(stops=st.lists(st.integers(0, 300), min_size=1, max_size=3))
def test_in_pieces_as_in_one(case: tuple[RunConfig, Outcome], stops: list[int]) -> None:
    config, whole = case
    with TemporaryDirectory() as folder:
        pieces = trained(config, Path(folder), stops)
    assert pieces.rows == whole.rows
    np.testing.assert_equal(pieces.weights, whole.weights)


@pytest.mark.parametrize(
    ("pauses", "kills"),
    [((0.25, 0.5, 0.75), ()), ((0.6,), (5, 70))],
    ids=["at each quarter", "at a rollout's end, then killed twice"],
)
def test_with_pauses_as_in_one(
    case: tuple[RunConfig, Outcome], tmp_path: Path, pauses: tuple[float, ...], kills: tuple[int, ...]
) -> None:
    config, whole = case
    pieces = trained(config, tmp_path, [], pauses=pauses, kills=kills)
    scores = [step for kind, step in whole.rows if kind == "score evaluation"]
    assert scores == [192, STEPS]  # the first updates after half of the env steps, and after all
    assert pieces.rows == whole.rows
    np.testing.assert_equal(pieces.weights, whole.weights)


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_a_stop_within_an_update_leaves_the_weights_before_it(tmp_path: Path, engine: str) -> None:
    config = config_of(**CASES[engine], checkpoint_interval_episodes=1000)
    # 64 env steps and 8 optimizer steps a rollout: the second update's fifth step is never taken
    stopped = train(config, StopsAfter(2 * 64 + 8 + 4), checkpoint_folder=tmp_path / "a", tensorboard_folder=None)
    before = train(config, StopsAfter(64 + 8), checkpoint_folder=tmp_path / "b", tensorboard_folder=None)
    assert (stopped.status, stopped.checkpoint.env_steps, stopped.updates) == (RunStatus.STOPPED, 64, 1)
    one, other = (MaskablePPO.load(each.checkpoint.uri).policy.state_dict() for each in (stopped, before))
    assert all(one[name].equal(other[name]) for name in one)


class Unpicklable(gym.Env[Any, Any]):
    """An episode of six steps."""

    observation_space = gym.spaces.Box(0, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self) -> None:
        self._step = 0
        self._lock = Lock()  # what cannot be pickled

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._step = 0
        return self.np_random.random(1, dtype=np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._step += 1
        return self.np_random.random(1, dtype=np.float32), float(action), self._step == 6, False, {}


def test_without_copies_a_run_goes_on_at_an_episodes_start(tmp_path: Path) -> None:
    gym.register("Unpicklable-v0", entry_point=Unpicklable)
    config = config_of(environment="Unpicklable-v0")
    first = train(config, StopsAfter(64 + 8 + 40), checkpoint_folder=tmp_path, tensorboard_folder=None)
    checkpoint = Path(first.checkpoint.uri)
    assert read_saved_run(checkpoint).snapshot.state is None
    recorder = ListRecorder()
    second = train(config, recorder, checkpoint_folder=tmp_path, tensorboard_folder=None, resume_from=checkpoint)
    assert recorder.facts["resumes"].startswith("at an episode's start: it cannot be pickled (TypeError")
    assert (second.status, second.env_steps) == (RunStatus.COMPLETED, STEPS)
    # the boundary at 64 lay in midst of the eleventh episode, which is begun anew
    assert [(each.episode, each.env_steps, each.length) for each in recorder.episodes[:2]] == [(11, 70, 6), (12, 76, 6)]
