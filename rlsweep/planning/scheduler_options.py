"""What a sweep's scheduler is asked for, as a user gives it."""

from dataclasses import dataclass, fields

from rlsweep.config.nearest import suggestion
from rlsweep.errors import InputError
from rlsweep.scheduler_records import SchedulerKind


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerOptions:
    """What a sweep's scheduler is asked for; None takes the default.

    scheduler: asha or pbt; None trains every run to its end
    rungs, reduction: of asha: how many rungs, and 1 / the share of the configs that goes on from each
    population, interval: of pbt: how many members, and env steps between two exploits
    objective: one of `analysis.objectives.Objective`
    """

    scheduler: str | None = None
    rungs: int | None = None
    reduction: int | None = None
    population: int | None = None
    interval: int | None = None
    objective: str | None = None


NO_SCHEDULER = SchedulerOptions()

_OF_KIND = {
    "rungs": SchedulerKind.ASHA,
    "reduction": SchedulerKind.ASHA,
    "population": SchedulerKind.PBT,
    "interval": SchedulerKind.PBT,
}
"""The scheduler that a field is for."""


def drawn_members(asked: SchedulerOptions) -> int | None:
    """How many configs a population draws, where it was given; a number that is refused later draws as if it were not.

    A space has the base config and one more at least.
    """
    is_population = asked.scheduler == SchedulerKind.PBT and asked.population is not None and asked.population > 1
    return asked.population if is_population else None


def read_kind(asked: SchedulerOptions) -> SchedulerKind | None:
    """Which scheduler is asked for; None for none. Raises InputError for a name or a flag that does not fit."""
    given = {each.name: value for each in fields(asked) if (value := getattr(asked, each.name)) is not None}
    name = given.pop("scheduler", None)
    if name is None:
        for key, value in given.items():
            kind = _OF_KIND.get(key, SchedulerKind.ASHA)
            raise InputError(f"--{key} {value}: that needs a scheduler. Add --scheduler {kind}, or leave the flag out.")
        return None
    if name not in list(SchedulerKind):
        near = suggestion(name, SchedulerKind)
        raise InputError(f"--scheduler {name}: give one of {', '.join(SchedulerKind)}{near}")
    for key, value in given.items():
        if _OF_KIND.get(key, name) != name:
            raise InputError(f"--{key} {value}: that is of --scheduler {_OF_KIND[key]}. Leave it out of {name}.")
    return SchedulerKind(name)
