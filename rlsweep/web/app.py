"""The application: API, pages and assets over one database, behind the guard."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from rlsweep.store.database import Database
from rlsweep.version import __version__
from rlsweep.web import pages
from rlsweep.web.api import about, curves, runs, sweeps
from rlsweep.web.assets import Assets
from rlsweep.web.errors import add_handlers
from rlsweep.web.guard import Guard

DESCRIPTION = "What rlsweep recorded: sweeps, training runs and their curves. Everything here reads; nothing writes."


THREADS = 8
"""Requests answered at a time: a page asks for some at once, and each holds a connection and the memory it takes."""


@asynccontextmanager
async def _limited(_app: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


def create_app(database: Database, *, allowed_hosts: Collection[str], token: str | None) -> FastAPI:
    """Build the application; see `Guard` for hosts and token. The database need not be there yet."""
    app = FastAPI(
        title="Training History",
        description=DESCRIPTION,
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere; ours is /api/docs
        redoc_url=None,
        lifespan=_limited,
    )
    app.state.database = database
    for room in (about, runs, sweeps, curves):
        app.include_router(room.router, prefix="/api")
    app.include_router(pages.router)
    app.mount("/static", Assets())
    add_handlers(app)
    app.add_middleware(Guard, allowed_hosts=allowed_hosts, token=token)
    return app
