"""The base training config: one file for all variants of a sweep."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from rlsweep.config.agent import Count, StrictModel
from rlsweep.config.habits import device_hint

MAX_SEED = 2**31 - 1
MAX_ENVS = 10_000  # each one is an object, or a process, of every trial
MAX_LEARNERS = 1_000
MAX_WRAPPERS = 20
MAX_FRAMES = 100
MAX_POOL = 100  # each environment may hold all of them
SELF = "self"
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def _device(value: str) -> str:
    if not _DEVICE.fullmatch(value):
        raise ValueError(f"must be auto, cpu, cuda, cuda:<number> or mps, got {value!r}{device_hint(value)}")
    return value


class WrapperSpec(StrictModel):
    """A Gymnasium wrapper: the class `module:Class`, called with the environment and `kwargs`."""

    id: str
    kwargs: dict[str, Any] = Field(default_factory=dict)


def _as_wrapper(value: Any) -> Any:
    """A wrapper without kwargs may be given as its id alone."""
    return {"id": value} if isinstance(value, str) else value


class SelfPlayPool(StrictModel):
    """Earlier policies of the run, one of which is drawn for each episode.

    pool: number of policies; a new one takes the place of the oldest
    every_rollouts: rollouts between two new ones; the first is the untrained policy
    """

    pool: Annotated[int, Field(ge=1, le=MAX_POOL)] = 8
    every_rollouts: Count = 10


class SelfPlay(StrictModel):
    """The opponent `{self: {pool: …, every_rollouts: …}}`."""

    self: SelfPlayPool


LATEST = SelfPlayPool(pool=1, every_rollouts=1)
"""What the opponent `self` means: the latest policy."""


def _opponent_form(value: Any) -> str:
    return "<pool>" if isinstance(value, dict | SelfPlay) else "<name>"


class EnvironmentSpec(StrictModel):
    """Which environment to make, and how.

    id: a Gymnasium id, `module:Id-v0` if importing the module registers it, `module:Class`, `open_spiel/<game>` or
        `pettingzoo/<module>`
    kwargs: arguments of the environment's constructor (an OpenSpiel game's parameters)
    opponent: the player of the other seats: `random`, `mcts`, `mcts:<simulations>`, a checkpoint's path or URI, `self`
        (the latest policy of the run), or a pool of its earlier ones
    observation_keys: keys of a Dict observation, flattened in this order; None takes all except the mask
    mask: name of the method, property, observation key or info key that has the action masks; `none` for no masks; None
        finds `action_masks` and the key `action_mask`
    wrappers: around the environment, the first innermost; `observation_keys` and `frame_stack` come after them
    frame_stack: number of observations that the policy gets as one, the newest last; 1 is the newest alone
    """

    id: str = "open_spiel/connect_four"
    kwargs: dict[str, Any] = Field(default_factory=dict)
    opponent: Annotated[
        Annotated[str, Tag("<name>")] | Annotated[SelfPlay, Tag("<pool>")], Discriminator(_opponent_form)
    ] = "random"
    observation_keys: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    mask: Annotated[str, Field(min_length=1)] | None = None
    wrappers: Annotated[
        tuple[Annotated[WrapperSpec, BeforeValidator(_as_wrapper)], ...], Field(max_length=MAX_WRAPPERS)
    ] = ()
    frame_stack: Annotated[int, Field(ge=1, le=MAX_FRAMES)] = 1

    @property
    def self_play(self) -> SelfPlayPool | None:
        """The pool of an opponent that plays the run's own policies; None for every other opponent."""
        if isinstance(self.opponent, SelfPlay):
            return self.opponent.self
        return LATEST if self.opponent == SELF else None


class EvaluationConfig(StrictModel):
    """Evaluations during training: the deterministic policy plays `episodes` episodes in a separate environment.

    every_rollouts: rollouts between two evaluations
    opponent: as in the environment, but never the run's own policies; None takes the environment's, or random where
        that is the run's own policies
    """

    enabled: bool = True
    every_rollouts: Count = 10
    episodes: Count = 20
    opponent: str | None = None


class RLlibConfig(StrictModel):
    """How `backend: rllib` distributes one run over machines. `n_envs` is divided evenly between the env runners.

    env_runners: processes that play, one CPU each
    learners: processes that compute updates, each on an equal part of every rollout and minibatch; with 0 the run's
        own process computes them
    gpus_per_learner: may be a fraction; with 0 a learner takes one CPU
    """

    env_runners: Annotated[int, Field(ge=1, le=MAX_ENVS)] = 1
    learners: Annotated[int, Field(ge=0, le=MAX_LEARNERS)] = 0
    gpus_per_learner: Annotated[float, Field(ge=0, le=64)] = 0.0


class TrainingConfig(StrictModel):
    """All settings of a run that are not hyperparameters of the agent.

    environment: an EnvironmentSpec; a config file may give its id alone
    max_steps_per_episode: longer episodes are truncated, with SB3's bootstrapping
    seed: the first seed; `--seeds K` takes seed, seed + 1, …, the same for every config
    checkpoint_interval_episodes: episodes between two checkpoints; one is saved at the next end of an update
    device: as torch names it; `auto` takes a GPU if the trial has one
    engine: implementation of PPO and MaskablePPO: `fast` (rlsweep's), `stock` (SB3's and sb3-contrib's), or `auto`
        (fast if it supports the config, else stock); both learn the same
    backend: `sb3` trains in one process; `rllib` trains with Ray RLlib's env runners and learners on many machines,
        equivalent to stock SB3 but not identical
    rllib: only for `backend: rllib`
    hyperparameters: defaults for agent config keys; an agent config's own values win
    """

    name: str = "default"
    description: str = ""
    environment: EnvironmentSpec = Field(default_factory=EnvironmentSpec)
    n_envs: Annotated[int, Field(ge=1, le=MAX_ENVS)] = 1
    vec_env: Literal["dummy", "subproc"] = "dummy"
    normalize_observations: bool = False
    normalize_rewards: bool = False
    total_timesteps: Count | None = None
    max_episodes: Count | None = None
    max_steps_per_episode: Count | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    checkpoint_interval_episodes: Count = 50
    keep_last_n_checkpoints: Count = 3
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    device: Annotated[str, AfterValidator(_device)] = "auto"
    engine: Literal["auto", "fast", "stock"] = "auto"
    backend: Literal["sb3", "rllib"] = "sb3"
    rllib: RLlibConfig = Field(default_factory=RLlibConfig)
    hyperparameters: dict[str, Any] = Field(default_factory=dict)

    @property
    def evaluation_environment(self) -> EnvironmentSpec:
        """The environment of evaluations: its opponent is always the same, so that they are comparable."""
        fixed = "random" if self.environment.self_play is not None else self.environment.opponent
        opponent = fixed if self.evaluation.opponent is None else self.evaluation.opponent
        return self.environment.model_copy(update={"opponent": opponent})
