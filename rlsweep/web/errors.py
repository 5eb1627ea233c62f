"""Error responses: JSON below /api/, a page elsewhere, never a traceback."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from rlsweep.errors import InputError, NotFoundError, SchemaError, StoreReadOnlyError, StoreUnavailableError
from rlsweep.web import pages, responses

_log = logging.getLogger("rlsweep.web")

_CODES = {400: "bad_request", 401: "unauthorized", 404: "not_found", 405: "method_not_allowed", 422: "invalid"}

INTERNAL = "Internal error; the terminal that runs `rlsweep serve` shows its traceback. Try again."


def add_handlers(app: FastAPI) -> None:
    """Translate every error that an endpoint may raise."""
    app.add_exception_handler(StoreUnavailableError, _unavailable)
    app.add_exception_handler(StoreReadOnlyError, _read_only)
    app.add_exception_handler(SchemaError, _unavailable)
    app.add_exception_handler(NotFoundError, _not_found)
    app.add_exception_handler(InputError, _invalid)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)


def error_response(
    request: Request, status_code: int, code: str, message: str, headers: dict[str, str] | None = None
) -> Response:
    """Return the error as JSON for an API path, else as a page."""
    path = request.url.path
    if path.startswith("/api/") and path != "/api/docs":
        return responses.json_error(status_code, code, message, headers)
    response: Response = pages.error_page(request, status_code, code, message)
    response.headers.update(headers or {})
    return response


def internal(request: Request, exc: Exception) -> Response:
    """Handle an unexpected exception: its traceback goes to the server's log only."""
    _log.error("%s %s", request.method, request.url.path, exc_info=exc)
    return error_response(request, 500, "internal", INTERNAL)


async def _unavailable(request: Request, exc: Exception) -> Response:
    return error_response(request, 503, "database_unavailable", str(exc), {"Retry-After": "2"})


async def _read_only(request: Request, exc: Exception) -> Response:
    return error_response(request, 403, "read_only", str(exc))


async def _not_found(request: Request, exc: Exception) -> Response:
    return error_response(request, 404, "not_found", str(exc))


async def _invalid(request: Request, exc: Exception) -> Response:
    return error_response(request, 422, "invalid", str(exc))


async def _unreadable(request: Request, exc: Exception) -> Response:
    """Invalid parameters: the message names each with what is allowed."""
    assert isinstance(exc, RequestValidationError)
    problems = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in exc.errors()]
    return error_response(request, 422, "invalid", f"{'; '.join(problems)}. /api/docs lists what each endpoint takes.")


async def _http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    message = exc.detail
    if exc.status_code == 404 and message == "Not Found":
        message = f"Page not found: {request.url.path}. /training lists the runs, /api/docs the API."
    headers = dict(exc.headers) if exc.headers else None
    return error_response(request, exc.status_code, _CODES.get(exc.status_code, "error"), message, headers)
