"""What a record shows of a choice that was made elsewhere, and the runs that would settle it."""

from dataclasses import replace

import numpy as np
import pytest

from rlsweep.deciding.choice import judge_choice, runs_to_settle
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import DEFAULT_TOLERANCE, RaceRecord, RaceSettings, SeedScores
from rlsweep.planning.race_options import read_tolerance

SETTINGS = RaceSettings(tolerance=DEFAULT_TOLERANCE, cap=1e9, run_cost=100.0, rung_cost=50.0)


def record(truth, *, noise, seeds=3):
    full = np.asarray(truth)[:, np.newaxis] + noise * np.linspace(-1.0, 1.0, seeds)
    scores = tuple(tuple(SeedScores(rung=0.6 * each, full=each) for each in row) for row in full.tolist())
    return RaceRecord(scores=scores, start=0.0, spent=100.0 * len(truth) * seeds)


def test_the_leader_of_a_race_is_judged_as_the_race_judges_it():
    shown = record((0.2, 0.9, 0.88, 0.4), noise=0.05)
    decision = decide(SETTINGS, shown, free=0)
    assert judge_choice(SETTINGS, shown, decision.leader) == replace(decision, moves=(), stop=None)


def test_another_choice_has_its_own_risk():
    shown = record((0.2, 0.9, 0.5, 0.4), noise=0.02)
    best, worse = (judge_choice(SETTINGS, shown, choice) for choice in (1, 2))
    assert best.risk < 0.01
    assert worse.risk == 1.0
    assert worse.promise == pytest.approx(0.4, abs=0.1)
    unfinished = replace(shown, scores=(*shown.scores[:3], (SeedScores(rung=0.3, full=None),)))
    assert judge_choice(SETTINGS, unfinished, 3) is None


def test_more_runs_are_needed_where_configs_are_close():
    def needed(second, seeds=3):
        return runs_to_settle(SETTINGS, record((0.1, 0.9, second, 0.2), noise=0.2, seeds=seeds), 1)

    assert needed(0.3) == 0
    assert 1 <= needed(0.8) <= 20
    assert needed(0.8) <= needed(0.88)
    assert needed(0.3, seeds=2) >= 1, "the choice needs three seeds"
    assert runs_to_settle(SETTINGS, record((0.2, 0.5, 0.9, 0.4), noise=0.01), 1) is None, "a worse one is never safe"


def test_the_default_tolerance_is_a_tenth_of_the_way():
    assert read_tolerance("10%") == DEFAULT_TOLERANCE
