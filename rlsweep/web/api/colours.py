"""The colours of configs."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response

from rlsweep.reports.colours import colours_of
from rlsweep.store import training_runs
from rlsweep.web.parameters import RunIds, database_of
from rlsweep.web.responses import json_response

router = APIRouter(tags=["colours"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Colours:
    """The number of the colour of each run's config, by run id; 0 is that of a base config."""

    colours: dict[UUID, int]


@router.get("/colours", response_model=Colours, summary="The colours of configs")
def colours(request: Request, run: RunIds) -> Response:
    """The seeds of a config have its colour, which is the same on every page; no two configs here share one."""
    database = database_of(request)
    return json_response(request, Colours(colours=colours_of(database, training_runs.get_many(database, run))))
