"""Imports of every trial but for Ray, which the workers of a local Ray have before their first trial."""

from functools import partial

from rlsweep.imports import lasting_imports, left_out


def preload() -> None:
    """Import what trials need, and make one small update: the first update of a process loads machine code."""
    import pydantic.v1.fields  # noqa: F401 - by Ray, for the first object that a process gets or sends; it takes 0.1 s
    import torch

    with left_out("boto3"):  # TensorBoard's, for event files in S3, which rlsweep uploads by itself; it takes 0.1 s
        import tensorboard.plugins.hparams.metadata  # noqa: F401 - by torch, for the hyperparameters of a trial
        from stable_baselines3.common.vec_env import DummyVecEnv

    with left_out("scipy"):  # numba's, for BLAS, which the engine's loops do not call; it takes 0.1 s
        from numba.np import arraymath
    arraymath._HAVE_BLAS = True  # for loops of environments: numba imports SciPy where they call BLAS

    import rlsweep.training.train
    import rlsweep.training.waiting  # noqa: F401
    from rlsweep.config.training import EnvironmentSpec
    from rlsweep.envs import make_env
    from rlsweep.training.fast.ppo import FastMaskablePPO
    from rlsweep.training.optimizers import keep_compiler_out

    keep_compiler_out()
    torch.set_num_threads(1)
    game = DummyVecEnv([partial(make_env, EnvironmentSpec(), seed=0)])
    FastMaskablePPO("MlpPolicy", game, n_steps=8, batch_size=8, n_epochs=1, device="cpu").learn(8)


with lasting_imports():
    preload()
