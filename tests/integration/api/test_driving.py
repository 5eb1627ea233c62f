"""Sweeps and runs driven from Python."""

import os
import re
import subprocess
import sys

import pytest

import rlsweep
from rlsweep.errors import ConfigError, EnvironmentSpecError, InputError
from rlsweep.runs import RunStatus
from rlsweep.store import sweeps, training_runs
from rlsweep.sweep_records import SweepStatus

pytestmark = pytest.mark.integration

CONFIG = {"agent_id": "ppo", "name": "PPO", "algorithm": "MaskablePPO", "version": 1, "n_steps": 16, "batch_size": 16}

SCRIPT = """
import os, signal, sys, threading, time
import ray  # before rlsweep sets Ray's variables
import rlsweep
from rlsweep.store import sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.runs import RunStatus
from slow_env import SlowEnv

config = {"agent_id": "ppo", "name": "PPO", "algorithm": "PPO", "version": 1, "n_steps": 16, "batch_size": 16}
before = dict(os.environ), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
database = Database(os.environ["RLSWEEP_DATABASE_URL"])

def interrupt_once_it_runs():
    while True:
        time.sleep(0.1)
        for listed in sweeps.list_recent(database):
            if any(run.env_steps > 0 for run in training_runs.of_sweep(database, listed.sweep.id)):
                return os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt_once_it_runs, daemon=True).start()
try:
    rlsweep.submit(config, environment=SlowEnv, total_timesteps=3000, name="one", overrides={"ppo.ent_coef": 1e-05})
except KeyboardInterrupt:
    print("interrupted")
assert (dict(os.environ), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
assert not ray.is_initialized()

EXAMPLE
print(sweep.status, run.status, type(model).__name__)

ray.init(address=sys.argv[1], log_to_driver=False)
try:
    rlsweep.resume("one")
except rlsweep.errors.InputError as error:
    print(error)
print(ray.get(ray.remote(lambda: 7).remote()))
"""

SLOW_ENV = """
import time
import gymnasium

class SlowEnv(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        time.sleep(0.05)
        self.steps += 1
        return self.observation_space.sample(), 1.0, self.steps == 8, False, {}
"""


def example_of_readme(readme):
    """The one in Python, with budgets that end soon."""
    (example,) = re.findall(r"^```python\n(.*?)^```$", readme.read_text(), flags=re.MULTILINE | re.DOTALL)
    quick = 'overrides={"n_steps": 64, "n_epochs": 1}, total_timesteps=256'
    return re.sub(r"seeds=\d+", "seeds=1", re.sub(r"total_timesteps=[\d_]+", quick, example))


@pytest.mark.slow
@pytest.mark.xdist_group("ray head")
def test_a_script_with_an_interrupted_sweep_readmes_example_and_a_ray_of_its_own(database, request, tmp_path, ray_head):
    address = ray_head.pop("RAY_ADDRESS")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "slow_env.py").write_text(SLOW_ENV)
    (tmp_path / "code" / "script.py").write_text(
        SCRIPT.replace("EXAMPLE", example_of_readme(request.config.rootpath / "README.md"))
    )
    environ = os.environ | ray_head | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "code/script.py", address]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    said = done.stdout
    assert "ppo_v1 seed 0: running" in said
    assert "Stopping: trials end at their next step" in said
    assert "Sweep one: stopped. Continue: rlsweep.resume('one')\ninterrupted\n" in said
    assert "config_short_name" in said
    assert "ppo_fast" in said
    assert "\ncompleted completed PPO\n" in said
    assert "This process has joined a Ray already" in said
    assert said.endswith("\n7\n")
    one = sweeps.get(database, "one")
    (run,) = training_runs.of_sweep(database, one.id)
    assert (one.status, run.status) == (SweepStatus.STOPPED, RunStatus.STOPPED)
    assert 0 < run.env_steps < 3000
    assert one.overrides == ("ppo.ent_coef=1e-05", "environment=slow_env:SlowEnv")
    assert run.config["agent"]["ppo"]["ent_coef"] == 1e-5
    assert run.config_path is None


def test_a_plan_measures_and_puts_nothing_on_record(database):
    forecast = rlsweep.plan([CONFIG, {**CONFIG, "sweep_variant": "b"}], environment="CartPole-v1", episodes=5, seeds=2)
    assert [trial.label for trial in forecast.plan.trials] == ["ppo_v1", "ppo_b"] * 2
    assert forecast.estimates is not None
    assert "ppo_v1, ppo_b have the same hyperparameters, so they compare a config with itself" in forecast.warnings
    assert rlsweep.sweeps() == []


def test_a_run_is_trained_continued_and_its_config_trained_anew(database, capsys):
    run = rlsweep.train(CONFIG, environment="CartPole-v1", overrides={"seed": 3}, mode="smoke", total_timesteps=32)
    assert "Training run " in capsys.readouterr().out
    assert (run.status, run.record.env_steps, run.record.seed) == (RunStatus.COMPLETED, 32, 3)
    again = rlsweep.train(resume=run, total_timesteps=64, progress=False)
    assert (again.id, again.record.env_steps) == (run.id, 64)
    assert capsys.readouterr().out == ""
    new = rlsweep.train(run, weights_from=run, mode="smoke", total_timesteps=16, progress=False)
    assert new.id != run.id
    assert new.agent_config == run.agent_config
    assert new.training_config == run.training_config
    assert new.record.weights_from == run.checkpoints()[-1].uri


def test_a_file_and_a_base_config_as_a_dict(database, request):
    file = request.config.rootpath / "config" / "agents" / "ppo_agent_v1.yaml"
    base = {"environment": {"id": "CartPole-v1"}, "n_envs": 2, "hyperparameters": {"n_epochs": 1}}
    run = rlsweep.train(str(file), base_config=base, mode="smoke", total_timesteps=16, progress=False)
    assert run.record.config_path == str(file)
    assert run.training_config["n_envs"] == 2


def test_mistakes_are_told_before_anything_is_on_record(database, tmp_path):
    with pytest.raises(ConfigError) as caught:
        rlsweep.submit([CONFIG, {**CONFIG, "gamma": 2}, str(tmp_path / "none.yaml")], base_config={"n_envs": 0})
    assert {problem.partition(": ")[0] for problem in caught.value.problems} == {
        "base_config",
        "configs[1]",
        "Agent config file not found",
    }

    class Local:
        pass

    with pytest.raises(EnvironmentSpecError, match=r"environment: class .*Local is defined in a function"):
        rlsweep.submit(CONFIG, environment=Local)
    with pytest.raises(ConfigError, match=r"overrides: gamma: must be a number, text, .* got builtins.object"):
        rlsweep.submit(CONFIG, overrides={"gamma": object()})
    with pytest.raises(ConfigError, match=r"--set gama=0\.9: unknown key"):
        rlsweep.submit(CONFIG, overrides={"gama": 0.9})
    with pytest.raises(InputError, match="mode must be one of smoke, full, got 'fast'"):
        rlsweep.submit(CONFIG, mode="fast")
    with pytest.raises(InputError, match="Give a config to train, or the run to continue"):
        rlsweep.train()
    with pytest.raises(InputError, match="leave out all but a larger budget"):
        rlsweep.train(CONFIG, resume="0123")
    assert rlsweep.sweeps() == []
    assert training_runs.list_runs(database) == []
