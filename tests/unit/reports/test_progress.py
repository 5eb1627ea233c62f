"""What progress tells: how long there is to go, and names as they are written."""

import io
import threading
import time
from dataclasses import replace

import pytest
from rich.console import Console

from rlsweep.analysis.progress import seconds_left, total_seconds_left, total_share_done
from rlsweep.cli.observer import ConsoleObserver
from rlsweep.places.watching import WATCH_SECONDS, watched
from rlsweep.population_records import PopulationStanding
from rlsweep.reports.progress import LiveProgress, progress_line, progress_table
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store.database import Database
from rlsweep.sweep_records import Overview
from tests.helpers.runs import run


@pytest.mark.parametrize(
    ("planned", "seconds"),
    [
        (run(of_steps=1000, env_steps=400, steps_per_second=100.0), 6),
        (run(of_episodes=60, episodes=10, mean_length=20.0, steps_per_second=100.0), 10),
        (run(of_episodes=60, episodes=10, of_steps=300, mean_length=20.0, steps_per_second=100.0), 3),
        (run(of_steps=1000, env_steps=1200, steps_per_second=100.0), 0),
        (run(of_steps=1000, env_steps=400, steps_per_second=100.0, pause_at=0.5), 1),
        (run(of_episodes=60, episodes=10, mean_length=20.0, steps_per_second=100.0, pause_at=0.5), 4),
        (run(of_steps=1000), None),
        (run(RunStatus.PENDING, of_steps=1000, steps_per_second=100.0), None),
    ],
)
def test_the_pace_tells_how_long_a_run_takes(planned: TrainingRun, seconds: float | None) -> None:
    assert seconds_left(planned) == seconds


def test_the_total_shares_what_is_left_among_the_running() -> None:
    running = [run(of_episodes=100, episodes=50, mean_length=10.0, steps_per_second=50.0) for _ in range(2)]
    waiting = [run(RunStatus.PENDING, of_episodes=100) for _ in range(3)]

    def left(*runs: TrainingRun) -> float | None:
        return total_seconds_left(Overview.of_all(runs))

    assert left(*running) == 10
    assert left(*running, *waiting) == (2 * 500 + 3 * 1000) / 100
    slow = run(of_episodes=100, mean_length=10.0, steps_per_second=1.0)
    assert left(*running, slow) == 1000, "no sooner than the slowest of those that run"
    assert left(*waiting) is None
    assert left(run(RunStatus.COMPLETED, of_episodes=100)) is None


def test_of_many_trials_the_total_counts_those_that_are_not_shown() -> None:
    running = [run(of_episodes=100, episodes=50, mean_length=10.0, steps_per_second=50.0) for _ in range(2)]
    waiting = [run(RunStatus.PENDING, of_episodes=100) for _ in range(3)]
    all_of_them = Overview.of_all([*running, *waiting, *(run(RunStatus.COMPLETED, of_episodes=100) for _ in range(5))])
    shown = Overview(runs=(*running, waiting[0]), runs_by_status=all_of_them.runs_by_status)
    assert total_seconds_left(shown) == total_seconds_left(all_of_them) == (2 * 500 + 3 * 1000) / 100
    assert total_share_done(shown) == total_share_done(all_of_them) == 0.6
    table = printed(shown).splitlines()
    assert [line.rstrip() for line in table[-2:]] == ["and 7 more", "5 of 10 trials done, 60%, 100 steps/s, 40 s left"]
    assert len(table) == 2 + 3 + 2


def test_a_trial_that_pauses_has_done_all_up_to_its_pause() -> None:
    running = [run(of_steps=1000, env_steps=steps, steps_per_second=100.0, pause_at=0.5) for steps in (250, 512)]
    paused = [run(RunStatus.PAUSED, of_steps=1000, env_steps=512, pause_at=0.5) for _ in range(2)]
    seen = Overview.of_all([*running, *paused, run(RunStatus.PENDING, of_steps=1000, pause_at=0.5)])
    assert total_share_done(seen) == (0.5 + 1 + 2) / 5
    assert total_seconds_left(seen) == (250 + 0 + 500) / 200
    assert printed(seen).splitlines()[-1].rstrip() == (
        "0 of 5 trials done, 70%, 2 paused, 1,786 env steps, 200 steps/s, 4 s left"
    )
    assert [line.split()[3] for line in printed(seen).splitlines()[2:7]] == [
        "running", "running", "paused", "paused", "pending",
    ]  # fmt: skip


