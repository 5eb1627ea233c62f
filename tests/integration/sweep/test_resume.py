"""A sweep whose driver or trials ended goes on where it stopped, and nothing of it is lost or done twice."""

import json
import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]

EPISODES = 80
EVERY_ROLLOUT = ("--set", "checkpoint_interval_episodes=5", "--set", "evaluation.enabled=false", "--mode", "full")


def runs_of(rlsweep: Any) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = rlsweep.json("status")["runs"]
    return runs


def assert_every_episode_once(rlsweep: Any) -> None:
    counted = rlsweep.rows("select count(*), min(episode), max(episode), max(env_steps) from episodes group by run_id")
    assert counted == [(EPISODES, 1, EPISODES, 10 * EPISODES)] * len(runs_of(rlsweep))


def test_a_sweep_whose_driver_was_killed_is_finished_by_another(rlsweep: Any, ray_head: dict[str, str]) -> None:
    base = rlsweep.base("Calm", seconds=0.01)
    agents = rlsweep.agents("a", "b", "c")
    submit = rlsweep.start(
        *("submit", agents, "--episodes", str(EPISODES), "--base-config", base, "--name", "night", *EVERY_ROLLOUT),
        **ray_head,
    )
    rlsweep.wait_until("select 1 from checkpoints having count(distinct run_id) = 2")
    submit.send_signal(signal.SIGKILL)
    submit.communicate(timeout=30)
    done = rlsweep.run("resume", "night", **ray_head)
    assert "3 of 3 trials to run" in done.stdout
    assert_every_episode_once(rlsweep)
    runs = runs_of(rlsweep)
    assert [run["status"] for run in runs] == ["completed"] * 3
    assert sorted(run["attempt"] for run in runs) == [1, 2, 2], "two trials ran side by side"
    gone_on = rlsweep.rows("select min(episode) from episodes where attempt = 2 group by run_id")
    assert any(first > 1 for (first,) in gone_on), "from a checkpoint, not from the start"
    assert rlsweep.look("resume", "night").stdout == "Sweep night is completed: there is nothing left to run.\n"
    assert [run["attempt"] for run in runs_of(rlsweep)] == [run["attempt"] for run in runs]


def test_a_stopped_sweep_is_offered_and_resumed(rlsweep: Any, ray_head: dict[str, str]) -> None:
    base = rlsweep.base("Calm", seconds=0.01)
    command = (
        *("submit", rlsweep.agents("a", "b", "c"), "--episodes", str(EPISODES), "--base-config", base),
        *EVERY_ROLLOUT,
    )
    submit = rlsweep.start(*command, "--name", "first", **ray_head)
    rlsweep.wait_until("select count(*) from checkpoints")
    submit.send_signal(signal.SIGINT)
    out, _ = submit.communicate(timeout=60)
    assert submit.returncode == 130
    assert "Finish it: rlsweep resume first" in out
    assert "no trial failed. Some are unfinished: rlsweep resume first" in rlsweep.look("retry", "first").stdout

    again = rlsweep.start(*command, "--name", "second", **ray_head)
    said = again.stderr.readline()
    assert said == "Sweep first has the same plan and is unfinished. Resume it: rlsweep resume first\n"
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)

    report = json.loads(rlsweep.run("resume", "first", "--json", **ray_head).stdout)
    assert report["name"] == "first"
    assert {run["status"] for run in rlsweep.json("status", "first")["runs"]} == {"completed"}


def test_retry_runs_what_failed_from_a_checkpoint_or_anew(rlsweep: Any, ray_head: dict[str, str]) -> None:
    marker = rlsweep.folder / "marker"
    base = rlsweep.base("Raises", marker=str(marker), after=40)
    plan = (rlsweep.agents("a", "b"), "--episodes", str(EPISODES), "--base-config", base, "--name", "mine")
    failed = rlsweep.run("submit", *plan, *EVERY_ROLLOUT, expect=1, **ray_head)
    assert "Run the failed trials again: rlsweep retry mine" in failed.stdout
    assert "1 trial failed: rlsweep retry mine" in rlsweep.look("resume", "mine").stdout
    assert sorted(run["status"] for run in runs_of(rlsweep)) == ["completed", "failed"]

    marker.unlink()  # it fails once more, 40 episodes later
    assert "1 of 2 trials to run" in rlsweep.run("retry", "mine", expect=1, **ray_head).stdout
    assert sorted((run["status"], run["attempt"]) for run in runs_of(rlsweep)) == [("completed", 1), ("failed", 2)]
    ((first, last),) = rlsweep.rows("select min(episode), max(episode) from episodes where attempt = 2")
    assert 20 < first < last, "from its last checkpoint"

    assert "1 of 2 trials to run" in rlsweep.run("retry", "latest", "--from-start", **ray_head).stdout
    assert rlsweep.rows("select count(*), min(episode) from episodes where attempt = 3") == [(EPISODES, 1)]
    assert_every_episode_once(rlsweep)


def test_a_trial_whose_process_died_goes_on_from_its_last_checkpoint(rlsweep: Any, ray_head: dict[str, str]) -> None:
    base = rlsweep.base("Dies", marker=str(rlsweep.folder / "marker"), after=60, seconds=0.005)
    plan = (rlsweep.agents("a"), "--episodes", str(EPISODES), "--base-config", base, *EVERY_ROLLOUT)
    rlsweep.run("submit", *plan, **ray_head)
    (run,) = runs_of(rlsweep)
    assert (run["status"], run["attempt"]) == ("completed", 2)
    assert_every_episode_once(rlsweep)
    ((again,),) = rlsweep.rows("select min(episode) from episodes where attempt = 2")
    assert again > 5
