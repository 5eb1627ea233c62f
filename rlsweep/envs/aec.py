"""PettingZoo's turn-based (AEC) environments, played from one seat."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.contract import number_problem
from rlsweep.envs.flatten import MASK_KEY, Flattener
from rlsweep.envs.masks import NO_MASKS, MaskPlace, MaskSource, find_key, mask_problem
from rlsweep.envs.opponents import make_opponent
from rlsweep.envs.positions import Opponent
from rlsweep.envs.single_agent import adapt_game
from rlsweep.envs.turns import NOBODY, TurnGame
from rlsweep.envs.user_code import USER_ERRORS, place_of_function, raised
from rlsweep.errors import EnvironmentSpecError, EnvironmentStateError

COOPERATIVE = frozenset(
    [
        "hanabi",
        "cooperative_pong",
        "pistonball",
        "pursuit",
        "multiwalker",
        "knights_archers_zombies",
        "entombed_cooperative",
    ]
)
"""PettingZoo's environments in which all agents have one goal."""

TEXT_MODE = "ansi"
"""Gymnasium's render mode whose pictures are texts."""


def is_aec(env: object) -> bool:
    """Whether an object has the methods of a PettingZoo AEC environment."""
    return hasattr(env, "agent_iter") and hasattr(env, "possible_agents")


def is_cooperative(aec: Any) -> bool:
    """Whether all agents of an AEC environment win or lose together, so that an episode has no winner.

    Known of PettingZoo's own environments; others say so by `metadata["cooperative"] = True`.
    """
    metadata = getattr(aec, "metadata", {})
    return bool(metadata.get("cooperative")) or str(metadata.get("name")).rpartition("_v")[0] in COOPERATIVE


