"""How far a sweep with ASHA has come, and what a run that waits at a rung says."""

import pytest

from rlsweep.analysis.progress import total_seconds_left, total_share_done
from rlsweep.analysis.rungs import asha_progress, rung_words, waits_at
from rlsweep.reports.progress import progress_line
from rlsweep.runs import Budget, RunStatus
from rlsweep.scheduler_records import AshaStanding, RungCount
from rlsweep.sweep_records import Overview
from tests.helpers.runs import run


def standing(*counts: tuple[int, int], is_over: bool = False) -> AshaStanding:
    shares = (0.25, 0.5, 1.0)
    rungs = tuple(
        RungCount(share=share, sent=sent, reached=reached)
        for share, (sent, reached) in zip(shares, counts, strict=True)
    )
    return AshaStanding(rungs=rungs, reduction=2, runs=8, is_over=is_over)


def test_what_is_left_is_what_is_expected_at_each_rung() -> None:
    found = asha_progress(standing((4, 3), (1, 1), (0, 0)))
    assert found.done == 3 * 0.25 + 1 * 0.25
    assert found.left == 5 * 0.25 + 3 * 0.25 + 2 * 0.5, "8 configs, then 4, then 2"
    more = asha_progress(standing((8, 8), (6, 5), (3, 1)))
    assert more.left == 1 * 0.25 + 2 * 0.5, "more were sent than 1 in 2"
    over = asha_progress(standing((8, 8), (4, 4), (2, 2), is_over=True))
    assert (over.left, over.share) == (0.0, 1.0)


def test_the_time_left_is_that_of_the_runs_that_are_expected() -> None:
    going = run(RunStatus.RUNNING, of_steps=1000, env_steps=100, pause_at=0.25, rung=1, steps_per_second=10.0)
    seen = Overview(
        runs=(going,),
        runs_by_status={RunStatus.RUNNING: 1, RunStatus.PAUSED: 3, RunStatus.PENDING: 4},
        asha=standing((4, 3), (1, 1), (0, 0)),
    )
    assert total_share_done(seen) == pytest.approx((1.0 + 0.1) / 4.0)
    assert total_seconds_left(seen) == pytest.approx((3.0 - 0.1) * 1000 / 10)


@pytest.mark.parametrize(
    ("status", "rung", "env_steps", "under_way"),
    [
        (RunStatus.RUNNING, 1, 0, 0.0),
        (RunStatus.RUNNING, 1, 200, 0.2),
        (RunStatus.RUNNING, 2, 400, 0.15),
        (RunStatus.RUNNING, 2, 640, 0.25),
        (RunStatus.RUNNING, 3, 900, 0.4),
        (RunStatus.STOPPED, 3, 900, 0.4),
        (RunStatus.PENDING, 2, 400, 0.15),
        (RunStatus.PENDING, None, 0, 0.0),
        (RunStatus.PAUSED, 2, 512, 0.0),
        (RunStatus.COMPLETED, 3, 1000, 0.0),
    ],
)
def test_the_share_done_grows_between_rungs(
    status: RunStatus, rung: int | None, env_steps: int, under_way: float
) -> None:
    pause_at = None if rung in (None, 3) else {1: 0.25, 2: 0.5}[rung]
    shown = run(status, of_steps=1000, env_steps=env_steps, pause_at=pause_at, rung=rung)
    seen = Overview(runs=(shown,), runs_by_status={status: 1}, asha=standing((4, 3), (1, 1), (0, 0)))
    assert total_share_done(seen) == pytest.approx((1.0 + under_way) / 4.0)
    many = Overview(runs=(shown,), runs_by_status={status: 2}, asha=standing((4, 3), (1, 1), (0, 0)))
    twice = 1 if status is RunStatus.PENDING else 2
    assert total_share_done(many) == pytest.approx((1.0 + twice * under_way) / 4.0)


def test_a_run_says_at_which_rung_it_waits() -> None:
    waiting = run(RunStatus.PAUSED, of_steps=1000, env_steps=512, pause_at=0.5, rung=2)
    assert waits_at(waiting) == "waits at rung 2"
    assert ": waits at rung 2, 512/1,000 env steps" in progress_line(waiting)
    assert waits_at(run(RunStatus.RUNNING, of_steps=1000, rung=2)) is None
    assert waits_at(run(RunStatus.PAUSED, of_steps=1000, pause_at=0.5)) is None, "of a race"
    assert rung_words(Budget(total_timesteps=81_920), 1 / 27) == "3,034 env steps"
    assert rung_words(Budget(episodes=100, total_timesteps=9_000), 1 / 3) == "33 episodes"
