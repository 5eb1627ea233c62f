"""Environments that use or break Gymnasium's contract in one way each. An illegal move raises an error."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

SEEN = spaces.Box(0, 9, (2,), np.float32)


class Walk(gym.Env[Any, Any]):
    """Walk on the cells 0 to 9, in 8 steps: left, stay, right. Steps off the line are illegal."""

    observation_space: spaces.Space[Any] = SEEN
    action_space: spaces.Space[Any] = spaces.Discrete(3)
    first_action = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.cell, self.steps = int(self.np_random.integers(2)), 0
        return self.seen(), self.info()

    def step(self, action: Any) -> Any:
        move = int(action) - self.first_action
        if not self.legal()[move]:
            raise RuntimeError(f"illegal move {action}")
        self.cell, self.steps = self.cell + move - 1, self.steps + 1
        return self.seen(), self.reward(), self.steps >= 8, False, self.info()

    def legal(self) -> list[bool]:
        return [self.cell > 0, True, self.cell < 9]

    def seen(self) -> Any:
        return np.array([self.cell, self.steps], np.float32)

    def reward(self) -> Any:
        return 1.0

    def info(self) -> Any:
        return {}


class Free(Walk):
    """Every move is legal; those off the line do nothing."""

    def legal(self) -> list[bool]:
        return [True] * 3

    def step(self, action: Any) -> Any:
        _, *rest = super().step(action)
        self.cell = min(max(self.cell, 0), 9)
        return self.seen(), *rest


class Masked(Walk):
    def action_masks(self) -> Any:
        return np.array(self.legal())


class AsList(Walk):
    def action_masks(self) -> Any:
        return self.legal()


class AsNumbers(Walk):
    def action_masks(self) -> Any:
        return np.array(self.legal(), np.int8 if self.steps % 2 else np.float32)


class AsProperty(Walk):
    """The property raises before the first reset."""

    @property
    def action_masks(self) -> Any:
        return np.array(self.legal())


class InObservation(Walk):
    key = "action_mask"

    def __init__(self) -> None:
        self.observation_space = spaces.Dict({"cell": SEEN, self.key: spaces.Box(0, 1, (3,), np.int8)})

    def seen(self) -> Any:
        return {"cell": super().seen(), self.key: np.array(self.legal(), np.int8)}


class InObservationElsewhere(InObservation):
    key = "valid_avail_actions_mask"


class InInfo(Walk):
    def info(self) -> Any:
        return {"action_mask": np.array(self.legal(), np.int8)}


class InInfoElsewhere(Walk):
    def info(self) -> Any:
        return {"valid_actions": self.legal()}


class OnlyInInfoOfSteps(InInfo):
    def reset(self, **keywords: Any) -> Any:
        return super().reset(**keywords)[0], {}


class OtherMethod(Walk):
    def valid_action_mask(self) -> Any:
        return self.legal()


class OtherProperty(Walk):
    @property
    def legal_moves(self) -> Any:
        return np.flatnonzero(self.legal())


class Suggests(Free):
    """Advises against the move to the right, which is legal."""

    def valid_action_mask(self) -> Any:
        return [True, True, False]


class RaisingProperty(Walk):
    @property
    def action_masks(self) -> Any:
        raise KeyError("board")


class FromOne(Masked):
    action_space = spaces.Discrete(3, start=1)
    first_action = 1


class Parts(Free):
    """Two parts of the action, from 1 and from 0, with two and three choices."""

    action_space = spaces.MultiDiscrete([2, 3], start=[1, 0])

    def step(self, action: Any) -> Any:
        if not self.action_masks()[:2][action[0] - 1] or not self.action_masks()[2:][action[1]]:
            raise RuntimeError(f"illegal move {action}")
        return super().step(1)

    def action_masks(self) -> Any:
        return [self.steps % 2, 1, 0, 1, self.steps % 3 == 0]


class Bits(Free):
    action_space = spaces.MultiBinary(3)

    def step(self, action: Any) -> Any:
        if action[0] == 1 or action[2] == 0:
            raise RuntimeError(f"illegal move {action}")
        return super().step(1)

    def action_masks(self) -> Any:
        return [1, 0, 1, 1, 0, 1]


class BitsTooFew(Bits):
    def action_masks(self) -> Any:
        return [0, 1, 1]


class ListObservation(Masked):
    def seen(self) -> Any:
        return super().seen().tolist()


class OddNumbers(Masked):
    def reward(self) -> Any:
        return np.array(1.0) if self.steps % 2 else np.float16(1)


class MoreKeys(InObservation):
    def seen(self) -> Any:
        return {**super().seen(), "note": "not in the space"}


class ObservationFromOne(Masked):
    observation_space = spaces.Discrete(10, start=1)

    def seen(self) -> Any:
        return self.cell + 1


class MaskOf(Walk):
    """Returns a mask of the kind that `wrong` names."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def action_masks(self) -> Any:
        legal = np.array(self.legal())
        return {
            "long": np.append(legal, True),
            "short": legal[:2],
            "nested": legal[None],
            "numbers": np.flatnonzero(legal),
            "logits": np.where(legal, 0.0, -np.inf),
            "twos": legal * 2,
            "none": None,
            "empty": [],
            "no legal": legal & (self.cell != 2),
            "ragged": [[True], [True, False]],
        }[self.wrong]


