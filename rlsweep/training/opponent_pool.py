"""The earlier policies of a run that plays against itself: saved between rollouts, and given to its environments."""

import zipfile
from dataclasses import dataclass

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.config.training import LATEST, SelfPlayPool
from rlsweep.envs.dense_policy import DensePolicy, ObservationScale, pack, unpack
from rlsweep.errors import CheckpointError, ConfigError
from rlsweep.storage import Location
from rlsweep.training.dense import dense_policy_of
from rlsweep.training.progress import Progress
from rlsweep.training.vector import normalizer_of, observation_scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A policy of the run, after so many updates and env steps."""

    policy: DensePolicy
    updates: int
    env_steps: int


class OpponentPool:
    """The opponents of a run. It changes only between two rollouts, and belongs to the run's snapshots."""

    def __init__(self, settings: SelfPlayPool) -> None:
        self._settings = settings
        self._members: list[Member] = []
        self._packed: bytes | None = None

    @property
    def packed(self) -> bytes | None:
        """The pool as `restore` takes it, without pickles; None while it is empty."""
        return self._packed

    @property
    def fact(self) -> str:
        """What the pool holds, for the run's record."""
        if self._settings == LATEST:
            return "the latest policy of this run"
        saved_at = ", ".join(f"{steps:,}" for steps in sorted(member.env_steps for member in self._members))
        count = len(self._members)
        return f"{count} {'policy' if count == 1 else 'policies'} of this run, of env steps {saved_at}"

    def restore(self, packed: bytes, path: Location) -> None:
        """Take over the pool of a snapshot in the checkpoint at `path`. Raises CheckpointError if it cannot be read."""
        try:
            members = [Member(policy=policy, **note) for policy, note in unpack(packed)]
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as exc:
            raise CheckpointError(f"The opponents in {path} cannot be read: {exc}") from exc
        if len(members) > self._settings.pool:
            members = sorted(members, key=lambda member: member.updates)[-self._settings.pool :]
        self._members, self._packed = members, packed

    def grow(self, model: OnPolicyAlgorithm, progress: Progress) -> bool:
        """Take up the model's policy if it is due, in the place of the oldest if the pool is full; return whether.

        Raises ConfigError if its network cannot be played.
        """
        newest = max((member.updates for member in self._members), default=None)
        if newest is not None and (progress.updates == newest or progress.updates % self._settings.every_rollouts):
            return False
        member = Member(policy=policy_of(model), updates=progress.updates, env_steps=progress.env_steps)
        if len(self._members) < self._settings.pool:
            self._members.append(member)
        else:
            ages = [each.updates for each in self._members]
            self._members[ages.index(min(ages))] = member
        self._packed = pack(
            [each.policy for each in self._members],
            [{"updates": each.updates, "env_steps": each.env_steps} for each in self._members],
        )
        return True

    def hand_over(self, model: OnPolicyAlgorithm) -> None:
        """Give the pool to the model's environments."""
        assert model.env is not None
        model.env.env_method("take_opponents", [member.policy for member in self._members])


def policy_of(model: OnPolicyAlgorithm) -> DensePolicy:
    """A copy of the model's policy as it is now, with the statistics that scale its observations now.

    Raises ConfigError if its network cannot be played as an opponent.
    """
    assert model.env is not None
    normalizer = normalizer_of(model.env)
    scale = None if normalizer is None else observation_scale(normalizer)
    try:
        return dense_policy_of(model, None if scale is None else ObservationScale.of(scale))
    except ValueError as exc:
        raise _unplayable(str(exc)) from exc


def _unplayable(reason: str) -> ConfigError:
    return ConfigError(f"environment.opponent: self cannot play this policy: {reason}; take another opponent.")


def play_against_itself(model: OnPolicyAlgorithm, settings: SelfPlayPool | None) -> int:
    """Let the model's environments play against the model as it is now, to measure it; do nothing without self-play.

    Returns the size in bytes of a full pool. Raises ConfigError if the model's network cannot be played.
    """
    if settings is None:
        return 0
    pool = OpponentPool(settings)
    pool.grow(model, Progress())
    pool.hand_over(model)
    return settings.pool * len(pool.packed or b"")
