"""Load OpenSpiel's games with checked parameters, and read their observations fast."""

from typing import Any

import numpy as np
import pyspiel
from numpy.typing import NDArray

from rlsweep.config.nearest import suggestion
from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import EnvironmentSpecError

PREFIX = "open_spiel/"


class SpielGame:
    """A sequential OpenSpiel game with an observation tensor; raises EnvironmentSpecError for any other game.

    players: number of seats
    actions: number of distinct actions
    observation_size: number of values of an observation
    competitive: two or more players, without identical utility
    """

    def __init__(self, name: str, parameters: dict[str, Any]) -> None:
        self.parameters = parameters
        self.game = pyspiel.load_game(name, parameters)
        kind = self.game.get_type()
        self.name = name
        _check_playable(name, kind)
        self.players: int = self.game.num_players()
        self.actions: int = self.game.num_distinct_actions()
        self.competitive = self.players > 1 and kind.utility != pyspiel.GameType.Utility.IDENTICAL
        # such a game draws its own random numbers; only its parameter rng_seed seeds them
        self._own_dice = (
            kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC
            and "rng_seed" in kind.parameter_specification
            and "rng_seed" not in parameters
        )
        self._by_information_state = not kind.provides_observation_tensor
        self._make_observer()
        self.observation_size = int(self._buffer.size)

    def reseed(self, seed: int) -> None:
        """Seed a game that draws its own random numbers; for all others, SpielEnv draws the chance outcomes."""
        if self._own_dice:
            self.game = pyspiel.load_game(self.name, {**self.parameters, "rng_seed": seed % 2**31})
            self._make_observer()

    def new_state(self) -> Any:
        """A new pyspiel.State."""
        return self.game.new_initial_state()

    def observe(self, state: Any, player: int) -> NDArray[np.float32]:
        """The player's observation, a new array of shape (observation_size,)."""
        self._observer.set_from(state, player)
        return self._buffer.copy()

    def _make_observer(self) -> None:
        """Make the observer, which writes a state's tensor into a NumPy array.

        It is several times as fast as `State.observation_tensor`, which makes a Python list of floats.
        """
        kind = (pyspiel.IIGObservationType(perfect_recall=True),) if self._by_information_state else ()
        observer = self.game.make_observer(*kind, {})
        self._observer = pyspiel._Observation(self.game, observer)
        self._buffer: NDArray[np.float32] = np.frombuffer(self._observer, np.float32)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the observer, which is C++ memory; `__setstate__` makes a new one."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_observer", "_buffer")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_observer()


def _check_playable(name: str, kind: Any) -> None:
    if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        raise EnvironmentSpecError(
            f"Environment {PREFIX + name!r}: its players move at the same time; write "
            f"{PREFIX}turn_based_simultaneous_game(game={name}()) so that they move in turns without seeing each other."
        )
    if kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        raise EnvironmentSpecError(f"Environment {PREFIX + name!r}: mean field games are not supported.")
    if not (kind.provides_observation_tensor or kind.provides_information_state_tensor):
        raise EnvironmentSpecError(
            f"Environment {PREFIX + name!r} has neither an observation tensor nor an information state tensor, so a "
            f"policy gets no observation."
        )


def load_game(spec: EnvironmentSpec) -> SpielGame:
    """Load the game of `open_spiel/<game>` or `open_spiel/<game>(<parameter>=<value>,…)`; kwargs add parameters.

    Raises EnvironmentSpecError if it cannot be loaded or is not supported.
    """
    name, parameters = _named(spec)
    try:
        game = SpielGame(name, parameters)
    except (RuntimeError, TypeError, ValueError, LookupError) as exc:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} cannot be loaded with the parameters {parameters}: {exc}"
        ) from exc
    if game.actions < 1 or game.observation_size < 1:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} has no actions or no observation with the parameters {parameters}."
        )
    return game


def _named(spec: EnvironmentSpec) -> tuple[str, dict[str, Any]]:
    """The game's name and parameters; raise EnvironmentSpecError if OpenSpiel does not know one of them."""
    try:
        parameters: dict[str, Any] = pyspiel.game_parameters_from_string(spec.id.removeprefix(PREFIX))
    except RuntimeError as exc:
        raise EnvironmentSpecError(f"Environment {spec.id!r} is not valid in OpenSpiel's notation: {exc}") from exc
    name: str = parameters.pop("name")
    parameters |= spec.kwargs
    kinds = {kind.short_name: kind for kind in pyspiel.registered_games()}
    if name not in kinds:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r}: OpenSpiel has no game {name!r}{suggestion(name, kinds) or '.'}"
        )
    known = kinds[name].parameter_specification
    for key in parameters:
        if key not in known:
            has = ", ".join(sorted(known)) or "none"
            raise EnvironmentSpecError(f"Environment {spec.id!r}: {name} has no parameter {key!r}; it has {has}.")
    return name, parameters
