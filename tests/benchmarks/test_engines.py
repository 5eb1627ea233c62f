"""The fast engine against stock PPO and MaskablePPO: speed, memory, an update at Blokus' size, and learning."""

import statistics
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from rounds import print_table, printed, summary
from scipy import stats

from tests.integration.training.test_fast_parity import (
    TOLERANCE,
    after_one_update,
    parameters_after_one_update_in_float32,
)

STEPS = 2048
ROUNDS = 5
REACH = {
    "connect_four": 2.8, "connect_four_8": 2.0, "breakthrough": 3.5, "blokus": 12.0, "masked_parts": 3.0,
    "cartpole": 4.0, "cartpole_8": 3.0, "pendulum": 4.0, "pendulum_8": 3.0,
}  # fmt: skip
LEARNING_SEEDS = 12
LEARNING = {
    "connect_four": (60_000, "win rate", 1.0),
    "cartpole": (100_000, "reward", 500.0),
    "pendulum": (100_000, "reward", 1600.0),
}
"""Env steps, what counts, and its range."""


def ratios(case: str, *, steps: int, rounds: int) -> tuple[dict, list[float]]:
    """What `engine_rounds.py` prints, and stock's time over the fast engine's, round by round."""
    measured = printed("engine_rounds.py", case, steps, rounds, "stock,fast")
    return measured, time_ratio(measured, "stock", "fast")


def time_ratio(measured: dict, engine: str, other: str) -> list[float]:
    """One engine's time for a whole round over another's, round by round."""
    whole = (
        [sum(parts) for parts in zip(measured[name]["collect"], measured[name]["update"], strict=True)]
        for name in (engine, other)
    )
    return [theirs / ours for theirs, ours in zip(*whole, strict=True)]


@pytest.mark.parametrize("case", REACH)
def test_speed(case: str) -> None:
    measured, ratio = ratios(case, steps=STEPS, rounds=ROUNDS)
    rows = {
        f"{engine}, {part}": summary(measured[engine][part], " s")
        for engine in ("stock", "fast")
        for part in ("collect", "update")
    }
    steps = [1e6 * seconds / STEPS for seconds in measured["fast"]["collect"]]
    rows["fast, collect a step"] = summary(steps, " µs")
    rows[f"stock time / fast time (reach {REACH[case]})"] = summary(ratio)
    print_table(f"{case}: {STEPS:,} env steps and their update, one core, {ROUNDS} rounds", rows)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("case", REACH)
def test_speed_on_a_gpu(case: str) -> None:
    engines = ("fast", "fast@cuda", "stock@cuda")
    measured = printed("engine_rounds.py", case, STEPS, ROUNDS, ",".join(engines))
    rows = {
        f"{engine}, {part}": summary(measured[engine][part], " s")
        for engine in engines
        for part in ("collect", "update")
    }
    for other in ("fast", "stock@cuda"):
        rows[f"{other} time / fast@cuda time"] = summary(time_ratio(measured, other, "fast@cuda"))
    gpu = torch.cuda.get_device_name()
    print_table(f"{case}: {STEPS:,} env steps and their update, one core and one {gpu}, {ROUNDS} rounds", rows)


def test_memory_at_36400_actions() -> None:
    peaks = {
        engine: [printed("engine_rounds.py", "blokus", STEPS, 1, engine)["peak_mb"] for _ in range(rounds)]
        for engine, rounds in (("stock", 1), ("fast", 3))
    }
    rows = {engine: summary(values, " MB") for engine, values in peaks.items()}
    rows["fast / stock (reach 0.55)"] = summary([peak / peaks["stock"][0] for peak in peaks["fast"]])
    print_table("blokus: peak memory of a process of its own", rows)


def test_a_whole_update_at_36400_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    distance = after_one_update(monkeypatch, actions=36_400, legal=340, steps=STEPS, n_epochs=10, net_arch=[256, 256])
    print_table("36,400 actions, a whole update in float64", {"largest distance of a tensor": f"{distance:.1e}"})
    assert distance < TOLERANCE


@pytest.mark.parametrize("actions", [7, 768])
def test_distance_in_float32(actions: int) -> None:
    distances = parameters_after_one_update_in_float32(actions=actions, steps=STEPS, n_epochs=10, net_arch=[256, 256])
    rows = {name: f"{distance:.1e}" for name, distance in distances.items()}
    print_table(f"{actions} actions, a whole update in float32: distance by each parameter's norm", rows)


@pytest.mark.parametrize("case", LEARNING)
def test_learning(case: str) -> None:
    steps, score, span = LEARNING[case]
    halves = [(engine, first) for engine in ("stock", "fast") for first in (0, LEARNING_SEEDS // 2)]
    with ThreadPoolExecutor(2) as two_at_a_time:
        parts = two_at_a_time.map(
            lambda half: printed("learning_runs.py", case, half[0], steps, half[1], LEARNING_SEEDS // 2), halves
        )
        scores: dict[str, list[float]] = {"stock": [], "fast": []}
        for (engine, _), part in zip(halves, parts, strict=True):
            scores[engine] += part.values()
    low, high = difference_interval(scores["fast"], scores["stock"])
    difference = statistics.mean(scores["fast"]) - statistics.mean(scores["stock"])
    rows = {engine: summary(values) + f", sd {np.std(values, ddof=1):.3f}" for engine, values in scores.items()}
    rows["fast - stock, 90% interval"] = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"
    print_table(f"{case}: {score} after {steps:,} env steps, {LEARNING_SEEDS} seeds each", rows)
    assert low > -0.05 * span
    assert high < 0.05 * span


def difference_interval(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """90% interval of the difference of the means, by Welch's t."""
    if np.ptp(ours) == np.ptp(theirs) == 0:
        return ours[0] - theirs[0], ours[0] - theirs[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy warns where all scores of one side are equal
        interval = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.9)
    return float(interval.low), float(interval.high)
