"""What is said of a whole sweep, and of which configs it is not said."""

import pytest

from rlsweep.analysis.sweeps import ConfigRecord, assess
from rlsweep.reports.findings import findings
from rlsweep.reports.records import ConfigRuns


def early(progress):
    return 1 - (1 - progress) ** 6


def late(progress):
    return 1 - (1 - progress) ** 2


@pytest.mark.parametrize(
    ("shapes", "seeds", "said"),
    [
        ([late, early], 3, ["config 1 converged fastest of the best: 90% of its gain after"]),
        ([late, late], 3, []),  # chance alone sets them apart
        ([late, early], 2, []),
        ([late, late, lambda progress: 0.7 * (1 - (1 - progress) ** 3.5)], 3, []),  # fast, and not among the best
    ],
)
def test_who_converged_fastest_is_said_of_good_configs_that_are_far_faster(record, shapes, seeds, said):
    records = [
        ConfigRecord(
            name=f"config {place}",
            is_base=False,
            seeds=tuple(record(shape, seed=10 * place + seed, noise=0.2) for seed in range(seeds)),
        )
        for place, shape in enumerate(shapes)
    ]
    recorded = [ConfigRuns(name=each.name, differences={}, is_base=False, runs=()) for each in records]
    found = [text for text in findings(recorded, assess(records)) if "converged" in text]
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True))
