"""The catalogue of metrics, and the server's health."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from rlsweep.metrics import METRICS, Metric
from rlsweep.version import __version__
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import json_response

router = APIRouter(tags=["about"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """All metrics that are recorded or shown."""

    metrics: tuple[Metric, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """status: ok; database: its name and host, without a password."""

    status: str
    version: str
    database: str


@router.get("/metrics", response_model=Catalogue, summary="The catalogue of metrics")
def metrics(request: Request) -> Response:
    """Name, label, unit and better direction of every metric that is recorded or shown."""
    return json_response(request, Catalogue(metrics=METRICS))


@router.get("/health", response_model=Health, summary="Health of the server")
def health(request: Request) -> Response:
    """Returns status 503 while the database cannot be reached."""
    database = database_of(request)
    with database.readonly():
        pass
    return json_response(request, Health(status="ok", version=__version__, database=database.location))
