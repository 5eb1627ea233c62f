"""Evaluate a checkpoint, for `rlsweep eval`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rlsweep.analysis.intervals import t_half_width
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import RunConfig
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import CheckpointError, EnvironmentSpecError
from rlsweep.runs import Outcome
from rlsweep.training.checkpoints import has_record, read_saved_run
from rlsweep.training.evaluation import Played, PolicyPlayer, play
from rlsweep.training.policy import trusted_statistics
from rlsweep.training.seeding import evaluation_seed
from rlsweep.training.unpickling import unpickle
from rlsweep.training.waiting import report_waiting
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
    given: RunConfig | None = None,
    environment: EnvironmentSpec | None = None,
    opponent: str | None = None,
    is_trusted: Callable[[], bool] = lambda: False,
) -> EvaluationSummary:
    """Play a checkpoint's deterministic policy, by default in the environment of its run's evaluations.

    The episodes differ from those of training; equal seeds give equal episodes. `trusted_statistics` decides what is
    unpickled.

    given: the algorithm, network and environment of a zip of stock SB3, which does not say how it was trained

    Raises CheckpointError, UntrustedFileError, EnvironmentSpecError, ConfigError if the environment does not fit the
    algorithm, DivergedError if a reward is NaN or infinite.
    """
    trained_with, statistics = (
        _of_record(checkpoint, is_trusted) if given is None else (_checked(checkpoint, given), None)
    )
    spec = environment or trained_with.training.evaluation_environment
    if opponent is not None:
        spec = spec.model_copy(update={"opponent": opponent})
    if spec.self_play is not None:
        raise EnvironmentSpecError(
            "Opponent self plays in training only. To let a policy play against itself, give its checkpoint's path."
        )
    training = trained_with.training.model_copy(update={"environment": spec})
    config = trained_with.model_copy(update={"training": training})
    with report_waiting(spec.id):
        return _play(checkpoint, config, statistics, episodes=episodes, seed=evaluation_seed(seed))


def _play(
    checkpoint: Path, config: RunConfig, statistics: bytes | None, *, episodes: int, seed: int
) -> EvaluationSummary:
    """Play the policy in a new environment."""
    training = config.training
    env = make_env(training.environment, seed=seed, max_steps_per_episode=training.max_steps_per_episode)
    try:
        model = load_player(checkpoint, config, env)
        normalizer = None if statistics is None else unpickle(statistics)
        player = PolicyPlayer(model, normalizer, uses_masks=ALGORITHMS[config.agent.algorithm].uses_masks)
        return _summary(play(player, env, episodes=episodes, seed=seed))
    finally:
        env.close()


def _of_record(checkpoint: Path, is_trusted: Callable[[], bool]) -> tuple[RunConfig, bytes | None]:
    """The config in a checkpoint, and the pickled statistics of its observations."""
    saved = read_saved_run(checkpoint)
    return saved.config, trusted_statistics(saved, checkpoint, is_trusted)


def _checked(checkpoint: Path, given: RunConfig) -> RunConfig:
    """The config that is given for a zip of stock SB3. Raises CheckpointError where it would play something else."""
    if has_record(checkpoint):
        raise CheckpointError(
            f"{checkpoint} has the config that it was trained with; leave out --agent-config, --base-config and --set."
        )
    if given.training.normalize_observations:
        raise CheckpointError(
            f"{checkpoint} has no statistics of its observations, so normalize_observations: true cannot be met. "
            "Play a checkpoint that rlsweep wrote, or a policy that was trained without."
        )
    return given


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
