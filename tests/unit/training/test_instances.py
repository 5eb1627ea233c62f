"""How many instances of an environment a run has at once, and what a simulator that allows one is told."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from rlsweep.api.train import _check
from rlsweep.cluster.resources import Resources
from rlsweep.config.run import Mode
from rlsweep.errors import EnvironmentSpecError
from rlsweep.planning.instances import environment_instances, instances_line
from rlsweep.planning.plan import make_plan, make_run
from rlsweep.planning.probe import measure_all

AGENT = {"agent_id": "a", "name": "A", "algorithm": "PPO", "version": 1, "n_steps": 16, "batch_size": 16}


class Counted(gym.Env[Any, Any]):
    """Counts the instances that are open; raises if there are more than `allowed`."""

    observation_space = gym.spaces.Box(0, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)
    is_open = 0
    most = 0
    allowed = 100

    def __init__(self) -> None:
        if Counted.is_open == Counted.allowed:
            raise OSError("address already in use")
        Counted.is_open += 1
        Counted.most = max(Counted.most, Counted.is_open)
        self._step = 0

    def __reduce__(self) -> Any:
        raise TypeError("a connection cannot be pickled")

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._step = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._step += 1
        return np.zeros(1, np.float32), 1.0, self._step == 4, False, {}

    def close(self) -> None:
        Counted.is_open -= 1


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("is_open", 0), ("most", 0), ("allowed", 100)):
        monkeypatch.setattr(Counted, name, value)
    if "Counted-v0" not in gym.registry:
        gym.register("Counted-v0", entry_point=Counted, disable_env_checker=True)


@pytest.mark.parametrize(
    ("mode", "training", "expected"),
    [
        (Mode.SMOKE, {}, 1),
        (Mode.FULL, {}, 2),
        (Mode.FULL, {"n_envs": 3}, 4),
        (Mode.FULL, {"evaluation": {"enabled": False}}, 1),
    ],
)
def test_a_run_and_its_measurement_have_as_many_as_the_plan_says(make_config, run, mode, training, expected):
    evaluation = {"every_rollouts": 1, "episodes": 1, **training.get("evaluation", {})}
    settings = training | {"evaluation": evaluation}
    config = make_config(environment="Counted-v0", algorithm="PPO", mode=mode, total_timesteps=96, **settings)
    assert config.environment_instances == expected
    run(config)
    assert (Counted.is_open, Counted.most) == (0, expected)
    Counted.most = 0
    (measured,) = measure_all([config])
    assert (Counted.is_open, Counted.most) == (0, expected)
    assert (measured.evaluation_seconds_per_step > 0) is config.evaluates
    assert measured.import_seconds > measured.start_seconds > measured.make_seconds > 0


def test_a_simulator_that_allows_one_is_trained_in_smoke_mode_and_refused_before_a_full_run(make_config, run):
    Counted.allowed = 1

    def trial(**base):
        base_config = {"environment": "Counted-v0", **base}
        return make_run(AGENT, base_config=base_config, mode=Mode.FULL, episodes=None, total_timesteps=32)

    config = make_config(environment="Counted-v0", algorithm="PPO", mode=Mode.SMOKE, total_timesteps=32)
    assert run(config)[0].env_steps == 32
    _check(trial(evaluation={"enabled": False}).config)
    for refuses in (lambda: _check(trial().config), lambda: measure_all([trial().config])):
        with pytest.raises(EnvironmentSpecError, match=r"in use.* beside 1 for training: .* evaluation\.enabled"):
            refuses()
    assert Counted.is_open == 0


def test_a_plan_counts_the_trials_that_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(resources=Resources(), *, seeds=4, mode=Mode.FULL, **base):  # noqa: B008 - frozen
        base_config = {"environment": "Counted-v0", **base}
        made = make_plan(
            [AGENT], base_config=base_config, mode=mode, episodes=1, total_timesteps=None, seeds=seeds, with_base=False
        )
        found = environment_instances(made, resources)
        return (found.per_trial, found.trials_at_once, found.at_once), instances_line(made, found)

    monkeypatch.setattr("os.cpu_count", lambda: 3)
    counts, line = told(n_envs=2)
    assert counts == (3, 3, 9)
    assert line == (
        "Up to 9 instances of the environment exist at once: 2 to train, 1 to evaluate in each of 3 trials on this "
        "machine's CPUs; --max-concurrent or evaluation.enabled=false or n_envs can lower that."
    )
    assert told(Resources(max_concurrent=2))[0] == (2, 2, 4)
    assert told(Resources(cpus_per_trial=2.0))[0] == (2, 1, 2)
    assert told(Resources(cpus_per_trial=8.0), seeds=1)[0] == (2, 1, 2)
    assert told(Resources(max_concurrent=1), mode=Mode.SMOKE) == ((1, 1, 1), None)
    assert told(Resources(max_concurrent=1))[1] == (
        "Up to 2 instances of the environment exist at once: 1 to train, 1 to evaluate; evaluation.enabled=false can "
        "lower that."
    )
    assert "1 in the run's own process" in str(told(backend="rllib", seeds=1, evaluation={"enabled": False})[1])
