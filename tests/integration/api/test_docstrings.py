"""The examples in the API's docstrings, run."""

import doctest
from types import ModuleType

import pytest
from unmeasured import measure_here, measuring_by

import rlsweep
import rlsweep.api.driving
import rlsweep.api.policy
import rlsweep.api.racing
import rlsweep.api.runs
import rlsweep.api.sweeps
import rlsweep.api.training
from rlsweep.planning import forecast

pytestmark = pytest.mark.integration

CONFIG = {"agent_id": "ppo", "name": "PPO", "algorithm": "MaskablePPO", "version": 1, "n_steps": 16, "batch_size": 16}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize(
    "module", [rlsweep, rlsweep.api.sweeps, rlsweep.api.runs], ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_examples_of_a_sweep_on_record(module: ModuleType, record_sweep, course):
    record_sweep({None: course(win_rate=0.6), "lr_high": course(learning_rate=1e-3)}, seeds=2, name="calibration")
    run_examples(module, {})


@pytest.mark.slow
@pytest.mark.xdist_group("ray head")
def test_examples_of_driving(record_sweep, course, ray_head, monkeypatch):
    for name, value in ray_head.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(forecast, "measuring", measuring_by(measure_here))
    record_sweep({None: course()}, seeds=1, name="calibration")
    run_examples(rlsweep.api.driving, {"config": CONFIG})
    run_examples(rlsweep.api.racing, {"config": CONFIG})
    run_examples(rlsweep.api.training, {"config": CONFIG})


def test_examples_of_a_trained_run(train_run):
    run_examples(rlsweep.api.policy, {"trained": train_run()})


def run_examples(module: ModuleType, names: dict[str, object]) -> None:
    result = doctest.testmod(module, extraglobs=names, optionflags=FLAGS)
    assert result.attempted > 0
    assert result.failed == 0
