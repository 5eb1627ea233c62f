"""A sweep whose driver or trials ended goes on where it stopped, and nothing of it is lost or done twice."""

import json
import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]

EPISODES = 80
EVERY_ROLLOUT = ("--set", "checkpoint_interval_episodes=5", "--set", "evaluation.enabled=false", "--mode", "full")


def runs_of(rlsweep: Any, sweep: str = "latest") -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = rlsweep.json("status", sweep)["runs"]
    return runs


def assert_every_episode_once(rlsweep: Any) -> None:
    counted = rlsweep.rows("select count(*), min(episode), max(episode), max(env_steps) from episodes group by run_id")
    assert set(counted) == {(EPISODES, 1, EPISODES, 10 * EPISODES)}
    assert [(len(counted),)] == rlsweep.rows("select count(*) from training_runs")


def test_a_sweep_whose_driver_was_killed_is_resumed_stopped_and_resumed(rlsweep: Any, ray_head: dict[str, str]) -> None:
    plan = ("submit", rlsweep.agents("a", "b", "c"), "--episodes", str(EPISODES), *EVERY_ROLLOUT)
    # a run takes 16 s, so that two are under way at once even where one of them begins late
    command = (*plan, "--base-config", rlsweep.base("Calm", seconds=0.02))
    submit = rlsweep.start(*command, "--name", "first", **ray_head)
    rlsweep.wait_until("select 1 from checkpoints having count(distinct run_id) = 2")
    submit.send_signal(signal.SIGKILL)
    submit.communicate(timeout=30)

    again = rlsweep.drive(*command, "--name", "first", expect=2, **ray_head).stderr
    assert "Sweep first has the same plan and is unfinished. Resume it: rlsweep resume first\n" in again
    assert "A sweep named 'first' exists already" in again, "nobody is asked: it begins another one"
    resumed = rlsweep.start("resume", "first", **ray_head)
    rlsweep.wait_until("select 1 from checkpoints where attempt = 2 having count(distinct run_id) = 2")
    resumed.send_signal(signal.SIGINT)
    out, _ = resumed.communicate(timeout=60)
    assert resumed.returncode == 130
    assert "3 of 3 trials to run" in out
    assert "    rlsweep resume first\n" in out
    assert "no trial failed. Some are unfinished: rlsweep resume first" in rlsweep.look("retry", "first").stdout

    report = json.loads(rlsweep.drive("resume", "first", "--json", **ray_head).stdout)
    assert report["name"] == "first"
    runs = runs_of(rlsweep)
    assert [run["status"] for run in runs] == ["completed"] * 3
    assert sorted(run["attempt"] for run in runs) == [1, 3, 3], "two trials ran side by side"
    begun = rlsweep.rows("select attempt, min(episode) from episodes group by run_id, attempt")
    assert all(first > 1 for attempt, first in begun if attempt > 1), "from a checkpoint, not from the start"
    assert {attempt for attempt, _ in begun} == {1, 2, 3}
    assert rlsweep.look("resume", "first").stdout == "Sweep first is completed: there is nothing left to run.\n"
    assert [run["attempt"] for run in runs_of(rlsweep)] == [run["attempt"] for run in runs]
    assert_every_episode_once(rlsweep)


def test_retry_runs_what_failed_from_a_checkpoint_or_anew(rlsweep: Any, ray_head: dict[str, str]) -> None:
    marker = rlsweep.folder / "marker"
    base = rlsweep.base("Raises", marker=str(marker), after=40)
    plan = (rlsweep.agents("a", "b"), "--episodes", str(EPISODES), "--base-config", base, "--name", "mine")
    failed = rlsweep.drive("submit", *plan, *EVERY_ROLLOUT, expect=1, **ray_head)
    assert "    rlsweep retry mine\n" in failed.stdout
    assert "1 trial failed: rlsweep retry mine" in rlsweep.look("resume", "mine").stdout
    assert sorted(run["status"] for run in runs_of(rlsweep)) == ["completed", "failed"]

    marker.unlink()  # it fails once more, 40 episodes later
    assert "1 of 2 trials to run" in rlsweep.drive("retry", "mine", expect=1, **ray_head).stdout
    assert sorted((run["status"], run["attempt"]) for run in runs_of(rlsweep)) == [("completed", 1), ("failed", 2)]
    ((first, last),) = rlsweep.rows("select min(episode), max(episode) from episodes where attempt = 2")
    assert 20 < first < last, "from its last checkpoint"

    assert "1 of 2 trials to run" in rlsweep.drive("retry", "latest", "--from-start", **ray_head).stdout
    assert rlsweep.rows("select count(*), min(episode) from episodes where attempt = 3") == [(EPISODES, 1)]
    assert_every_episode_once(rlsweep)
