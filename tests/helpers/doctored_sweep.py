"""A sweep on record whose runs are those of tests/data/ppo_runs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rlsweep.runs import Budget, EndReason, Episode, NewRun, Update
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep, Sweep
from tests.helpers.recorded_ppo import FOLDER, METRICS


def record_doctored(database: Database, name: str, configs: Mapping[str, Sequence[tuple[str, str]]]) -> Sweep:
    """Put a sweep on record; configs: by name, the group and name of each seed's recorded run.

    An episode of each run stands for a bucket of its reward curve.
    """
    groups = {group: json.loads((FOLDER / f"{group}.json").read_text()) for group in ("apart", "healthy", "sick")}
    chosen = [
        (config, seed, groups[group][run])
        for config, seeds in configs.items()
        for seed, (group, run) in enumerate(seeds)
    ]
    planned = [_planned(config, seed, run) for config, seed, run in chosen]
    sweep = sweeps.create(database, _new_sweep(name, chosen[0][2]), planned)
    for created, (_, _, run) in zip(training_runs.of_sweep(database, sweep.id), chosen, strict=True):
        _train(database, created.id, run)
    return sweeps.settle(database, sweep.id)


def _new_sweep(name: str, run: dict[str, Any]) -> NewSweep:
    return NewSweep(
        name=name,
        patterns=("config/agents/*.yaml",),
        mode="smoke",
        budget=Budget(**run["config"]["budget"]),
        seeds=(0,),
        base_config=run["config"]["training"],
        base_config_path=None,
        overrides=(),
        git_commit=None,
        git_dirty=None,
        versions={},
    )


def _planned(config: str, seed: int, run: dict[str, Any]) -> NewRun:
    return NewRun(
        trial_key=f"{config}-{seed}",
        agent_id="doctor",
        algorithm="MaskablePPO",
        version=1,
        sweep_variant=config,
        config_name=config,
        config_short_name=config,
        config_path=f"config/agents/{config}.yaml",
        config=run["config"],
        config_hash=config,
        seed=seed,
    )


def _train(database: Database, run_id: Any, record: dict[str, Any]) -> None:
    run = transitions.begin_attempt(database, run_id, {})
    assert run is not None
    steps, updates = record["reward_steps"], record["update_steps"]
    episodes = [
        Episode(
            episode=place + 1,
            env_steps=step,
            reward=reward,
            length=max(1, step - (steps[place - 1] if place else 0)),
            outcome=None,
            seconds=step / 1000,
        )
        for place, (step, reward) in enumerate(zip(steps, record["reward"], strict=True))
    ]
    values = [
        Update(
            update=place + 1,
            env_steps=step,
            learning_rate=3e-4,
            steps_per_second=1000.0,
            **{metric: record[metric][place] for metric in METRICS},
        )
        for place, step in enumerate(updates)
    ]
    progress = recording.Progress(episodes=len(episodes), updates=len(values), env_steps=steps[-1], mean_reward=1.0)
    recording.flush(
        database, run.id, run.attempt, recording.Batch(progress=progress, episodes=episodes, updates=values)
    )
    diverged = record["diverged"]
    reason, error = (EndReason.DIVERGED, "DivergedError: NaN") if diverged else (EndReason.COMPLETED, None)
    transitions.finish(database, run.id, run.attempt, reason, error)
