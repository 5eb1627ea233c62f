"""The vector environment that a run trains on."""

import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rlsweep.config.in_force import in_force
from rlsweep.config.run import RunConfig
from rlsweep.envs import make_env
from rlsweep.envs.pickling import pickled
from rlsweep.training.environment_processes import EnvironmentProcesses, MakeEnv
from rlsweep.training.seeding import training_seed
from rlsweep.training.unpickling import unpickle


class LeanVecEnv(DummyVecEnv):
    """SB3's DummyVecEnv without deep copies of infos and observations, which take longer than a step of a fast game.

    Each step still returns new observation arrays and new info dicts; the values in a dict belong to the environment.
    """

    def step_wait(self) -> VecEnvStepReturn:
        """Step all environments, and reset those whose episode ended."""
        if self.keys != [None]:
            return super().step_wait()
        observations = np.empty_like(self.buf_obs[None])  # type: ignore[index]  # not a Dict
        rewards, dones = np.empty_like(self.buf_rews), np.empty_like(self.buf_dones)
        infos = []
        for index, (env, action) in enumerate(zip(self.envs, self.actions, strict=True)):
            observation, rewards[index], terminated, truncated, info = env.step(action)
            info = {**info, "TimeLimit.truncated": truncated and not terminated}
            dones[index] = terminated or truncated
            if terminated or truncated:
                info["terminal_observation"] = observation
                observation, self.reset_infos[index] = env.reset()
            observations[index] = observation
            infos.append(info)
        return observations, rewards, dones, infos


def make_vector(config: RunConfig) -> VecEnv:
    """Make `n_envs` environments, in this process or in one process each, wrapped in VecNormalize if configured.

    Raises EnvironmentSpecError.
    """
    training = config.training
    first_seed = training_seed(config.seed, training.n_envs)
    makers: list[MakeEnv] = [
        partial(
            make_env,
            training.environment,
            seed=first_seed + index,
            max_steps_per_episode=training.max_steps_per_episode,
        )
        for index in range(training.n_envs)
    ]
    in_this_process = training.vec_env == "dummy"
    vector = LeanVecEnv(makers) if in_this_process else EnvironmentProcesses(makers, training.environment.id)
    if not (training.normalize_observations or training.normalize_rewards):
        return vector
    return VecNormalize(
        vector,
        norm_obs=training.normalize_observations,
        norm_reward=training.normalize_rewards,
        gamma=in_force(config.agent, 0).gamma,
    )


def save_environments(vector: VecEnv) -> bytes:
    """Pickle the environments of `make_vector`, during their episodes. Raises any error of their pickling."""
    inner = vector.unwrapped
    if isinstance(inner, DummyVecEnv):
        return pickle.dumps([pickled(env) for env in inner.envs])
    saved: list[bytes | str] = inner.env_method("save")
    _raise_first(each for each in saved if isinstance(each, str))
    return pickle.dumps(saved)


def restore_environments(vector: VecEnv, saved: bytes) -> None:
    """Replace the environments by those that `save_environments` saved.

    Raises any error of their unpickling, and then changes nothing.
    """
    inner = vector.unwrapped
    if isinstance(inner, DummyVecEnv):
        copies = [unpickle(each) for each in unpickle(saved)]
        for env in inner.envs:
            env.close()
        inner.envs[:] = copies
    else:
        answers = [inner.env_method("receive", each, indices=index)[0] for index, each in enumerate(unpickle(saved))]
        _raise_first(answer for answer in answers if answer is not None)
        inner.env_method("exchange")


def _raise_first(errors: Iterator[str]) -> None:
    if (error := next(errors, None)) is not None:
        raise pickle.PickleError(error)


def normalizer_of(vector: VecEnv) -> VecNormalize | None:
    """The VecNormalize of `make_vector`, or None."""
    return vector if isinstance(vector, VecNormalize) else None


def save_statistics(normalizer: VecNormalize) -> bytes:
    """Pickle the normaliser as SB3 does: `VecNormalize.load` reads a file of these bytes."""
    return pickle.dumps(normalizer)


def observation_scale(normalizer: VecNormalize) -> dict[str, Any] | None:
    """How observations are scaled now, as plain numbers; None if they are not scaled."""
    if not normalizer.norm_obs:
        return None
    assert isinstance(normalizer.obs_rms, RunningMeanStd)
    return {
        "mean": normalizer.obs_rms.mean.tolist(),
        "variance": normalizer.obs_rms.var.tolist(),
        "epsilon": normalizer.epsilon,
        "clip": normalizer.clip_obs,
    }


def restore_statistics(normalizer: VecNormalize, saved: bytes) -> None:
    """Load the running means and variances of a checkpoint; all settings stay those of the config."""
    stored: VecNormalize = unpickle(saved)
    normalizer.ret_rms = stored.ret_rms
    if normalizer.norm_obs:
        normalizer.obs_rms = stored.obs_rms
