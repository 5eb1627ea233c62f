"""Check an environment before anything is started, so that its faults show at once, with the user's file and line."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import RunConfig
from rlsweep.envs import make_env
from rlsweep.envs.aec import AECGame
from rlsweep.envs.contract import observation_problem, reset_problem, reward_problem, signature_problem, step_problem
from rlsweep.envs.facts import environment_facts
from rlsweep.envs.flatten import MASK_KEY
from rlsweep.envs.lookalikes import find_lookalike
from rlsweep.envs.masks import METHOD, NO_MASKS, MaskPlace, Problem
from rlsweep.envs.random_actions import RandomActions
from rlsweep.envs.single_agent import MaskedSingleAgent, SingleAgent
from rlsweep.envs.user_code import layers_of, place_of_function
from rlsweep.errors import ConfigError, EnvironmentSpecError, EnvironmentStateError, RlsweepError
from rlsweep.training.algorithms import no_masks
from rlsweep.training.seeding import evaluation_seed

SECONDS = 1.0
"""The check ends after this time at the latest."""

STEPS = 150
"""The check ends after this many env steps if an episode has ended by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """An environment that was played without a fault.

    facts: as `environment_facts` has them
    episodes: how many ended meanwhile
    """

    facts: dict[str, str]
    episodes: int


def check_environment(config: RunConfig, *, then: Callable[[gym.Env[Any, Any]], None] = lambda _: None) -> Checked:
    """Play random legal actions in a separate environment and look at everything that it returns.

    then: called with that environment if nothing is wrong
    Raises EnvironmentSpecError, with the file and line of the user's code, if the environment breaks Gymnasium's
    contract, raises an exception, or gives a wrong action mask; also if the algorithm masks actions, no masks were
    found, and something looks like one. Raises ConfigError if the algorithm cannot choose its actions.
    """
    training = config.training
    seed = evaluation_seed(config.seed)
    env = make_env(training.environment, seed=seed, max_steps_per_episode=training.max_steps_per_episode)
    try:
        _check_actions(config, env)
        checked = _Check(config, env, seed).run()
        then(env)
        env.close()
        return checked
    except EnvironmentStateError as exc:
        with suppress(RlsweepError):
            env.close()
        raise EnvironmentSpecError(str(exc)) from exc
    except BaseException:
        with suppress(RlsweepError):
            env.close()
        raise


def _check_actions(config: RunConfig, env: gym.Env[Any, Any]) -> None:
    """Raise ConfigError if the algorithm or its backend cannot choose the environment's actions."""
    algorithm = config.agent.algorithm
    if not ALGORITHMS[algorithm].uses_masks:
        return
    if not env.has_wrapper_attr(METHOD):
        raise no_masks(config, env.action_space)
    if config.training.backend == "rllib" and not isinstance(env.action_space, gym.spaces.Discrete):
        raise ConfigError(
            f"backend: rllib trains {algorithm} with Discrete actions only; '{config.training.environment.id}' has "
            f"{env.action_space}. Use backend: sb3."
        )


class _Check:
    """One play of the check."""

    def __init__(self, config: RunConfig, env: gym.Env[Any, Any], seed: int) -> None:
        self._spec = config.training.environment
        self._env = env
        self._seed = seed
        self._uses_masks = ALGORITHMS[config.agent.algorithm].uses_masks
        self._mask_keys = {MASK_KEY, self._spec.mask or MASK_KEY}
        self._single = next((layer for layer in layers_of(env) if isinstance(layer, SingleAgent)), None)
        self._observation: Any = None
        self._info: dict[str, Any] = {}

    def run(self) -> Checked:
        """Play."""
        env, actions = self._env, RandomActions(self._env.action_space, self._seed)
        if self._single is not None:
            self._watch(self._single.unwrapped)
            if self._single.env is not self._single.unwrapped:
                self._watch(self._single.env)
        observation, _ = env.reset(seed=self._seed)
        facts = environment_facts(env, uses_masks=self._uses_masks)
        self._look_at("reset", observation_problem(observation, env.observation_space))
        steps = episodes = 0
        until = time.perf_counter() + SECONDS
        while time.perf_counter() < until and (steps < STEPS or not episodes):
            self._look_at_mask()
            observation, reward, terminated, truncated, _ = env.step(actions.draw_for(env))
            self._look_at("step", reward_problem(reward) or observation_problem(observation, env.observation_space))
            steps += 1
            if terminated or truncated:
                episodes += 1
                env.reset()
        return Checked(facts=facts, episodes=episodes)

    def _watch(self, layer: Any) -> None:
        """Look at what `reset` and `step` of the user's environment, or of its outermost wrapper, return."""
        reset, step = layer.reset, layer.step

        def watched_reset(**keywords: Any) -> Any:
            result = reset(**keywords)
            self._look_at("reset", reset_problem(result, layer.observation_space, without=self._mask_keys), layer)
            self._observation, self._info = result
            return result

        def watched_step(action: Any) -> Any:
            result = step(action)
            self._look_at("step", step_problem(result, layer.observation_space, without=self._mask_keys), layer)
            self._observation, self._info = result[0], result[4]
            return result

        self._look_at("reset", signature_problem(reset, "reset"), layer)
        self._look_at("step", signature_problem(step, "step"), layer)
        layer.reset, layer.step = watched_reset, watched_step

    def _look_at(self, function: str, problem: Problem | None, layer: Any = None) -> None:
        if problem is not None:
            place = "" if layer is None else place_of_function(layer, function)
            raise EnvironmentSpecError(
                f"Environment {self._spec.id!r}: {function} {problem.what}; {problem.cure}{place}."
            )

    def _look_at_mask(self) -> None:
        single = self._single
        if isinstance(single, MaskedSingleAgent):
            single.check_mask()
            observed, space = (single.env, self._observation, self._info), single.action_space
            is_found = single.mask_source.place is not MaskPlace.NOWHERE
        elif isinstance(self._env.unwrapped, AECGame):
            game = self._env.unwrapped
            observed, space = game.observed, game.action_space
            is_found = game.mask_source.place is not MaskPlace.NOWHERE
            if not is_found and self._spec.mask not in (None, NO_MASKS):
                raise EnvironmentSpecError(
                    f"Environment {self._spec.id!r} has no observation key or info key {self._spec.mask!r}; correct "
                    f"environment.mask, or remove it."
                )
        else:
            return
        if self._uses_masks and not is_found and self._spec.mask is None:
            look = find_lookalike(*observed, space)
            if look is not None:
                raise EnvironmentSpecError(f"Environment {self._spec.id!r}: {look.message}")
