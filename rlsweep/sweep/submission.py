"""A plan becomes a sweep on record; nothing runs before it is."""

from collections.abc import Sequence
from datetime import datetime

from rlsweep.config.plan import Plan, Trial
from rlsweep.errors import NotFoundError
from rlsweep.runs import NewRun, NewSweep, Sweep
from rlsweep.store import sweeps
from rlsweep.store.database import Database
from rlsweep.sweep.provenance import Provenance


def create_sweep(
    database: Database, plan: Plan, *, name: str | None, patterns: Sequence[str], provenance: Provenance
) -> Sweep:
    """Write the sweep and its runs, all of it or nothing. Raises InputError where the name is taken."""
    first = plan.trials[0].config
    sweep = NewSweep(
        name=name or _free_name(database, first.agent.agent_id),
        patterns=tuple(patterns),
        mode=first.mode.value,
        budget=first.budget.model_dump(),
        seeds=tuple(dict.fromkeys(trial.config.seed for trial in plan.trials)),
        base_config=plan.base_training.model_dump(mode="json"),
        git_commit=provenance.git_commit,
        git_dirty=provenance.git_dirty,
        versions=provenance.versions,
    )
    return sweeps.create(database, sweep, [run_of_trial(trial) for trial in plan.trials])


def run_of_trial(trial: Trial) -> NewRun:
    """Make the record of a trial that has not begun."""
    agent = trial.config.agent
    return NewRun(
        trial_key=trial.key,
        agent_id=agent.agent_id,
        algorithm=agent.algorithm,
        version=agent.version,
        sweep_variant=agent.sweep_variant,
        config_name=agent.name,
        config_short_name=agent.short_name,
        config_path=str(trial.config_path),
        config=trial.config.to_record(),
        config_hash=trial.config_hash,
        seed=trial.config.seed,
    )


def _free_name(database: Database, agent_id: str) -> str:
    """Agent and local time to the second, such as `ppo_agent-1123-213502`; with a number where that is taken."""
    stem = f"{agent_id}-{datetime.now().astimezone():%m%d-%H%M%S}"
    name, number = stem, 1
    while _exists(database, name):
        number += 1
        name = f"{stem}-{number}"
    return name


def _exists(database: Database, name: str) -> bool:
    try:
        return sweeps.get(database, name).name == name
    except NotFoundError:
        return False
