"""PettingZoo's turn-based (AEC) environments, played from one seat."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.flatten import MASK_KEY, Flattener
from rlsweep.envs.opponents import make_opponent
from rlsweep.envs.single_agent import adapt_game
from rlsweep.envs.turns import Opponent, TurnGame
from rlsweep.errors import EnvironmentSpecError


def is_aec(env: object) -> bool:
    """Whether an object has the methods of a PettingZoo AEC environment."""
    return hasattr(env, "agent_iter") and hasattr(env, "possible_agents")


def play(aec: Any, spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Return a Gymnasium env that plays one seat of an AEC environment, against `spec.opponent`.

    Raises EnvironmentSpecError if agents have different spaces, actions are not Discrete, or a wrapper does not fit.
    """
    first, *others = aec.possible_agents
    seen, actions = aec.observation_space(first), aec.action_space(first)
    for other in others:
        if aec.action_space(other) != actions or aec.observation_space(other) != seen:
            raise EnvironmentSpecError(
                f"Environment {spec.id!r}: agents {first!r} and {other!r} have different spaces, so one policy cannot "
                f"play both seats."
            )
    if not isinstance(actions, spaces.Discrete) or actions.start != 0:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} has the action space {actions}; turn-based play needs Discrete actions from 0."
        )
    flatten = Flattener(seen, spec.observation_keys, spec.id)
    opponent = make_opponent(
        spec, players=1 + len(others), actions=int(actions.n), observation_size=flatten.box.shape[0]
    )
    game = AECGame(spec.id, aec, flatten, int(actions.n), opponent, seed=seed)
    return adapt_game(game, spec, seed=seed)


class AECGame(TurnGame):
    """An AEC environment. Observation: the seat's observation, flattened.

    If the seat is out before the game ends, its last step also plays the rest of the game, to know who won.
    """

    def __init__(
        self, env_id: str, aec: Any, flatten: Flattener, actions: int, opponent: Opponent["AECGame"], *, seed: int
    ) -> None:
        self._aec = aec
        self._flatten = flatten
        self._opponent = opponent
        self._seats = {agent: seat for seat, agent in enumerate(aec.possible_agents)}
        self._all_legal = np.ones(actions, np.bool_)
        self._mask = self._all_legal
        self._seen: Any = None
        self._own_seen: Any = None
        self._earned: list[float] = []
        self._truncated = False
        self._dealt: tuple[int, dict[str, Any] | None] | None = None
        self._moves: list[int | None] = []
        super().__init__(
            env_id,
            players=len(self._seats),
            competitive=len(self._seats) > 1,
            observation_space=flatten.box,
            actions=actions,
            seed=seed,
        )

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal for the seat now: a new array, shape (n_actions,), bool."""
        return self._mask.copy()

    def legal_action_indices(self) -> NDArray[np.intp]:
        """The indices of the legal actions."""
        return self._mask.nonzero()[0]

    def legal_actions(self) -> NDArray[np.intp]:
        """The legal actions of the player to move (for opponents)."""
        legal = self._mask.nonzero()[0]
        if not legal.size:
            raise EnvironmentSpecError(
                f"Environment {self.env_id!r}: the action mask of {self._aec.agent_selection!r} allows no action."
            )
        return legal

    def observation(self) -> NDArray[np.float32]:
        """The observation of the player to move (for opponents)."""
        return self._flatten(self._seen)

    def close(self) -> None:
        """Close the AEC environment."""
        self._aec.close()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Reset to the same seed and replay the moves: PettingZoo's EzPickle restores an environment without state."""
        self.__dict__.update(state)
        if self._dealt is not None:
            seed, options = self._dealt
            self._aec.reset(seed=seed, options=options)
            for move in self._moves:
                self._aec.step(move)

    def _deal(self, options: dict[str, Any] | None) -> None:
        # Every game gets a seed: environments differ in what a reset without one does.
        self._dealt = self._rng.getrandbits(31), options
        self._moves = []
        self._aec.reset(seed=self._dealt[0], options=options)
        self._earned = [0.0] * self.players
        self._truncated = False

    def _is_legal(self, move: int) -> bool:
        return 0 <= move < self._mask.size and bool(self._mask[move])

    def _apply(self, move: int | None) -> None:
        self._moves.append(move)
        self._aec.step(move)

    def _play_to_own_turn(self) -> bool:
        """Play the opponents until the seat is to move; return True if the game is over.

        At an agent's turn, an AEC environment gives the reward since the agent's previous turn. An agent that is out
        gets one more turn, so each agent's rewards add up to its return.
        """
        aec = self._aec
        while aec.agents:
            agent = aec.agent_selection
            seat = self._seats[agent]
            _, reward, terminated, truncated, info = aec.last(observe=False)
            self._earned[seat] += float(reward)
            if terminated or truncated:
                if seat == self.seat:
                    self._own_seen, self._truncated = aec.observe(agent), not terminated
                self._apply(None)
                continue
            self._seen = aec.observe(agent)
            self._mask = self._mask_in(self._seen, info)
            if seat == self.seat:
                self._own_seen = self._seen
                return False
            self._apply(self._opponent.act(self, self._rng))
        return True

    def _returns(self) -> Sequence[float]:
        return self._earned

    def _own_observation(self) -> NDArray[np.float32]:
        return self._flatten(self._own_seen)

    def _is_truncated(self) -> bool:
        return self._truncated

    def _mask_in(self, observation: Any, info: dict[str, Any]) -> NDArray[np.bool_]:
        """The action mask in an observation or its info; all actions are legal if neither has one."""
        if isinstance(observation, dict) and MASK_KEY in observation:
            mask = observation[MASK_KEY]
        elif MASK_KEY in info:
            mask = info[MASK_KEY]
        else:
            return self._all_legal
        legal: NDArray[np.bool_] = np.asarray(mask) != 0
        return legal
