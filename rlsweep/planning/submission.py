"""Write a plan to the database as a sweep; this comes before any run starts."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rlsweep.attempts.provenance import Provenance
from rlsweep.errors import InputError, NotFoundError
from rlsweep.planning.plan import Plan, Trial
from rlsweep.planning.scheduler import SchedulerPlan
from rlsweep.race_records import RaceTerms
from rlsweep.runs import Budget, NewRun
from rlsweep.store import sweeps
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep, Sweep

LONGEST_NAME = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LIKE_AN_ID = re.compile(r"[0-9A-Fa-f-]{4,}")


def check_name(name: str) -> None:
    """Raise InputError for an invalid name of a sweep: names are part of commands, folders and URLs."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise InputError(
            f"--name {name!r}: use at most {LONGEST_NAME} letters, digits, '_', '-' and '.', starting with a letter or "
            "digit, such as lr-study."
        )
    if name == "latest":
        raise InputError("--name latest: `latest` means the newest sweep; choose another name.")
    if _LIKE_AN_ID.fullmatch(name):
        raise InputError(f"--name {name}: it looks like the start of an id; add a letter from g to z, as in lr-{name}.")


def create_sweep(
    database: Database,
    plan: Plan,
    *,
    name: str | None,
    patterns: Sequence[str],
    provenance: Provenance,
    race: RaceTerms | None = None,
    scheduler: SchedulerPlan | None = None,
) -> Sweep:
    """Write the sweep and its runs in one transaction; those of a race or with a scheduler pause where these say so.

    Raises InputError if the name is taken or invalid.
    """
    if name is not None:
        check_name(name)
    first = plan.trials[0].config
    sweep = NewSweep(
        name=name or free_name(database, f"{first.agent.agent_id}-{datetime.now().astimezone():%m%d-%H%M%S}"),
        patterns=tuple(patterns),
        mode=first.mode.value,
        budget=Budget(episodes=first.budget.episodes, total_timesteps=first.budget.total_timesteps),
        seeds=tuple(dict.fromkeys(trial.config.seed for trial in plan.trials)),
        base_config=plan.base_training.model_dump(mode="json"),
        base_config_path=None if plan.base_config_path is None else str(plan.base_config_path),
        overrides=plan.overrides,
        git_commit=provenance.git_commit,
        git_dirty=provenance.git_dirty,
        versions=provenance.versions,
        space=plan.space,
    )
    runs = runs_of_plan(plan)
    if race is not None:
        runs = [replace(run, pause_at=race.rung) for run in runs]
    if scheduler is not None:
        runs = [replace(run, pause_at=scheduler.first_pause) for run in runs]
    terms = None if scheduler is None else scheduler.terms
    return sweeps.create(database, sweep, runs, race=race, scheduler=terms)


def runs_of_plan(plan: Plan) -> list[NewRun]:
    """Make the records of the plan's trials, in order."""
    return [run_of_trial(trial) for trial in plan.trials]


def run_of_trial(trial: Trial) -> NewRun:
    """Make the record of a trial."""
    agent = trial.config.agent
    return NewRun(
        trial_key=trial.key,
        agent_id=agent.agent_id,
        algorithm=agent.algorithm,
        version=agent.version,
        sweep_variant=agent.sweep_variant,
        config_name=agent.name,
        config_short_name=agent.short_name,
        config_path=None if trial.config_path is None else str(trial.config_path),
        config=trial.config.to_record(),
        config_hash=trial.config_hash,
        seed=trial.config.seed,
    )


def free_name(database: Database, stem: str) -> str:
    """The name, with a number if a sweep has it."""
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