def play(aec: Any, spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Return a Gymnasium env that plays one seat of an AEC environment, against `spec.opponent`.

    Raises EnvironmentSpecError if spaces are missing or differ between agents, actions are not Discrete, or a wrapper
    does not fit.
    """
    try:
        seats = list(aec.possible_agents)
        observed = [aec.observation_space(seat) for seat in seats]
        possible = [aec.action_space(seat) for seat in seats]
    except USER_ERRORS as exc:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r}: its agents and their spaces cannot be read: {raised(exc)}; an AEC environment "
            f"has possible_agents, observation_space(agent) and action_space(agent)."
        ) from exc
    for index, seat in enumerate(seats):
        if possible[index] != possible[0] or observed[index] != observed[0]:
            raise EnvironmentSpecError(
                f"Environment {spec.id!r}: agents {seats[0]!r} and {seat!r} have different spaces, so one policy "
                f"cannot play both seats."
            )
    if not seats or not isinstance(possible[0], spaces.Discrete) or not isinstance(observed[0], spaces.Space):
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} has the agents {seats} and the action spaces {possible[:1]}; turn-based play "
            f"needs agents with Discrete actions and an observation space."
        )
    actions = possible[0]
    flatten = Flattener(observed[0], spec.observation_keys, spec.id, mask_key=spec.mask)
    opponent = make_opponent(spec, players=len(seats), actions=int(actions.n), observation_size=flatten.box.shape[0])
    game = AECGame(spec, aec, flatten, actions, opponent, seed=seed)
    return adapt_game(game, spec, seed=seed)


class AECGame(TurnGame):
    """An AEC environment. Observation: the seat's observation, flattened.

    If the seat is out before the game ends, its last step also plays the rest of the game, to know who won.
    """

    # Also the values of environments that version 0.1.0 pickled.
    first_action = 0
    """The AEC environment's action that is 0 here."""
    _mask_key: str | None = None

    def __init__(
        self,
        spec: EnvironmentSpec,
        aec: Any,
        flatten: Flattener,
        actions: spaces.Discrete,
        opponent: Opponent["AECGame"],
        *,
        seed: int,
    ) -> None:
        self._aec = aec
        self._flatten = flatten
        self._seats = {agent: seat for seat, agent in enumerate(aec.possible_agents)}
        self.first_action = int(actions.start)
        self._mask_key = spec.mask
        self._all_legal = np.ones(int(actions.n), np.bool_)
        self._mask = self._all_legal
        self._seen: Any = None
        self._own_seen: Any = None
        self._earned: list[float] = []
        self._truncated = False
        self._dealt: tuple[int, dict[str, Any] | None] | None = None
        self._moves: list[int | None] = []
        super().__init__(
            spec.id,
            opponent=opponent,
            players=len(self._seats),
            competitive=len(self._seats) > 1 and not is_cooperative(aec),
            observation_space=flatten.box,
            actions=int(actions.n),
            seed=seed,
        )

    @property
    def mask_source(self) -> MaskSource:
        """The observation or the info of the last agent that was to move."""
        info = self._aec.infos.get(self._aec.agent_selection, {}) if self._aec.agents else {}
        found = None if self._mask_key == NO_MASKS else find_key(self._seen, info, self._mask_key or MASK_KEY)
        return found or MaskSource(MaskPlace.NOWHERE)

    @property
    def observed(self) -> tuple[Any, Any, dict[str, Any]]:
        """The AEC environment, with the observation and info of the agent that is to move."""
        return self._aec, self._seen, self._aec.infos.get(self._aec.agent_selection, {})

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal for the seat now: a new array, shape (n_actions,), bool."""
        return self._mask.copy()

    def legal_action_indices(self) -> NDArray[np.intp]:
        """The indices of the legal actions."""
        return self._mask.nonzero()[0]

    def legal_actions(self) -> NDArray[np.intp]:
        """The legal actions of the player to move (for opponents)."""
        return self._mask.nonzero()[0]

    def observation(self) -> NDArray[np.float32]:
        """The observation of the player to move (for opponents)."""
        return self._flatten(self._seen)

    @property
    def seat_to_move(self) -> int:
        """The place of the agent to move among the possible agents."""
        return self._seats[self._aec.agent_selection]

    def board(self) -> str | None:
        """What the environment renders as text; None unless it was made with `render_mode="ansi"`."""
        return str(self._aec.render()) if getattr(self._aec, "render_mode", None) == TEXT_MODE else None

    def move_text(self, move: int) -> str:
        """The number of the action, as the environment counts."""
        return str(move + self.first_action)

    @property
    def can_be_text(self) -> bool:
        """Whether `render_mode="ansi"` makes it write its positions."""
        return TEXT_MODE in getattr(self._aec, "metadata", {}).get("render_modes", ())

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
        if move is not None:
            move += self.first_action
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
            if type(reward) not in (int, float) and (problem := number_problem(reward)):
                place = place_of_function(aec, "step")
                raise EnvironmentStateError(
                    f"Environment {self.env_id!r}: agent {agent!r} gets {problem.what}; {problem.cure}{place}."
                )
            self._earned[seat] += float(reward)
            if terminated or truncated:
                if seat == self.seat:
                    self._own_seen, self._truncated = aec.observe(agent), not terminated
                elif self.seat == NOBODY:
                    self._truncated = not terminated
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
        """The action mask in an observation or its info; all actions are legal if neither has one.

        Raises EnvironmentStateError if the mask has another size or allows no action.
        """
        key = self._mask_key or MASK_KEY
        if isinstance(observation, dict) and key in observation:
            mask = observation[key]
        elif key in info:
            mask = info[key]
        else:
            return self._all_legal
        legal: NDArray[np.bool_] = np.asarray(mask) != 0
        if legal.shape != self._all_legal.shape or not np.count_nonzero(legal):
            problem = mask_problem(mask, self.action_space)
            assert problem is not None
            place = place_of_function(self._aec, "observe")
            raise EnvironmentStateError(
                f"Environment {self.env_id!r}: the action mask of {self._aec.agent_selection!r} {problem.what}; "
                f"{problem.cure}{place}."
            )
        return legal
