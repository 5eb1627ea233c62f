"""What a report says to do next beside its decision card."""

import pytest

from rlsweep.reports.decision_card import CardStep, DecisionCard, beside_card
from rlsweep.reports.findings import NextStep

STEPS = [
    NextStep(text=command, command=f"rlsweep {command}")
    for command in ("serve", "race night", "promote night", "confirm other", "train --agent-config a.yaml")
]


def card(*commands: str, is_claimed: bool) -> DecisionCard:
    steps = [
        CardStep(text=command, command=f"rlsweep {command}", runs=1, seconds=None, effort="") for command in commands
    ]
    return DecisionCard(
        heading="",
        take="a",
        is_final=True,
        is_winner=False,
        is_claimed=is_claimed,
        risk=None,
        tolerance=None,
        promise=None,
        lines=(),
        against=None,
        to_be_sure=tuple(steps),
    )


@pytest.mark.parametrize(
    ("in_card", "is_claimed", "left_out"),
    [
        ([], False, set()),
        (["race night --cap 2", "promote night"], False, {"race night", "promote night"}),
        (["confirm night", "promote night"], True, {"race night", "promote night"}),
    ],
)
def test_a_command_stands_once_and_a_safe_answer_needs_no_race(
    in_card: list[str], is_claimed: bool, left_out: set[str]
) -> None:
    kept = [step.text for step in beside_card(card(*in_card, is_claimed=is_claimed), STEPS)]
    assert kept == [step.text for step in STEPS if step.text not in left_out]
