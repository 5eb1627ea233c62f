"""Environment family: OpenSpiel's games, such as open_spiel/connect_four."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pyspiel
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.masks import MaskPlace, MaskSource
from rlsweep.envs.mcts import make_mcts
from rlsweep.envs.opponents import make_opponent
from rlsweep.envs.positions import Opponent
from rlsweep.envs.single_agent import adapt_game
from rlsweep.envs.spiel_games import SpielGame, load_game
from rlsweep.envs.turns import TurnGame
from rlsweep.errors import EnvironmentSpecError

CHANCE: int = pyspiel.PlayerId.CHANCE


def make(spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Make `open_spiel/<game>`; `spec.kwargs` are the game's parameters.

    Raises EnvironmentSpecError for an unknown game or parameter, a game that is not sequential or has no observation
    tensor, an opponent that cannot play it, and a wrapper that does not fit.
    """
    if spec.mask is not None:
        raise EnvironmentSpecError(f"Environment {spec.id!r} has its masks from the game; remove environment.mask.")
    game = load_game(spec)
    opponent = make_opponent(
        spec,
        players=game.players,
        actions=game.actions,
        observation_size=game.observation_size,
        mcts=lambda simulations: make_mcts(spec.id, game, simulations),
    )
    return adapt_game(SpielEnv(spec.id, game, opponent, seed=seed), spec, seed=seed)


class SpielEnv(TurnGame):
    """A sequential OpenSpiel game. Observation: the game's observation tensor for the seat's player."""

    def __init__(self, env_id: str, game: SpielGame, opponent: Opponent["SpielEnv"], *, seed: int) -> None:
        self._game = game
        self._all_illegal = np.zeros(game.actions, np.bool_)
        self._legal: list[int] = []
        super().__init__(
            env_id,
            opponent=opponent,
            players=game.players,
            competitive=game.competitive,
            observation_space=spaces.Box(-np.inf, np.inf, (game.observation_size,), np.float32),
            actions=game.actions,
            seed=seed,
        )
        self.state = game.new_state()

    @property
    def mask_source(self) -> MaskSource:
        """The game knows its legal actions."""
        return MaskSource(MaskPlace.GAME)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal for the seat now: a new array, shape (n_actions,), bool."""
        mask = self._all_illegal.copy()
        mask[self._legal] = True
        return mask

    def legal_action_indices(self) -> Sequence[int]:
        """The indices of the legal actions."""
        return self._legal

    def legal_actions(self) -> Sequence[int]:
        """The legal actions of the player to move (for opponents)."""
        legal: list[int] = self.state.legal_actions()
        return legal

    def observation(self) -> NDArray[np.float32]:
        """The observation of the player to move (for opponents)."""
        return self._game.observe(self.state, self.state.current_player())

    @property
    def seat_to_move(self) -> int:
        """The player to move."""
        seat: int = self.state.current_player()
        return seat

    def board(self) -> str:
        """The state as OpenSpiel writes it."""
        return str(self.state)

    def move_text(self, move: int) -> str:
        """The action as OpenSpiel writes it, such as `x3`."""
        text: str = self.state.action_to_string(self.seat_to_move, move)
        return text

    def _deal(self, options: dict[str, Any] | None) -> None:
        del options
        self.state = self._game.new_state()

    def _is_legal(self, move: int) -> bool:
        return move in self._legal

    def _apply(self, move: int) -> None:
        self.state.apply_action(move)

    def _play_to_own_turn(self) -> bool:
        state, seat = self.state, self.seat
        while (player := state.current_player()) != seat:
            if player >= 0:
                state.apply_action(self._opponent.act(self, self._rng))
            elif player == CHANCE:
                state.apply_action(self._draw(state.chance_outcomes()))
            else:
                self._legal = []
                return True
        self._legal = state.legal_actions()
        return False

    def _returns(self) -> Sequence[float]:
        returns: list[float] = self.state.returns()
        return returns

    def _own_observation(self) -> NDArray[np.float32]:
        return self._game.observe(self.state, self.seat)

    def _reseed(self, seed: int) -> None:
        super()._reseed(seed)
        self._game.reseed(seed)

    def _draw(self, outcomes: list[tuple[int, float]]) -> int:
        """Draw a chance outcome with its probability."""
        left = self._rng.random()
        for outcome, probability in outcomes:
            left -= probability
            if left < 0:
                return outcome
        # rounding: the probabilities may add up to slightly less than one
        return outcomes[-1][0]
