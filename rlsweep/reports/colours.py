"""The colour of each config in Training History: the same on every page, and of no other config on the same page."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from rlsweep.runs import TrainingRun
from rlsweep.store import listing
from rlsweep.store.database import Database
from rlsweep.store.listing import RecordedConfig

BASE = 0
"""The colour of a base config, the one of the text; all others begin with 1."""

_Key = tuple[str, str]


def colours_of(database: Database, runs: Sequence[TrainingRun]) -> dict[UUID, int]:
    """The number of the colour of each run's config."""
    agents = sorted({run.agent_id for run in runs})
    given = assigned(listing.recorded_configs(database, agents))
    shown = {_key_of(run) for run in runs}
    distinct = _distinct({key: colour for key, colour in given.items() if key in shown})
    return {run.id: distinct[_key_of(run)] for run in runs}


def assigned(configs: Iterable[RecordedConfig]) -> dict[_Key, int]:
    """A colour for each config, for ever: the first that no other config of its first sweep has.

    configs: in the order in which their sweeps were submitted; so is the result
    """
    together: dict[UUID, list[RecordedConfig]] = {}
    for config in configs:
        together.setdefault(config.together, []).append(config)
    found: dict[_Key, int] = {}
    for group in together.values():
        taken = {found[each.key] for each in group if each.key in found}
        for config in sorted(group, key=lambda each: (each.name, each.key)):
            if config.key not in found:
                found[config.key] = BASE if config.is_base else _first_free(taken)
                taken.add(found[config.key])
    return found


def _distinct(colours: dict[_Key, int]) -> dict[_Key, int]:
    """The same, but where two have one colour the later config takes one that is free here."""
    found: dict[_Key, int] = {}
    kept = set(colours.values())
    for key, colour in colours.items():
        found[key] = colour if colour not in found.values() else _first_free(kept | set(found.values()))
    return found


def _first_free(taken: set[int]) -> int:
    return next(number for number in range(BASE + 1, BASE + 2 + len(taken)) if number not in taken)


def _key_of(run: TrainingRun) -> _Key:
    """One file with one set of hyperparameters is one config, as in `rlsweep.reports.records.by_config`."""
    return (run.config_path or run.config_short_name, run.config_hash)
