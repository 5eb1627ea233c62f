"""No config is told what contradicts itself, over random curves."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.sweeps import ConfigRecord, assess
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.runs import Budget, RunStatus

CONTRADICTIONS = (
    ("steady upward trend", "no improvement"),
    ("steady upward trend", "improvement too small"),
    ("steady upward trend", "unstable learning: 1 of 3 seeds fell back"),
    ("steady upward trend", "unstable learning: 3 of 3 seeds fell back"),
    ("low variance", "high variance"),
    ("consistent across seeds", "unstable learning: seeds end far apart"),
    ("downward trend", "improvement too small"),
)
"""What no config may be told together."""


_curves = st.tuples(
    st.sampled_from([-1.0, -0.1, 0.05, 0.1, 0.2, 1.0]),  # rise
    st.sampled_from([0.1, 0.5, 0.8, 1.0]),  # where the peak is
    st.sampled_from([0.0, 0.3, 0.6, 1.2]),  # share of the rise that is lost after it
    st.sampled_from([0.01, 0.1, 0.5, 1.0]),  # noise
    st.sampled_from([0.0, 0.02, 0.5]),  # between seeds
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(_curves, min_size=2, max_size=4))
@example([(1.0, 0.8, 0.6, 0.1, 0.0), (0.1, 1.0, 0.0, 0.1, 0.0)])  # rises in most tenths, and falls back
@example([(1.0, 0.1, 0.3, 0.01, 0.0), (0.1, 1.0, 0.0, 0.01, 0.0)])  # falls in most tenths, after a rise at once
def test_no_config_is_told_what_contradicts_itself(curves):
    """Curves that rise or fall to a peak and lose a part of that, three seeds a config."""
    records = []
    for place, (rise, peak, lost, noise, spread) in enumerate(curves):
        seeds = []
        for seed in range(3):
            rng = np.random.default_rng(10 * place + seed)
            steps = np.arange(1, 201) * 10
            level = np.interp(np.linspace(0, 1, 200), [0, peak, 1.001], [0, rise, (1 - lost) * rise])
            seeds.append(_run(seed, steps, level + rng.normal(0, noise, 200) + spread * (seed - 1)))
        records.append(ConfigRecord(name=f"config {place}", is_base=False, seeds=tuple(seeds)))
    for judged in assess(records).configs:
        texts = [sign.text for sign in judged.signs]
        for one, other in CONTRADICTIONS:
            assert not (_any_starts(texts, one) and _any_starts(texts, other)), texts
        if judged.verdict.kind is VerdictKind.NOT_IMPROVING:
            assert not _any_starts(texts, "steady upward trend"), texts
        if judged.verdict.kind is VerdictKind.PROMISING:
            for warning in ("no improvement", "improvement too small", "downward trend"):
                assert not _any_starts(texts, warning), texts


def _any_starts(texts, start):
    return any(text.startswith(start) for text in texts)


def _run(seed, steps, reward):
    return SeedRecord(
        seed=seed,
        status=RunStatus.COMPLETED,
        has_begun=True,
        diverged=False,
        budget=Budget(episodes=len(steps)),
        trained_steps=int(steps[-1]),
        env_steps=steps,
        length=np.full(len(steps), 10),
        reward=reward,
        won=np.full(len(steps), np.nan),
        update_steps=steps[9::10],
        approx_kl=np.full(20, 0.02),
        clip_fraction=np.full(20, 0.1),
        entropy=np.full(20, 0.5),
        explained_variance=np.full(20, 0.5),
        gradient_steps=np.full(20, 40.0),
        losses=np.zeros((20, 2)),
        evaluation_steps=np.zeros(0, dtype=np.int64),
        evaluation_reward=np.zeros(0),
        evaluation_length=np.zeros(0),
        evaluation_win_rate=np.zeros(0),
        evaluation_is_score=np.zeros(0, dtype=np.bool_),
    )
