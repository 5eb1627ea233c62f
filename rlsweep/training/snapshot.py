"""The state of a run between two rollouts, from which it resumes as if it had never stopped.

SB3 saves weights and optimizer, which do not change while a rollout is collected. A snapshot has the rest: the state of
every random generator, the environments during their episodes, the next observations, and the statistics that normalise
observations and rewards. A resumed run collects the interrupted rollout again, identically.
"""

import pickle
import random
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.runs import Episode
from rlsweep.training.callbacks import EpisodeCallback
from rlsweep.training.progress import Progress
from rlsweep.training.unpickling import unpickle
from rlsweep.training.vector import normalizer_of, restore_environments, save_environments, save_statistics


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSnapshot:
    """progress: the run's counters.

    statistics: the pickled VecNormalize; None without normalisation
    state: a pickle for `resume`; None if the run must begin new episodes
    opponents: the packed OpponentPool; None without self-play
    """

    progress: Progress
    statistics: bytes | None
    state: bytes | None
    opponents: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """rewards, lengths: of the unfinished episodes so far; discounted: their returns as VecNormalize computes them.

    cuda: state of the generator of the model's GPU; empty without one. A resumed run may have another GPU or none
    """

    environments: bytes
    observations: Any
    episode_starts: NDArray[np.bool_]
    recent: tuple[Episode, ...]
    rewards: NDArray[np.float64]
    lengths: NDArray[np.int64]
    discounted: NDArray[np.float64] | None
    episode_infos: deque[dict[str, Any]] | None
    successes: deque[Any] | None
    epochs: int
    python: tuple[Any, ...]
    numpy: dict[str, Any]
    torch: NDArray[np.uint8]
    cuda: tuple[NDArray[np.uint8], ...]


def capture(
    model: OnPolicyAlgorithm,
    episodes: EpisodeCallback,
    progress: Progress,
    *,
    with_environments: bool,
    opponents: bytes | None,
) -> RunSnapshot:
    """Make a snapshot; call it between rollouts, before the next one draws any random number.

    with_environments: whether pickled copies can replace the environments (`rlsweep.envs.pickling`)
    opponents: the packed OpponentPool; None without self-play
    """
    assert model.env is not None
    normalizer = normalizer_of(model.env)
    statistics = None if normalizer is None else save_statistics(normalizer)
    if not with_environments or model._last_obs is None:
        return RunSnapshot(progress=progress.copy(), statistics=statistics, state=None, opponents=opponents)
    assert model._last_episode_starts is not None
    rewards, lengths = episodes.unfinished
    state = _State(
        environments=save_environments(model.env),
        observations=model._last_obs,
        episode_starts=model._last_episode_starts,
        recent=tuple(episodes.recent),
        rewards=rewards,
        lengths=lengths,
        discounted=None if normalizer is None else normalizer.returns,
        episode_infos=model.ep_info_buffer,
        successes=model.ep_success_buffer,
        epochs=model._n_updates,
        python=random.getstate(),
        numpy=np.random.get_state(legacy=False),
        torch=torch.get_rng_state().numpy(),
        cuda=(torch.cuda.get_rng_state(model.device).numpy(),) if model.device.type == "cuda" else (),
    )
    return RunSnapshot(progress=progress.copy(), statistics=statistics, state=pickle.dumps(state), opponents=opponents)


def resume(model: OnPolicyAlgorithm, episodes: EpisodeCallback, saved: bytes) -> str | None:
    """Restore a model that already has its weights, and its environments, to a snapshot. Call it last.

    If that fails, changes nothing and returns the reason as a clause: another version of a library or environment may
    not read the pickle.
    """
    assert model.env is not None
    try:
        state: _State = unpickle(saved)
        restore_environments(model.env, state.environments)
    except Exception as exc:  # noqa: BLE001 - unpickling raises what it likes
        return f"its environments cannot be unpickled ({type(exc).__name__}: {exc})"
    model._last_obs = state.observations
    model._last_episode_starts = state.episode_starts
    model.ep_info_buffer, model.ep_success_buffer = state.episode_infos, state.successes
    model._n_updates = state.epochs
    episodes.recent.extend(state.recent)
    episodes.unfinished = state.rewards, state.lengths
    normalizer = normalizer_of(model.env)
    if normalizer is not None and state.discounted is not None:
        normalizer.returns = state.discounted
    random.setstate(state.python)
    np.random.set_state(state.numpy)
    torch.set_rng_state(torch.from_numpy(state.torch))
    if state.cuda and model.device.type == "cuda":
        torch.cuda.set_rng_state(torch.from_numpy(state.cuda[0]), model.device)
    return None


class PolicyBackup:
    """A copy of weights and optimizer state, to undo an interrupted update."""

    def __init__(self, model: OnPolicyAlgorithm) -> None:
        self._policy = model.policy
        self._state = _copied((model.policy.state_dict(), model.policy.optimizer.state_dict()))

    def restore(self) -> None:
        """Restore the model's weights and optimizer state."""
        weights, optimizer = self._state
        self._policy.load_state_dict(weights)
        self._policy.optimizer.load_state_dict(optimizer)


def _copied(state: Any) -> Any:
    """Copy nested dicts, lists and tuples of tensors and numbers, in half the time of `copy.deepcopy`."""
    if isinstance(state, torch.Tensor):
        return state.clone()
    if isinstance(state, dict):
        return {key: _copied(value) for key, value in state.items()}
    return type(state)(map(_copied, state)) if isinstance(state, list | tuple) else state
