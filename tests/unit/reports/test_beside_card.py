"""What a report says to do next beside its decision card."""

import pytest

from rlsweep.reports.decision_card import CardStep, DecisionCard, beside_card
from rlsweep.reports.findings import NextStep

STEPS = [
    NextStep(text=command, command=f"rlsweep {command}")
    for command in ("serve", "race night", "promote night", "confirm other", "train --agent-config a.yaml")
]


def card(*commands: str) -> DecisionCard:
    steps = [
        CardStep(text=command, command=f"rlsweep {command}", runs=1, seconds=None, effort="") for command in commands
    ]
    return DecisionCard(
        heading="",
        take="a",
        is_final=True,
        is_winner=False,
        is_claimed=False,
        risk=None,
        tolerance=None,
        promise=None,
        lines=(),
        against=None,
        to_be_sure=tuple(steps),
    )


@pytest.mark.parametrize(
    ("in_card", "left_out"),
    [
        ([], set()),
        (["race night --cap 2", "promote night"], {"race night", "promote night"}),
        (["confirm night", "promote night"], {"promote night"}),
    ],
)
def test_a_command_stands_once(in_card: list[str], left_out: set[str]) -> None:
    kept = [step.text for step in beside_card(card(*in_card), STEPS)]
    assert kept == [step.text for step in STEPS if step.text not in left_out]