def test_a_member_of_a_population_goes_on_from_its_pause() -> None:
    running = run(of_steps=1000, env_steps=250, steps_per_second=100.0, pause_at=0.5)
    paused = [run(RunStatus.PAUSED, of_steps=1000, env_steps=500, pause_at=0.5) for _ in range(2)]
    failed = run(RunStatus.FAILED, of_steps=1000, env_steps=250, pause_at=0.5)
    standing = PopulationStanding(copies=2, member=1, source=3, env_steps=250, changes={"gamma": (0.99, 0.95)})
    seen = replace(Overview.of_all([running, *paused, failed]), population=standing)
    assert total_share_done(seen) == 0.375
    assert total_seconds_left(seen) == (750 + 2 * 500) / 100
    assert printed(seen).splitlines()[-2].rstrip().startswith("0 of 4 trials done, 38%, 2 paused, 1 failed, 1,500 env")
    assert printed(seen).splitlines()[-1].rstrip() == (
        "Copies so far: 2; at 250 env steps member 1 copied member 3 (gamma 0.99 → 0.95)"
    )


def test_of_many_trials_lines_tell_the_failures() -> None:
    out = io.StringIO()
    failed, completed = run(RunStatus.FAILED, of_steps=10), run(RunStatus.COMPLETED, of_steps=10)
    runs_by_status = {RunStatus.FAILED: 1, RunStatus.COMPLETED: 9}
    with LiveProgress(Console(file=out, width=100)) as tell:
        for _ in range(2):
            tell(Overview(runs=(failed, completed), runs_by_status=runs_by_status))
    assert out.getvalue() == "a_v1 seed 0: failed, 0/10 env steps\n"


def test_tables_and_lines_tell_what_is_left() -> None:
    running = run(of_steps=1000, env_steps=400, steps_per_second=100.0)
    assert "100 steps/s, 6 s left" in progress_line(running)
    waiting = run(RunStatus.PENDING, of_steps=1000)
    assert printed(Overview.of_all([running, waiting])).splitlines()[-1].rstrip() == (
        "0 of 2 trials done, 20%, 400 env steps, 100 steps/s, 16 s left"
    )


def test_what_ended_early_counts_by_what_it_did_and_what_never_began_is_called_so() -> None:
    stopped = run(RunStatus.STOPPED, of_steps=200_000, env_steps=2_045)
    unbegun = [run(RunStatus.STOPPED, of_steps=200_000, attempt=0) for _ in range(2)]
    seen = Overview.of_all([stopped, *unbegun])
    assert printed(seen).splitlines()[-1].rstrip() == "0 of 3 trials done, 0.3%, 3 stopped, 2,045 env steps"
    assert ["not started" in line for line in printed(seen).splitlines()[-4:-1]] == [False, True, True]
    assert total_share_done(Overview(runs=(stopped,), runs_by_status={RunStatus.STOPPED: 2})) == 2_045 / 200_000
    assert total_share_done(Overview.of_all([run(RunStatus.FAILED, of_steps=10), stopped])) < 0.01


def test_means_are_called_those_of_the_last_episodes() -> None:
    running = run(of_episodes=60, episodes=20, env_steps=400, mean_reward=12.0, win_rate=0.25, mean_length=20.0)
    heading = [line.split() for line in printed(Overview.of_all([running])).splitlines()[:2]]
    assert heading == [["reward,", "wins,"], ["trial", "status", "episodes", *["last", "100"] * 2, "steps/s", "left"]]
    assert progress_line(running) == (
        "a_v1 seed 0: running, 20/60 episodes, 400 env steps, reward 12, wins 25% (last 100)"
    )


def test_live_progress_says_that_trials_are_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsweep.reports.progress.LINES_EVERY_SECONDS", 0.0)
    waiting, out = run(RunStatus.PENDING, of_steps=10), io.StringIO()
    with LiveProgress(Console(file=out, width=100)) as tell:
        tell(Overview.of_all([waiting]))
        tell(Overview.of_all([waiting, run(of_steps=10)]))
    assert "0 of 1 trials done, 0%, starting trials\n" in out.getvalue()
    assert out.getvalue().count("starting") == 1
    assert "starting" not in printed(Overview.of_all([waiting])), "of a sweep that nobody drives"


def test_env_steps_and_their_speed_are_told_before_the_first_episode_ends() -> None:
    slow = run(of_episodes=60, env_steps=400, steps_per_second=40.0)
    assert printed(Overview.of_all([slow])).splitlines()[-1].rstrip() == (
        "0 of 1 trials done, 0%, 400 env steps, 40 steps/s"
    )


def test_a_name_is_no_markup() -> None:
    assert "a[/b] seed 0" in printed(Overview.of_all([run(of_steps=10, config_short_name="a[/b]")]))


def printed(seen: Overview) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(progress_table(seen, width=100))
    return out.getvalue().rstrip()


def test_watching_outlives_an_outage_of_the_database() -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:9/none")
    with watched(nowhere, run(of_steps=10), ConsoleObserver(Console(file=io.StringIO()))):
        time.sleep(1.5 * WATCH_SECONDS)
        assert [thread for thread in threading.enumerate() if thread.name == "progress"]
