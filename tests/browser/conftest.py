"""Training History in a real Chromium, before a real `rlsweep serve` on a real database.

Every page is watched: a console error, a violated security policy, an error that nobody caught or a request to another
host fails the test that opened it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from rlsweep.runs import EndReason
from rlsweep.store import training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep
from tests.helpers.tournaments import record_tournament

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PATIENCE_MS = 15_000

TRACEBACK = """Traceback (most recent call last):
  File "/srv/train.py", line 97, in train
    model.learn(total_timesteps=steps)
  File "/srv/sanity.py", line 51, in _check
    raise DivergedError("the value loss became NaN")
rlsweep.errors.DivergedError: the value loss became NaN"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running `rlsweep serve`; `url` has no slash at its end."""

    url: str
    database: Database
    process: subprocess.Popen[str]


@dataclass(kw_only=True)
class Watched:
    """What went wrong on the pages of one test. `expected`: parts of console errors that the test brings about."""

    host: str
    expected: tuple[str, ...]
    problems: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self.expected):
            self.problems.append(f"{message.type}: {message.text} at {message.location}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.host:
            self.problems.append(f"request to {request.url}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; skipped without it, unless RLSWEEP_REQUIRE_BROWSER=1."""
    if not CHROMIUM.exists():
        if os.environ.get("RLSWEEP_REQUIRE_BROWSER") == "1":
            pytest.fail(f"RLSWEEP_REQUIRE_BROWSER is set, but there is no {CHROMIUM}")
        pytest.skip(f"there is no {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Site]]:
    """A context with `rlsweep serve` over a database, with more arguments if any are given."""
    return _serve


@contextmanager
def _serve(database: Database, *arguments: str, url: str | None = None) -> Iterator[Site]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RLSWEEP_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "rlsweep", "serve", "--port", "0", *arguments],
        env=kept | {"RLSWEEP_DATABASE_URL": url or database.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert "http://" in said, said
        parts = urlsplit(said[said.index("http://") :].strip())
        yield Site(url=f"http://127.0.0.1:{parts.port}", database=database, process=process)
    finally:
        process.terminate()
        ended = process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
        assert ended in (0, -signal.SIGTERM), "the server did not end as asked"


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address of a site in a context of its own; all that went wrong there is told at the end."""
    with ExitStack() as stack:
        watchers: list[Watched] = []

        def open_page(
            site: Site, path: str, *, width: int = 1280, expected: tuple[str, ...] = (), **options: Any
        ) -> Page:
            context = chromium.new_context(
                viewport={"width": width, "height": 900}, reduced_motion="reduce", accept_downloads=True, **options
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            watched = Watched(host=urlsplit(site.url).netloc, expected=expected)
            watched.watch(context)
            watchers.append(watched)
            page = context.new_page()
            page.goto(site.url + path)
            return page

        yield open_page
        for watched in watchers:
            assert watched.problems == []


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A site that no test changes.

    `night`: four configs with three seeds, one of which failed; `later`: one config, with a tournament
    """

    site: Site
    night: Sweep
    later: Sweep


@pytest.fixture(scope="session")
def recorded(
    chromium: Browser,
    embedded_database: Database,
    copy_of: Callable[[Database], AbstractContextManager[Database]],
    record_into: Callable[..., Sweep],
    course: type[Any],
    serve: Callable[..., AbstractContextManager[Site]],
) -> Iterator[Recorded]:
    with copy_of(embedded_database) as database:
        night = record_into(
            database,
            {
                None: course(win_rate=0.7),
                "lr_high": course(win_rate=0.95, learning_rate=1e-3),
                "lr_low": course(win_rate=0.55, learning_rate=1e-4),
                "broken": course(error=TRACEBACK, failure=EndReason.DIVERGED, learning_rate=1e-2),
            },
        )
        later = record_into(database, {"lr_high": course(learning_rate=1e-3)}, seeds=1, name="later")
        record_tournament(database, training_runs.of_sweep(database, later.id), games=2)
        with serve(database) as site:
            yield Recorded(site=site, night=night, later=later)


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Deletes what a test added to the sweeps that all share."""
    yield
    if "recorded" not in request.fixturenames:
        return
    shared: Recorded = request.getfixturevalue("recorded")
    with psycopg.connect(shared.site.database.url) as connection:
        connection.execute("delete from sweeps where id <> all(%s)", ([shared.night.id, shared.later.id],))
        connection.execute(
            "delete from tournaments"
            " where id not in (select tournament_id from tournament_players where run_id is not null)"
        )


@pytest.fixture
def run_of(recorded: Recorded) -> Callable[..., str]:
    """The id of a run of `night` by config and seed."""

    def find(config: str, seed: int = 0) -> str:
        with psycopg.connect(recorded.site.database.url) as connection:
            row = connection.execute(
                "select id from training_runs where sweep_id = %s and config_short_name = %s and seed = %s",
                (recorded.night.id, config, seed),
            ).fetchone()
        assert row is not None
        return str(row[0])

    return find
