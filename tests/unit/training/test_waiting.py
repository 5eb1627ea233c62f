"""What is said while an environment does not answer."""

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gymnasium as gym
import pytest

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.training.environment_processes import EnvironmentProcesses
from rlsweep.training.vector import LeanVecEnv
from rlsweep.training.waiting import _Watch

released = threading.Event()
entered = threading.Event()


class Slow(gym.Env[Any, Any]):
    """Waits in one of its functions until it is released."""

    observation_space = gym.spaces.Box(0, 1, (1,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, where: str) -> None:
        self._where = where
        self._wait("made")

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._wait("reset")
        return self.observation_space.low, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._wait("step")
        return self.observation_space.low, 0.0, False, False, {}

    def _wait(self, where: str) -> None:
        if where == self._where:
            entered.set()
            assert released.wait(30)


WAITS = inspect.getsourcelines(Slow._wait)[1] + 3


class SilentRemote:
    """The pipe to an environment's process that does not answer."""

    def recv(self) -> None:
        entered.set()
        assert released.wait(30)
        raise EOFError


def play(where: str) -> None:
    if where == "processes":
        processes = EnvironmentProcesses.__new__(EnvironmentProcesses)
        processes.remotes = (SilentRemote(),)
        with suppress(EOFError):
            processes.step_wait()
        return
    vector = LeanVecEnv([lambda: make_env(EnvironmentSpec(id=f"{__name__}:Slow", kwargs={"where": where}), seed=0)])
    vector.reset()
    for _ in range(3):
        vector.step([0])


@contextmanager
def playing(where: str) -> Iterator[int]:
    """A thread that waits in the environment; its id."""
    released.clear()
    entered.clear()
    thread = threading.Thread(target=play, args=(where,))
    thread.start()
    try:
        assert entered.wait(30)
        assert thread.ident is not None
        yield thread.ident
    finally:
        released.set()
        thread.join()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("made", "environment 'x' to be made"),
        ("reset", "the reset of environment 'x'"),
        ("step", "a step of environment 'x'"),
    ],
)
def test_a_call_that_does_not_return_is_said_after_ten_seconds_and_then_rarely(where: str, said: str) -> None:
    told: list[str] = []
    with playing(where) as thread:
        watch = _Watch(thread, "'x'", told.append)
        for now in (0.0, 5.0, 9.0):
            watch.look(now)
            assert told == []
        watch.look(11.0)
        assert told == [f"{said}, for 11 s ({__file__}, line {WAITS})"]
        for now in (12.0, 60.0, 61.0, 70.0, 600.0, 602.0):
            watch.look(now)
        assert [text.partition(", for ")[2].split()[0] for text in told] == ["11", "61", "602"]


def test_environments_in_processes_are_waited_for_too() -> None:
    told: list[str] = []
    with playing("processes") as thread:
        watch = _Watch(thread, "'x'", told.append)
        watch.look(0.0)
        watch.look(10.0)
    (said,) = told
    assert said.startswith("a step of environment 'x' in its processes, for 10 s")


def test_calls_that_return_are_not_said() -> None:
    told: list[str] = []
    watch = _Watch(threading.get_ident(), "'x'", told.append)
    env = Looked(watch)
    for now in range(0, 60, 2):
        env.now = float(now)
        env.step(0)
    assert told == []


class Looked(gym.Env[Any, Any]):
    """Has every step looked at while it is made."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        self.now = 0.0

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._watch.look(self.now)
        return None, 0.0, False, False, {}
