"""What recording costs a trial, and what the database takes of many."""

import json
import subprocess
import tempfile
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pooler
import psycopg
import pytest
from pooler import pooled
from rounds import environ, print_table, printed, script, summary

from rlsweep.settings import Settings
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database

PROCESSES = 2


def recording_ratio(*, steps: int, rounds: int) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds of training with and without recording, and their ratio, round by round."""
    seconds = printed("recorded_training.py", steps, rounds)
    return seconds, [a / b for a, b in zip(seconds["recorded"], seconds["not recorded"], strict=True)]


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """Of all trials.

    milliseconds: of every flush; recorded: episodes on record
    connections: the most that the server had at once, those included whose client has closed them just now
    held: the most that each simulating process held open at once, summed up
    """

    milliseconds: list[float]
    recorded: int
    connections: int
    held: int


def ingest(*, trials: int, flushes: int, episodes: int, every_s: float, pool: int | None = None) -> Ingest:
    """So many trials at once, straight to the server or through a PgBouncer with a pool of so many connections."""
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        home = Path(name)
        with (
            open_database(Settings(home=home, storage=home, database_url=None)) as database,
            nullcontext(database) if pool is None else pooled(database, pool=pool) as reached,
            Connections(database) as connections,
        ):
            arguments = (reached.url, trials // PROCESSES, flushes, episodes, every_s)
            simulations = [
                subprocess.Popen(
                    script("simulated_trials.py", *arguments), env=environ(), stdout=subprocess.PIPE, text=True
                )
                for _ in range(PROCESSES)
            ]
            said = [json.loads(simulation.communicate()[0]) for simulation in simulations]
            with database.readonly() as connection:
                row = connection.execute("select count(*) as recorded from episodes").fetchone()
    assert row is not None
    return Ingest(
        milliseconds=[each for simulation in said for each in simulation["milliseconds"]],
        recorded=row["recorded"],
        connections=connections.most,
        held=sum(simulation["connections"] for simulation in said),
    )


class Connections:
    """Counts the server's connections, its own left out, every 5 ms while the context lasts."""

    def __init__(self, database: Database) -> None:
        self.most = 0
        self._database = database
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._count)

    def __enter__(self) -> "Connections":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    def _count(self) -> None:
        with psycopg.connect(self._database.url, autocommit=True) as connection:
            while not self._leaving.wait(0.005):
                row = connection.execute(
                    "select count(*) from pg_stat_activity"
                    " where backend_type = 'client backend' and pid <> pg_backend_pid()"
                ).fetchone()
                assert row is not None
                self.most = max(self.most, row[0])


def test_recording() -> None:
    seconds, ratio = recording_ratio(steps=40_960, rounds=5)
    rows = {name: summary(values, " s") for name, values in seconds.items()}
    rows["recorded / not recorded (reach 1.02)"] = f"{np.median(ratio):.3f} ({min(ratio):.3f} to {max(ratio):.3f})"
    print_table("connect_four, 40,960 env steps, fast engine, 5 rounds", rows)


@pytest.mark.parametrize("pool", [None, 4], ids=["direct", "through PgBouncer"])
def test_ingest(pool: int | None) -> None:
    if pool is not None and pooler.program() is None:
        pytest.skip("PgBouncer is not installed: apt-get install pgbouncer")
    measured = ingest(trials=200, flushes=15, episodes=150, every_s=2.0, pool=pool)
    at = {share: float(np.percentile(measured.milliseconds, share)) for share in (50, 95, 99)}
    rows = {f"flush, {share}th percentile": f"{value:.1f} ms" for share, value in at.items()}
    rows["flush, longest"] = f"{max(measured.milliseconds):.1f} ms"
    rows["server connections at a time, at the most"] = str(measured.connections)
    rows["of them held by trials, at the most"] = str(measured.held)
    rows["episodes on record"] = f"{measured.recorded:,} of {200 * 15 * 150:,}"
    way = "" if pool is None else f", through PgBouncer with {pool} connections"
    print_table(f"200 trials that flush 150 episodes every 2 s{way} (reach: 95th percentile of 100 ms)", rows)
    assert measured.recorded == 200 * 15 * 150
