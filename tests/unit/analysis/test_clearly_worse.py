"""Configs that the tests tell from the best, and configs that learned nothing."""

from dataclasses import replace

import numpy as np
import pytest

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.sweeps import assess
from rlsweep.analysis.verdicts import VerdictKind


def _kinds(assessment):
    return [each.verdict.kind for each in assessment.configs]


def _reasons(assessment, place=0):
    return " / ".join(assessment.configs[place].verdict.reasons)


@pytest.mark.parametrize(
    ("end", "seeds", "kind"),
    [
        (0.1, 3, VerdictKind.CLEARLY_WORSE),
        (0.6, 3, VerdictKind.CLEARLY_WORSE),
        (0.9, 3, VerdictKind.UNDECIDED),  # significantly worse, by less than a quarter of the way
        (0.1, 2, VerdictKind.UNDECIDED),
    ],
)
def test_a_config_told_from_the_leader_and_far_behind_is_clearly_worse(config, end, seeds, kind):
    given = {"noise": 0.01, "seeds": seeds}
    found = assess([config("leader", **given), config("other", lambda progress: end * progress, offset=10, **given)])
    assert found.ranking.ranks == (1, 2)
    assert _kinds(found)[1] is kind
    assert ("of the way there from the starting level of" in _reasons(found, 1)) == (kind is VerdictKind.CLEARLY_WORSE)


def test_far_behind_is_judged_in_the_direction_of_the_objective(config):
    def lengths(least):
        return {"length": np.linspace(40, least, 400).astype(np.int64) + np.arange(400) % 2}

    given = {"seeds": 3, "update_steps": np.arange(1, 21) * 100}
    records = [config("short", **given, **lengths(5)), config("long", offset=10, **given, **lengths(30))]
    records = [replace(each, seeds=tuple(map(_jittered, each.seeds, range(3)))) for each in records]
    found = assess(records, Objective.EPISODE_LENGTH)
    assert found.ranking.ranks == (1, 2)
    assert _kinds(found)[1] is VerdictKind.CLEARLY_WORSE
    assert (
        "significantly worse than short: score 31.4 against 8.80; 73% of the way there from the starting level of 39.9"
        in _reasons(found, 1)
    )


def _jittered(seed, place):
    return replace(seed, length=seed.length + place % 2)


def test_a_config_that_never_left_the_start_has_no_good_signs(config):
    def hardly(progress):
        return 0.02 * progress

    found = assess([config("learns", noise=0.1), config("dead", hardly, offset=10, noise=0.02)])
    assert [each.is_dead for each in found.configs] == [False, True]
    assert any(sign.good for sign in found.configs[0].signs)
    assert not any(sign.good for sign in found.configs[1].signs)
