"""What there is: the catalogue of metrics, and whether all is well."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from rlsweep.metrics import METRICS, Metric
from rlsweep.version import __version__
from rlsweep.web.answers import answer
from rlsweep.web.parameters import database_of

router = APIRouter(tags=["about"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """Everything that is recorded or shown."""

    metrics: tuple[Metric, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """status: ok; database: its name and host, never a password."""

    status: str
    version: str
    database: str


@router.get("/metrics", response_model=Catalogue, summary="The catalogue of metrics")
def metrics(request: Request) -> Response:
    """Name, label, unit and better direction of everything that is recorded or shown."""
    return answer(request, Catalogue(metrics=METRICS))


@router.get("/health", response_model=Health, summary="Whether all is well")
def health(request: Request) -> Response:
    """Answers 503 while the database cannot be reached."""
    database = database_of(request)
    with database.readonly():
        pass
    return answer(request, Health(status="ok", version=__version__, database=database.location))
