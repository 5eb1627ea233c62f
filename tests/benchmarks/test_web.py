"""Training History at the size that years of sweeps leave: answers over real HTTP, memory of the server, and plans."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import web_grid
import web_record
from rounds import environ, print_table
from web_record import Size

from rlsweep.runs import RunStatus
from rlsweep.settings import Settings
from rlsweep.store import listing
from rlsweep.store.database import Database
from rlsweep.store.listing import Filters
from rlsweep.store.listing_order import Order, SortKey
from rlsweep.store.opening import open_database

ROUNDS = 5
LIST_REQUESTS = 20
CURVE_REQUESTS = 6

LISTS = {
    "newest first": "",
    "by mean reward": "sort=-mean_reward",
    "by duration": "sort=-duration",
    "of an agent, by score": "agent_id=agent_3&sort=-score",
    "by sweep": "sort=sweep",
    "by a hyperparameter": "sort=-hyperparameter:learning_rate",
    "of an agent": "agent_id=agent_3",
    "of an environment": "environment=open_spiel/connect_four",
    "with a tag": "tag=good",
    "with a tag, by mean reward": "tag=good&sort=-mean_reward",
    "failed": "status=failed",
    "running, by episodes": "status=running&sort=-episodes",
    "of an agent, completed, by win rate": "agent_id=agent_3&status=completed&sort=-win_rate",
    "free text": "q=variant+4+of",
    "free text that nothing has": "q=nothing%25",
}


_GRID = f"/api/sweeps/{web_grid.NAME}"

PANELS = {
    "the page": f"/training/sweeps/{web_grid.NAME}",
    "head and progress": _GRID,
    "report, with the decision card, the leaderboard and the slices": f"{_GRID}/report",
    "training health": f"{_GRID}/diagnosis",
    "differences of all configs to the base config": f"{_GRID}/differences",
    "difference of one config": f"{_GRID}/differences?config=grid_v1&points=200",
    "what another hour buys": f"{_GRID}/prospects",
    "a shorter sweep": f"{_GRID}/shorter",
    "what matters": f"{_GRID}/importance",
    "tournament": f"{_GRID}/tournaments",
    "bands of its configs": f"/api/bands?sweep={web_grid.NAME}",
    "colours": f"/api/colours?sweep={web_grid.NAME}",
    "compare": f"/api/compare?sweep={web_grid.NAME}",
}
"""What the page of a sweep of 32 configs with 5 seeds asks for, and Compare of its runs."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Milliseconds a request by what was asked, of all rounds; megabytes of the server at the end of each round.

    cpu: milliseconds of processor time a request, of the server and of PostgreSQL, which depend less on other work on
        the machine; one value a round
    load: of the machine, in processes that run or wait for a core, at the end of each round
    importance_megabytes: of the process that computes what matters
    """

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    load: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    importance_megabytes: list[float] = field(default_factory=list)


@contextmanager
def served(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A `rlsweep serve` of its own: its address and its process."""
    command = [sys.executable, "-m", "rlsweep", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environ(RLSWEEP_HOME=str(home)), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = re.search(r"http://\S+?(?=/training)", server.stdout.readline())
            assert address is not None
            yield address[0], psutil.Process(server.pid)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)


class Asked:
    """Asks a server, and notes the time that this takes."""

    def __init__(self, measured: Measured, address: str, server: psutil.Process, home: Path) -> None:
        self._measured, self._address, self._server = measured, address, server
        (pid_file,) = home.rglob("postmaster.pid")
        self._database = psutil.Process(int(pid_file.read_text().split()[0]))

    def __call__(self, name: str, path: str, times: int) -> None:
        before = self._cpu()
        milliseconds = [fetch(self._address, path)[1] for _ in range(times)]
        self._measured.milliseconds.setdefault(name, []).extend(milliseconds)
        self._measured.cpu.setdefault(name, []).append((self._cpu() - before) / times)

    def _cpu(self) -> float:
        """Milliseconds of the server so far, and of PostgreSQL's sessions that have ended: each request has its own."""
        ours, ended = self._server.cpu_times(), self._database.cpu_times()
        return 1e3 * (ours.user + ours.system + ended.children_user + ended.children_system)


def fetch(address: str, path: str) -> tuple[bytes, float]:
    """What the server answers, and the milliseconds that it took."""
    began = time.perf_counter()
    with urllib.request.urlopen(f"{address}{path}", timeout=60) as answer:
        body = answer.read()
    return body, 1e3 * (time.perf_counter() - began)


