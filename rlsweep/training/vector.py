"""The vector environment that a run trains on."""

import pickle
import signal
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import forkserver, resource_tracker
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecNormalize
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rlsweep.config.run import RunConfig
from rlsweep.envs import make_env
from rlsweep.errors import EnvironmentSpecError
from rlsweep.training.seeding import training_seed
from rlsweep.training.unpickling import unpickle

MakeEnv = Callable[[], gym.Env[Any, Any]]


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


class ReplaceableEnv(gym.Wrapper[Any, Any, Any, Any]):
    """An environment in its own process that can be saved and replaced by a copy.

    Pickling errors are returned as text, because an exception would end SB3's process.
    """

    def save(self) -> bytes | str:
        """Return the pickled environment, or the error as text."""
        try:
            return pickle.dumps(self.env)
        except Exception as exc:  # noqa: BLE001 - an environment's own pickling raises what it likes
            return f"{type(exc).__name__}: {exc}"

    def receive(self, saved: bytes) -> str | None:
        """Unpickle a copy for `exchange`; return the error as text, or None."""
        try:
            self._copy = unpickle(saved)
        except Exception as exc:  # noqa: BLE001
            return f"{type(exc).__name__}: {exc}"
        return None

    def exchange(self) -> None:
        """Replace the environment by the received copy."""
        self.env.close()
        self.env = self._copy


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
    vector = LeanVecEnv(makers) if training.vec_env == "dummy" else _in_processes(makers, training.environment.id)
    if not (training.normalize_observations or training.normalize_rewards):
        return vector
    return VecNormalize(
        vector,
        norm_obs=training.normalize_observations,
        norm_reward=training.normalize_rewards,
        gamma=config.agent.gamma,
    )


def _in_processes(makers: list[MakeEnv], environment_id: str) -> SubprocVecEnv:
    _start_fork_server()
    try:
        return SubprocVecEnv([partial(_make_replaceable, make) for make in makers], start_method="forkserver")
    except (EOFError, ConnectionError) as exc:
        # the child's traceback went to its stderr; only the broken pipe reaches this process
        raise EnvironmentSpecError(
            f"A process of environment '{environment_id}' ended while starting; "
            "set vec_env: dummy to see its error here."
        ) from exc


def _make_replaceable(make: MakeEnv) -> ReplaceableEnv:
    np.random.seed()  # otherwise all processes would inherit the fork server's state
    return ReplaceableEnv(make())


def _start_fork_server() -> None:
    """Start the fork server of SB3's processes, with torch imported once for all of them and with SIGINT blocked.

    Ctrl-C reaches every process of a terminal, but only the run should handle it, because it may need its environments
    until the end of a step. They end when the run closes its ends of their pipes.
    """
    forkserver.set_forkserver_preload([__name__])
    resource_tracker.ensure_running()  # otherwise the server starts it, which unblocks SIGINT
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def save_environments(vector: VecEnv) -> bytes:
    """Pickle the environments of `make_vector`, during their episodes. Raises any error of their pickling."""
    inner = vector.unwrapped
    if isinstance(inner, DummyVecEnv):
        return pickle.dumps([pickle.dumps(env) for env in inner.envs])
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


def observation_scale(saved: bytes) -> dict[str, Any] | None:
    """The scaling of observations in `save_statistics`' pickle, as plain numbers; None if they are not scaled."""
    stored: VecNormalize = unpickle(saved)
    if not stored.norm_obs:
        return None
    assert isinstance(stored.obs_rms, RunningMeanStd)
    return {
        "mean": stored.obs_rms.mean.tolist(),
        "variance": stored.obs_rms.var.tolist(),
        "epsilon": stored.epsilon,
        "clip": stored.clip_obs,
    }


def restore_statistics(normalizer: VecNormalize, saved: bytes) -> None:
    """Load the running means and variances of a checkpoint; all settings stay those of the config."""
    stored: VecNormalize = unpickle(saved)
    normalizer.ret_rms = stored.ret_rms
    if normalizer.norm_obs:
        normalizer.obs_rms = stored.obs_rms
