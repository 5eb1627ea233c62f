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


def test_a_sweep_whose_driver_was_killed_and_a_stopped_one_are_finished(rlsweep: Any, ray_head: dict[str, str]) -> None:
    base = rlsweep.base("Calm", seconds=0.01)
    command = (
        *("submit", rlsweep.agents("a", "b", "c"), "--episodes", str(EPISODES), "--base-config", base),
        *EVERY_ROLLOUT,
    )
    submit = rlsweep.start(*command, "--name", "first", **ray_head)
    rlsweep.wait_until("select 1 from checkpoints having count(distinct run_id) = 2")
    submit.send_signal(signal.SIGKILL)
    submit.communicate(timeout=30)

    again = rlsweep.start(*command, "--name", "second", **ray_head)
    said = next(line for line in again.stderr if not line.endswith(" …\n"))  # those say what it waits for
    assert said == "Sweep first has the same plan and is unfinished. Resume it: rlsweep resume first\n"
    rlsweep.wait_until(
        "select count(*) from checkpoints join training_runs as run on run.id = run_id"
        " join sweeps on sweeps.id = sweep_id where sweeps.name = 'second'"
    )
    again.send_signal(signal.SIGINT)
    out, _ = again.communicate(timeout=60)
    assert again.returncode == 130
    assert "    rlsweep resume second\n" in out
    assert "no trial failed. Some are unfinished: rlsweep resume second" in rlsweep.look("retry", "second").stdout

    done = rlsweep.run("resume", "first", **ray_head)
    assert "3 of 3 trials to run" in done.stdout
    runs = runs_of(rlsweep, "first")
    assert [run["status"] for run in runs] == ["completed"] * 3
    assert sorted(run["attempt"] for run in runs) == [1, 2, 2], "two trials ran side by side"
    gone_on = rlsweep.rows(
        "select min(episode) from episodes join training_runs as run on run.id = run_id"
        " join sweeps on sweeps.id = sweep_id where sweeps.name = 'first' and episodes.attempt = 2 group by run_id"
    )
    assert any(first > 1 for (first,) in gone_on), "from a checkpoint, not from the start"
    assert rlsweep.look("resume", "first").stdout == "Sweep first is completed: there is nothing left to run.\n"
    assert [run["attempt"] for run in runs_of(rlsweep, "first")] == [run["attempt"] for run in runs]

    report = json.loads(rlsweep.run("resume", "second", "--json", **ray_head).stdout)
    assert report["name"] == "second"
    assert {run["status"] for run in runs_of(rlsweep, "second")} == {"completed"}
    assert_every_episode_once(rlsweep)


def test_retry_runs_what_failed_from_a_checkpoint_or_anew(rlsweep: Any, ray_head: dict[str, str]) -> None:
    marker = rlsweep.folder / "marker"
    base = rlsweep.base("Raises", marker=str(marker), after=40)
    plan = (rlsweep.agents("a", "b"), "--episodes", str(EPISODES), "--base-config", base, "--name", "mine")
    failed = rlsweep.run("submit", *plan, *EVERY_ROLLOUT, expect=1, **ray_head)
    assert "    rlsweep retry mine\n" in failed.stdout
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
