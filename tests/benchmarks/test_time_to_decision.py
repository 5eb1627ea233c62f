"""From the command to a decision: `rlsweep race` against the usual hand-written script, on 2 slots.

Sixteen configs of connect_four, 20,480 env steps each. The script trains every config with five seeds; it is run once,
and its picks are replayed from recorded scores. How good a pick is, is told by tests/data/connect_four_race.json.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from raced_configs import FIRST, OTHERS, STEPS, agent_of
from rounds import environ, print_table, script, seconds_of, summary

from rlsweep.deciding.race import decide
from rlsweep.jsonable import jsonable
from rlsweep.reports.race_record import inputs_of
from rlsweep.settings import Settings
from rlsweep.store import races, sweeps
from rlsweep.store.opening import open_database

ROUNDS = int(os.environ.get("RACE_ROUNDS", "5"))
SLOTS, GRID_SEEDS = 2, 5
DATA = Path(__file__).parents[1] / "data" / "connect_four_race.json"


def truth() -> dict[str, list[float]]:
    """Recorded win rates at the end, by config."""
    runs = json.loads(DATA.read_text())["runs"]
    return {name: [seed[1][0] for seed in seeds] for name, seeds in runs.items()}


def race(folder: Path, number: int) -> tuple[float, str, float]:
    """Seconds of the whole command, the config that it takes, and its env steps as a share of the full grid."""
    command = [
        *(sys.executable, "-m", "rlsweep", "race", str(folder / "agents"), "--json", "--name", f"race-{number}"),
        *("--total-timesteps", str(STEPS), "--max-concurrent", str(SLOTS)),
        *("--set", "environment=open_spiel/connect_four", "--set", f"seed={1000 * number}"),
    ]
    began = time.perf_counter()
    done = subprocess.run(
        command, env=environ(RLSWEEP_HOME=str(folder / "home")), capture_output=True, text=True, check=False
    )
    elapsed = time.perf_counter() - began
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout)["race"]
    return (
        elapsed,
        answer["take"].removeprefix("raced_"),
        answer["cost"]["env_steps"] / answer["cost"]["grid_env_steps"],
    )


def check_replays(home: Path, number: int) -> int:
    """Make the decisions of a race anew from their records: they come out the same. Returns how many there are."""
    with open_database(Settings(home=home, storage=home, database_url=None)) as database:
        made = races.decisions(database, sweeps.get(database, f"race-{number}").id)
    for each in made:
        settings, record, free = inputs_of(each)
        assert jsonable(decide(settings, record, free=free)) == each.decision
    return len(made)


def test_time_to_a_decision() -> None:
    recorded = truth()
    mean = {name: float(np.mean(scores)) for name, scores in recorded.items()}
    best = max(mean.values())
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        folder = Path(name)
        (folder / "agents").mkdir()
        for config, changes in (FIRST | OTHERS).items():
            text = json.dumps(agent_of(changes) | {"sweep_variant": config})
            (folder / "agents" / f"raced_sweep_{config}.json").write_text(text)
        by_hand = seconds_of(script("handwritten_grid.py", STEPS, GRID_SEEDS, SLOTS), HOME=name)
        raced = [race(folder, number) for number in range(ROUNDS)]
        decisions = [check_replays(folder / "home", number) for number in range(ROUNDS)]
    rng = np.random.default_rng(0)
    drawn = [
        max(recorded, key=lambda config: float(rng.choice(recorded[config], GRID_SEEDS).mean())) for _ in range(1000)
    ]
    grid_regret = float(np.mean([best - mean[config] for config in drawn]))
    regret = [best - mean[pick] for _, pick, _ in raced]
    print_table(
        f"Sixteen configs of connect_four, {STEPS:,} env steps, {SLOTS} slots, {ROUNDS} races",
        {
            "hand-written script, every config × 5 seeds": f"{by_hand:.0f} s",
            "rlsweep race": summary([seconds for seconds, _, _ in raced], " s"),
            "race / script": summary([seconds / by_hand for seconds, _, _ in raced]),
            "env steps of the race / of every config × 5 seeds": summary([share for _, _, share in raced]),
            "decisions of the races, all of which come out again": ", ".join(map(str, decisions)),
            "regret of the race's pick, win rate": f"{np.mean(regret):.3f} ({', '.join(pick for _, pick, _ in raced)})",
            "regret of the script's pick": f"{grid_regret:.3f}",
        },
    )
    assert np.mean(regret) <= grid_regret + 0.01
