"""JSON responses: compact, with an ETag; status 304 if the browser has the current version."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from rlsweep.jsonable import jsonable
from rlsweep.store import charts, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep
from rlsweep.version import __version__
from rlsweep.web.memory import AnswerMemory


def json_response(request: Request, value: Any) -> Response:
    """Return the value as JSON, or 304 if `If-None-Match` has its ETag."""
    body = _json(value)
    etag = _tag(body)
    return _not_modified(etag) if _has(request, etag) else _ok(body, etag)


def cached_json_response(request: Request, fingerprint: str, compute: Callable[[], Any]) -> Response:
    """Return the computed value as JSON, or 304 without computing it if the ETag of `fingerprint` matches.

    fingerprint: differs whenever the response to this address may differ; an answer that was computed before is kept
    """
    etag = _tag(f"{request.url.path}?{request.url.query} {fingerprint} {__version__}".encode())
    if _has(request, etag):
        return _not_modified(etag)
    memory = request.app.state.answers
    assert isinstance(memory, AnswerMemory)
    body = memory.get(etag)
    if body is None:
        body = _json(compute())
        memory.keep(etag, body)
    return _ok(body, etag)


def mark_of_sweep(database: Database, sweep: Sweep) -> str:
    """A text that changes whenever the sweep records anything."""
    runs = training_runs.ids_of_sweep(database, sweep.id)
    return f"{charts.fingerprint(database, runs)} {sweep.status}"


def _json(value: Any) -> bytes:
    return json.dumps(jsonable(value), allow_nan=False, separators=(",", ":")).encode()


def _tag(text: bytes) -> str:
    return f'W/"{hashlib.blake2b(text, digest_size=16).hexdigest()}"'


def _has(request: Request, etag: str) -> bool:
    """Whether the browser already has the response with this ETag."""
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag in known or "*" in known


def _not_modified(etag: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "no-cache"})


def _ok(body: bytes, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    return Response(body, media_type="application/json", headers=headers)


def json_conflict(message: str, now: Any) -> Response:
    """Return 409: somebody else has changed what was to be written; `now` is what stands there."""
    body = json.dumps({"error": {"code": "changed_meanwhile", "message": message}, "now": jsonable(now)}).encode()
    return Response(body, status_code=409, media_type="application/json")


def json_error(status_code: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error of the API: `code` for programs, `message` for people."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return Response(body, status_code=status_code, media_type="application/json", headers=headers)
