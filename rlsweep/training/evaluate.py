"""Play a checkpoint: what `rlsweep eval` does."""

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
from stable_baselines3.common.base_class import BaseAlgorithm

from rlsweep.analysis.intervals import t_half_width
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import CheckpointError
from rlsweep.runs import Outcome
from rlsweep.training.algorithms import load_algorithm
from rlsweep.training.checkpoints import read_saved_run
from rlsweep.training.evaluation import Played, PolicyPlayer, play
from rlsweep.training.seeding import evaluation_seed


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationSummary:
    """How a policy did over some episodes.

    reward_sd: sample standard deviation of the episodes' rewards; 0 for one episode
    reward_half_width: of the 95% interval of the mean reward (Student's t); None for one episode
    wins, draws, losses: None where the environment has no outcomes
    """

    episodes: int
    mean_reward: float
    reward_sd: float
    reward_half_width: float | None
    mean_length: float
    win_rate: float | None
    wins: int | None
    draws: int | None
    losses: int | None


def evaluate(
    checkpoint: Path,
    *,
    episodes: int,
    seed: int = 0,
    environment: EnvironmentSpec | None = None,
    opponent: str | None = None,
) -> EvaluationSummary:
    """Play a checkpoint's deterministic policy, in the environment it was trained on unless another is given.

    Its episodes are those of no training run; the same seed gives the same ones.
    Raises CheckpointError, EnvironmentSpecError, DivergedError where a reward is NaN or infinite.
    """
    saved = read_saved_run(checkpoint)
    spec = environment or saved.config.training.environment
    if opponent is not None:
        spec = spec.model_copy(update={"opponent": opponent})
    algorithm = saved.config.agent.algorithm
    model = _load(checkpoint, algorithm)
    env = make_env(spec, seed=evaluation_seed(seed), max_steps_per_episode=saved.config.training.max_steps_per_episode)
    try:
        if model.action_space != env.action_space or _size(model) != _size(env):
            raise CheckpointError(
                f"The checkpoint at {checkpoint} was trained on other observations or actions "
                f"than environment '{spec.id}' has."
            )
        statistics = saved.boundary.statistics
        normalizer = None if statistics is None else pickle.loads(statistics)
        player = PolicyPlayer(model, normalizer, uses_masks=ALGORITHMS[algorithm].uses_masks)
        return _summary(play(player, env, episodes=episodes, seed=evaluation_seed(seed)))
    finally:
        env.close()


def _load(checkpoint: Path, algorithm: str) -> BaseAlgorithm:
    try:
        # without the training run's rollout buffer, which may be large
        return load_algorithm(algorithm).load(checkpoint, device="cpu", custom_objects={"n_steps": 1, "n_envs": 1})
    except (OSError, ValueError, RuntimeError, KeyError, zipfile.BadZipFile) as exc:
        raise CheckpointError(f"The checkpoint at {checkpoint} cannot be loaded as {algorithm}: {exc}") from exc


def _size(holder: BaseAlgorithm | gym.Env[Any, Any]) -> list[int]:
    """Lengths of the observation's axes; SB3 may have moved an image's channels to the front."""
    return sorted(holder.observation_space.shape or ())


def _summary(played: Played) -> EvaluationSummary:
    episodes = int(played.rewards.size)
    outcomes = played.outcomes
    return EvaluationSummary(
        episodes=episodes,
        mean_reward=float(played.rewards.mean()),
        reward_sd=played.reward_sd,
        reward_half_width=t_half_width(played.reward_sd, episodes) if episodes > 1 else None,
        mean_length=float(played.lengths.mean()),
        win_rate=played.win_rate,
        wins=outcomes.count(Outcome.WIN) if outcomes else None,
        draws=outcomes.count(Outcome.DRAW) if outcomes else None,
        losses=outcomes.count(Outcome.LOSS) if outcomes else None,
    )
