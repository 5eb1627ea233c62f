"""The pages of Training History and their template contexts; the browser fetches the data from the JSON API."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rlsweep.errors import NotFoundError, SchemaError, StoreUnavailableError
from rlsweep.store import sweeps as store_sweeps
from rlsweep.store import training_runs
from rlsweep.store.database import Database
from rlsweep.web.assets import asset_url
from rlsweep.web.importance_process import ImportanceProcess
from rlsweep.web.parameters import database_of
from rlsweep.web.templating import page


def _begin_importance(request: Request) -> None:
    """Let the process of a panel start: the page's own requests follow."""
    process = request.app.state.importance
    assert isinstance(process, ImportanceProcess)
    process.begin()


router = APIRouter(include_in_schema=False, dependencies=[Depends(_begin_importance)])

INTRODUCTION = (
    "The pages get all their data from these addresses, as JSON. Notes, tags and saved views can be written: from a "
    "page, or with this server's address in the header Origin. Times are ISO 8601 in UTC, unknown values are null, "
    "and an error is {“error”: {“code”, “message”}}."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Context of every page.

    title: title of the browser's tab
    section: runs, sweeps or api, highlighted in the navigation; empty for none
    """

    title: str
    section: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPage(Page):
    """One run. run_id: from the address; the run may not exist."""

    run_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepPage(Page):
    """One sweep. sweep_id: its id or name, from the address; the sweep may not exist."""

    sweep_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorPage(Page):
    """An error. hint, command: what the user can do; empty if there is nothing."""

    status: int
    message: str
    hint: str
    command: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A parameter or a field of a response. kind: its type in words."""

    name: str
    kind: str
    description: str
    required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One endpoint of the API.

    description, answer: paragraphs about the endpoint and about its response
    example: a curl command that requests it
    """

    anchor: str
    method: str
    path: str
    summary: str
    description: tuple[str, ...]
    parameters: tuple[Field, ...]
    answer: tuple[str, ...]
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocsPage(Page):
    """The API, made from its OpenAPI document."""

    introduction: str
    operations: tuple[Operation, ...]


TEMPLATES: dict[str, type[Page]] = {
    "runs.html": Page,
    "run.html": RunPage,
    "sweeps.html": Page,
    "sweep.html": SweepPage,
    "compare.html": Page,
    "error.html": ErrorPage,
    "api_docs.html": DocsPage,
}
"""Each template and the type of its context; a template has no other variables."""

_ERRORS: dict[int, tuple[str, str, str]] = {
    400: ("This address cannot be used", "", ""),
    401: ("A token is needed", "", ""),
    404: (
        "Not found",
        "It may have been deleted, or belong to another RLSWEEP_HOME. These list what is on record:",
        "",
    ),
    405: (
        "Only reading is possible at this address",
        "Runs are started, stopped and deleted from the command line:",
        "rlsweep --help",
    ),
    500: (
        "Something went wrong on the server",
        "The terminal in which the server runs shows the details. To see them in full, start it with:",
        "rlsweep serve --debug",
    ),
    503: (
        "The database is unreachable",
        "This page tries again by itself. If it stays away, look at the address of the database:",
        "rlsweep db url",
    ),
}
"""Status → title, hint, command."""


@router.get("/")
def start() -> Response:
    """Redirect to the list of runs."""
    return RedirectResponse("/training")


@router.get("/favicon.ico")
def icon() -> Response:
    """The icon, for which a browser asks here beside what is no page and names none, such as JSON."""
    return RedirectResponse(asset_url("img/mark.svg"))


@router.get("/training")
def runs() -> HTMLResponse:
    """The list of training runs."""
    return page("runs.html", Page(title="Training runs", section="runs"))


@router.get("/training/runs/{run_id}")
def run(request: Request, run_id: str) -> HTMLResponse:
    """One training run; status 404 if it does not exist."""
    context = RunPage(title=f"Run {_short(run_id)}", section="runs", run_id=run_id)
    return page("run.html", context, status_code=_status(training_runs.get, request, run_id))


@router.get("/training/sweeps")
def sweeps() -> HTMLResponse:
    """The list of sweeps."""
    return page("sweeps.html", Page(title="Sweeps", section="sweeps"))


@router.get("/training/sweeps/{sweep_id}")
def sweep(request: Request, sweep_id: str) -> HTMLResponse:
    """One sweep; status 404 if it does not exist."""
    context = SweepPage(title=f"Sweep {_short(sweep_id)}", section="sweeps", sweep_id=sweep_id)
    return page("sweep.html", context, status_code=_status(store_sweeps.get, request, sweep_id))


@router.get("/training/compare")
def compare() -> HTMLResponse:
    """The comparison of any runs."""
    return page("compare.html", Page(title="Compare", section="runs"))


@router.get("/api/docs")
def api_docs(request: Request) -> HTMLResponse:
    """The documentation of the API."""
    context = DocsPage(
        title="The API",
        section="api",
        introduction=INTRODUCTION,
        operations=operations(request.app.openapi(), base=str(request.base_url).rstrip("/")),
    )
    return page("api_docs.html", context)


def error_page(_request: Request, status: int, _code: str, message: str) -> HTMLResponse:
    """The page of an error; it needs no database."""
    title, hint, command = _ERRORS.get(status, ("This did not work", "", ""))
    context = ErrorPage(title=title, section="", status=status, message=message, hint=hint, command=command)
    return page("error.html", context, status_code=status)


def operations(document: dict[str, Any], *, base: str) -> tuple[Operation, ...]:
    """The endpoints of an OpenAPI document, in its order."""
    return tuple(
        _operation(document, path, method, details, base)
        for path, methods in document["paths"].items()
        for method, details in methods.items()
    )


def _operation(document: dict[str, Any], path: str, method: str, details: dict[str, Any], base: str) -> Operation:
    answer = details.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
    given = details.get("parameters", [])
    return Operation(
        anchor=re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-"),
        method=method.upper(),
        path=path,
        summary=details.get("summary", ""),
        description=_paragraphs(details.get("description", "")),
        parameters=_body_fields(document, details)
        + tuple(
            Field(
                name=each["name"],
                kind=_kind(document, each.get("schema", {})).removesuffix(" or null"),
                description=_described(each.get("description", ""), each.get("schema", {})),
                required=bool(each.get("required")),
            )
            for each in given
        ),
        answer=_paragraphs(_resolve(document, answer.get("schema", {})).get("description", "")),
        fields=_fields(document, answer.get("schema", {})),
        example=f"curl {_writing_flags(method, base)}'{base}{path}{_example_query(given)}'",
    )


def _body_fields(document: dict[str, Any], details: dict[str, Any]) -> tuple[Field, ...]:
    """The fields of the JSON that a request sends; none for one that only reads."""
    schema = details.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    about = " ".join(_paragraphs(_resolve(document, schema).get("description", ""))[1:])
    found = _walk(document, schema, prefix="", depth=1)
    return tuple(replace(field, description=f"In the JSON body. {about}".strip()) for field in found)


def _writing_flags(method: str, base: str) -> str:
    """The flags of curl for a request that writes; none for one that only reads."""
    if method == "get":
        return ""
    data = "" if method == "delete" else " -d '{…}'"
    return f"-X {method.upper()} -H 'Origin: {base}' -H 'Content-Type: application/json'{data} "


def _paragraphs(text: str) -> tuple[str, ...]:
    """Split a docstring into paragraphs: one per line, with code in quotation marks instead of backticks."""
    quoted = re.sub(r"`([^`]*)`", r"“\1”", text)
    return tuple(line.strip() for part in quoted.split("\n\n") for line in part.split("\n") if line.strip())


def _example_query(given: list[dict[str, Any]]) -> str:
    """The query string of an example request: required parameters, and those with an example value."""
    values = {
        each["name"]: each.get("schema", {}).get("examples", ["…"])[0]
        for each in given
        if each.get("in") == "query" and (each.get("required") or "examples" in each.get("schema", {}))
    }
    return "?" + "&".join(f"{name}={value}" for name, value in values.items()) if values else ""


def _described(description: str, schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return description if default in (None, [], "") else f"{description} Default: {default}.".strip()


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> tuple[Field, ...]:
    """The fields of a response; fields of listed objects follow their list, under dotted names."""
    return tuple(_walk(document, schema, prefix="", depth=2))


def _walk(document: dict[str, Any], schema: dict[str, Any], *, prefix: str, depth: int) -> list[Field]:
    resolved = _resolve(document, schema)
    found: list[Field] = []
    for name, child in resolved.get("properties", {}).items():
        full = f"{prefix}{name}"
        found.append(
            Field(
                name=full,
                kind=_kind(document, child),
                description=child.get("description", ""),
                required=name in resolved.get("required", []),
            )
        )
        inner = _resolve(document, child)
        if depth > 1 and inner.get("type") == "array":
            found += _walk(document, inner.get("items", {}), prefix=f"{full}[].", depth=depth - 1)
    return found


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = document
    for part in str(reference).removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    schema = _resolve(document, schema)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_kind(document, choice) for choice in choices))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    return str(schema.get("format", kind)) if kind == "string" else kind


def _status(get: Callable[[Database, str], object], request: Request, reference: str) -> int:
    """404 if nothing on record has this reference. Without the database 200: the page says so, and tries again."""
    try:
        get(database_of(request), reference)
    except NotFoundError:
        return 404
    except (StoreUnavailableError, SchemaError):
        return 200
    return 200


def _short(reference: str) -> str:
    """Shorten a reference for the browser's tab: a UUID to its first 8 characters, a name to 60."""
    try:
        return str(UUID(reference))[:8]
    except ValueError:
        return reference if len(reference) <= 60 else f"{reference[:59]}…"
