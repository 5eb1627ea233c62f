"""Where a run stands between two rollouts: all that it needs to go on as though it had never stopped.

What is learnt (weights, optimizer) is SB3's to save; it does not change while a rollout is collected. All else that
decides what comes next is here: every generator's state, the environments in midst of their episodes, what the policy
sees next, and the statistics that observations and rewards are normalised by. A run that goes on from here collects
the rollout that it had begun once more, identically.
"""

import copy
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

    statistics: the pickled VecNormalize; None where nothing is normalised
    state: a pickle for `resume`; None where episodes cannot be gone on with
    """

    progress: Progress
    statistics: bytes | None
    state: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """rewards, lengths: so far, of the episodes under way; discounted: those rewards, as VecNormalize adds them up.

    cuda: of the generator of the GPU that the model is on, which may be another one, or none, when the run goes on
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
    model: OnPolicyAlgorithm, episodes: EpisodeCallback, progress: Progress, *, with_environments: bool
) -> RunSnapshot:
    """The snapshot that a run stands at: to be called between rollouts, before anything of the next one is drawn.

    with_environments: whether copies of the environments can take their place (`envs.copies`)
    """
    assert model.env is not None
    normalizer = normalizer_of(model.env)
    statistics = None if normalizer is None else save_statistics(normalizer)
    if not with_environments or model._last_obs is None:
        return RunSnapshot(progress=progress.copy(), statistics=statistics, state=None)
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
    return RunSnapshot(progress=progress.copy(), statistics=statistics, state=pickle.dumps(state))


def resume(model: OnPolicyAlgorithm, episodes: EpisodeCallback, saved: bytes) -> str | None:
    """Put a model that has its weights, and its environments, back where `capture` saw them. The last thing to do.

    Returns why that cannot be done, as a clause, and has changed nothing then: what was pickled by another version of
    a library, or of an environment, may be none of this one's.
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
    """A copy of weights and optimizer, to return to where an update is not to be finished."""

    def __init__(self, model: OnPolicyAlgorithm) -> None:
        self._policy = model.policy
        self._state = copy.deepcopy((model.policy.state_dict(), model.policy.optimizer.state_dict()))

    def restore(self) -> None:
        """Give the model back what it was."""
        weights, optimizer = self._state
        self._policy.load_state_dict(weights)
        self._policy.optimizer.load_state_dict(optimizer)
