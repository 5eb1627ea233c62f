"""Draws from scores: valid agent configs inside their space, the same from the same record, better than even ones."""

import json
import math
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from drawn_spaces import CONSTRAINTS, EVERY_KIND, holds, space_of, spaces, values_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from planned_space import BASE, planned

from rlsweep.config.agent import AgentConfig
from rlsweep.config.layers import with_value
from rlsweep.config.problems import check
from rlsweep.deciding.known_scores import known_scores
from rlsweep.deciding.records import RaceRecord, RaceSettings, Tolerance
from rlsweep.deciding.simulated import simulate
from rlsweep.errors import InputError
from rlsweep.planning.plan import check_all_drawn
from rlsweep.spaces import adaptive, search
from rlsweep.spaces.adaptive import KnownConfig, draw_next
from rlsweep.spaces.search import DrawnConfig, draw_all
from rlsweep.spaces.space import SearchSpace

ADAPTIVE = ["tpe", "cmaes"]


def first_of(space: SearchSpace, scores: list[float | None]) -> list[KnownConfig]:
    """The base and the configs that are drawn before a race, with scores in turn."""
    base = values_of(space)
    drawn = [(None, base), *((each.variant, base | each.values) for each in draw_all(space, base))]
    return [
        KnownConfig(variant=variant, values=values, score=scores[place % len(scores)])
        for place, (variant, values) in enumerate(drawn)
    ]


def check_drawn(space: SearchSpace, entries: dict[str, Any], drawn: DrawnConfig) -> dict[str, Any]:
    """A draw is a valid agent config inside its space; return its values."""
    data: dict[str, Any] = BASE | {"sweep_variant": drawn.variant}
    for key, value in drawn.values.items():
        assert holds(entries[key], value), (key, value)
        data = with_value(data, key, value)
    assert check(AgentConfig, data)[1] == []
    values = values_of(space) | drawn.values
    assert set(drawn.values) == set(space.active_keys(values))
    assert all(constraint.holds(values) for constraint in space.constraints)
    return values


scores = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=9)


@pytest.mark.parametrize("sampler", ADAPTIVE)
@settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])
@given(entries=spaces(), seed=st.integers(0, 2**32 - 1), given_scores=scores)
def test_any_space_is_drawn_from(
    sampler: str, entries: dict[str, Any], seed: int, given_scores: list[float | None]
) -> None:
    space = space_of(entries, sampler=sampler, seed=seed)
    with patch.object(search, "MOST_TRIES", 30), patch.object(adaptive, "MOST_TRIES", 30):
        known = first_of(space, given_scores)
        check_three_draws(space, entries, known, given_scores[0])


def check_three_draws(
    space: SearchSpace, entries: dict[str, Any], known: list[KnownConfig], score: float | None
) -> None:
    for _ in range(3):
        drawn = draw_next(space, known)
        assert draw_next(space, list(known)) == drawn, "the same record, the same next config"
        if drawn is None:
            break
        values = check_drawn(space, entries, drawn)
        assert drawn.variant not in {each.variant for each in known}
        assert values not in [each.values for each in known]
        known.append(KnownConfig(variant=drawn.variant, values=values, score=score))


