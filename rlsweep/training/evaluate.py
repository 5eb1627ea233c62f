"""Evaluate a checkpoint, for `rlsweep eval`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rlsweep.analysis.intervals import t_half_width
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.runs import Outcome
from rlsweep.training.checkpoints import read_saved_run
from rlsweep.training.evaluation import Played, PolicyPlayer, play
from rlsweep.training.policy import trusted_statistics
from rlsweep.training.seeding import evaluation_seed
from rlsweep.training.unpickling import unpickle
from rlsweep.training.weights import load_player


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationSummary:
    """Results of a policy's episodes.

    reward_sd: sample standard deviation of the episodes' rewards; 0 for one episode
    reward_half_width: half width of the 95% interval of the mean reward (Student's t); None for one episode
    wins, draws, losses: None if the environment has no outcomes
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
    is_trusted: Callable[[], bool] = lambda: False,
) -> EvaluationSummary:
    """Play a checkpoint's deterministic policy, by default in the environment that it was trained in.

    The episodes differ from those of training; equal seeds give equal episodes. `trusted_statistics` decides what is
    unpickled.

    Raises CheckpointError, UntrustedFileError, EnvironmentSpecError, ConfigError if the environment does not fit the
    algorithm, DivergedError if a reward is NaN or infinite.
    """
    saved = read_saved_run(checkpoint)
    statistics = trusted_statistics(saved, checkpoint, is_trusted)
    spec = environment or saved.config.training.environment
    if opponent is not None:
        spec = spec.model_copy(update={"opponent": opponent})
    config = saved.config.model_copy(
        update={"training": saved.config.training.model_copy(update={"environment": spec})}
    )
    env = make_env(spec, seed=evaluation_seed(seed), max_steps_per_episode=saved.config.training.max_steps_per_episode)
    try:
        model = load_player(checkpoint, config, env)
        normalizer = None if statistics is None else unpickle(statistics)
        player = PolicyPlayer(model, normalizer, uses_masks=ALGORITHMS[config.agent.algorithm].uses_masks)
        return _summary(play(player, env, episodes=episodes, seed=evaluation_seed(seed)))
    finally:
        env.close()


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
