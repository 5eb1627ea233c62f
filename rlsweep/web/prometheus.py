"""Metrics for Prometheus, in its text format: what only the database can tell, such as that a sweep lost its driver.

A driver tells Ray's metrics endpoint how far its sweep has come (rlsweep/driver/meters.py), until it is dead.
dashboards/README.md lists both, and the alerts that they feed.
"""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Request, Response

from rlsweep.errors import SchemaError, StoreUnavailableError
from rlsweep.runs import RunStatus
from rlsweep.store import monitoring
from rlsweep.store.monitoring import Standing
from rlsweep.web.parameters import database_of

router = APIRouter(include_in_schema=False)

PATH = "/metrics"

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Sample = tuple[Mapping[str, str], float]


@router.get(PATH)
def metrics(request: Request) -> Response:
    """The metrics; while the database cannot be read, only that it cannot."""
    try:
        standings = monitoring.unfinished(database_of(request))
    except (StoreUnavailableError, SchemaError):
        text = _database_up(False)
    else:
        text = _database_up(True) + _of_sweeps(standings)
    return Response(text, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _database_up(is_up: bool) -> str:
    return gauge("rlsweep_database_up", "1 if the database can be read, else 0.", [({}, int(is_up))])


def _of_sweeps(standings: Iterable[Standing]) -> str:
    sweeps = [({"sweep": standing.name}, standing) for standing in standings]
    return "".join(
        (
            gauge(
                "rlsweep_sweep_runs",
                "Training runs of an unfinished sweep, by status.",
                [
                    (labels | {"status": status.value}, standing.runs_by_status.get(status, 0))
                    for labels, standing in sweeps
                    for status in RunStatus
                ],
            ),
            gauge(
                "rlsweep_sweep_env_steps",
                "Env steps that the runs of an unfinished sweep recorded.",
                [(labels, standing.env_steps) for labels, standing in sweeps],
            ),
            gauge(
                "rlsweep_sweep_driver_silent_seconds",
                "Seconds since an unfinished sweep had a sign of its driver.",
                [(labels, standing.driver_silent_seconds) for labels, standing in sweeps],
            ),
        )
    )


def gauge(name: str, meaning: str, samples: Iterable[Sample]) -> str:
    """One gauge in Prometheus's text format; nothing if it has no samples."""
    lines = [f"{name}{_shown(labels)} {value!r}\n" for labels, value in samples]
    return "".join((f"# HELP {name} {meaning}\n# TYPE {name} gauge\n", *lines)) if lines else ""


def _shown(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""
