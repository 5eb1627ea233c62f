"""Load a trained policy from its checkpoint, with an environment like the one it was trained in."""

from collections.abc import Callable
from pathlib import Path

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from rlsweep.envs import make_env
from rlsweep.errors import UntrustedFileError
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.checkpoints import SavedRun, read_saved_run
from rlsweep.training.seeding import evaluation_seed
from rlsweep.training.unpickling import unpickle
from rlsweep.training.vector import LeanVecEnv
from rlsweep.training.weights import set_policy_weights, without_rollouts


def load_policy(
    checkpoint: Path, *, seed: int = 0, is_trusted: Callable[[], bool] = lambda: False
) -> OnPolicyAlgorithm:
    """Return the SB3 model of a checkpoint, on the CPU, with the policy's weights and a new environment.

    `model.get_env()` is a VecEnv of one environment like in the run's evaluations. It normalises observations with the
    run's statistics if the run did; its rewards are not normalised. Its episodes differ from those of training; equal
    seeds give equal episodes. The model is for playing: its rollout buffer is minimal and its optimizer is new.
    `trusted_statistics` decides what is unpickled.

    Raises CheckpointError, UntrustedFileError, EnvironmentSpecError.
    """
    saved = read_saved_run(checkpoint)
    statistics = trusted_statistics(saved, checkpoint, is_trusted)
    training = saved.config.training

    vector: VecEnv = LeanVecEnv(
        [
            lambda: make_env(
                training.evaluation_environment,
                seed=evaluation_seed(seed),
                max_steps_per_episode=training.max_steps_per_episode,
            )
        ]
    )
    if statistics is not None:
        normalizer: VecNormalize = unpickle(statistics)
        normalizer.set_venv(vector)
        normalizer.training, normalizer.norm_reward = False, False
        vector = normalizer
    model = build_model(load_algorithm(saved.config.agent.algorithm), without_rollouts(saved.config), vector)
    vector.seed(evaluation_seed(seed))  # replaces the training seed, which SB3 set
    set_policy_weights(model, checkpoint, saved.config)
    return model


def trusted_statistics(saved: SavedRun, checkpoint: Path, is_trusted: Callable[[], bool]) -> bytes | None:
    """Return the normaliser's pickled statistics, or None if the run had none.

    Playing a checkpoint unpickles nothing else, so `is_trusted` is called only if there are statistics.
    Raises UntrustedFileError if `is_trusted` returns False.
    """
    statistics = saved.snapshot.statistics
    if statistics is not None and not is_trusted():
        raise UntrustedFileError(
            f"{checkpoint} is not recorded by any training run, and it contains pickled statistics, which may execute "
            "code. If you trust its source, add --trust (trust=True in Python)."
        )
    return statistics
