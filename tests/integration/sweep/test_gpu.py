"""Trials on a real GPU; nothing of this can be seen where there is none."""

import re
import subprocess
import time
from typing import Any

import pytest
import torch

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
]

MEGABYTE = 1e6


def taken_of_gpu() -> dict[int, int]:
    """Bytes of GPU memory by process, as the driver counts them."""
    question = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    lines = subprocess.run(question, capture_output=True, text=True, check=True).stdout.splitlines()
    return {int(pid): int(mebibytes) * 1024**2 for pid, mebibytes in (line.split(", ") for line in lines)}


def test_a_plan_says_what_trials_then_take(rlsweep: Any) -> None:
    agents, base = rlsweep.agents("a", "b"), rlsweep.base("Calm", seconds=0.001)
    flags = [agents, "--episodes", "3000", "--base-config", base, "--gpus-per-trial", "0.5"]
    (expected,) = {trial["estimate"]["gpu"]["per_trial_bytes"] for trial in rlsweep.json("plan", *flags)["trials"]}
    submit = rlsweep.start("submit", *flags)
    most: dict[int, int] = {}
    while submit.poll() is None:
        ours = {process.pid for process in rlsweep.processes()}
        for pid, taken in taken_of_gpu().items():
            if pid in ours:
                most[pid] = max(taken, most.get(pid, 0))
        time.sleep(0.2)
    out, err = submit.communicate()
    assert submit.returncode == 0, out + err
    assert re.search(r"A trial takes .* fit by memory, with --gpus-per-trial", out)
    runs = rlsweep.json("status")["runs"]
    assert [rlsweep.json("show", run["id"])["run"]["metadata"]["device"] for run in runs] == ["cuda", "cuda"]
    trials = sorted(most.values())[-2:]  # the plan's own child is the third
    assert trials == pytest.approx([expected] * 2, abs=50 * MEGABYTE)


def test_without_asking_for_a_gpu_trials_are_computed_on_cpus(rlsweep: Any) -> None:
    done = rlsweep.run("submit", rlsweep.agents("a"), "--episodes", "20", "--base-config", rlsweep.base("Calm"))
    (run,) = rlsweep.json("status")["runs"]
    assert rlsweep.json("show", run["id"])["run"]["metadata"]["device"] == "cpu"
    assert "A trial takes" not in done.stdout
