"""`backend: rllib`: that it learns connect_four, and what a second env runner brings."""

import statistics
from typing import Any

from rounds import print_table, printed, summary

LEARNING_STEPS = 60_000
LEARNING_SEEDS = 3
REACH_WIN_RATE = 0.74
SPEED_STEPS = 8 * 2048
ROUNDS = 3


def runs(runners: int, *, steps: int, first_seed: int, seeds: int) -> list[dict[str, float]]:
    """What `rllib_runs.py` prints, seed by seed."""
    found: dict[str, dict[str, float]] = printed("rllib_runs.py", runners, steps, first_seed, seeds)
    return list(found.values())


def speeds(*, steps: int, rounds: int, env_runners: tuple[int, ...] = (1, 2)) -> dict[int, list[dict[str, float]]]:
    """Runs with one and with two env runners, in alternation."""
    measured: dict[int, list[dict[str, float]]] = {runners: [] for runners in env_runners}
    for seed in range(rounds):
        for runners, found in measured.items():
            found += runs(runners, steps=steps, first_seed=seed, seeds=1)
    return measured


def test_learning() -> None:
    win_rates = [run["win_rate"] for run in runs(2, steps=LEARNING_STEPS, first_seed=0, seeds=LEARNING_SEEDS)]
    mean = statistics.mean(win_rates)
    rows = {f"win rate (reach {REACH_WIN_RATE} in the mean)": summary(win_rates) + f", mean {mean:.3f}"}
    print_table(f"connect_four, rllib, 2 env runners: {LEARNING_STEPS:,} env steps, {LEARNING_SEEDS} seeds", rows)
    assert mean > REACH_WIN_RATE


def test_scaling() -> None:
    measured = speeds(steps=SPEED_STEPS, rounds=ROUNDS)
    rows: dict[str, Any] = {}
    for figure, words in (("played_per_second", "played"), ("steps_per_second", "played and learnt from")):
        one, two = ([run[figure] for run in measured[runners]] for runners in (1, 2))
        rows[f"env steps/s {words}, 1 env runner"] = summary(one)
        rows[f"env steps/s {words}, 2 env runners"] = summary(two)
        rows[f"2 / 1, {words}"] = summary([both / alone for alone, both in zip(one, two, strict=True)])
    print_table(f"connect_four, rllib, the learner in the run's own process, {ROUNDS} rounds", rows)