def measure(home: Path, size: Size, *, rounds: int, list_requests: int, curve_requests: int) -> Measured:
    """Ask everything of a new server each round."""
    measured = Measured()
    with open_database(Settings(home=home, storage=home, database_url=None)) as database:
        chosen = "&".join(f"run={run_id}" for run_id in long_runs(database, size))
    for _ in range(rounds):
        with served(home) as (address, process):
            ask = Asked(measured, address, process, home)
            asked: dict[str, tuple[str, int]] = {
                f"list, {name}": (f"/api/training-runs?{query}", list_requests) for name, query in LISTS.items()
            }
            page = json.loads(fetch(address, "/api/training-runs")[0])
            rows = "&".join(f"id={run['id']}" for run in page["runs"])
            asked |= {
                "list, the second page": (f"/api/training-runs?cursor={page['next_cursor']}", list_requests),
                "sparklines of 50 runs": (f"/api/training-runs/sparklines?{rows}", list_requests),
                "sweeps": ("/api/sweeps", list_requests),
                "environments and tags": ("/api/choices", list_requests),
                "hyperparameters of 50 runs": (f"/api/training-runs/hyperparameters?{rows}", list_requests),
                "hyperparameters that vary": ("/api/training-runs/hyperparameters/varying", list_requests),
                "curves of 16 long runs": (f"/api/curves?{chosen}", curve_requests),
                "bands of 16 long runs": (f"/api/bands?{chosen}", curve_requests),
            }
            # Both servers are new: what is asked for first is read from disk, or from the system's cache of it.
            ask("curves of 16 long runs, the first of a server", f"/api/curves?{chosen}", 1)
            # A browser opens the list before a sweep; with it begins the process that computes what matters.
            ask("the page itself", "/training", 1)
            for name, (path, times) in asked.items():
                ask(name, path, times)
            for name, path in PANELS.items():
                ask(f"grid, {name}", path, curve_requests)
            ask("report of 16 long runs", f"/api/compare?{chosen}", 1)
            measured.load.append(os.getloadavg()[0])
            measured.megabytes.append(process.memory_info().rss / 1e6)
            (computes,) = (each for each in process.children() if "rlsweep.spaces.importance_child" in each.cmdline())
            measured.importance_megabytes.append(computes.memory_info().rss / 1e6)
    return measured


def long_runs(database: Database, size: Size) -> list[str]:
    """The runs with the most episodes."""
    page = listing.list_page(database, Order(key=SortKey.EPISODES), Filters(), size.long_runs)
    return [str(run.id) for run in page.runs]


class Explained(Database):
    """A database that notes how it finds the rows of each page of the list."""

    @contextmanager
    def readonly(self) -> Iterator[Any]:
        with super().readonly() as connection:
            execute = connection.execute

            def explain_and_execute(statement: Any, values: Any = None) -> Any:
                text = statement if isinstance(statement, bytes) else statement.as_string(connection).encode()
                if b"with page as" in text:
                    plan = execute(b"explain " + text, values)
                    PLANS.append("\n".join(row["QUERY PLAN"] for row in plan))
                return execute(statement, values)

            connection.execute = explain_and_execute
            yield connection


PLANS: list[str] = []


def plans(database: Database) -> dict[str, list[str]]:
    """How the database finds the rows of each list: both ways of each order, two pages each, and each filter."""
    explained = Explained(database.url)
    some_sweep = listing.list_page(database, Order(), Filters(), 1).runs[0].sweep_id
    assert some_sweep is not None
    filters = {
        "of an agent": Filters(agent_ids=("agent_3",)),
        "of two agents": Filters(agent_ids=("agent_3", "agent_5")),
        "failed": Filters(statuses=(RunStatus.FAILED,)),
        "with a tag": Filters(tags=("good",)),
        "of a sweep": Filters(sweep_ids=(some_sweep,)),
    }
    found = {}
    for key in SortKey:
        for descending in (True, False):
            PLANS.clear()
            order = Order(key=key, descending=descending)
            first = listing.list_page(explained, order, Filters(), 50)
            listing.list_page(explained, order, Filters(), 50, first.next)
            found[f"by {key}, {'descending' if descending else 'ascending'}"] = list(PLANS)
    for name, chosen in filters.items():
        PLANS.clear()
        listing.list_page(explained, Order(), chosen, 50)
        found[name] = list(PLANS)
    return found


def assert_indexed(found: Mapping[str, list[str]]) -> None:
    """No list reads all runs to show some."""
    for name, pages in found.items():
        assert pages, name
        for plan in pages:
            assert "Seq Scan on training_runs" not in plan, f"{name}:\n{plan}"


def percentile_95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def table(measured: Measured) -> Mapping[str, str]:
    rows = {}
    for name, values in measured.milliseconds.items():
        spread = f"median {statistics.median(values):6.1f}, 95% below {percentile_95(values):6.1f}"
        cpu = statistics.median(measured.cpu[name])
        rows[name] = f"{spread} ms ({min(values):.1f} to {max(values):.1f}, {len(values)} requests), CPU {cpu:.0f} ms"
    lists = [value for name, values in measured.milliseconds.items() if name.startswith("list") for value in values]
    rows["all lists (reach 100)"] = f"median {statistics.median(lists):6.1f}, 95% below {percentile_95(lists):6.1f} ms"
    panels = [value for name, values in measured.milliseconds.items() if name.startswith("grid") for value in values]
    rows["all panels of the grid (reach 500)"] = (
        f"median {statistics.median(panels):6.1f}, 95% below {percentile_95(panels):6.1f} ms"
    )
    rows["load of the machine"] = ", ".join(f"{load:.1f}" for load in measured.load)
    both = [sum(pair) for pair in zip(measured.megabytes, measured.importance_megabytes, strict=True)]
    for name, memory in {
        "memory of the server, report included (reach 300)": measured.megabytes,
        "memory of the process that computes what matters": measured.importance_megabytes,
        "memory of both": both,
    }.items():
        rows[name] = f"median {statistics.median(memory):.0f} MB ({min(memory):.0f} to {max(memory):.0f})"
    return rows


def test_training_history() -> None:
    size = web_record.FULL
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        home = Path(name)
        with open_database(Settings(home=home, storage=home, database_url=None)) as database:
            web_record.load(database, size)
            web_grid.load(database, web_grid.FULL)
            chosen = plans(database)
        measured = measure(home, size, rounds=ROUNDS, list_requests=LIST_REQUESTS, curve_requests=CURVE_REQUESTS)
    title = (
        f"Training History over {size.runs:,} runs and {size.episodes:,} episodes, {ROUNDS} servers one after the other"
    )
    print_table(title, table(measured))
    assert_indexed(chosen)
