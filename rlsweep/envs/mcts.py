"""The Monte Carlo tree search opponent, for OpenSpiel's games."""

import random
from typing import Any, Protocol

import pyspiel

from rlsweep.envs.spiel_games import SpielGame
from rlsweep.errors import EnvironmentSpecError

MEMORY_MB = 100


class SpielPosition(Protocol):
    """A position of an OpenSpiel game."""

    state: Any
    """The pyspiel.State."""


class MCTSOpponent:
    """Monte Carlo tree search (UCT) with one random rollout per simulation, by OpenSpiel's MCTSBot."""

    def __init__(self, game: SpielGame, simulations: int) -> None:
        self._game = game
        self._simulations = simulations
        # The exploration constant scales with returns; 2 is usual for returns between -1 and 1.
        self._exploration = 2.0 * max(abs(game.game.max_utility()), abs(game.game.min_utility()))
        self._bot(seed=0)

    def act(self, position: SpielPosition, rng: random.Random) -> int:
        """The best move of a new search."""
        move: int = self._bot(rng.getrandbits(31)).step(position.state)
        return move

    def _bot(self, seed: int) -> Any:
        evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
        return pyspiel.MCTSBot(
            self._game.game, evaluator, self._exploration, self._simulations, MEMORY_MB, True, seed, False
        )


def make_mcts(env_id: str, game: SpielGame, simulations: int) -> MCTSOpponent:
    """Make the opponent for `game`; raise EnvironmentSpecError if the game has hidden information or lacks support."""
    kind = game.game.get_type()
    if kind.information != pyspiel.GameType.Information.PERFECT_INFORMATION:
        raise EnvironmentSpecError(
            f"Environment {env_id!r}: opponent mcts would see the hidden information of {game.name}; "
            f"use random or a checkpoint."
        )
    try:
        return MCTSOpponent(game, simulations)
    except RuntimeError as exc:
        raise EnvironmentSpecError(f"Environment {env_id!r}: opponent mcts cannot play {game.name}: {exc}") from exc
