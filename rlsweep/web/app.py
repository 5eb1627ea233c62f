"""The FastAPI application: API, pages and assets of one database, with the guard as middleware."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from rlsweep.reports.score_order import ScoreMemory
from rlsweep.store.database import Database
from rlsweep.version import __version__
from rlsweep.web import pages, prometheus
from rlsweep.web.api import (
    about,
    annotations,
    budget,
    choices,
    colours,
    curves,
    diagnosis,
    differences,
    importance,
    runs,
    sweeps,
    tournaments,
    views,
)
from rlsweep.web.assets import Assets
from rlsweep.web.errors import add_handlers
from rlsweep.web.guard import Guard
from rlsweep.web.importance_process import ImportanceProcess
from rlsweep.web.memory import AnswerMemory

DESCRIPTION = "Sweeps, training runs and their curves, as rlsweep recorded them, with notes, tags and saved views."


THREADS = 8
"""Requests handled at the same time. A page sends several at once; each needs a database connection and memory."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    try:
        yield
    finally:
        app.state.importance.close()


def create_app(database: Database, *, allowed_hosts: Collection[str], token: str | None) -> FastAPI:
    """Build the application; see `Guard` for hosts and token. The database may still be unreachable."""
    app = FastAPI(
        title="Training History",
        description=DESCRIPTION,
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's own pages load scripts from other hosts; ours is /api/docs
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.database = database
    app.state.scores = ScoreMemory()
    app.state.answers = AnswerMemory()
    app.state.importance = ImportanceProcess()
    for room in (
        about,
        choices,
        annotations,
        budget,
        colours,
        curves,
        diagnosis,
        differences,
        importance,
        runs,
        sweeps,
        tournaments,
        views,
    ):
        app.include_router(room.router, prefix="/api")
    app.include_router(pages.router)
    app.include_router(prometheus.router)
    app.mount("/static", Assets())
    add_handlers(app)
    app.add_middleware(Guard, allowed_hosts=allowed_hosts, token=token)
    return app
