"""Flags that several commands take as a block: one dataclass of the API, declared once.

A command takes such a block as one parameter, annotated with the dataclass; `with_flag_blocks` shows Typer one flag
for each of its fields, and makes the dataclass of what was given.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import wraps
from inspect import Parameter
from typing import Any, get_type_hints

from rlsweep.api.plan import PlanOptions
from rlsweep.api.tournament_options import TournamentOptions
from rlsweep.api.train import TrainingOptions
from rlsweep.cli import options
from rlsweep.places.options import DrivingOptions
from rlsweep.planning.race_options import RaceOptions
from rlsweep.planning.scheduler_options import SchedulerOptions

_BLOCKS: dict[Any, dict[str, Any]] = {
    PlanOptions: {
        "base_config": options.BaseConfig,
        "overrides": options.Overrides,
        "mode": options.ModeOption,
        "episodes": options.Episodes,
        "total_timesteps": options.Timesteps,
        "seeds": options.Seeds,
        "with_base": options.WithBase,
        "space": options.Space,
        "sampler": options.Sampler,
        "configs": options.Configs,
        "space_seed": options.SpaceSeed,
    },
    DrivingOptions: {
        "cpus_per_trial": options.CpusPerTrial,
        "gpus_per_trial": options.GpusPerTrial,
        "max_concurrent": options.MaxConcurrent,
        "autoscale": options.Autoscale,
        "address": options.Address,
        "detach": options.Detach,
        "dashboard": options.Dashboard,
        "grace": options.Grace,
    },
    RaceOptions: {
        "tolerance": options.Tolerance,
        "confidence": options.Confidence,
        "cap": options.Cap,
        "max_hours": options.MaxHours,
        "objective": options.ObjectiveName,
        "over_seeds": options.OverSeeds,
    },
    SchedulerOptions: {
        "scheduler": options.SchedulerName,
        "rungs": options.Rungs,
        "reduction": options.Reduction,
        "population": options.Population,
        "interval": options.Interval,
        "objective": options.ObjectiveName,
    },
    TournamentOptions: {
        "games": options.Games,
        "best": options.Best,
        "opponents": options.Opponents,
        "deterministic": options.Deterministic,
        "openings": options.Openings,
        "seed": options.TournamentSeed,
    },
    TrainingOptions: {"threads": options.Threads, "address": options.RunAddress},
    options.Hyperparameters: get_type_hints(options.Hyperparameters, include_extras=True),
}
"""The flag of each field."""


def with_flag_blocks(command: Callable[..., None], **flags_instead: Any) -> Callable[..., None]:
    """Make the command that takes one flag for each field of its blocks, where its signature has them.

    A field that several blocks have is one flag, whose value all of them get.

    flags_instead: by field, the annotation of this command's flag where it differs from the block's
    """
    signature = inspect.signature(command)
    blocks = {name: each.annotation for name, each in signature.parameters.items() if each.annotation in _BLOCKS}

    @wraps(command)
    def with_flags(**flagged: Any) -> None:
        given = {name: value for name, value in flagged.items() if name in signature.parameters}
        for name, block in blocks.items():
            values = {field.name: flagged[field.name] for field in fields(block)}
            # Typer gives None for flags of several values that were not given, and lists for the others.
            frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
            given[name] = block(**{key: value for key, value in frozen.items() if value is not None})
        command(**given)

    found = [flag for parameter in signature.parameters.values() for flag in _flags(parameter, flags_instead)]
    flags = list({flag.name: flag for flag in found}.values())
    with_flags.__signature__ = signature.replace(parameters=flags)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {flag.name: flag.annotation for flag in flags}
    return with_flags


def _flags(parameter: Parameter, flags_instead: Mapping[str, Any]) -> Iterator[Parameter]:
    """The parameter itself, or one for each field of its block."""
    if parameter.annotation not in _BLOCKS:
        yield parameter.replace(kind=Parameter.KEYWORD_ONLY)
        return
    for field in fields(parameter.annotation):
        default = None if isinstance(field.default, tuple) else field.default
        annotation = flags_instead.get(field.name, _BLOCKS[parameter.annotation][field.name])
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
