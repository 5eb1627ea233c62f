"""`rlsweep race config/sweeps/connect_four.yaml`: is what it takes as good as the shipped config, on held-out seeds?

The base config is one of the 32, and a permitted answer. SEARCH_SAMPLER names another sampler than the file's.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rounds import NO_RAY, environ, print_table, printed
from scipy import stats

REPOSITORY = Path(__file__).parents[2]
SPACE = REPOSITORY / "config" / "sweeps" / "connect_four.yaml"
BASE = REPOSITORY / "config" / "agents" / "ppo_agent_v1.yaml"
STEPS, SLOTS = 20_480, 2
HELD_OUT, EPISODES = 10, 1_112
MARGIN = 0.03
"""Of win rate, by which the pick may be worse than the base."""


@dataclass(frozen=True)
class Searched:
    """take: the name of the config that the race takes; file: the config; shares: its env steps / the full grid's."""

    take: str
    file: Path
    share: float
    configs: int


@dataclass(frozen=True)
class Difference:
    """Of mean win rates: with its two-sided 95% interval, and the one-sided lower 95% bound."""

    mean: float
    low: float
    high: float
    bound: float


def search(folder: Path, *flags: str, steps: int = STEPS, ray: Mapping[str, str] = NO_RAY) -> Searched:
    """Race the space in a home of its own."""
    given = environ(RLSWEEP_HOME=str(folder / "home"), **ray)

    def rlsweep(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "rlsweep", *arguments], env=given, capture_output=True, text=True, check=False,
            cwd=REPOSITORY,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    race = (
        "race",
        str(SPACE),
        "--name",
        "searched",
        "--json",
        "--objective",
        "win_rate",
        "--max-concurrent",
        str(SLOTS),
    )
    answer = json.loads(rlsweep(*race, "--total-timesteps", str(steps), *flags))["race"]
    rlsweep("configs", "searched", "--write", str(folder / "configs"))
    cost = answer["cost"]
    return Searched(
        take=answer["take"],
        file=file_of(folder / "configs", answer["take"]),
        share=cost["env_steps"] / cost["grid_env_steps"],
        configs=len(answer["configs"]),
    )


def file_of(folder: Path, name: str) -> Path:
    """The file of a config by its short name."""
    if name == BASE.stem:
        return BASE
    return folder / f"ppo_agent_sweep_{name.removeprefix('ppo_agent_')}.yaml"


def held_out(file: Path, *, steps: int, episodes: int, seeds: int, first: int = 1000) -> list[float]:
    """Win rates on seeds that no race has used, in two processes side by side."""
    halves = [count for count in (seeds - seeds // 2, seeds // 2) if count]
    begins = [first, first + halves[0]][: len(halves)]
    run = partial(printed, "held_out_runs.py", file, steps, episodes)
    with ThreadPoolExecutor(len(halves)) as side_by_side:
        return [rate for each in side_by_side.map(run, begins, halves) for rate in each.values()]


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """Welch's intervals of the difference of two means."""
    gap = stats.ttest_ind(ours, theirs, equal_var=False)
    two, one = gap.confidence_interval(0.95), gap.confidence_interval(0.90)
    return Difference(float(np.mean(ours) - np.mean(theirs)), float(two.low), float(two.high), float(one.low))


def test_the_pick_of_a_search_space_is_as_good_as_the_shipped_config() -> None:
    sampler = os.environ.get("SEARCH_SAMPLER")
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        found = search(Path(name), *(() if sampler is None else ("--sampler", sampler)))
        runs = partial(held_out, steps=STEPS, episodes=EPISODES, seeds=HELD_OUT)
        theirs = runs(BASE)
        ours = theirs if found.file == BASE else runs(found.file)
    rows = {
        "the race takes": f"{found.take}, of {found.configs} configs",
        "its env steps / every config × 5 seeds": f"{found.share:.2f}",
        f"win rate on {HELD_OUT} held-out seeds": f"{np.mean(ours):.3f}",
        f"of {BASE.stem}": f"{np.mean(theirs):.3f}",
    }
    is_base = found.file == BASE
    gap = None if is_base else difference(ours, theirs)
    if gap is not None:
        rows["difference (95% interval)"] = f"{gap.mean:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})"
        rows["its lower 95% bound"] = f"{gap.bound:+.3f}"
    print_table(f"rlsweep race config/sweeps/connect_four.yaml, {STEPS:,} env steps, {SLOTS} slots", rows)
    assert gap is None or gap.bound >= -MARGIN
