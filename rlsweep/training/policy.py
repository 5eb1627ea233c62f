"""A trained policy out of its checkpoint, in an environment of the kind that it was trained in."""

import pickle
from collections.abc import Callable
from pathlib import Path

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from rlsweep.envs import make_env
from rlsweep.errors import UntrustedFileError
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.checkpoints import SavedRun, read_saved_run
from rlsweep.training.seeding import evaluation_seed
from rlsweep.training.vector import LeanVecEnv
from rlsweep.training.weights import set_policy_weights, without_rollouts


def load_policy(
    checkpoint: Path, *, seed: int = 0, is_trusted: Callable[[], bool] = lambda: False
) -> OnPolicyAlgorithm:
    """The SB3 model of a checkpoint, on the CPU, with the policy's weights and an environment of its own.

    The environment, `model.get_env()`, is a VecEnv of one, as the run trained in, normalised with the run's statistics
    where it was; its rewards are the environment's own. Episodes are those of no training run; the same seed gives the
    same ones. The model is there to play: it has no rollout buffer to speak of and a new optimizer. What is unpickled
    is as `trusted_statistics` says.

    Raises CheckpointError, UntrustedFileError, EnvironmentSpecError.
    """
    saved = read_saved_run(checkpoint)
    statistics = trusted_statistics(saved, checkpoint, is_trusted)
    training = saved.config.training

    vector: VecEnv = LeanVecEnv(
        [
            lambda: make_env(
                training.environment,
                seed=evaluation_seed(seed),
                max_steps_per_episode=training.max_steps_per_episode,
            )
        ]
    )
    if statistics is not None:
        normalizer: VecNormalize = pickle.loads(statistics)
        normalizer.set_venv(vector)
        normalizer.training, normalizer.norm_reward = False, False
        vector = normalizer
    model = build_model(load_algorithm(saved.config.agent.algorithm), without_rollouts(saved.config), vector)
    vector.seed(evaluation_seed(seed))  # its own seed, and not the training's, which SB3 gave it
    set_policy_weights(model, checkpoint, saved.config)
    return model


def trusted_statistics(saved: SavedRun, checkpoint: Path, is_trusted: Callable[[], bool]) -> bytes | None:
    """The normaliser's pickled statistics, to be unpickled; None where the run had none.

    Nothing else of a checkpoint is unpickled to play it, so `is_trusted` is asked only where there are any.
    Raises UntrustedFileError.
    """
    statistics = saved.snapshot.statistics
    if statistics is not None and not is_trusted():
        raise UntrustedFileError(
            f"{checkpoint} is on no training run's record, and its observations were normalised: the statistics in it "
            "are a pickle, which could run any code. If you know where the file comes from, add --trust (trust=True "
            "in Python)."
        )
    return statistics
