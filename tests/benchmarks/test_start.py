"""What a short sweep costs beside its training: until its first env step, in CPU seconds, and after its last trial.

And until the first env step of a sweep whose plan is known from the one before, with the service of `rlsweep up`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import noted_cartpole
from rounds import NO_RAY, environ, print_table, printed, seconds_of, summary
from test_service import PAUSE_S, service

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
COMMAND = (
    *(sys.executable, "-m", "rlsweep", "submit", "tiny_slow.yaml", "tiny_fast.yaml"),
    *("--base-config", "base.json", "--total-timesteps", "64", "--max-concurrent", "2"),
)


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
    write_configs(folder)
    given = {"RLSWEEP_HOME": str(folder / "home"), **ray}
    counted = printed("counted_command.py", folder, *COMMAND, **given)
    status = [sys.executable, "-m", "rlsweep", "status", "--json"]
    done = subprocess.run(status, env=environ(**given), capture_output=True, text=True, check=True)
    runs = json.loads(done.stdout)["runs"]
    assert [run["status"] for run in runs] == ["completed"] * len(TRIALS)
    last = max(datetime.fromisoformat(run["ended_at"]).timestamp() for run in runs)
    return Submit(first_step=first_step(folder) - counted["began"], end=counted["ended"] - last, cpu=counted["cpu"])


def write_configs(folder: Path) -> None:
    for variant, learning_rate in TRIALS.items():
        (folder / f"tiny_{variant}.yaml").write_text(AGENT.format(variant=variant, learning_rate=learning_rate))
    (folder / "base.json").write_text(json.dumps({"environment": "noted_cartpole:NotedCartPole"}))
    shutil.copy(noted_cartpole.__file__, folder)


def first_step(folder: Path) -> float:
    """When the first env step of a trial was, in seconds since the epoch."""
    return min(map(float, (folder / noted_cartpole.NOTES).read_text().split()))


def with_service(rounds: int, pause_s: float) -> list[float]:
    """Seconds from the command to the first env step, with the service up, after a first submit that measured."""
    seconds = []
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        folder = Path(name)
        write_configs(folder)
        with service(folder, cpus=2):
            for number in range(rounds + 1):
                time.sleep(pause_s)
                began = time.time()
                command = [*COMMAND, "--name", f"round-{number}"]
                subprocess.run(command, cwd=folder, env=environ(RLSWEEP_HOME=name), capture_output=True, check=True)
                seconds.append(first_step(folder) - began)
                (folder / noted_cartpole.NOTES).unlink()
    return seconds[1:]


def rounds_of(rounds: int, ray: Mapping[str, str] = NO_RAY) -> tuple[list[Submit], list[float]]:
    """Submits, and the seconds of a process that only imports, in alternation.

    Their folders stay until the end: ext4 creates files more slowly for a minute after thousands were deleted, and
    `initdb` then takes up to 1.8 CPU seconds in place of 0.6.
    """
    submits, imports = [], []
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        for number in range(rounds):
            folder = Path(name, str(number))
            folder.mkdir()
            submits.append(submit(folder, ray))
            imports.append(seconds_of([sys.executable, "-c", IMPORTS]))
    return submits, imports


def test_start() -> None:
    submits, imports = rounds_of(ROUNDS)
    service_up = with_service(ROUNDS, PAUSE_S)
    ratios = [each.first_step / seconds for each, seconds in zip(submits, imports, strict=True)]
    rows = {
        f"a process that runs `{IMPORTS}`": summary(imports, " s"),
        "first env step after `rlsweep submit`": summary([each.first_step for each in submits], " s"),
        "first env step / imports (reach 1.6)": summary(ratios),
        "first env step after `rlsweep submit` with `rlsweep up`": summary(service_up, " s"),
        "CPU of the submit (reach 9)": summary([each.cpu for each in submits], " s"),
        "last trial's end to the prompt (reach 1)": summary([each.end for each in submits], " s"),
    }
    print_table(f"2 trials of one update on a new home, {ROUNDS} rounds", rows)
