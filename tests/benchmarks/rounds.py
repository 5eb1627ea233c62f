"""Whole processes, timed in alternation; medians with their range, ratios round by round."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

NO_RAY: Mapping[str, str] = {}
"""Nothing to join: a Ray is started."""


def environ(**given: str) -> dict[str, str]:
    """One thread a process, bytecode kept as on any user's machine, and `tests` to be imported from.

    given: what else is set, such as the variables of a running Ray, which is joined then where one would be started
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_", "PYTHONDONT"))}
    ours = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    return kept | ours | given


def seconds_of(command: Sequence[str], **given: str) -> float:
    """Wall seconds of a whole process; its output is shown only where it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, env=environ(**given), capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - began
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return elapsed


def script(name: str, *arguments: object) -> list[str]:
    return [sys.executable, str(HERE / name), *map(str, arguments)]


def printed(name: str, *arguments: object, **given: str) -> Any:
    """The JSON that a script prints."""
    done = subprocess.run(script(name, *arguments), env=environ(**given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def summary(values: Sequence[float], unit: str = "") -> str:
    """Median (minimum to maximum)."""
    return f"{statistics.median(values):.2f}{unit} ({min(values):.2f} to {max(values):.2f})"


def print_table(title: str, rows: Mapping[str, str]) -> None:
    width = max(map(len, rows))
    print(f"\n{title}")
    for name, value in rows.items():
        print(f"  {name:<{width}}  {value}")
