"""A run whose hyperparameters change trains bit for bit as one that is continued with the other values."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_baselines3.common.save_util import load_from_zip_file

from rlsweep.config.agent import AgentConfig
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.layers import with_value
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.stepped import with_step
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.training.fast.dense import DenseUpdate
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

AT = 64
"""Half of the budget, after two rollouts."""

CHANGES: dict[str, tuple[Any, Any]] = {
    "learning_rate": (1e-2, 1e-3),
    "gamma": (0.9, 0.5),
    "batch_size": (16, 10),
    "n_epochs": (2, 3),
    "ppo.ent_coef": (0.0, 0.5),
    "ppo.clip_range": (0.2, 0.001),
    "ppo.clip_range_vf": (None, 0.001),
    "ppo.vf_coef": (0.5, 0.01),
    "ppo.gae_lambda": (0.9, 0.2),
    "ppo.max_grad_norm": (0.5, 0.01),
    "ppo.target_kl": (None, 1e-9),
}
ENGINES = [("MaskablePPO", "fast"), ("MaskablePPO", "stock"), ("PPO", "fast"), ("PPO", "stock"), ("A2C", "stock")]


def config_of(algorithm: str, engine: str, values: dict[str, Any]) -> RunConfig:
    """A run of four rollouts; the keys without a value in `values` have those before the change."""
    agent = AgentConfig(agent_id="test_agent", name="Test", algorithm=algorithm, version=1, n_steps=16)
    data = with_value(agent.model_dump(mode="json"), "network.net_arch", [8])
    for key, (before, _) in CHANGES.items():
        data = with_value(data, key, values.get(key, before))
    config = RunConfig(
        agent=agent,
        training=TrainingConfig(
            environment=EnvironmentSpec(id="CartPole-v1"), n_envs=2, engine=engine, normalize_rewards=True
        ),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=2 * AT),
        seed=3,
    )
    return RunConfig.from_record({**config.to_record(), "agent": data})


Trained = tuple[Path, ListRecorder]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Trained]:
    """Train into a folder of its own: the checkpoint, and what was recorded."""

    def run(config: RunConfig, **more: Any) -> Trained:
        recorder = ListRecorder()
        folder = tmp_path_factory.mktemp("run")
        result = train(config, recorder, checkpoint_folder=folder, tensorboard_folder=None, **more)
        assert result.checkpoint.uri.startswith(str(folder))
        return Path(result.checkpoint.uri), recorder

    return run


@pytest.fixture(scope="module")
def unchanged(run) -> Callable[[str, str], tuple[Trained, Trained]]:
    """The first half of a run, paused, and all of it, with the values before the change."""

    @cache
    def unchanged(algorithm: str, engine: str) -> tuple[Trained, Trained]:
        config = config_of(algorithm, engine, {})
        return run(config, pause_at=0.5), run(config)

    return unchanged


def left_by(checkpoint: Path, *recorders: ListRecorder) -> tuple[Any, ...]:
    """Weights and optimizer state, and the updates without the clock."""
    _, parameters, _ = load_from_zip_file(checkpoint)
    moments = parameters["policy.optimizer"]["state"]
    tensors = {**parameters["policy"], **{(key, name): each for key in moments for name, each in moments[key].items()}}
    updates = [
        (each.update, each.env_steps, each.policy_loss, each.value_loss, each.learning_rate)
        for recorder in recorders
        for each in recorder.updates
    ]
    return {name: torch.as_tensor(each).numpy().tobytes() for name, each in tensors.items()}, updates


def used(algorithm: str) -> list[str]:
    return [key for key in CHANGES if key in ALGORITHMS[algorithm].hyperparameters]


@pytest.mark.parametrize(
    ("algorithm", "engine", "keys"),
    [
        *((*each, [key]) for each in ENGINES[:2] for key in CHANGES),
        *((*each, used(each[0])) for each in ENGINES),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0] if len(value) == 1 else "all",
)
def test_a_change_equals_a_continued_run(run, unchanged, algorithm, engine, keys):
    (paused, before), (constant, _) = unchanged(algorithm, engine)
    # the change counts from the first rollout that begins at or after its env step
    stepped = config_of(algorithm, engine, {key: with_step(CHANGES[key][0], AT - 5, CHANGES[key][1]) for key in keys})
    whole, recorded = run(stepped)
    one = left_by(whole, recorded)

    ended, after = run(config_of(algorithm, engine, {key: CHANGES[key][1] for key in keys}), resume_from=paused)
    assert one == left_by(ended, before, after)
    assert one[0] != left_by(constant)[0], "the change changes nothing"
    if len(keys) > 1:
        resumed, rest = run(stepped, resume_from=paused)  # paused where the values change
        assert one == left_by(resumed, before, rest)


def test_what_a_gpu_computes_follows_too(run, monkeypatch):
    monkeypatch.setattr("rlsweep.training.fast.ppo.update_on", lambda _: DenseUpdate)
    keys = used("MaskablePPO")
    (before, after, stepped) = (
        config_of("MaskablePPO", "fast", {key: form(*CHANGES[key]) for key in keys})
        for form in (lambda old, _: old, lambda _, new: new, lambda old, new: with_step(old, AT, new))
    )
    (paused, first), (whole, recorded) = run(before, pause_at=0.5), run(stepped)
    ended, rest = run(after, resume_from=paused)
    assert left_by(whole, recorded) == left_by(ended, first, rest)


def test_tensorboard_and_records_have_the_value_in_force(run, tmp_path):
    config = config_of(
        "MaskablePPO", "fast", {"learning_rate": {"0": 0.01, "33": 0.02}, "gamma": {"0": 0.9, "64": 0.8}}
    )
    recorder = ListRecorder()
    result = train(config, recorder, checkpoint_folder=tmp_path / "c", tensorboard_folder=tmp_path / "t")
    assert [each.learning_rate for each in recorder.updates] == [0.01, 0.01, 0.02, 0.02]
    log = (tmp_path / "t" / "train.log").read_text()
    assert [line.split("|")[2].strip() for line in log.splitlines() if " gamma " in line] == [
        "0.9",
        "0.9",
        "0.8",
        "0.8",
    ]
    data, _, _ = load_from_zip_file(result.checkpoint.uri)
    assert (data["gamma"], data["learning_rate"]) == (0.8, 0.02)
