"""A trainer without a policy: it replays a curve that depends on every value and step that led to it.

Its weights are a hash that goes on with each rollout: equal weights have the same history, bit for bit. Everything else
of a run is real: its attempts, its record, its checkpoints and what becomes of them.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from io import BufferedRandom
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from rlsweep.config.agent import AgentConfig
from rlsweep.config.in_force import in_force
from rlsweep.config.run import RunConfig
from rlsweep.runs import Episode, RunStatus, Update
from rlsweep.storage import Location
from rlsweep.training.checkpoints import CheckpointFolder, read_saved_run
from rlsweep.training.progress import Progress
from rlsweep.training.recorder import Recorder
from rlsweep.training.session import Result
from rlsweep.training.snapshot import RunSnapshot


@dataclass
class Policy:
    """What a checkpoint keeps of a model here."""

    weights: str
    num_timesteps: int = 0

    def save(self, file: BufferedRandom) -> None:
        """As SB3's models save themselves."""
        with zipfile.ZipFile(file, mode="w") as archive:
            archive.writestr("policy.pth", self.weights)

    @classmethod
    def load(cls, path: Location) -> "Policy":
        with zipfile.ZipFile(cast(Path, path)) as archive:
            return cls(weights=archive.read("policy.pth").decode())


@dataclass
class ReplayedTraining:
    """Takes the place of `rlsweep.training.train.train`.

    happens: called before everything at which a process may die; it may raise
    fails: seeds of runs that fail, and the env steps after which they do
    began: run, env steps and weights at the start of each attempt
    weights: by run and env steps, what training led to
    """

    happens: Callable[[], None] = lambda: None
    fails: frozenset[tuple[int, int]] = frozenset()
    began: list[tuple[UUID, int, str]] = field(default_factory=list)
    weights: dict[tuple[UUID, int], str] = field(default_factory=dict)

    def train(
        self,
        config: RunConfig,
        recorder: Recorder,
        *,
        checkpoint_folder: Location,
        resume_from: Location | None,
        attempt: int,
        pause_at: float | None,
        held: Collection[str],
        **_: Any,
    ) -> Result:
        """Train to the pause or the end of the budget."""
        run_id = UUID(checkpoint_folder.name)
        progress = Progress() if resume_from is None else read_saved_run(cast(Path, resume_from)).snapshot.progress
        policy = Policy(first_weights(config.seed)) if resume_from is None else Policy.load(resume_from)
        self.began.append((run_id, progress.env_steps, policy.weights))
        self.happens()
        folder = CheckpointFolder(
            checkpoint_folder,
            config=config,
            attempt=attempt,
            first_step=progress.env_steps,
            recorder=recorder,
            held=held,
        )
        recorder.begin_at(progress.counters, (), lambda: progress.env_steps)
        with folder:
            while not (_is_paused(progress, config, pause_at) or progress.is_spent(config.budget)):
                self.happens()
                if (config.seed, progress.env_steps) in self.fails:
                    raise ZeroDivisionError("planned")
                _roll_out(policy, progress, config, recorder)
            self.weights[run_id, progress.env_steps] = policy.weights
            snapshot = RunSnapshot(progress=progress.copy(), statistics=None, state=None)
            checkpoint = folder.save(cast(Any, policy), snapshot).result()
            self.happens()
        status = RunStatus.COMPLETED if progress.is_spent(config.budget) else RunStatus.PAUSED
        return Result(status=status, checkpoint=checkpoint, **asdict(progress.counters))


def first_weights(seed: int) -> str:
    """What training begins with."""
    return _hash(seed)


def learned(weights: str, agent: AgentConfig, seed: int, env_steps: int) -> str:
    """The weights after a rollout that began at these env steps, and its update."""
    return _hash([weights, seed, env_steps, asdict(in_force(agent, env_steps))])


def _is_paused(progress: Progress, config: RunConfig, pause_at: float | None) -> bool:
    return pause_at is not None and progress.spent(config.budget) >= pause_at


def _roll_out(policy: Policy, progress: Progress, config: RunConfig, recorder: Recorder) -> None:
    """One rollout with its update, which is one episode; its reward depends on the weights."""
    policy.weights = learned(policy.weights, config.agent, config.seed, progress.env_steps)
    progress.env_steps += config.rollout_steps
    progress.episodes += 1
    progress.updates += 1
    episode = Episode(
        episode=progress.episodes,
        env_steps=progress.env_steps,
        reward=int(policy.weights[:8], 16) / 2**32,
        length=config.rollout_steps,
        outcome=None,
        seconds=float(progress.episodes),
    )
    recorder.add_episodes([episode])
    recorder.add_update(
        Update(
            update=progress.updates,
            env_steps=progress.env_steps,
            policy_loss=0.0,
            value_loss=0.0,
            entropy=0.5,
            approx_kl=0.01,
            clip_fraction=0.1,
            explained_variance=0.5,
            gradient_steps=1,
            learning_rate=1e-3,
            steps_per_second=100.0,
        )
    )


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
