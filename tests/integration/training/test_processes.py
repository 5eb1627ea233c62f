"""What needs processes of its own: parallel environments, and the probe."""

import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from unmeasured import measure_configs

from rlsweep.config.agent import AgentConfig, NetworkConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.errors import EnvironmentSpecError, EnvironmentStateError, RlsweepError, WorkersLostError
from rlsweep.planning.measure import measuring
from rlsweep.training.train import train
from rlsweep.training.vector import make_vector, restore_environments, save_environments
from tests.list_recorder import ListRecorder

pytestmark = pytest.mark.integration


def config(environment: str | EnvironmentSpec, *, algorithm="MaskablePPO", layers=(16,), n_steps=64, **training):
    spec = EnvironmentSpec(id=environment) if isinstance(environment, str) else environment
    return RunConfig(
        agent=AgentConfig(
            agent_id="test_agent",
            name="Test",
            algorithm=algorithm,
            version=1,
            n_steps=n_steps,
            batch_size=32,
            network=NetworkConfig(net_arch=layers),
        ),
        training=TrainingConfig(environment=spec, **training),
        mode=Mode.SMOKE,
        budget=Budget(episodes=30),
        seed=1,
    )


def test_environments_in_processes_of_their_own_give_the_same_run(tmp_path: Path):
    recorded = {}
    against_itself = EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent="self")
    for vec_env in ("dummy", "subproc"):
        recorder = ListRecorder()
        result = train(
            config(against_itself, n_envs=4, vec_env=vec_env, n_steps=8),
            recorder,
            checkpoint_folder=tmp_path / vec_env,
            tensorboard_folder=None,
        )
        assert result.episodes == len(recorder.episodes) == 30
        recorded[vec_env] = [(each.env_steps, each.reward, each.length, each.outcome) for each in recorder.episodes]
    assert recorded["dummy"] == recorded["subproc"]


def test_processes_of_environments_share_what_they_import():
    vector = make_vector(config("open_spiel/connect_four", n_envs=3, vec_env="subproc"))
    try:
        held = [psutil.Process(process.pid).memory_full_info() for process in vector.processes]
    finally:
        vector.close()
    assert all(each.rss > 100e6 for each in held), "torch is there"
    assert all(each.uss < 60e6 for each in held), "one that imports it by itself takes 180 MB"


def test_processes_of_environments_share_no_random_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "drawing_env.py").write_text(DRAWING)
    monkeypatch.syspath_prepend(str(tmp_path))
    vector = make_vector(config("drawing_env:Drawing", n_envs=3, vec_env="subproc"))
    try:
        first, second, third = vector.reset()
    finally:
        vector.close()
    assert not set(first) & set(second) | set(first) & set(third) | set(second) & set(third)


DRAWING = """\
import random
import gymnasium as gym
import numpy as np

class Drawing(gym.Env):
    observation_space = gym.spaces.Box(0.0, 1.0, (2,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.array([np.random.random(), random.random()]), {}

    def action_masks(self):
        return np.ones(2, dtype=bool)
"""


INTERRUPTED = """
import os, signal, sys, time
import numpy as np
from rlsweep.config.run import RunConfig
from rlsweep.training.vector import make_vector

if __name__ == "__main__":
    interrupts = []
    signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
    vector = make_vector(RunConfig.model_validate_json(sys.stdin.read()))
    vector.reset()
    os.killpg(0, signal.SIGINT)
    time.sleep(0.5)
    for _ in range(3):
        vector.step(np.array([0, 1]))
    assert all(process.is_alive() for process in vector.processes)
    vector.close()
    assert interrupts == [1]
    assert not any(process.is_alive() for process in vector.processes)
"""


