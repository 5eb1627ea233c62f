"""Ten thousand trials that do nothing: what each costs, what the driver holds, and whether a look at them is quick."""

import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rounds import NO_RAY, print_table, printed, seconds_of, summary
from test_web import fetch, served

SLOTS = 2
EARLY = 2_000
"""Trials after which the driver's memory is compared with that at the end."""


def many_trials(
    home: Path,
    *,
    trials: int,
    bare_trials: int,
    bare_after: bool = True,
    slots: int = SLOTS,
    ray: Mapping[str, str] = NO_RAY,
) -> dict[str, Any]:
    """What the sweep says of itself, and the seconds a trial of bare Tune takes before it, and after it if asked.

    ray: variables of a Ray to join instead of starting one each time
    """
    bare = [printed("bare_tune.py", bare_trials, slots, **ray)["seconds"] / bare_trials]
    idle: dict[str, Any] = printed("idle_trials.py", home, trials, slots, **ray)
    if bare_after:
        bare.append(printed("bare_tune.py", bare_trials, slots, **ray)["seconds"] / bare_trials)
    return idle | {"bare": bare}


def megabytes_at(megabytes: list[tuple[int, float]], trials: int) -> float:
    """The most that the driver held while up to so many trials were done."""
    return max(held for done, held in megabytes if done <= trials)


def looking(home: Path, *, rounds: int) -> dict[str, list[float]]:
    """Seconds of commands, as whole processes, and of requests to Training History."""
    commands = {
        "rlsweep status": ["status"],
        "rlsweep status --json": ["status", "--json"],
        "rlsweep runs": ["runs", "--sweep", "idle"],
        "rlsweep sweeps": ["sweeps"],
        "rlsweep --help": ["--help"],
    }
    pages = ("/api/sweeps", "/api/sweeps/idle", "/api/training-runs?sort=-mean_reward")
    seconds: dict[str, list[float]] = {name: [] for name in (*commands, *pages)}

    with served(home) as (address, _):
        for _round in range(rounds):
            for name, arguments in commands.items():
                command = [sys.executable, "-m", "rlsweep", *arguments]
                seconds[name].append(seconds_of(command, RLSWEEP_HOME=str(home)))
            for path in pages:
                seconds[path].append(fetch(address, path)[1] / 1e3)
    return seconds


def test_ten_thousand_trials() -> None:
    trials = 10_000
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        measured = many_trials(Path(name), trials=trials, bare_trials=1000)
        seconds = looking(Path(name), rounds=5)
    assert measured["completed"] == trials
    each = measured["training_seconds"] / trials
    early, late = (megabytes_at(measured["megabytes"], count) for count in (EARLY, trials))
    rows = {
        "seconds a trial (reach 0.06)": f"{each:.4f}",
        "bare Tune, seconds a trial": summary(measured["bare"]),
        "ours / bare Tune": f"{each / statistics.median(measured['bare']):.2f}",
        "driver's memory after 2,000 and 10,000 trials": f"{early:.0f} MB, {late:.0f} MB",
        "growth (reach 20%)": f"{late / early - 1:.1%}",
        "plan": f"{measured['submission']['plan']:.2f} s",
        "record of the plan": f"{measured['submission']['insert']:.2f} s",
        "first trial after the driver began": f"{measured['first_trial']:.1f} s",
    }
    rows |= {name: summary(values, " s") for name, values in seconds.items()}
    print_table("10,000 trials that do nothing, on 2 slots", rows)
