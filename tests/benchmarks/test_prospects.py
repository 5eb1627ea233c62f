"""Forecasts of a safe answer against what happened: how often sweeps that were gone on with became safe.

On the project's synthetic families, and on recorded learning curves where RACE_CURVES names an .npz file of tables.
"""

import os
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from prospect_cases import Case, calibration, cases, grid_record, means, settings_of
from race_families import REGULAR, Problem, is_sparse, recorded, recorded_curves

from rlsweep.deciding.prospects import LONGER, kept_configs, prospect_of_race, prospect_of_seeds

DRAWS = 60
SLOTS = 2


def print_cases(title: str, found: dict[str, list[Case]]) -> None:
    for name, of in found.items():
        forecast, real = means(of)
        print(f"\n{title}, {name}: forecast {forecast:.0%}, safe {real:.0%}, {len(of)} amounts of training")
        for where, number, chance, share in calibration(of):
            print(f"  forecast {where:12s} {number:5d}   mean {chance:4.0%}   safe {share:4.0%}", flush=True)


def of_families(draws: int, configs: int) -> list[Problem]:
    return [make(np.random.default_rng((number, 8)), configs) for make in REGULAR.values() for number in range(draws)]


@pytest.mark.parametrize("configs", [8, 16])
def test_chances_come_true_on_synthetic_families(configs: int) -> None:
    found = cases(of_families(DRAWS, configs), slots=SLOTS)
    print_cases(f"synthetic families, {configs} configs × 3 seeds", found)
    _check(found)


@pytest.mark.skipif("RACE_CURVES" not in os.environ, reason="RACE_CURVES names no file of recorded curves")
def test_chances_come_true_on_recorded_curves() -> None:
    tables = [each for each in recorded_curves(Path(os.environ["RACE_CURVES"])).values() if not is_sparse(each)]
    problems = [recorded(table, np.random.default_rng((n, 7)), 8) for table in tables for n in range(DRAWS)]
    found = cases(problems, slots=SLOTS)
    print_cases(f"{len(tables)} recorded tables, 8 configs × 3 seeds", found)
    _check(found)


def test_a_forecast_of_32_configs_takes_a_fraction_of_a_second() -> None:
    took = []
    for family in REGULAR.values():
        problem = family(np.random.default_rng(3), 32)
        settings, record = settings_of(problem), grid_record(problem, 5)
        began = perf_counter()
        prospect_of_seeds(settings, record, slots=SLOTS)
        prospect_of_race(settings, record, kept=kept_configs(settings, record), slots=SLOTS)
        prospect_of_race(settings, record, kept=range(32), slots=SLOTS, budgets=LONGER)
        took.append(1e3 * (perf_counter() - began))
    print(f"\n32 configs × 5 seeds, three ways on: {np.median(took):.0f} ms ({min(took):.0f} to {max(took):.0f})")
    assert np.median(took) < 400


def _check(found: dict[str, list[Case]]) -> None:
    for name, of in found.items():
        forecast, real = means(of)
        assert abs(forecast - real) <= 0.12, name
        for where, number, chance, share in calibration(of):
            assert number < 40 or abs(chance - share) <= 0.25, (name, where)
