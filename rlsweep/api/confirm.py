"""Checking a choice on held-out seeds: the config to take and its few contenders, with seeds that were not used."""

from typing import TYPE_CHECKING

from rlsweep.api.opening import database_of
from rlsweep.api.resume import drive
from rlsweep.errors import InputError
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DrivingOptions
from rlsweep.places.outcome import SweepOutcome
from rlsweep.race_records import SEEDS_TO_CONFIRM
from rlsweep.settings import Settings

if TYPE_CHECKING:
    from rlsweep.reports.records import ConfigRuns
    from rlsweep.store.database import Database
    from rlsweep.sweep_records import Sweep


def confirm(
    reference: str,
    *,
    seeds: int = SEEDS_TO_CONFIRM,
    settings: Settings,
    observer: SweepObserver,
    options: DrivingOptions,
) -> SweepOutcome:
    """Train the config that a sweep or race would take, and its contenders, on held-out seeds, as a sweep of its own.

    seeds: of each of these configs
    The estimate comes from these seeds alone: the best of many scores is in part the luckiest one.

    Raises NotFoundError, and InputError where no config can be taken yet.
    """
    from rlsweep.attempts.provenance import collect_provenance
    from rlsweep.driver.race import run_with_seed
    from rlsweep.driver.selection import PLANNED
    from rlsweep.planning.submission import free_name
    from rlsweep.reports.confirmation import FEWEST_SEEDS, to_confirm
    from rlsweep.reports.records import by_config
    from rlsweep.store import sweeps, training_runs
    from rlsweep.sweep_records import NewSweep

    if seeds < FEWEST_SEEDS:
        raise InputError(f"--seeds {seeds}: an estimate needs at least {FEWEST_SEEDS}.")
    database = database_of(settings)
    sweep = sweeps.get(database, reference)
    names = to_confirm(database, sweep)
    if not names:
        raise InputError(f"Sweep {sweep.name} has no config to take yet. See rlsweep report {sweep.name}.")
    runs = training_runs.of_sweep(database, sweep.id)
    configs = {config.name: config for config in by_config(runs)}
    first = 1 + max(_used_seeds(database, sweep, configs))
    planned = [run_with_seed(configs[name].runs[0], seed) for seed in range(first, first + seeds) for name in names]
    provenance = collect_provenance(runs[0].config_folder)
    created = sweeps.create(
        database,
        NewSweep(
            name=free_name(database, f"{sweep.name}-confirm"),
            patterns=sweep.patterns,
            mode=sweep.mode,
            budget=sweep.budget,
            seeds=tuple(range(first, first + seeds)),
            base_config=sweep.base_config,
            base_config_path=sweep.base_config_path,
            overrides=sweep.overrides,
            git_commit=provenance.git_commit,
            git_dirty=provenance.git_dirty,
            versions=provenance.versions,
            confirms=sweep.id,
            space=sweep.space,
        ),
        planned,
    )
    observer.message(f"{', '.join(names)}: {seeds} seeds each that {sweep.name} has not used, from {first} on")
    return drive(created, PLANNED, settings=settings, observer=observer, options=options)


def _used_seeds(database: "Database", sweep: "Sweep", configs: dict[str, "ConfigRuns"]) -> set[int]:
    """The seeds of the sweep, and of sweeps that confirmed it before."""
    from rlsweep.store import sweeps

    seeds = {run.seed for config in configs.values() for run in config.runs}
    return seeds | {seed for other in sweeps.confirmations(database, sweep.id) for seed in other.seeds}
