"""Answers in JSON: compact, with an ETag, and 304 where the browser has them already."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from rlsweep.jsonable import jsonable
from rlsweep.version import __version__


def answer(request: Request, value: Any) -> Response:
    """The value as JSON, or 304 where `If-None-Match` names what it would be."""
    body = _json(value)
    etag = _tag(body)
    return _unchanged(etag) if _has(request, etag) else _answer(body, etag)


def answer_about(request: Request, mark: str, work: Callable[[], Any]) -> Response:
    """The same where the answer takes work that a 304 saves.

    mark: changes whenever the answer to this very address may
    """
    etag = _tag(f"{request.url.path}?{request.url.query} {mark} {__version__}".encode())
    return _unchanged(etag) if _has(request, etag) else _answer(_json(work()), etag)


def _json(value: Any) -> bytes:
    return json.dumps(jsonable(value), allow_nan=False, separators=(",", ":")).encode()


def _tag(text: bytes) -> str:
    return f'W/"{hashlib.blake2b(text, digest_size=16).hexdigest()}"'


def _has(request: Request, etag: str) -> bool:
    """Whether the browser says that it has the answer of this tag."""
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag in known or "*" in known


def _unchanged(etag: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "no-cache"})


def _answer(body: bytes, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    return Response(body, media_type="application/json", headers=headers)


def error(status_code: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error of the API: `code` for programs, `message` for people."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return Response(body, status_code=status_code, media_type="application/json", headers=headers)
