"""What a sweep costs beyond its training: whole processes against a hand-written Ray Tune script and a plain loop."""

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from rounds import environ, print_table, script, seconds_of, summary

SLOTS = 2
ROUNDS = 3
AGENT = """\
agent_id: bench
name: bench {number}
algorithm: MaskablePPO
version: 1
sweep_variant: v{number}
learning_rate: {learning_rate}
n_steps: {n_steps}
"""
RATES = ("3.0e-4", "1.0e-3", "1.0e-4", "5.0e-4")


def write_configs(folder: Path, configs: int, steps: int) -> None:
    for number in range(configs):
        text = AGENT.format(number=number, learning_rate=RATES[number], n_steps=min(2048, steps))
        (folder / f"bench_sweep_v{number}.yaml").write_text(text)
    (folder / "cartpole.json").write_text(json.dumps({"environment": "CartPole-v1"}))


def submit(folder: Path, *arguments: str) -> list[str]:
    pattern = str(folder / "bench_sweep_*.yaml")
    return [
        sys.executable,
        "-m",
        "rlsweep",
        "submit",
        pattern,
        "--mode",
        "full",
        "--max-concurrent",
        str(SLOTS),
        *arguments,
    ]


def whole_processes(*, trials: int, steps: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each, in alternation."""
    configs = min(4, trials)
    seconds: dict[str, list[float]] = {"rlsweep submit": [], "hand-written Tune": [], "plain loop": []}
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        folder = Path(name)
        write_configs(folder, configs, steps)
        command = submit(
            folder, "--total-timesteps", str(steps), "--seeds", str(trials // configs),
            "--base-config", str(folder / "cartpole.json"),
        )  # fmt: skip
        for _ in range(rounds):
            seconds["rlsweep submit"].append(seconds_of(command, RLSWEEP_HOME=str(folder / "home")))
            seconds["hand-written Tune"].append(
                seconds_of(script("handwritten_tune.py", trials, steps, SLOTS), HOME=name)
            )
            seconds["plain loop"].append(seconds_of(script("plain_loop.py", trials, steps)))
    return seconds


def steps_per_second(*, steps: int, rounds: int) -> dict[str, list[float]]:
    """Env steps per second over two slots once training runs: a sweep of four trials, and two bare loops of two."""
    rates: dict[str, list[float]] = {"sweep": [], "two bare loops": []}
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        folder = Path(name)
        write_configs(folder, 2, steps)
        for number in range(rounds):
            home = str(folder / "home")
            seconds_of(submit(folder, "--total-timesteps", str(steps), "--seeds", "2"), RLSWEEP_HOME=home)
            rates["sweep"].append(_sweep_rate(home))
            rates["two bare loops"].append(_bare_rate(folder / f"gate-{number}", steps))
    return rates


def _sweep_rate(home: str) -> float:
    command = [sys.executable, "-m", "rlsweep", "status", "--json"]
    done = subprocess.run(command, env=environ(RLSWEEP_HOME=home), capture_output=True, text=True, check=True)
    runs = json.loads(done.stdout)["runs"]
    began = min(datetime.fromisoformat(run["started_at"]) for run in runs)
    ended = max(datetime.fromisoformat(run["ended_at"]) for run in runs)
    return sum(run["env_steps"] for run in runs) / (ended - began).total_seconds()


def _bare_rate(gate: Path, steps: int) -> float:
    loops = [
        subprocess.Popen(
            script("bare_training.py", 2, steps, gate, number), env=environ(), stdout=subprocess.PIPE, text=True
        )
        for number in range(SLOTS)
    ]
    while len(list(gate.parent.glob(f"{gate.name}.ready-*"))) < SLOTS:
        assert all(loop.poll() is None for loop in loops)
        time.sleep(0.01)
    gate.touch()
    spans = [tuple(map(float, loop.communicate()[0].split())) for loop in loops]
    elapsed = max(ended for _, ended in spans) - min(began for began, _ in spans)
    return SLOTS * 2 * steps / elapsed


def test_whole_processes() -> None:
    seconds = whole_processes(trials=16, steps=2048, rounds=ROUNDS)
    ours = seconds["rlsweep submit"]
    tune = [other / own for other, own in zip(seconds["hand-written Tune"], ours, strict=True)]
    loop = [own / other for other, own in zip(seconds["plain loop"], ours, strict=True)]
    rows = {name: summary(values, " s") for name, values in seconds.items()}
    rows["hand-written Tune / rlsweep (reach 2)"] = summary(tune)
    rows["rlsweep / plain loop (reach 1.1 at the most)"] = summary(loop)
    print_table(f"16 CartPole trials × 2,048 env steps on 2 slots, whole processes, {ROUNDS} rounds", rows)


def test_efficiency_once_running() -> None:
    rates = steps_per_second(steps=20_480, rounds=ROUNDS)
    share = [sweep / bare for sweep, bare in zip(rates["sweep"], rates["two bare loops"], strict=True)]
    rows = {name: summary(values, " steps/s") for name, values in rates.items()}
    rows["sweep / bare (reach 0.9)"] = summary(share)
    print_table(f"connect_four, 4 trials × 20,480 env steps on 2 slots, training alone, {ROUNDS} rounds", rows)
