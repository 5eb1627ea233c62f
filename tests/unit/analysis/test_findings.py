"""What is said of a whole sweep, and of which configs it is not said."""

import numpy as np
import pytest

from rlsweep.analysis.sweeps import ConfigRecord, assess
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.reports.config_report import config_reports
from rlsweep.reports.findings import findings
from rlsweep.reports.next_steps import Judged, next_steps
from rlsweep.reports.records import ConfigRuns
from rlsweep.runs import RunStatus
from tests.helpers.runs import run


def early(progress):
    return 1 - (1 - progress) ** 6


def late(progress):
    return 1 - (1 - progress) ** 2


def rising(power):
    return lambda progress: 1 - (1 - progress) ** power


UNEVEN = (rising(1), rising(1.5), rising(30))
"""Seeds of one config, of which one is far faster than the others: more than configs differ."""


def of_config(record, name, shapes, offset):
    """A config with one seed for each shape, as it was recorded, and its runs."""
    seeds = tuple(record(shape, seed=offset + seed) for seed, shape in enumerate(shapes))
    runs = tuple(run(RunStatus.COMPLETED, of_episodes=400, seed=seed) for seed in range(len(shapes)))
    return ConfigRecord(name=name, is_base=False, seeds=seeds), ConfigRuns(
        name=name, differences={}, is_base=False, runs=runs
    )


@pytest.mark.parametrize(
    ("shapes", "seeds", "said"),
    [
        ([late, early], 3, ["config 1 converged fastest of the best: 90% of its gain after"]),
        ([late, late], 3, []),  # chance alone sets them apart
        ([late, early], 2, []),
        ([UNEVEN, rising(3)], 3, []),  # faster by less than seeds differ
        ([late, late, lambda progress: 0.7 * (1 - (1 - progress) ** 3.5)], 3, []),  # fast, and not among the best
    ],
)
def test_who_converged_fastest_is_said_of_good_configs_that_are_far_faster(record, shapes, seeds, said):
    records = [
        ConfigRecord(
            name=f"config {place}",
            is_base=False,
            seeds=tuple(
                record(shape[seed] if isinstance(shape, tuple) else shape, seed=10 * place + seed)
                for seed in range(seeds)
            ),
        )
        for place, shape in enumerate(shapes)
    ]
    recorded = [ConfigRuns(name=each.name, differences={}, is_base=False, runs=()) for each in records]
    found = [text for text in findings(recorded, assess(records)) if "converged" in text]
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True))


def test_an_unstable_winner_is_taken_with_what_that_means_for_a_long_run(record):
    def falls_back(progress):
        return np.where(progress < 0.6, 10 * progress / 0.6, np.maximum(4, 10 - 30 * (progress - 0.6)))

    pairs = [of_config(record, "keeps", [rising(2)] * 3, 0), of_config(record, "falls", [falls_back] * 3, 10)]
    records, recorded = zip(*pairs, strict=True)
    assessment = assess(records)
    assert assessment.configs[1].verdict.kind is VerdictKind.UNSTABLE
    (winner,) = (text for text in findings(recorded, assessment) if "winner" in text)
    assert winner.startswith("falls is the winner")
    assert "Take falls. Its learning is unstable: a long run may lose what it learned" in winner
    assert "best.zip" in winner
    judged = Judged(
        sweep=None,
        recorded=recorded,
        assessment=assessment,
        configs=config_reports(recorded, assessment),
        take=None,
        is_race=False,
    )
    (step,) = next_steps(judged, lambda _: None)
    assert step.text == "Train falls (the winner) for long"
    others = assess([each for each in records if each.name == "keeps"])
    assert not any("unstable" in text for text in findings(recorded[:1], others))
