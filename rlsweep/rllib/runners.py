"""RLlib's env runners: one Ray actor each, on any node with a free CPU; a dead one is replaced."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray.exceptions import ObjectLostError, RayActorError, RayTaskError
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core import COMPONENT_RL_MODULE
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.utils.typing import EpisodeType

from rlsweep.errors import WorkersLostError

logger = logging.getLogger(__name__)

DEATHS = 3
"""Maximum number of deaths within one rollout, per configured env runner; after that, the run fails."""

WAIT_SECONDS = 300.0
"""Time limit for env runners to start while none is alive."""

LOOK_SECONDS = 0.5
"""Time between two checks whether to stop."""

STOP_SECONDS = 5.0
"""Time limit for env runners to close their environments."""

_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_Handle = Any
"""Handle of a Ray actor."""


class _ElsewhereError(Exception):
    """The traceback of another process, as the cause of the exception raised there."""


class Runner(SingleAgentEnvRunner):
    """RLlib's env runner, except that an environment's exception is raised unchanged instead of as a RuntimeError."""

    def sample(self, **keywords: Any) -> list[SingleAgentEpisode]:
        """Collect episodes, as in RLlib, with the same keywords."""
        episodes = super().sample(**keywords)
        self.get_metrics()  # without this call, RLlib would keep every episode in memory
        return episodes

    def _try_env_step(self, actions: Any) -> Any:
        assert self.env is not None
        return self.env.step(actions)


class Runners:
    """A group of `config.num_env_runners` env runners, numbered from 1. A replacement gets a new number and seeds."""

    def __init__(self, config: PPOConfig) -> None:
        """Start the env runners without waiting for them."""
        self._cpus = config.num_cpus_per_env_runner
        self._count = config.num_env_runners
        self._config = ray.put(config)
        self._started = 0
        self._deaths = 0
        self._alive: list[_Handle] = []
        self._joining: dict[Any, _Handle] = {}
        self._weights: Any | None = None
        for _ in range(self._count):
            self._start_one()

    def set_weights(self, weights: Mapping[str, Any]) -> None:
        """Set the weights of all env runners, including those that start later."""
        self._weights = ray.put(weights)
        for runner in self._alive:
            self._send_weights(runner)

    def play(self, steps: int, is_to_stop: Callable[[], bool]) -> list[EpisodeType]:
        """Collect at least `steps` env steps, divided evenly between the live env runners, in the order of numbers.

        is_to_stop: called every LOOK_SECONDS; if it returns True, fewer env steps are returned
        Raises exceptions of the environment and the policy, and WorkersLostError if too many env runners die.
        """
        played: list[EpisodeType] = []
        self._deaths = 0
        while steps > 0 and not is_to_stop():
            self._take_in(timeout=0.0)
            if not self._alive:
                self._wait_for_all(is_to_stop)
            share = -(-steps // max(1, len(self._alive)))
            asked = [(runner, runner.sample.remote(num_timesteps=share)) for runner in self._alive]
            for runner, answer in asked:
                while not ray.wait([answer], timeout=LOOK_SECONDS)[0]:
                    if is_to_stop():
                        return played
                try:
                    episodes = ray.get(answer)
                except RayTaskError as error:
                    raise error.cause from _ElsewhereError(plain(str(error)))
                except (RayActorError, ObjectLostError) as error:  # its result can be lost with its node
                    self._alive.remove(runner)
                    self._start_another(error)
                else:
                    steps -= sum(len(episode) for episode in episodes)
                    played += episodes
        return played

    def stop(self) -> None:
        """Close all environments and end the env runners."""
        if closing := [runner.stop.remote() for runner in self._alive]:
            ray.wait(closing, num_returns=len(closing), timeout=STOP_SECONDS)
        for runner in (*self._alive, *self._joining.values()):
            ray.kill(runner)
        self._alive, self._joining = [], {}

    def _start_one(self) -> None:
        self._started += 1
        actor: Any = ray.remote(num_cpus=self._cpus)(Runner)
        runner = actor.remote(config=self._config, worker_index=self._started, num_workers=self._count)
        self._joining[runner.ping.remote()] = runner

    def _wait_for_all(self, is_to_stop: Callable[[], bool]) -> None:
        """Wait until all started env runners have joined; called if none is alive."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._joining and not is_to_stop():
            if time.monotonic() > deadline:
                raise WorkersLostError(
                    f"{len(self._joining)} of {self._count} env runners have not started within {WAIT_SECONDS:g} s. "
                    f"Check that Ray has {self._count} free CPUs, then resume from the last checkpoint."
                )
            self._take_in(timeout=LOOK_SECONDS)

    def _take_in(self, *, timeout: float) -> None:
        """Add the env runners that have started, in the order of their numbers."""
        if not self._joining:
            return
        ready, _ = ray.wait(list(self._joining), num_returns=len(self._joining), timeout=timeout)
        for answer in ready:
            runner = self._joining.pop(answer)
            try:
                ray.get(answer)
            except RayActorError as error:
                self._start_another(error)
            else:
                self._send_weights(runner)
                self._alive.append(runner)

    def _start_another(self, error: RayActorError | ObjectLostError) -> None:
        """Replace an env runner that died or failed to start with `error`."""
        self._deaths += 1
        if self._deaths > DEATHS * self._count:
            raise WorkersLostError(
                f"Env runners died {self._deaths} times within one rollout. The last error: {plain(str(error))}"
            ) from error
        logger.warning("an env runner died; starting another one: %s", plain(str(error)))
        self._start_one()

    def _send_weights(self, runner: _Handle) -> None:
        runner.set_state.remote({COMPONENT_RL_MODULE: self._weights})


def plain(text: str) -> str:
    """Remove terminal colours from Ray's text of an error."""
    return _COLOUR.sub("", text)