def test_ctrl_c_is_for_the_run_alone_to_decide_on(tmp_path: Path):
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    given = config("CartPole-v1", n_envs=2, vec_env="subproc").model_dump_json()
    command = [sys.executable, str(script)]
    ended = subprocess.run(command, input=given, capture_output=True, text=True, start_new_session=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")


ODD = """\
import multiprocessing, os, signal, sys
import gymnasium as gym
import numpy as np

class Odd(gym.Env):
    observation_space = gym.spaces.Box(0, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, step):
        self.what = step
        if step == "made":
            raise ValueError("no such level")
        if step == "pool":
            self.pool = multiprocessing.get_context("fork").Pool(1)

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {}

    def step(self, action):
        if self.what == "raises":
            raise ValueError("server refused game 101")
        if self.what == "eof":
            raise EOFError("the simulator left")
        if self.what == "leaves":
            sys.exit("no licence left")
        if self.what == "exits":
            os._exit(3)
        if self.what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        assert self.pool.apply(abs, (-1,)) == 1
        return np.zeros(1, np.float32), 0.0, False, False, {}

    def close(self):
        if self.what == "pool":
            self.pool.terminate()
            self.pool.join()
"""


@pytest.fixture
def odd_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "odd_env.py").write_text(ODD)
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda step, **given: config(EnvironmentSpec(id="odd_env:Odd", kwargs={"step": step}), **given)


@pytest.mark.parametrize(
    ("step", "kind", "said"),
    [
        (
            "raises",
            EnvironmentStateError,
            r"step raises ValueError: server refused game 101 .*odd_env.py, l",
        ),
        ("eof", EnvironmentStateError, r"step raises EOFError: the simulator left .*odd_env.py, line 23"),
        ("leaves", EnvironmentStateError, r"step raises SystemExit: no licence left .*odd_env.py, line 25"),
        ("exits", WorkersLostError, r"process 1 of 2, ended with exit code 3\.$"),
        ("killed", WorkersLostError, r"process 1 of 2, was ended by signal 9 \(SIGKILL; the kernel .*memory"),
    ],
)
def test_the_run_learns_why_an_environments_process_ended(odd_env, step, kind, said, capfd):
    vector = make_vector(odd_env(step, n_envs=2, vec_env="subproc"))
    try:
        vector.reset()
        with pytest.raises(kind, match=said):
            vector.step(np.array([0, 0]))
    finally:
        vector.close()
    assert not any(process.is_alive() for process in vector.processes)
    assert "Traceback" not in capfd.readouterr().err


def test_the_run_learns_why_an_environment_cannot_be_made(odd_env):
    with pytest.raises(EnvironmentSpecError, match="no such level"):
        make_vector(odd_env("made", n_envs=2, vec_env="subproc"))


def test_environments_may_start_processes_of_their_own(odd_env):
    vector = make_vector(odd_env("pool", n_envs=2, vec_env="subproc"))
    vector.reset()
    vector.step(np.array([0, 0]))
    vector.close()
    assert [process.exitcode for process in vector.processes] == [0, 0]


def test_measures_each_distinct_environment_and_network_once():
    small, again, large = (
        config("open_spiel/connect_four"),
        config("open_spiel/connect_four", n_steps=128),
        config("open_spiel/connect_four", layers=(512, 512)),
    )
    cart_pole = config("CartPole-v1", algorithm="A2C")
    measured = measure_configs([large, small, cart_pole, again], gpus=False, timeout=120)
    assert [each.n_actions for each in measured] == [7, 7, 2, 7]
    assert [each.observation_size for each in measured] == [126, 126, 4, 126]
    assert measured[3].minibatch_seconds == measured[1].minibatch_seconds
    assert measured[0].minibatch_seconds > measured[1].minibatch_seconds
    assert measured[0].env_seconds_per_step == measured[1].env_seconds_per_step
    for each in measured:
        assert each.episodes > 20
        assert each.env_seconds_per_step > 0
        assert each.policy_seconds_per_step >= 0
        assert 200e6 < each.peak_memory_bytes < 1e9
        assert not each.fixed_episode_length
    # random play of connect_four against a random opponent
    assert 8 < measured[0].mean_episode_length < 14


