"""What a sweep costs beyond its training: whole processes against a hand-written Ray Tune script and a plain loop."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest
from rounds import NO_RAY, environ, print_table, script, seconds_of, summary

SLOTS = 2
ROUNDS = 5
EFFICIENCY_ROUNDS = {"stock": ROUNDS, "fast": 11}
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
ENGINES = ("stock", "fast")
ENVIRONMENTS = {"cartpole": "CartPole-v1", "connect-four": "open_spiel/connect_four"}


def write_configs(folder: Path, configs: int, steps: int) -> None:
    for number in range(configs):
        text = AGENT.format(number=number, learning_rate=RATES[number], n_steps=min(2048, steps))
        (folder / f"bench_sweep_v{number}.yaml").write_text(text)
    for engine in ENGINES:
        for name, environment in ENVIRONMENTS.items():
            base = {"environment": environment, "engine": engine}
            (folder / f"{name}-{engine}.json").write_text(json.dumps(base))


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


def whole_processes(
    *,
    trials: int,
    steps: int,
    rounds: int,
    engines: tuple[str, ...] = ENGINES,
    slots: int = SLOTS,
    ray: Mapping[str, str] = NO_RAY,
) -> dict[str, list[float]]:
    """Seconds of each, in alternation.

    ray: variables of a Ray to join instead of starting one each time
    """
    configs = min(4, trials)
    seconds: dict[str, list[float]] = {f"rlsweep submit, {engine} engine": [] for engine in engines}
    seconds |= {"hand-written Tune": [], "plain loop": []}
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        folder = Path(name)
        write_configs(folder, configs, steps)
        for _ in range(rounds):
            for engine in engines:
                command = submit(
                    folder, "--total-timesteps", str(steps), "--seeds", str(trials // configs),
                    "--base-config", str(folder / f"cartpole-{engine}.json"),
                )  # fmt: skip
                (folder / "home" / "measurements.json").unlink(missing_ok=True)  # each plans as the first does
                seconds[f"rlsweep submit, {engine} engine"].append(
                    seconds_of(command, RLSWEEP_HOME=str(folder / "home"), **ray)
                )
            seconds["hand-written Tune"].append(
                seconds_of(script("handwritten_tune.py", trials, steps, slots), HOME=name, **ray)
            )
            seconds["plain loop"].append(seconds_of(script("plain_loop.py", trials, steps)))
    return seconds


def steps_per_second(*, engine: str, steps: int, rounds: int) -> dict[str, list[float]]:
    """Env steps per second over two slots once training runs: of sweeps of four trials, and of two bare loops of two.

    The loops run before and after each sweep, because a shared machine becomes faster and slower within a minute.
    """
    rates: dict[str, list[float]] = {"sweep": [], "two bare loops": []}
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        folder = Path(name)
        write_configs(folder, 2, steps)
        rates["two bare loops"].append(_bare_rate(folder / "gate", engine, steps))
        for number in range(rounds):
            home = str(folder / "home")
            base = str(folder / f"connect-four-{engine}.json")
            command = submit(folder, "--total-timesteps", str(steps), "--seeds", "2", "--base-config", base)
            seconds_of(command, RLSWEEP_HOME=home)
            rates["sweep"].append(_sweep_rate(home))
            rates["two bare loops"].append(_bare_rate(folder / f"gate-{number}", engine, steps))
    return rates


def _sweep_rate(home: str) -> float:
    command = [sys.executable, "-m", "rlsweep", "status", "--json"]
    done = subprocess.run(command, env=environ(RLSWEEP_HOME=home), capture_output=True, text=True, check=True)
    runs = json.loads(done.stdout)["runs"]
    began = min(datetime.fromisoformat(run["started_at"]) for run in runs)
    ended = max(datetime.fromisoformat(run["ended_at"]) for run in runs)
    return sum(run["env_steps"] for run in runs) / (ended - began).total_seconds()


def _bare_rate(gate: Path, engine: str, steps: int) -> float:
    loops = [
        subprocess.Popen(
            script("bare_training.py", engine, 2, steps, gate, number),
            env=environ(),
            stdout=subprocess.PIPE,
            text=True,
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
    rows = {name: summary(values, " s") for name, values in seconds.items()}
    for engine, tune_reach, loop_reach in (("stock", 2, 1.1), ("fast", 3, 1.0)):
        ours = seconds[f"rlsweep submit, {engine} engine"]
        tune = [other / own for other, own in zip(seconds["hand-written Tune"], ours, strict=True)]
        loop = [own / other for other, own in zip(seconds["plain loop"], ours, strict=True)]
        rows[f"hand-written Tune / rlsweep, {engine} (reach {tune_reach})"] = summary(tune)
        rows[f"rlsweep, {engine} / plain loop (reach {loop_reach} at the most)"] = summary(loop)
    print_table(f"16 CartPole trials × 2,048 env steps on 2 slots, whole processes, {ROUNDS} rounds", rows)


@pytest.mark.parametrize("engine", ENGINES)
def test_efficiency_once_running(engine: str) -> None:
    rounds = EFFICIENCY_ROUNDS[engine]
    rates = steps_per_second(engine=engine, steps=20_480, rounds=rounds)
    beside = map(mean, pairwise(rates["two bare loops"]))
    share = [sweep / bare for sweep, bare in zip(rates["sweep"], beside, strict=True)]
    rows = {name: summary(values, " steps/s") for name, values in rates.items()}
    rows["sweep / bare (reach 0.97)"] = summary(share)
    title = f"connect_four, {engine} engine, 4 trials × 20,480 env steps on 2 slots, training alone"
    print_table(f"{title}, {rounds} rounds", rows)