@pytest.mark.parametrize("sampler", ADAPTIVE)
def test_draws_go_where_scores_are_high(sampler: str) -> None:
    space = space_of(EVERY_KIND, sampler=sampler, constraints=CONSTRAINTS, configs=32)

    def score(values: Any) -> float:
        net = {"[64, 64]": 0.3, "[256]": 0.0}.get(str(values["network.net_arch"]), 0.1)
        return -abs(math.log10(values["learning_rate"]) + 3.3) - 10 * abs(values["gamma"] - 0.97) - net

    known = [
        KnownConfig(variant=each.variant, values=each.values, score=score(each.values))
        for each in first_of(space, [None])
    ]
    assert len(known) == space.first == 8
    even = sorted(score(values_of(space) | each.values) for each in draw_all(space_of(EVERY_KIND), values_of(space)))
    while len(known) < space.wanted:
        drawn = draw_next(space, known)
        assert drawn is not None
        values = check_drawn(space, EVERY_KIND, drawn)
        known.append(KnownConfig(variant=drawn.variant, values=values, score=score(values)))
    late = sorted(each.score for each in known[16:] if each.score is not None)
    assert late[len(late) // 2] > even[len(even) * 3 // 4], "half of them are better than a quarter of even draws"


@pytest.mark.parametrize("sampler", ADAPTIVE)
def test_a_config_that_trains_keeps_others_away_and_another_number_draws_another(sampler: str) -> None:
    space = space_of({"learning_rate": {"log": [1e-5, 1e-2]}}, sampler=sampler)
    known = first_of(space, [0.1, 0.5, 0.2])
    found = []
    for _ in range(6):
        drawn = draw_next(space, known)
        assert drawn is not None
        found.append(drawn.values["learning_rate"])
        known.append(KnownConfig(variant=drawn.variant, values=values_of(space) | drawn.values, score=None))
    assert len(set(found)) == 6


def test_a_small_space_is_drawn_to_its_end() -> None:
    entries = {"gamma": {"choice": [0.9, 0.95, 0.99]}, "n_epochs": {"integer": [8, 12]}}
    space = space_of(entries, sampler="tpe", configs=20)
    known = first_of(space, [0.5, 0.7])
    while (drawn := draw_next(space, known)) is not None:
        known.append(KnownConfig(variant=drawn.variant, values=values_of(space) | drawn.values, score=0.1))
    assert len(known) == 15, "the base's values are one of the points"


def test_what_cannot_be_trained_is_not_drawn() -> None:
    space = space_of({"gamma": {"uniform": [0.0, 1.0]}}, sampler="tpe")
    drawn = draw_next(space, first_of(space, [0.5]), lambda each: each.values["gamma"] > 0.9)
    assert drawn is not None
    assert drawn.values["gamma"] > 0.9


def test_a_condition_that_cannot_be_computed_takes_another_draw() -> None:
    entries = {"gamma": {"uniform": [0.5, 1.0]}, "n_epochs": {"integer": [5, 9]}}
    space = space_of(entries, sampler="tpe", constraints=["20 % (n_epochs - 7) < 30"])
    known = first_of(space_of(entries, sampler="tpe"), [0.1])
    for _ in range(20):
        drawn = draw_next(space, known)
        assert drawn is not None
        assert drawn.values["n_epochs"] != 7
        known.append(KnownConfig(variant=drawn.variant, values=values_of(space) | drawn.values, score=None))


def test_only_a_race_draws_from_scores() -> None:
    space = {"base": BASE, "sampler": "tpe", "configs": 40, "space": {"gamma": {"uniform": [0.9, 0.99]}}}
    plan = planned(space)
    assert (len(plan.labels), plan.to_draw) == (10, 30)
    with pytest.raises(
        InputError, match=r"tpe draws configs from scores while a race runs\. Use rlsweep race, or take"
    ):
        check_all_drawn(plan)
    evenly = planned(space | {"sampler": "sobol"})
    check_all_drawn(evenly)
    assert [trial.label for trial in evenly.trials[:10]] == [trial.label for trial in plan.trials]


class Race:
    """A simulated race that draws; after a death everything is rebuilt from its records."""

    def __init__(self, space: SearchSpace, noise: int) -> None:
        self.space = space
        self.known = first_of(space, [None])
        self.settings = RaceSettings(
            tolerance=Tolerance(value=0.1, is_share=False), cap=30.0, configs=space.wanted, run_cost=1.0, rung_cost=0.5
        )
        self.draws: list[tuple[RaceRecord, int, DrawnConfig]] = []
        self._noise = noise

    def scores(self, config: int, seed: int) -> tuple[float, float]:
        values = self.known[config].values
        luck = np.random.default_rng((self._noise, config, seed)).standard_normal()
        full = -abs(math.log10(values["learning_rate"]) + 3) - abs(values["gamma"] - 0.97) + 0.1 * luck
        return 0.5 * full - 3, full

    def draw(self, record: RaceRecord) -> None:
        drawn = self.drawn_from(record, self.known)
        self.draws.append((record, len(self.known), drawn))
        values = values_of(self.space) | drawn.values
        self.known.append(KnownConfig(variant=drawn.variant, values=values, score=None))

    def drawn_from(self, record: RaceRecord, known: list[KnownConfig]) -> DrawnConfig:
        scores = known_scores(self.settings, record)
        told = [
            KnownConfig(variant=each.variant, values=json.loads(json.dumps(each.values)), score=score)
            for each, score in zip(known, [*scores, *[None] * (len(known) - len(scores))], strict=True)
        ]
        drawn = draw_next(self.space, told)
        assert drawn is not None
        return drawn


@pytest.mark.parametrize("sampler", ADAPTIVE)
@settings(max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 99), slots=st.integers(1, 5))
def test_any_record_of_a_race_draws_the_same_config_again(sampler: str, seed: int, slots: int) -> None:
    race = Race(space_of(EVERY_KIND, sampler=sampler, constraints=CONSTRAINTS, configs=14, seed=seed), seed)
    simulate(race.settings, len(race.known), race.scores, slots=slots, start=-9.0, draw=race.draw)
    assert len(race.known) == 14
    for record, known, drawn in race.draws:
        check_drawn(race.space, EVERY_KIND, drawn)
        assert race.drawn_from(record, race.known[:known]) == drawn