def test_a_longer_rollout_takes_more_memory():
    pairs = [config("CartPole-v1", engine=engine, n_steps=n) for engine in ("fast", "stock") for n in (64, 1_000_000)]
    short_fast, fast, short_stock, stock = measure_configs(pairs, gpus=False, timeout=120)
    # 11 numbers of 4 bytes a step, and of masks none
    assert fast.peak_memory_bytes - short_fast.peak_memory_bytes == pytest.approx(44e6, rel=0.01)
    assert stock.peak_memory_bytes - short_stock.peak_memory_bytes == pytest.approx(52e6, rel=0.01)


def test_what_an_environment_prints_does_not_spoil_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "chatty_env.py").write_text(
        "import os, gymnasium\n"
        "def make():\n"
        "    print('hello from Python', flush=True)\n"
        "    os.write(1, b'hello from C\\n')\n"
        "    return gymnasium.make('CartPole-v1')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (measured,) = measure_configs([config("chatty_env:make")], gpus=False, timeout=120)
    assert measured.n_actions == 2


def test_an_environment_that_cannot_be_made_is_the_users_to_read():
    with pytest.raises(EnvironmentSpecError, match="did you mean connect_four"):
        measure_configs([config("open_spiel/connect_for")], gpus=False, timeout=120)


def test_an_environment_that_hangs_is_given_up_and_its_process_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "stuck_env.py").write_text("import time\ndef make():\n    time.sleep(600)\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(psutil.Process().children())
    started = time.monotonic()
    with pytest.raises(RlsweepError, match="took longer than 2 s"):
        measure_configs([config("stuck_env:make")], gpus=False, timeout=2)
    assert time.monotonic() - started < 20
    assert set(psutil.Process().children()) <= before


def test_measures_before_anyone_waits_and_ends_with_the_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "noted_env.py").write_text(
        "import pathlib, time\ndef make():\n    pathlib.Path(__file__).with_name('made').touch()\n    time.sleep(600)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    before = set(psutil.Process().children())
    with measuring([config("noted_env:make")], gpus=False, timeout=120):
        while not (tmp_path / "made").exists():
            assert set(psutil.Process().children()) > before
            time.sleep(0.05)
        left = time.monotonic()
    assert time.monotonic() - left < 20, "the database may be out of reach, or a name taken"
    assert set(psutil.Process().children()) <= before


def test_an_environment_that_kills_its_process_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "fatal_env.py").write_text("import os, signal\ndef make():\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RlsweepError, match="ended by signal 9"):
        measure_configs([config("fatal_env:make")], gpus=False, timeout=120)


MOODY = """\
import gymnasium as gym
import numpy as np

class Moody(gym.Env):
    observation_space = gym.spaces.Box(0, 99, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.count += 1
        return np.full(1, self.count, np.float32), 0.0, False, False, {}

    def __getstate__(self):
        if self.count >= 2:
            raise OSError("a handle of mine")
        return self.__dict__
"""


@pytest.mark.parametrize("vec_env", ["dummy", "subproc"])
def test_environments_that_cannot_be_copied_play_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vec_env: str
) -> None:
    (tmp_path / "moody_env.py").write_text(MOODY)
    monkeypatch.syspath_prepend(tmp_path)
    vector = make_vector(config("moody_env:Moody", n_envs=2, vec_env=vec_env))
    try:
        vector.reset()
        begun = save_environments(vector)
        vector.step(np.array([0, 0]))
        for spoilt in (b"nonsense", pickle.dumps([pickle.loads(begun)[0], b"nonsense"])):
            with pytest.raises(pickle.PickleError):
                restore_environments(vector, spoilt)
        seen, *_ = vector.step(np.array([0, 0]))
        assert seen.ravel().tolist() == [2, 2], "neither was exchanged"
        with pytest.raises((OSError, pickle.PickleError), match="a handle of mine"):
            save_environments(vector)
        seen, *_ = vector.step(np.array([0, 0]))
        assert seen.ravel().tolist() == [3, 3]
        restore_environments(vector, begun)
        seen, *_ = vector.step(np.array([0, 0]))
        assert seen.ravel().tolist() == [1, 1]
    finally:
        vector.close()