class Returns(Masked):
    """Returns what `wrong` names from `step`, or from `reset` if it begins with `reset`."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def step(self, action: Any) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        return {
            "4 values": (observation, reward, terminated, info),
            "observation": observation,
            "no reward": (observation, None, terminated, truncated, info),
            "list reward": (observation, [1.0], terminated, truncated, info),
            "array reward": (observation, np.ones(1), terminated, truncated, info),
            "nan reward": (observation, np.nan, terminated, truncated, info),
            "no flag": (observation, reward, None, truncated, info),
            "no info": (observation, reward, terminated, truncated, None),
            "shape": (observation[:1], reward, terminated, truncated, info),
            "dtype": (observation.astype(np.float64), reward, terminated, truncated, info),
            "nan": (observation * np.nan, reward, terminated, truncated, info),
            "outside": (observation + 9, reward, terminated, truncated, info),
        }.get(self.wrong, (observation, reward, terminated, truncated, info))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        observation, info = super().reset(seed=seed)
        return {"reset alone": observation, "reset none": None}.get(self.wrong, (observation, info))


class NoSeed(Masked):
    def reset(self) -> Any:  # type: ignore[override]
        return super().reset()


class NoOptions(Masked):
    def reset(self, seed: int | None = None) -> Any:  # type: ignore[override]
        return super().reset(seed=seed)


class Fails(Masked):
    """Raises an error in the function `at`."""

    def __init__(self, at: str) -> None:
        self.at = at
        if at == "__init__":
            raise ValueError("no licence")

    def reset(self, **keywords: Any) -> Any:
        if self.at == "reset":
            raise SystemExit("no licence")
        return super().reset(**keywords)

    def step(self, action: Any) -> Any:
        if self.at == "step":
            raise ValueError("no licence")
        return super().step(action)


class Spaces(Masked):
    """Has the action and observation spaces that it is given; `del` leaves one out."""

    def __init__(self, of: str) -> None:
        if of in ("Dict", "Tuple"):
            self.action_space = spaces.Dict(a=SEEN) if of == "Dict" else spaces.Tuple([SEEN])
        if of in ("Sequence", "Text"):
            self.observation_space = spaces.Sequence(SEEN) if of == "Sequence" else spaces.Text(4)
        if of == "list":
            self.action_space = [0, 1]  # type: ignore[assignment]


class NoSpaces(gym.Env[Any, Any]):
    def reset(self, **keywords: Any) -> Any:
        return 0, {}


class Continuous(Walk):
    action_space = spaces.Box(-1, 1, (1,), np.float32)


class Neither:
    """Is no Gymnasium environment, although it looks like one."""

    observation_space, action_space = SEEN, spaces.Discrete(2)

    def reset(self) -> Any:
        return SEEN.sample()

    def step(self, action: Any) -> Any:
        return SEEN.sample(), 0.0, True, {}


class BreaksLater(Masked):
    """Keeps the contract for `keeps` steps of one instance; then does what `then` names."""

    def __init__(self, then: str, keeps: int = 200) -> None:
        self.then, self.keeps, self.taken = then, keeps, 0

    def step(self, action: Any) -> Any:
        self.taken += 1
        observation, reward, *rest = super().step(action)
        if self.taken < self.keeps:
            return observation, reward, *rest
        if self.then == "raise":
            raise ValueError("the server is gone")
        if self.then == "shape":
            return observation[:1], reward, *rest
        return observation, None if self.then == "reward" else reward, *rest

    def action_masks(self) -> Any:
        mask = super().action_masks()
        if self.taken < self.keeps:
            return mask
        return {"mask length": mask[:2], "no legal": mask & False}.get(self.then, mask)
