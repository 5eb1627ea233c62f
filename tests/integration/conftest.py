"""Sweeps put on record as trials would do it, with curves whose right verdict is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.runs import Episode, NewRun, NewSweep, Outcome, RunStatus, Sweep, Update
from rlsweep.store import recording, sweeps, training_runs
from rlsweep.store.database import Database

EPISODES = 400


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a config's trials go: the chance to win rises evenly from 0.5 to `win_rate`."""

    win_rate: float = 0.9
    learning_rate: float = 3e-4
    updates: int = 12
    error: str | None = None


@pytest.fixture(scope="session")
def course() -> type[Course]:
    """Describes how the trials of a config go; 400 episodes each, unless they fail."""
    return Course


@pytest.fixture(scope="session")
def record_into() -> Callable[..., Sweep]:
    """Puts a sweep of courses, by variant (None is the base config), on record in a database."""
    return _record


@pytest.fixture
def record_sweep(database: Database) -> Callable[..., Sweep]:
    """The same, in this test's own database."""
    return partial(_record, database)


def _record(
    database: Database, courses: dict[str | None, Course], *, seeds: int = 3, name: str = "night", **given: Any
) -> Sweep:
    """Make a sweep of these courses by variant (None is the base config) and end its runs as they say."""
    planned = [_run(variant, course, seed) for variant, course in courses.items() for seed in range(seeds)]
    sweep = sweeps.create(database, replace(_sweep(name, seeds), **given), planned)
    followed = [course for course in courses.values() for _ in range(seeds)]
    for run, course in zip(training_runs.of_sweep(database, sweep.id), followed, strict=True):
        _train(database, run.id, run.seed, course)
    return sweeps.settle(database, sweep.id)


def _sweep(name: str, seeds: int) -> NewSweep:
    return NewSweep(
        name=name,
        patterns=("config/agents/*.yaml",),
        mode="smoke",
        budget={"episodes": EPISODES, "total_timesteps": None},
        seeds=tuple(range(seeds)),
        base_config=TrainingConfig().model_dump(mode="json"),
        base_config_path=None,
        overrides=(),
        git_commit=None,
        git_dirty=None,
        versions={},
    )


def _run(variant: str | None, course: Course, seed: int) -> NewRun:
    agent = AgentConfig(
        agent_id="ppo_agent",
        name=f"PPO Agent {variant or 'v1'}",
        algorithm="MaskablePPO",
        version=1,
        sweep_variant=variant,
        learning_rate=course.learning_rate,
    )
    config = RunConfig(
        agent=agent, training=TrainingConfig(), mode=Mode.SMOKE, budget=Budget(episodes=EPISODES), seed=seed
    )
    stem = f"ppo_agent_sweep_{variant}" if variant else "ppo_agent_v1"
    return NewRun(
        trial_key=f"{stem}-{seed}",
        agent_id=agent.agent_id,
        algorithm=agent.algorithm,
        version=agent.version,
        sweep_variant=variant,
        config_name=agent.name,
        config_short_name=agent.short_name,
        config_path=f"config/agents/{stem}.yaml",
        config=config.to_record(),
        config_hash=hyperparameter_hash(agent),
        seed=seed,
    )


def _train(database: Database, run_id: UUID, seed: int, course: Course) -> None:
    run = training_runs.begin_attempt(database, run_id, {})
    assert run is not None
    if course.error is None:
        rng = np.random.default_rng([seed, round(1e6 * course.learning_rate)])
        chance = np.linspace(0.5, course.win_rate, EPISODES)
        steps = np.cumsum(rng.integers(8, 14, EPISODES))
        won = rng.random(EPISODES) < chance
        batch = recording.Batch(
            progress=recording.Progress(episodes=EPISODES, updates=course.updates, env_steps=int(steps[-1])),
            episodes=[
                Episode(
                    episode=index + 1,
                    env_steps=int(steps[index]),
                    reward=1.0 if won[index] else -1.0,
                    length=10,
                    outcome=Outcome.WIN if won[index] else Outcome.LOSS,
                    seconds=index / 100,
                )
                for index in range(EPISODES)
            ],
            updates=[_update(index + 1, course.learning_rate) for index in range(course.updates)],
        )
        recording.flush(database, run.id, run.attempt, batch)
    status = RunStatus.COMPLETED if course.error is None else RunStatus.FAILED
    training_runs.finish(database, run.id, run.attempt, status, course.error)


def _update(number: int, learning_rate: float) -> Update:
    return Update(
        update=number,
        env_steps=number * 300,
        policy_loss=-0.01,
        value_loss=0.4,
        entropy=1.5,
        approx_kl=0.02,
        clip_fraction=0.1,
        explained_variance=None if number == 1 else 0.2,
        learning_rate=learning_rate,
        steps_per_second=1500.0,
    )
