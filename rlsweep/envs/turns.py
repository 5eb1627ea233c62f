"""Turn-based games of several players, played by one agent and its opponent."""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.envs.dense_policy import DensePolicy
from rlsweep.envs.masks import MaskSource
from rlsweep.envs.outcomes import outcome_of
from rlsweep.envs.positions import Opponent
from rlsweep.envs.self_play import SelfPlayOpponent
from rlsweep.envs.user_code import USER_ERRORS, fails_in
from rlsweep.errors import EnvironmentSpecError, RlsweepError

NOBODY = -100
"""The seat of an agent that plays none; OpenSpiel's own numbers for no player are -1 to -4."""

MAX_DEALS = 100
"""Games in a row that may end before the agent's first turn; then we assume that the agent never gets a turn."""


class CutGameError(Exception):
    """Raised by a player to end a game of `TurnGame.play_through` before its end."""


class TurnGame(gym.Env[NDArray[np.float32], np.int64], ABC):
    """A game in which the agent plays one seat, drawn for each episode, and the opponent plays the others.

    Reward: the change of the seat's return since its last move. One `random.Random` draws the seat, chance outcomes
    and the opponent's moves; `reset(seed=…)` reseeds it, and later episodes continue its stream.
    If a game ends before the agent's first turn, another one is dealt.

    opponent: plays all other seats
    players: number of seats
    competitive: whether an episode has an outcome
    """

    def __init__(
        self,
        env_id: str,
        *,
        opponent: Opponent[Any],
        players: int,
        competitive: bool,
        observation_space: spaces.Box[np.float32],
        actions: int,
        seed: int,
    ) -> None:
        self.env_id = env_id
        self._opponent = opponent
        self.players = players
        self.seat = 0
        self.observation_space = observation_space
        self.action_space = spaces.Discrete(actions)
        self._competitive = competitive
        self._paid = 0.0
        self._reseed(seed)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a seat and play up to its first turn; a seed reseeds everything."""
        if seed is not None:
            self._reseed(seed)
        if isinstance(self._opponent, SelfPlayOpponent):
            self._opponent.begin(self._rng)
        for _ in range(MAX_DEALS):
            self.seat = int(self._rng.random() * self.players)
            self._paid = 0.0
            try:
                self._deal(options)
                if not self._play_to_own_turn():
                    return self._own_observation(), {}
            except RlsweepError:
                raise
            except USER_ERRORS as exc:
                raise fails_in(self.env_id, "reset", exc) from exc
        raise EnvironmentSpecError(f"Environment {self.env_id!r}: the game always ends before the agent's first turn.")

    def step(self, action: np.int64 | int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Play the action, then all other players up to the seat's next turn or the end of the game.

        Raises EnvironmentSpecError for an action that is not legal, EnvironmentStateError if the game fails.
        """
        move = int(action)
        if not self._is_legal(move):
            raise EnvironmentSpecError(
                f"Environment {self.env_id!r}: action {move} is not legal here; use an algorithm that masks actions, "
                f"such as MaskablePPO."
            )
        try:
            self._apply(move)
            over = self._play_to_own_turn()
            observation = self._own_observation()
        except RlsweepError:
            raise
        except USER_ERRORS as exc:
            raise fails_in(self.env_id, "step", exc) from exc
        truncated = over and self._is_truncated()
        returns = self._returns()
        own = returns[self.seat]
        reward, self._paid = own - self._paid, own
        info: dict[str, Any] = {}
        if over and self._competitive and not truncated:
            info["outcome"] = outcome_of(own, [*returns[: self.seat], *returns[self.seat + 1 :]])
        return observation, reward, over and not truncated, truncated, info

    def play_through(self, players: Opponent[Any], *, seed: int) -> Sequence[float] | None:
        """Play one game in which `players` chooses the moves of every seat, and return each seat's return.

        Returns None for a game that the environment truncated or a player cut. Equal seeds and equal players give
        equal games. Raises EnvironmentStateError if the game fails, and any RlsweepError of the players.
        """
        self._reseed(seed)
        self._opponent, self.seat = players, NOBODY
        try:
            self._deal(None)
            self._play_to_own_turn()
        except CutGameError:
            return None
        except RlsweepError:
            raise
        except USER_ERRORS as exc:
            raise fails_in(self.env_id, "step", exc) from exc
        return None if self._is_truncated() else self._returns()

    @property
    def opponent(self) -> Opponent[Any]:
        """Who plays the other seats."""
        return self._opponent

    @property
    def competitive(self) -> bool:
        """Whether an episode has an outcome."""
        return self._competitive

    def take_opponents(self, pool: Sequence[DensePolicy]) -> None:
        """Play against these policies from now on; only for a game whose opponent is a SelfPlayOpponent."""
        assert isinstance(self._opponent, SelfPlayOpponent)
        self._opponent.take(pool)

    def __str__(self) -> str:
        return self.env_id

    @property
    @abstractmethod
    def mask_source(self) -> MaskSource:
        """Where the game's masks are; known after the first reset."""

    @abstractmethod
    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal for the seat now: a new array, shape (n_actions,), bool."""

    @property
    @abstractmethod
    def seat_to_move(self) -> int:
        """The seat of the player to move (for opponents)."""

    @abstractmethod
    def board(self) -> str | None:
        """The position as text; None if the game has none."""

    @abstractmethod
    def move_text(self, move: int) -> str:
        """A move of the player to move, as the game writes it."""

    @abstractmethod
    def _deal(self, options: dict[str, Any] | None) -> None:
        """Start a game."""

    @abstractmethod
    def _is_legal(self, move: int) -> bool:
        """Whether the seat may play this now."""

    @abstractmethod
    def _apply(self, move: int) -> None:
        """Play a legal move for the player to move."""

    @abstractmethod
    def _play_to_own_turn(self) -> bool:
        """Play chance and the opponents until the seat is to move; return True if the game is over."""

    @abstractmethod
    def _returns(self) -> Sequence[float]:
        """Each player's return since the start of the game, by seat."""

    @abstractmethod
    def _own_observation(self) -> NDArray[np.float32]:
        """The seat's observation at its turn; after the end of the game, its last observation."""

    def _is_truncated(self) -> bool:
        """Whether a finished game was truncated."""
        return False

    def _reseed(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.action_space.seed(seed)
