"""A sweep whose runs are not trained: curves are drawn, and on record as trials would write them. No evaluations."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from rlsweep import runs
from rlsweep.runs import EndReason, Episode, Update
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.recording import Batch, Progress
from rlsweep.sweep_records import NewSweep, Sweep
from tests.helpers.raced import DRIVER, STEPS, planned_run

Curve = Callable[[float], float]
"""Expected reward at a share of the budget, 0 to 1."""

SECONDS = 60
"""Of each run; two train at a time."""


def rising(to: float, *, by: float = 0.3, since: float = 0.1) -> Curve:
    """From `since` towards `to`, most of the way there after the share `by` of the budget."""
    return lambda share: to - (to - since) * float(np.exp(-share / by))


def record_grid(
    database: Database,
    name: str,
    curves: Sequence[Curve],
    *,
    seeds: int = 3,
    noise: float = 0.03,
    base: int | None = None,
) -> Sweep:
    """Put a completed sweep on record.

    noise: of a seed's whole curve, beyond the first updates; base: place of the base config
    """
    new = [
        replace(planned_run(config, seed), pause_at=None, sweep_variant=None if config == base else f"c{config}")
        for seed in range(seeds)
        for config in range(len(curves))
    ]
    sweep = NewSweep(
        name=name,
        patterns=("/configs/*.yaml",),
        mode="smoke",
        budget=runs.Budget(total_timesteps=STEPS),
        seeds=tuple(range(seeds)),
        base_config={"environment": {"id": "CartPole-v1"}},
        base_config_path="/configs/base.yaml",
        overrides=(),
        git_commit=None,
        git_dirty=None,
        versions={},
    )
    created = sweeps.create(database, sweep, new)
    sweeps.take_lease(database, created.id, DRIVER)
    for run_id in training_runs.ids_of_sweep(database, created.id):
        _train(database, run_id, curves, noise)
    with database.connect() as connection:
        connection.execute(
            "update training_runs set started_at = created_at + (position / 2) * make_interval(secs => %s), "
            "ended_at = created_at + (position / 2 + 1) * make_interval(secs => %s) where sweep_id = %s",
            (SECONDS, SECONDS, created.id),
        )
    sweeps.settle(database, created.id)
    return sweeps.get(database, created.id)


def _train(database: Database, run_id: UUID, curves: Sequence[Curve], noise: float) -> None:
    run = transitions.begin_attempt(database, run_id, {})
    assert run is not None
    config = int(run.config_short_name.rpartition("_c")[2])
    rng = np.random.default_rng((config, run.seed, 11))
    shift = noise * rng.standard_normal()
    updates = [_update(step) for step in range(STEPS // 20, STEPS + 1, STEPS // 20)]
    episodes = []
    for step in range(10, STEPS + 1, 10):
        share = step / STEPS
        reward = curves[config](share) + min(1.0, 5 * share) * shift + 0.02 * rng.standard_normal()
        episodes.append(
            Episode(episode=step // 10, env_steps=step, reward=reward, length=10, outcome=None, seconds=SECONDS * share)
        )
    progress = Progress(episodes=len(episodes), updates=len(updates), env_steps=STEPS)
    recording.flush(
        database, run_id, run.attempt, Batch(progress=progress, episodes=episodes, updates=updates, evaluations=[])
    )
    transitions.finish(database, run_id, run.attempt, EndReason.COMPLETED)


def _update(env_steps: int) -> Update:
    return Update(
        update=env_steps * 20 // STEPS,
        env_steps=env_steps,
        policy_loss=0.0,
        value_loss=0.0,
        entropy=0.5,
        approx_kl=0.01,
        clip_fraction=0.1,
        explained_variance=0.5,
        gradient_steps=40,
        learning_rate=1e-3,
        steps_per_second=100.0,
    )
