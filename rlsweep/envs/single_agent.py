"""Adapt environments with one agent: their seed, masks, outcome, flat Dict observations, and actions from 0."""

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.contract import number_problem, reset_problem, signature_problem, step_problem
from rlsweep.envs.flatten import MASK_KEY, Flattener
from rlsweep.envs.masks import (
    METHOD,
    NO_MASKS,
    MaskPlace,
    MaskSource,
    Problem,
    content_problem,
    find_source,
    mask_parts,
    mask_problem,
    owner_of,
)
from rlsweep.envs.opponents import no_seat
from rlsweep.envs.space_kinds import check_is_space, check_spaces
from rlsweep.envs.turns import TurnGame
from rlsweep.envs.user_code import USER_ERRORS, fails_in, is_raised_by_user, place_of_function
from rlsweep.envs.wrappers import with_wrappers
from rlsweep.errors import EnvironmentSpecError, EnvironmentStateError, RlsweepError
from rlsweep.runs import Outcome

_BOOL = np.dtype(np.bool_)

_NUMBERS = frozenset({float, int, bool, np.float64, np.float32, np.int64, np.int32, np.bool_})
"""Types of rewards that need no further look at each step."""


class SingleAgent(gym.Wrapper[Any, Any, Any, Any]):
    """Gives a Gymnasium env the guarantees of `make_env`, except action masks.

    The first `reset()` without a seed uses the seed given here; later ones continue its random stream.
    If the env's info has `is_success`, `info["outcome"]` is win or loss as of that step.
    Exceptions of the env become EnvironmentStateErrors with the file and line of its own code. Rewards that are no
    numbers and observations of another shape are one too.
    """

    # Also the values of environments that version 0.1.0 pickled.
    first_action: Any = None
    """The environment's action that is 0 here, an array for MultiDiscrete; None if it is 0 there too."""
    _env_id: str | None = None
    _shape: tuple[int, ...] | None = None
    _values: int | None = None
    _mask_key: str = MASK_KEY
    _keeps_masks = False
    _over = False

    def __init__(
        self, env: gym.Env[Any, Any], *, seed: int, flatten: Flattener | None, env_id: str, mask_key: str = MASK_KEY
    ) -> None:
        super().__init__(env)
        self._seed: int | None = seed
        self._flatten = flatten
        self._mask: Any = None
        self._env_id = env_id
        self._mask_key = mask_key
        if flatten is not None:
            self.observation_space = flatten.box
        elif isinstance(self.observation_space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
            self._shape = self.observation_space.shape
        elif isinstance(self.observation_space, spaces.Discrete):
            self._values = int(self.observation_space.n)
        self._begin_actions_at_0()
        self.action_space.seed(seed)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; a seed reseeds everything."""
        result: Any = None
        try:
            result = self.env.reset(seed=self._seed if seed is None else seed, options=options)
            observation, info = result
            self._seed = None
            self._over = False
            return self._seen(observation, info), info
        except RlsweepError:
            raise
        except USER_ERRORS as exc:
            raise self._error("reset", result, exc) from exc

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One env step."""
        result: Any = None
        try:
            result = self.env.step(action if self.first_action is None else action + self.first_action)
            observation, reward, terminated, truncated, info = result
            if type(reward) not in _NUMBERS and (problem := number_problem(reward)):
                raise self._broken("step", Problem(f"returned {problem.what}", problem.cure))
            self._over = terminated or truncated
            observation = self._seen(observation, info)
            if "is_success" in info:
                info["outcome"] = Outcome.WIN if info["is_success"] else Outcome.LOSS
        except RlsweepError:
            raise
        except USER_ERRORS as exc:
            raise self._error("step", result, exc) from exc
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        """Close the environment."""
        try:
            self.env.close()
        except RlsweepError:
            raise
        except USER_ERRORS as exc:
            raise fails_in(self._id, "close", exc, self.env) from exc

    def _begin_actions_at_0(self) -> None:
        """Shift the action space, because the algorithms' actions begin at 0."""
        space = self.env.action_space
        if isinstance(space, spaces.Discrete) and space.start != 0:
            self.first_action = space.start
            self.action_space = spaces.Discrete(int(space.n), dtype=space.dtype)
        elif isinstance(space, spaces.MultiDiscrete) and np.any(space.start):
            self.first_action = space.start
            self.action_space = spaces.MultiDiscrete(space.nvec, dtype=space.dtype)

    def _seen(self, observation: Any, info: dict[str, Any]) -> Any:
        """The observation as a policy sees it."""
        if self._keeps_masks:
            self._keep_mask(observation, info)
        if self._shape is not None:
            if type(observation) is not np.ndarray or observation.shape != self._shape:
                return self._as_array(observation)
        elif self._flatten is not None:
            return self._flatten(observation)
        elif self._values is not None and not 0 <= observation < self._values:
            raise ValueError(f"an observation of {observation}")
        return observation

    def _keep_mask(self, observation: Any, info: dict[str, Any]) -> None:
        """Keep the mask of the observation or the info, for a class that has one."""

    def _as_array(self, observation: Any) -> NDArray[Any]:
        values = np.asarray(observation, self.observation_space.dtype)
        if values.shape != self._shape:
            raise ValueError(f"an observation of shape {values.shape}")
        return values

    @property
    def _id(self) -> str:
        return self._env_id or str(self.env)

    def _error(self, function: str, result: Any, exc: BaseException) -> EnvironmentStateError:
        """The error for an exception of `reset` or `step`, or for their result, if there is one."""
        problem = None
        if result is not None:
            look = reset_problem if function == "reset" else step_problem
            problem = look(result, self.env.observation_space, without=(self._mask_key,))
        elif not is_raised_by_user(exc):
            problem = signature_problem(getattr(self.unwrapped, function), function)
        return fails_in(self._id, function, exc, self.env) if problem is None else self._broken(function, problem)

    def _broken(self, function: str, problem: Problem) -> EnvironmentStateError:
        place = place_of_function(self.env, function)
        return EnvironmentStateError(f"Environment {self._id!r}: {function} {problem.what}; {problem.cure}{place}.")


class MaskedSingleAgent(SingleAgent):
    """A SingleAgent with Discrete, MultiDiscrete or MultiBinary actions.

    Its masks are where `environment.mask` says, or in `action_masks` of the environment, or under the key `action_mask`
    of its observation or info; otherwise they are all True. This is decided at the first reset.
    """

    _keeps_masks = True
    _source: MaskSource | None = None
    _wanted: str | None = None
    _owner: Any = None
    _name = METHOD
    _is_called = True
    _starts: NDArray[np.intp] | None = None

    def __init__(
        self, env: gym.Env[Any, Any], *, seed: int, flatten: Flattener | None, env_id: str, mask: str | None = None
    ) -> None:
        super().__init__(env, seed=seed, flatten=flatten, env_id=env_id, mask_key=mask or MASK_KEY)
        self._wanted = mask
        parts = mask_parts(self.action_space)
        assert parts is not None
        self._all_legal = np.ones(sum(parts), np.bool_)
        if len(parts) > 1:
            self._starts = np.cumsum([0, *parts[:-1]])

    @property
    def mask_source(self) -> MaskSource:
        """Where the masks are; known after the first reset."""
        of_game = getattr(self._owner, "mask_source", None)  # a game in the user's wrappers
        return of_game or self._source or MaskSource(MaskPlace.NOWHERE)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal now: shape (n_actions,), bool. It may be the environment's own array.

        For MultiDiscrete and MultiBinary, the masks of all parts of the action, one after the other, as in sb3-contrib.
        Raises EnvironmentStateError if the environment's mask is none, or allows no action before the episode's end.
        """
        if self._owner is not None:
            mask = self._asked()
        elif self._mask is None and self.mask_source.place is MaskPlace.NOWHERE:
            return self._all_legal.copy()
        else:
            mask = self._mask
        is_mask = type(mask) is np.ndarray and mask.dtype is _BOOL and mask.shape == self._all_legal.shape
        legal: NDArray[np.bool_] = mask if is_mask else self._converted(mask)
        if not self._over and not (np.count_nonzero(legal) if self._starts is None else self._allows_each_part(legal)):
            problem = mask_problem(legal, self.action_space)
            assert problem is not None
            raise self._wrong_mask(problem)
        return legal

    def check_mask(self) -> None:
        """Raise EnvironmentStateError if the mask cannot be used. `action_masks` does not look at every value."""
        if self.mask_source.place is not MaskPlace.NOWHERE:
            mask = self._mask if self._owner is None else self._asked()
            if problem := mask_problem(mask, self.action_space):
                raise self._wrong_mask(problem)

    def _keep_mask(self, observation: Any, info: dict[str, Any]) -> None:
        source = self._source or self._find_source(observation, info)
        if source.place is MaskPlace.OBSERVATION:
            self._mask = observation[source.name]
        elif source.place is MaskPlace.INFO:
            mask = info.get(source.name)
            self._mask = self._mask if mask is None else mask
            if mask is None and not self._over:
                problem = Problem(f"returned info without {source.name}, which an earlier one had", "always return it")
                raise self._broken("step", problem)

    def _find_source(self, observation: Any, info: dict[str, Any]) -> MaskSource:
        source = find_source(self.env, observation, info, self._wanted)
        if source is None:
            raise EnvironmentSpecError(
                f"Environment {self._id!r} has no method, property, observation key or info key {self._wanted!r}; "
                f"correct environment.mask, or remove it."
            )
        if source.place in (MaskPlace.METHOD, MaskPlace.PROPERTY):
            self._owner = owner_of(self.env, source.name)
            self._name = source.name
            self._is_called = source.place is MaskPlace.METHOD
        self._keeps_masks = source.place in (MaskPlace.OBSERVATION, MaskPlace.INFO)
        self._source = source
        return source

    def _asked(self) -> Any:
        """The mask of the environment's own method or property."""
        try:
            mask = getattr(self._owner, self._name)
            return mask() if self._is_called else mask
        except RlsweepError:
            raise
        except USER_ERRORS as exc:
            raise fails_in(self._id, str(self._source).partition(" of ")[0], exc, self.env) from exc

    def _converted(self, mask: Any) -> NDArray[np.bool_]:
        """A mask of another type than a bool array: a list, integers, floats."""
        is_known = type(mask) is np.ndarray and mask.dtype.kind in "biu" and mask.shape == self._all_legal.shape
        if not is_known and (problem := content_problem(mask, self.action_space)):
            raise self._wrong_mask(problem)
        legal: NDArray[np.bool_] = np.asarray(mask) != 0
        return legal

    def _allows_each_part(self, legal: NDArray[np.bool_]) -> bool:
        assert self._starts is not None
        return bool(np.logical_or.reduceat(legal, self._starts).all())

    def _wrong_mask(self, problem: Problem) -> EnvironmentStateError:
        source = self.mask_source
        is_own = source.place in (MaskPlace.METHOD, MaskPlace.PROPERTY)
        place = place_of_function(self.env, source.name if is_own else "step")
        return EnvironmentStateError(
            f"Environment {self._id!r}: the action mask from {source} {problem.what}; {problem.cure}{place}."
        )


def adapt(env: gym.Env[Any, Any], spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Wrap `env` in the wrappers of `spec`, and then so that it has the guarantees of `make_env`.

    Dict and Tuple observations, and Discrete ones that do not begin at 0, become flat float32 vectors; all others are
    unchanged. Box actions have no action mask.
    Raises EnvironmentSpecError for spaces that cannot be trained, an opponent (there is one seat), wrong
    `observation_keys`, and as `with_wrappers` does.
    """
    if spec.opponent != "random":
        raise no_seat(spec)
    check_is_space(env, "observation_space", spec.id)
    check_is_space(env, "action_space", spec.id)
    return _guaranteed(with_wrappers(env, spec), spec, keys=spec.observation_keys, seed=seed)


def adapt_game(game: TurnGame, spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Wrap a game, which has the guarantees of `make_env`, in the wrappers of `spec`, and so that it has them again.

    Raises EnvironmentSpecError as `with_wrappers` does.
    """
    if not spec.wrappers:
        return game
    return _guaranteed(with_wrappers(game, spec), spec, keys=None, seed=seed)


def _guaranteed(
    env: gym.Env[Any, Any], spec: EnvironmentSpec, *, keys: tuple[str, ...] | None, seed: int
) -> gym.Env[Any, Any]:
    check_spaces(env, spec.id)
    flatten = None
    if _needs_flattening(env.observation_space) or keys is not None:
        flatten = Flattener(env.observation_space, keys, spec.id, mask_key=spec.mask)
    if mask_parts(env.action_space) is not None:
        return MaskedSingleAgent(env, seed=seed, flatten=flatten, env_id=spec.id, mask=spec.mask)
    if spec.mask not in (None, NO_MASKS):
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} has {type(env.action_space).__name__} actions, which cannot be masked; remove "
            f"environment.mask."
        )
    return SingleAgent(env, seed=seed, flatten=flatten, env_id=spec.id)


def _needs_flattening(space: spaces.Space[Any]) -> bool:
    """Whether SB3 cannot encode the space: it wants numbers from 0."""
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return bool(np.any(space.start))
    return isinstance(space, spaces.Dict | spaces.Tuple)
