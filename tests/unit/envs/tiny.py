"""Environments small enough that the right answer is known, and how tests play any environment."""

import random
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv


class LeastLost(AECEnv):
    """Each of three agents pays 1 to 3 once, and is out at once; who paid least wins. Agent 0 may not pay 2.

    cut: agents are truncated, not terminated
    """

    metadata = {"name": "least_lost"}  # noqa: RUF012

    def __init__(self, cut: bool = False) -> None:
        super().__init__()
        self.possible_agents = ["a", "b", "c"]
        self._cut = cut
        self.paid: dict[str, int] = {}

    def observation_space(self, agent: str) -> spaces.Space:
        return spaces.Dict(
            {
                "action_mask": spaces.Box(0, 1, (3,), np.int8),
                "already_out": spaces.Box(0, 3, (1,), np.int8),
                "me": spaces.Discrete(3),
            }
        )

    def action_space(self, agent: str) -> spaces.Space:
        return spaces.Discrete(3)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        self.agents = self.possible_agents[:]
        self.agent_selection = "a"
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self.paid = {}

    def observe(self, agent: str) -> dict[str, Any]:
        mask = np.ones(3, np.int8)
        mask[1] = agent != "a"
        already_out = np.array([3 - len(self.agents)], np.int8)
        return {"action_mask": mask, "already_out": already_out, "me": self.possible_agents.index(agent)}

    def step(self, action: int | None) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            if self.agents:
                self.agent_selection = self.agents[0]
            return
        assert action is not None
        self.paid[agent] = action + 1
        self.rewards[agent] = -(action + 1)
        (self.truncations if self._cut else self.terminations)[agent] = True
        self._accumulate_rewards()


class NoTurn(LeastLost):
    """A game that is over before anybody moves."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        super().reset(seed)
        self.terminations = dict.fromkeys(self.agents, True)


class PaidEveryTurn(LeastLost):
    """Each of three agents has two turns, and earns its action plus one at each; then all are out."""

    turns = 2

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        super().reset(seed)
        self._left = self.turns * len(self.agents)

    def step(self, action: int | None) -> None:
        agent = self.agent_selection
        if self.terminations[agent]:
            super().step(action)
            return
        assert action is not None
        self._cumulative_rewards[agent] = 0
        self.rewards = dict.fromkeys(self.agents, 0) | {agent: action + 1}
        self._accumulate_rewards()
        self._left -= 1
        self.terminations = dict.fromkeys(self.agents, self._left == 0)
        self.agent_selection = self.agents[(self.agents.index(agent) + 1) % len(self.agents)]


class UnequalSeats(LeastLost):
    def action_space(self, agent: str) -> spaces.Space:
        return spaces.Discrete(3 if agent == "a" else 4)


class Corridor(gym.Env[dict[str, Any], np.int64]):
    """Walk right (1) to cell 3, in at most 6 steps; left (0) is illegal in cell 0. Observed as a Dict with a mask."""

    def __init__(self, masked_in: str = "observation") -> None:
        self._masked_in = masked_in
        self.action_space = spaces.Discrete(2)
        cells = {"goal": spaces.Box(0, 3, (1,)), "cell": spaces.Discrete(4)}
        mask = {"action_mask": spaces.MultiBinary(2)} if masked_in == "observation" else {}
        self.observation_space = spaces.Dict({**cells, **mask})
        self._cell = self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._cell, self._steps = int(self.np_random.integers(2)), 0
        return self._observation(), self._info()

    def step(self, action: np.int64) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._cell, self._steps = max(0, self._cell + (1 if action else -1)), self._steps + 1
        arrived, late = self._cell == 3, self._steps == 6
        success = {"is_success": arrived} if arrived or late else {}
        return self._observation(), float(arrived), arrived, late, {**self._info(), **success}

    def _mask(self) -> np.ndarray:
        return np.array([self._cell > 0, True], np.int8)

    def _observation(self) -> dict[str, Any]:
        mask = {"action_mask": self._mask()} if self._masked_in == "observation" else {}
        return {"cell": self._cell, "goal": np.array([3.0], np.float32), **mask}

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self._mask()} if self._masked_in == "info" else {}


class OwnMasks(Corridor):
    def __init__(self) -> None:
        super().__init__(masked_in="nothing")

    def action_masks(self) -> np.ndarray:
        return np.array([False, True])


def masks_of(env: gym.Env[Any, Any]) -> np.ndarray:
    return env.get_wrapper_attr("action_masks")()


def play_episode(env: gym.Env[Any, Any], rng: random.Random, *, seed: int | None = None) -> list[tuple[Any, ...]]:
    """Random legal actions to the end: (observation, action, reward, terminated, truncated, info) of each step."""
    env.reset(seed=seed)
    steps = []
    while not steps or not (steps[-1][3] or steps[-1][4]):
        action = rng.choice(np.flatnonzero(masks_of(env)).tolist())
        observation, reward, terminated, truncated, info = env.step(np.int64(action))
        steps.append((observation, action, reward, terminated, truncated, info))
    return steps


class OfItsOwn(spaces.Space):
    """A space that Gymnasium cannot flatten, as MiniGrid's missions."""


class OwnSpace(gym.Env):
    """Its observation is a Dict with a space of the environment's own."""

    observation_space = spaces.Dict({"image": spaces.Box(0, 1, (2,), np.float32), "mission": OfItsOwn()})
    action_space = spaces.Discrete(2)
