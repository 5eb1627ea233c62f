"""The answer of a race in words."""

import pytest

from rlsweep.reports.race_answer import RaceAnswer, RaceCost
from rlsweep.reports.race_caveats import FEW_UPDATES, ShownCaveat
from rlsweep.reports.race_text import answer_lines


@pytest.mark.parametrize(
    ("caveats", "taken"),
    [((), "fast, with the risk below."), ((FEW_UPDATES,), "fast, at a risk that cannot be stated.")],
)
def test_no_risk_is_announced_where_none_is_stated(caveats: tuple[ShownCaveat, ...], taken: str) -> None:
    answer = RaceAnswer(
        objective="evaluation_reward",
        over_seeds="mean",
        tolerance=1.0,
        confidence=0.95,
        is_decided=True,
        stop="cap",
        take="fast",
        score=None,
        runner_up=None,
        base=None,
        is_winner=False,
        is_claimed=False,
        risk=0.3,
        promise=2.0,
        caveats=caveats,
        as_good=(),
        runs_to_settle=None,
        slots=2,
        planned_configs=None,
        cost=RaceCost(runs=1, env_steps=10, seconds=1.0, grid_runs=5, grid_env_steps=50),
        to_be_sure=(),
        configs=(),
        decisions=(),
    )
    lines = {line.heading: line.text for line in answer_lines(answer)}
    assert lines["TAKE"] == taken
    assert lines["RISK"].startswith("None is stated") is bool(caveats)
