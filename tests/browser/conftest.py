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
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    WebError,
    expect,
    sync_playwright,
)

from rlsweep.runs import EndReason
from rlsweep.store import training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep
from tests.helpers.tournaments import record_tournament
from tests.helpers.web_server import in_thread

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
QUIET = "/static/x/js/early.js"
"""Shown as text: nothing of it runs, and Chromium keeps the process, which a blank page would end."""

TRACEBACK = """Traceback (most recent call last):
  File "/srv/train.py", line 97, in train
    model.learn(total_timesteps=steps)
  File "/srv/sanity.py", line 51, in _check
    raise DivergedError("the value loss became NaN")
rlsweep.errors.DivergedError: the value loss became NaN"""


@dataclass(kw_only=True)
class Site:
    """Training History over a database; `url` has no slash at its end. `process`: the running `rlsweep serve`."""

    url: str
    database: Database
    process: subprocess.Popen[str] | None = None
    has_ended: bool = False


@dataclass(kw_only=True)
class Watched:
    """What went wrong on the pages of one test. `expected`: parts of console errors that the test brings about."""

    host: str
    expected: tuple[str, ...]
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def watching(self, context: BrowserContext) -> Iterator[None]:
        handlers: dict[Any, Any] = {
            "console": self._console,
            "weberror": self._uncaught,
            "request": self._request,
            "dialog": self._dialog,
        }
        for event, handler in handlers.items():
            context.on(event, handler)
        yield
        for event, handler in handlers.items():
            context.remove_listener(event, handler)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self.expected):
            self.problems.append(f"{message.type}: {message.text} at {message.location}")

    def _uncaught(self, error: WebError) -> None:
        self.problems.append(f"uncaught: {error.error}")

    def _dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

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
def serving() -> Callable[..., AbstractContextManager[Site]]:
    """A context with a site over a database, with a token if one is given, for what needs no process of its own."""

    @contextmanager
    def open_site(database: Database, token: str | None = None) -> Iterator[Site]:
        with in_thread(database, token) as url:
            site = Site(url=url, database=database)
            try:
                yield site
            finally:
                site.has_ended = True

    return open_site


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Site]]:
    """A context with `rlsweep serve` over a database, which it may reach by another URL than the tests do."""
    return _serve


@contextmanager
def _serve(database: Database, url: str | None = None) -> Iterator[Site]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RLSWEEP_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "rlsweep", "serve", "--port", "0"],
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
        site = Site(url=f"http://127.0.0.1:{parts.port}", database=database, process=process)
        try:
            yield site
        finally:
            site.has_ended = True
    finally:
        process.terminate()
        ended = process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
        assert ended in (0, -signal.SIGTERM), "the server did not end as asked"


def _new_page(chromium: Browser, **options: Any) -> Page:
    """A page in a context of its own."""
    context = chromium.new_context(reduced_motion="reduce", accept_downloads=True, **options)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


@pytest.fixture(scope="session")
def tab(chromium: Browser) -> Iterator[Page]:
    """The page that tests take one after the other: Chromium spends 1.5 s of CPU on each new one."""
    page = _new_page(chromium)
    yield page
    page.context.close()


@contextmanager
def _as_new(page: Page, site: Site) -> Iterator[None]:
    """Leaves nothing of what a test did on a page to the next: what the site stored, routes, permissions, the mouse."""
    yield
    page.unroute_all(behavior="ignoreErrors")
    if site.has_ended:
        page.goto("about:blank")
    else:
        page.goto(site.url + QUIET)
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.context.clear_cookies()
    page.context.clear_permissions()
    page.mouse.move(0, 0)


@pytest.fixture
def visit(chromium: Browser, tab: Page) -> Iterator[Callable[..., Page]]:
    """Opens an address of a site; all that went wrong there is told at the end.

    A test's first visit without further options for a context takes the page that tests share, as good as new.
    """
    with ExitStack() as stack:
        watchers: list[Watched] = []

        def open_page(
            site: Site,
            path: str,
            *,
            width: int = 1280,
            color_scheme: Literal["light", "dark"] = "light",
            permissions: tuple[str, ...] = (),
            expected: tuple[str, ...] = (),
            **options: Any,
        ) -> Page:
            if options or watchers:
                page = _new_page(chromium, **options)
                stack.callback(page.context.close)
            else:
                page = tab
                stack.enter_context(_as_new(page, site))
            watched = Watched(host=urlsplit(site.url).netloc, expected=expected)
            stack.enter_context(watched.watching(page.context))
            watchers.append(watched)
            page.context.grant_permissions(permissions)
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=color_scheme)
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
