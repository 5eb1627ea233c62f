"""What changes while one looks: runs that train, and a database that goes and comes back."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect
from psycopg.conninfo import conninfo_to_dict

from rlsweep.runs import EndReason, NewRun
from rlsweep.store import sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep

pytestmark = [pytest.mark.integration, pytest.mark.browser]

TESTS = Path(__file__).parents[1]
AGENT = TESTS.parent / "config" / "agents" / "ppo_agent_sweep_lr_high.yaml"
BASE = {"environment": {"id": "slow_games:SlowConnectFour", "kwargs": {"seconds": 0.004}}}
TRAIN = ["train", "--agent-config", str(AGENT), "--mode", "smoke", "--episodes", "600", "--base-config", "base.json"]
TRAINING_MS = 300_000


def count(cell: Locator) -> int:
    return int(re.sub(r"[ ,]|/.*", "", cell.inner_text().split("\n")[0]))


@contextmanager
def training(database: Database, home: Path) -> Iterator[subprocess.Popen[str]]:
    """`rlsweep train`: twenty-five seconds at least, however fast the machine."""
    (home / "base.json").write_text(json.dumps(BASE))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RLSWEEP_", "RAY_"))}
    ours = {"RLSWEEP_DATABASE_URL": database.url, "RLSWEEP_HOME": str(home), "OMP_NUM_THREADS": "1"}
    ours["PYTHONPATH"] = str(TESTS / "chaos")
    with (home / "train.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "rlsweep", *TRAIN],
            cwd=home,
            env=kept | ours,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


@pytest.mark.slow
def test_a_run_appears_and_grows_while_it_trains(
    database: Database, serving: Callable[..., AbstractContextManager], visit: Callable[..., Page], home: Path
) -> None:
    with serving(database) as site:
        page = visit(site, "/training")
        expect(page.locator("#empty")).to_contain_text("No training runs yet")
        page.locator("#search").focus()
        with training(database, home) as process:
            row = page.locator("#runs tbody tr[data-key]")
            expect(row).to_have_count(1, timeout=TRAINING_MS)
            expect(page.locator("#search")).to_be_focused()
            expect(row.locator(".badge")).to_have_text("running", timeout=TRAINING_MS)
            row.locator(".check").check()
            episodes = row.locator("td.col-episodes .cell-text")
            expect(episodes).to_have_text(re.compile(r"^[1-9]"), timeout=TRAINING_MS)
            before, took = count(episodes), row.locator("td.col-duration").inner_text()
            expect(row.locator("td.col-duration")).not_to_have_text(took)
            expect(episodes).not_to_have_text(re.compile(rf"^{before:,} /"))
            assert count(episodes) > before
            expect(row.locator(".check")).to_be_checked()
            row.locator("a.cell-main").click()
            line = page.locator(".chart-card").first.locator("path.line").first
            expect(line).to_have_attribute("d", re.compile("^M"))
            drawn = line.get_attribute("d") or ""
            expect(line).not_to_have_attribute("d", drawn)
            expect(page.locator("h1 ~ .badge")).to_have_text("completed", timeout=TRAINING_MS)
            expect(page.locator("section[aria-label=Checkpoints]")).to_contain_text("Episode")
            assert process.wait(60) == 0, (home / "train.log").read_text()


def test_the_page_of_a_sweep_follows_it(
    recorded, new_run: Callable[..., NewRun], new_sweep: Callable[..., NewSweep], visit: Callable[..., Page]
) -> None:
    database = recorded.site.database
    config = training_runs.of_sweep(database, recorded.night.id)[0].config
    planned = new_sweep(name="followed", base_config=recorded.night.base_config)
    sweep = sweeps.create(database, planned, [new_run(seed=seed, config=config) for seed in (0, 1)])
    first, second = training_runs.of_sweep(database, sweep.id)
    page = visit(recorded.site, "/training/sweeps/followed")
    badge = page.locator("h1 ~ .badge")
    states = page.locator("section[aria-label=Runs] tbody .badge")
    expect(badge).to_have_text("pending")
    sweeps.take_lease(database, sweep.id, "driver")
    for run in (first, second):
        begun = transitions.begin_attempt(database, run.id, {})
        assert begun is not None
        expect(badge).to_have_text("running")
        expect(states.filter(has_text="running")).to_have_count(1)
        transitions.finish(database, run.id, begun.attempt, EndReason.COMPLETED)
    sweeps.settle(database, sweep.id)
    expect(badge).to_have_text("completed")
    expect(states).to_have_text(["completed", "completed"])


@dataclass
class Wire:
    """A TCP port in front of a database's Unix socket, that can be cut and mended; nobody else gets it meanwhile."""

    target: str
    listener: socket.socket = field(default_factory=lambda: _bound(0))
    ends: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def mend(self) -> None:
        self.listener.listen(32)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self) -> None:
        port = self.port
        for end in [self.listener, *self.ends]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.ends.clear()
        self.listener = _bound(port)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                ours, _ = listener.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(self.target)
                self.ends += [ours, theirs]
                for pair in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _bound(port: int) -> socket.socket:
    """Who connects there is refused until it listens."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@pytest.fixture
def wire(recorded) -> Iterator[tuple[Wire, str]]:
    """A wire to the recorded database, and the URL over it."""
    parts = conninfo_to_dict(recorded.site.database.url)
    with psycopg.connect(recorded.site.database.url) as connection:
        user = connection.info.user
    made = Wire(target=f"{parts['host']}/.s.PGSQL.{parts.get('port') or 5432}")
    made.mend()
    yield made, f"postgresql://{user}@127.0.0.1:{made.port}/{parts['dbname']}"
    made.cut()
    made.listener.close()


def test_says_that_the_database_is_away_and_goes_on_when_it_is_back(
    recorded, wire: tuple[Wire, str], serve: Callable[..., AbstractContextManager], visit: Callable[..., Page]
) -> None:
    cable, url = wire
    with serve(recorded.site.database, url) as site:
        page = visit(site, "/training", expected=("503",))
        expect(page.locator("#run-count")).to_have_text("13 runs")
        cable.cut()
        page.locator("#search").fill("lr_high")
        banner = page.locator("#connection-banner")
        expect(banner).to_contain_text("The database is unreachable", timeout=20_000)
        expect(page.locator("#runs tbody tr[data-key]")).to_have_count(13)
        page.goto(f"{site.url}/training/sweeps/night")
        expect(banner).to_contain_text("The database is unreachable", timeout=20_000)
        cable.mend()
        expect(banner).to_be_hidden(timeout=20_000)
        expect(page.locator("h1")).to_have_text("night")
        expect(page.locator(".leaderboard tbody tr")).to_have_count(4)


def test_says_that_the_server_is_gone(
    recorded, serve: Callable[..., AbstractContextManager], visit: Callable[..., Page]
) -> None:
    with serve(recorded.site.database) as site:
        page = visit(site, "/training", expected=("ERR_CONNECTION_REFUSED",))
        expect(page.locator("#run-count")).to_have_text("13 runs")
    page.locator("#search").fill("lr_high")
    expect(page.locator("#connection-banner")).to_contain_text("The server does not answer")
    page.set_viewport_size({"width": 390, "height": 500})
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("#connection-banner")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("kind", "panels"), [("runs", ".run-main .chart-card"), ("sweeps", ".leaderboard")])
def test_a_page_comes_back_after_an_error_that_passes(
    recorded, run_of, visit: Callable[..., Page], kind: str, panels: str
) -> None:
    reference = run_of("ppo_agent_v1") if kind == "runs" else str(recorded.night.id)
    page = visit(recorded.site, f"/training/{kind}/{reference}", expected=("500",))
    expect(page.locator(panels).first).to_be_visible()
    heading = page.locator("h1").inner_text()
    address = re.compile(rf"/api/[a-z-]+/{reference}$")
    page.route(address, lambda route: route.fulfill(status=500, json={"error": {"code": "internal", "message": "Oh."}}))
    expect(page.locator("h1")).to_contain_text("Cannot show", timeout=20_000)
    expect(page.locator("main")).to_contain_text("Oh.")
    page.unroute(address)
    expect(page.locator("h1")).to_have_text(heading, timeout=20_000)
    expect(page.locator(panels).first).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Oh.")
    expect(page.locator(".badge").first).to_be_visible()
