"""What recording costs a trial, and what the database takes of many."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from rounds import environ, print_table, printed, script, summary

from rlsweep.settings import Settings
from rlsweep.store.opening import open_database

PROCESSES = 2


def recording_ratio(*, steps: int, rounds: int) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds of training with and without recording, and their ratio, round by round."""
    seconds = printed("recorded_training.py", steps, rounds)
    return seconds, [a / b for a, b in zip(seconds["recorded"], seconds["not recorded"], strict=True)]


def ingest(*, trials: int, flushes: int, episodes: int, every_s: float) -> tuple[list[float], int]:
    """Milliseconds of every flush of so many trials at once, and how many episodes are on record after that."""
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        home = Path(name)
        with open_database(Settings(home=home, storage=home, database_url=None)) as database:
            arguments = (database.url, trials // PROCESSES, flushes, episodes, every_s)
            simulations = [
                subprocess.Popen(
                    script("simulated_trials.py", *arguments), env=environ(), stdout=subprocess.PIPE, text=True
                )
                for _ in range(PROCESSES)
            ]
            milliseconds = [each for simulation in simulations for each in json.loads(simulation.communicate()[0])]
            with database.readonly() as connection:
                row = connection.execute("select count(*) as recorded from episodes").fetchone()
    assert row is not None
    return milliseconds, row["recorded"]


def test_recording() -> None:
    seconds, ratio = recording_ratio(steps=40_960, rounds=5)
    rows = {name: summary(values, " s") for name, values in seconds.items()}
    rows["recorded / not recorded (reach 1.02)"] = f"{np.median(ratio):.3f} ({min(ratio):.3f} to {max(ratio):.3f})"
    print_table("connect_four, 40,960 env steps, fast engine, 5 rounds", rows)


def test_ingest() -> None:
    milliseconds, recorded = ingest(trials=200, flushes=15, episodes=150, every_s=2.0)
    at = {share: float(np.percentile(milliseconds, share)) for share in (50, 95, 99)}
    rows = {f"flush, {share}th percentile": f"{value:.1f} ms" for share, value in at.items()}
    rows["flush, longest"] = f"{max(milliseconds):.1f} ms"
    rows["episodes on record"] = f"{recorded:,} of {200 * 15 * 150:,}"
    print_table("200 trials that flush 150 episodes every 2 s (reach: 95th percentile of 100 ms)", rows)
    assert recorded == 200 * 15 * 150
