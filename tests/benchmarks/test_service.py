"""What a first trial waits for: with the service of `rlsweep up`, and without it."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rounds import environ, print_table, summary

ROUNDS = 7
PAUSE_S = 8.0
"""Between two rounds, as somebody takes who reads: the service has its next workers ready by then."""

AGENT = """\
agent_id: tiny
name: tiny
algorithm: MaskablePPO
version: 1
n_steps: 64
network: {net_arch: [8]}
"""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Seconds to the start of the first trial: since the command was typed, and since the sweep was on record."""

    typed: float
    recorded: float


@contextmanager
def service(home: Path, *, cpus: int) -> Iterator[None]:
    """The service, with ports of its own."""
    _run(home, "up", "--port", _free_port(), "--dashboard-port", _free_port(), "--cpus", str(cpus))
    try:
        yield
    finally:
        _run(home, "down")


def first_trial(home: Path) -> Start:
    """Submit a sweep of one short trial, to its end."""
    (home / "agent.yaml").write_text(AGENT)
    typed = time.time()
    _run(home, "submit", "agent.yaml", "--episodes", "3")
    status = json.loads(_run(home, "status", "--json"))
    began = datetime.fromisoformat(status["runs"][0]["started_at"]).timestamp()
    recorded = datetime.fromisoformat(status["sweep"]["created_at"]).timestamp()
    return Start(typed=began - typed, recorded=began - recorded)


def starts(rounds: int, pause_s: float, *, cpus: int = 2) -> dict[str, list[Start]]:
    """In alternation: two homes, one of them with its service up."""
    measured: dict[str, list[Start]] = {"with the service": [], "without it": []}
    with (
        tempfile.TemporaryDirectory() as with_it,
        tempfile.TemporaryDirectory() as without,
        service(Path(with_it), cpus=cpus),
    ):
        for _ in range(rounds):
            time.sleep(pause_s)
            measured["with the service"].append(first_trial(Path(with_it)))
            measured["without it"].append(first_trial(Path(without)))
    return measured


def _run(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "rlsweep", *arguments],
        cwd=home,
        env=environ(RLSWEEP_HOME=str(home), PYTHONPATH=os.environ.get("PYTHONPATH", str(Path(__file__).parents[2]))),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_the_first_trial_starts_at_once() -> None:
    measured = starts(ROUNDS, PAUSE_S)
    rows = {}
    for name, rounds in measured.items():
        rows[f"{name}, since it was typed"] = summary([start.typed for start in rounds], " s")
        rows[f"{name}, since it was on record (reach 1 s with the service)"] = summary(
            [start.recorded for start in rounds], " s"
        )
    print_table(f"to the start of the first trial, {ROUNDS} rounds", rows)
    medians = {name: statistics.median(start.recorded for start in rounds) for name, rounds in measured.items()}
    assert medians["with the service"] < medians["without it"]
