"""What the lists can be filtered by, and the hyperparameters that they can show."""

import json
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from rlsweep.config.differences import differing_keys, flat_record
from rlsweep.store import annotations, listing
from rlsweep.store.annotations import Environment, Tag
from rlsweep.web.parameters import RunFilters, database_of
from rlsweep.web.responses import json_response

router = APIRouter(tags=["choices"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """The environments of runs, and the tags of runs and sweeps, each in alphabetical order."""

    environments: tuple[Environment, ...]
    tags: tuple[Tag, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class VaryingKey:
    """A hyperparameter, by its dotted key, and how many values it has among the runs; no value counts as one."""

    key: str
    values: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VaryingKeys:
    """The hyperparameters that vary. configs: number of different configs that were looked at."""

    keys: tuple[VaryingKey, ...]
    configs: int


@router.get("/choices", response_model=Choices, summary="Environments and tags")
def choices(request: Request) -> Response:
    """What the lists can be filtered by: environments with their runs, tags with their runs and sweeps."""
    database = database_of(request)
    found = Choices(environments=tuple(annotations.environments(database)), tags=tuple(annotations.tags(database)))
    return json_response(request, found)


@router.get(
    "/training-runs/hyperparameters/varying",
    response_model=VaryingKeys,
    summary="The hyperparameters that vary",
)
def varying(request: Request, filters: RunFilters) -> Response:
    """Those that have more than one value among the runs that match."""
    configs = listing.distinct_agent_configs(database_of(request), filters)
    keys = differing_keys({number: flat_record(agent) for number, agent in enumerate(configs)})
    found = tuple(
        VaryingKey(key=key, values=len({json.dumps(value, sort_keys=True) for value in values.values()}))
        for key, values in keys.items()
    )
    return json_response(request, VaryingKeys(keys=found, configs=len(configs)))
