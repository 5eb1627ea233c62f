"""Notes and tags: write those of a run or a sweep."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from rlsweep.errors import ChangedMeanwhileError
from rlsweep.runs import RunSummary
from rlsweep.store import annotations, sweeps, training_runs
from rlsweep.store.annotations import Annotation, annotation_of
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import json_conflict, json_response

router = APIRouter(tags=["notes and tags"])


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenAnnotation:
    """What is to be written. version: `note_version` of the record that it changes."""

    note: str
    tags: list[str]
    version: int


@router.put("/training-runs/{run_id}/annotation", response_model=Annotation, summary="Write a run's note and tags")
def annotate_run(request: Request, run_id: str, written: WrittenAnnotation) -> Response:
    """Replaces both; 409, with what stands there, if somebody else has changed them since `version`."""
    database = database_of(request)
    return _write(request, database, training_runs.get(database, run_id), written)


@router.put("/sweeps/{sweep}/annotation", response_model=Annotation, summary="Write a sweep's note and tags")
def annotate_sweep(request: Request, sweep: str, written: WrittenAnnotation) -> Response:
    """Replaces both; 409, with what stands there, if somebody else has changed them since `version`."""
    database = database_of(request)
    return _write(request, database, sweeps.get(database, sweep), written)


def _write(request: Request, database: Database, target: Sweep | RunSummary, written: WrittenAnnotation) -> Response:
    try:
        found = annotations.replace(database, target, note=written.note, tags=written.tags, version=written.version)
    except ChangedMeanwhileError as exc:
        is_sweep = isinstance(target, Sweep)
        now = sweeps.get(database, target.id) if is_sweep else training_runs.get(database, target.id)
        return json_conflict(str(exc), annotation_of(now))
    return json_response(request, found)
