"""Trials that only record. Arguments: database URL, trials, flushes each, episodes a flush, seconds between flushes.

Prints JSON: the milliseconds of every flush, and the most connections that were open at once. Each trial is a run with
an attempt of its own and a thread of its own.
"""

import json
import random
import sys
import threading
import time
from functools import partial
from typing import Any

import psycopg

from rlsweep.runs import Episode, NewRun, Outcome
from rlsweep.store import recording, transitions
from rlsweep.store.database import Database
from rlsweep.store.recording import Batch, Progress
from rlsweep.store.retry import retry_while_away


class OpenConnections:
    """Counts this process's connections from its side: the server's own end of a closed one lives a moment longer."""

    def __init__(self) -> None:
        self.most = 0
        self._made: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()
        self._connect = psycopg.Connection.connect
        psycopg.Connection.connect = self._counted  # type: ignore[method-assign]

    def _counted(self, *given: Any, **options: Any) -> psycopg.Connection[Any]:
        made = self._connect(*given, **options)
        with self._lock:
            self._made = [*(each for each in self._made if not each.closed), made]
            self.most = max(self.most, len(self._made))
        return made


def planned(number: int) -> NewRun:
    return NewRun(
        trial_key=None, agent_id="bench", algorithm="MaskablePPO", version=1, sweep_variant=None, config_name="Bench",
        config_short_name=f"bench_v{number}", config_path="bench.yaml", config={}, config_hash="", seed=number,
    )  # fmt: skip


def episodes_from(first: int, count: int) -> list[Episode]:
    return [
        Episode(episode=n, env_steps=10 * n, reward=(-1.0) ** n, length=10, outcome=Outcome.WIN, seconds=n / 50)
        for n in range(first, first + count)
    ]


def trial(database: Database, flushes: int, count: int, every_s: float, milliseconds: list[float], seed: int) -> None:
    time.sleep(random.Random(seed).uniform(0, every_s))
    created = retry_while_away(lambda: transitions.create_single(database, planned(seed)), seconds=60)
    run = retry_while_away(lambda: transitions.begin_attempt(database, created.id, {}), seconds=60)
    assert run is not None
    for number in range(flushes):
        due = time.monotonic() + every_s
        episodes = episodes_from(1 + number * count, count)
        progress = Progress(episodes=episodes[-1].episode, updates=0, env_steps=episodes[-1].env_steps)
        began = time.perf_counter()
        batch = Batch(progress=progress, episodes=episodes)
        retry_while_away(partial(recording.flush, database, run.id, run.attempt, batch), seconds=60)
        milliseconds.append(1000 * (time.perf_counter() - began))
        time.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    database, trials, flushes, count = Database(sys.argv[1]), *map(int, sys.argv[2:5])
    milliseconds: list[float] = []
    connections = OpenConnections()
    threads = [
        threading.Thread(target=trial, args=(database, flushes, count, float(sys.argv[5]), milliseconds, seed))
        for seed in range(trials)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"milliseconds": milliseconds, "connections": connections.most}))


main()
