"""Races of eight configs of connect_four, replayed over scores of 20 seeds each that were trained once.

The data were made by tests/benchmarks/raced_connect_four.py: win rates in 1,112 games at 10,240 and 20,480 env steps.
"""

import json
import os
from pathlib import Path

import numpy as np

from rlsweep.deciding.records import RaceSettings, Tolerance
from rlsweep.deciding.simulated import simulate

DATA = Path(__file__).parents[2] / "data" / "connect_four_race.json"
CONFIGS = 8
TOLERANCE = 0.03
RACES = int(os.environ.get("RLSWEEP_RACES", "150"))


def test_races_of_recorded_games_take_a_config_close_to_the_best_at_half_the_cost() -> None:
    data = json.loads(DATA.read_text())
    runs = np.array(
        [seeds[:20] for seeds in list(data["runs"].values())[:CONFIGS]]
    )  # (config, seed, rung or end, figure)
    assert runs.shape == (CONFIGS, 20, 2, 3)
    rung, full = runs[:, :, 0, 0], runs[:, :, 1, 0]
    evaluations = data["episodes"] * runs[:, :, :, 2]
    run_cost = data["steps"] + float(evaluations.sum(axis=2).mean())
    rung_cost = data["steps"] / 2 + float(evaluations[:, :, 0].mean())
    settings = RaceSettings(
        tolerance=Tolerance(value=TOLERANCE, is_share=False),
        cap=0.5 * 5 * CONFIGS * run_cost,
        run_cost=run_cost,
        rung_cost=rung_cost,
    )
    regret = full.mean(axis=1).max() - full.mean(axis=1)
    good, costs = [], []
    for number in range(RACES):
        seeds = np.random.default_rng(number).integers(0, 20, (CONFIGS, 60))
        race = simulate(
            settings,
            CONFIGS,
            lambda config, seed, drawn=seeds: (
                float(rung[config, drawn[config, seed]]),
                float(full[config, drawn[config, seed]]),
            ),
            slots=2,
            start=data["start"],
        )
        assert race.decision.leader is not None
        good.append(regret[race.decision.leader] <= TOLERANCE)
        costs.append(race.record.spent / (5 * CONFIGS * run_cost))
    print(f"within {TOLERANCE} of the best: {np.mean(good):.1%}, at {np.mean(costs):.2f} of every config × 5 seeds")
    assert np.mean(good) >= 0.9
    assert max(costs) <= 0.5
