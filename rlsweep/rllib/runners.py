"""RLlib's env runners: one actor each, wherever Ray has a CPU for it; one that dies is replaced."""

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
"""How often, for each env runner there is to be, one may die within a rollout before the run gives up."""

WAIT_SECONDS = 300.0
"""How long a rollout waits while no env runner is alive."""

LOOK_SECONDS = 0.5
"""Between two looks at whether to stop."""

STOP_SECONDS = 5.0
"""How long env runners may take to close their environments."""

_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_Handle = Any
"""A handle of an actor."""


class _ElsewhereError(Exception):
    """Carries the traceback of another process, as the cause of what was raised there."""


class Runner(SingleAgentEnvRunner):
    """RLlib's, but that what an environment raises is raised as it is, not as a RuntimeError without a word."""

    def sample(self, **keywords: Any) -> list[SingleAgentEpisode]:
        """As RLlib has it; `keywords` too."""
        episodes = super().sample(**keywords)
        self.get_metrics()  # nobody else does, and RLlib would keep every episode until then
        return episodes

    def _try_env_step(self, actions: Any) -> Any:
        assert self.env is not None
        return self.env.step(actions)


class Runners:
    """`config.num_env_runners` of them. They count from 1, and a new one goes on counting: its seeds are its own."""

    def __init__(self, config: PPOConfig) -> None:
        """Start them, without waiting."""
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
        """Let all of them, and those to come, play with these."""
        self._weights = ray.put(weights)
        for runner in self._alive:
            self._send_weights(runner)

    def play(self, steps: int, is_to_stop: Callable[[], bool]) -> list[EpisodeType]:
        """At least so many env steps, shared out evenly between those that are alive, in the order of their numbers.

        Fewer where `is_to_stop`, which is asked every LOOK_SECONDS.
        Raises what an environment or the policy raises there, and WorkersLostError where none stays alive.
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
                except (RayActorError, ObjectLostError) as error:  # or what it played, with its node
                    self._alive.remove(runner)
                    self._start_another(error)
                else:
                    steps -= sum(len(episode) for episode in episodes)
                    played += episodes
        return played

    def stop(self) -> None:
        """Close their environments and end them."""
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
        """Where none is alive, the first rollout or all of them dead, until every one that was started has joined."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._joining and not is_to_stop():
            if time.monotonic() > deadline:
                raise WorkersLostError(
                    f"{len(self._joining)} of {self._count} env runners have not started within {WAIT_SECONDS:g} s. "
                    f"See that Ray has {self._count} CPUs free for them, then go on from the last checkpoint."
                )
            self._take_in(timeout=LOOK_SECONDS)

    def _take_in(self, *, timeout: float) -> None:
        """Let those that have started play, in the order of their numbers."""
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
        """In the place of one that died of `error`, or could not start for it."""
        self._deaths += 1
        if self._deaths > DEATHS * self._count:
            raise WorkersLostError(
                f"Env runners died {self._deaths} times within one rollout, most often of too little memory. "
                f"The last one: {plain(str(error))}"
            ) from error
        logger.warning("an env runner died, another is started: %s", plain(str(error)))
        self._start_one()

    def _send_weights(self, runner: _Handle) -> None:
        runner.set_state.remote({COMPONENT_RL_MODULE: self._weights})


def plain(text: str) -> str:
    """What Ray says of an error, without the colours of a terminal."""
    return _COLOUR.sub("", text)
