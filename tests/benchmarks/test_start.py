"""What a short sweep costs beside its training: until its first env step, in CPU seconds, and after its last trial."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import noted_cartpole
from rounds import NO_RAY, environ, print_table, printed, seconds_of, summary

ROUNDS = 7
IMPORTS = "import torch, sb3_contrib, ray"
AGENT = """\
agent_id: tiny
name: tiny {variant}
algorithm: MaskablePPO
version: 1
sweep_variant: {variant}
learning_rate: {learning_rate}
n_steps: 64
"""
TRIALS = {"slow": 1e-4, "fast": 1e-3}


@dataclass(frozen=True, kw_only=True)
class Submit:
    """One submit of two trials of one update, that measures its environment, as the first of a user does.

    first_step: seconds from the command to the first env step of a trial
    end: seconds from the end of the last trial to that of the command
    cpu: CPU seconds of all its processes
    """

    first_step: float
    end: float
    cpu: float


def submit(folder: Path, ray: Mapping[str, str] = NO_RAY) -> Submit:
    """Write the configs and submit them, in a folder of their own.

    ray: variables of a Ray to join instead of starting one
    """
    for variant, learning_rate in TRIALS.items():
        (folder / f"tiny_{variant}.yaml").write_text(AGENT.format(variant=variant, learning_rate=learning_rate))
    (folder / "base.json").write_text(json.dumps({"environment": "noted_cartpole:NotedCartPole"}))
    shutil.copy(noted_cartpole.__file__, folder)
    given = {"RLSWEEP_HOME": str(folder / "home"), **ray}
    command = [sys.executable, "-m", "rlsweep", "submit", "tiny_slow.yaml", "tiny_fast.yaml"]
    command += ["--base-config", "base.json", "--total-timesteps", "64", "--max-concurrent", "2"]
    counted = printed("counted_command.py", folder, *command, **given)
    status = [sys.executable, "-m", "rlsweep", "status", "--json"]
    done = subprocess.run(status, env=environ(**given), capture_output=True, text=True, check=True)
    runs = json.loads(done.stdout)["runs"]
    assert [run["status"] for run in runs] == ["completed"] * len(TRIALS)
    last = max(datetime.fromisoformat(run["ended_at"]).timestamp() for run in runs)
    first = min(map(float, (folder / noted_cartpole.NOTES).read_text().split()))
    return Submit(first_step=first - counted["began"], end=counted["ended"] - last, cpu=counted["cpu"])


def rounds_of(rounds: int, ray: Mapping[str, str] = NO_RAY) -> tuple[list[Submit], list[float]]:
    """Submits, and the seconds of a process that only imports, in alternation."""
    submits, imports = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
            submits.append(submit(Path(name), ray))
        imports.append(seconds_of([sys.executable, "-c", IMPORTS]))
    return submits, imports


def test_start() -> None:
    submits, imports = rounds_of(ROUNDS)
    ratios = [each.first_step / seconds for each, seconds in zip(submits, imports, strict=True)]
    rows = {
        f"a process that runs `{IMPORTS}`": summary(imports, " s"),
        "first env step after `rlsweep submit`": summary([each.first_step for each in submits], " s"),
        "first env step / imports (reach 1.6)": summary(ratios),
        "CPU of the submit (reach 9)": summary([each.cpu for each in submits], " s"),
        "last trial's end to the prompt (reach 1)": summary([each.end for each in submits], " s"),
    }
    print_table(f"2 trials of one update on a new home, {ROUNDS} rounds", rows)
