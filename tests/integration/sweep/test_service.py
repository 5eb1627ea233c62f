"""The service of `rlsweep up` takes sweeps, side by side, from any folder; it ends cleanly; killed, it loses none."""

import json
import os
import re
import signal
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from test_service import first_trial  # of the benchmarks

from rlsweep.runs import EndReason
from rlsweep.store import recording, sweeps, training_runs, transitions

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EVERY_ROLLOUT = ("--set", "checkpoint_interval_episodes=5", "--set", "evaluation.enabled=false", "--mode", "full")
PATIENCE_S = 120

BOTH_UNDER_WAY = """
select 1 from checkpoints join training_runs on id = run_id where status = 'running' having count(distinct run_id) = 2
"""

OWN_GAME = """\
from pathlib import Path
from troubled_envs import Calm

class Mine(Calm):
    level = Path("data", "level.txt")  # beside which the command is typed

    def __init__(self):
        super().__init__()
        self.reward = float(self.level.read_text())

    def step(self, action):
        observation, _, over, cut, info = super().step(action)
        return observation, self.reward, over, cut, info
"""


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def up(rlsweep: Any, *, cpus: int) -> tuple[str, str]:
    """Start it; what it said, and its ports as flags."""
    page, dashboard = free_port(), free_port()
    said = rlsweep.run("up", "--port", page, "--dashboard-port", dashboard, "--cpus", str(cpus)).stdout
    return said, page


@contextmanager
def trained_by_another(rlsweep: Any, sweep: str) -> Iterator[UUID]:
    """A sweep's one run has a worker that gives signs of life, and none of the sweep's driver's."""
    done = threading.Event()
    with rlsweep.open() as database:
        (run,) = training_runs.of_sweep(database, sweeps.get(database, sweep).id)
        transitions.end_abandoned(database, run_id=run.id, patience_seconds=0)
        begun = transitions.begin_attempt(database, run.id, {"host": "elsewhere"})
        assert begun is not None
        progress = recording.Progress(episodes=run.episodes, updates=run.updates, env_steps=run.env_steps)

        def live() -> None:
            while not done.wait(0.3):
                recording.flush(database, run.id, begun.attempt, recording.Batch(progress=progress))

        worker = threading.Thread(target=live)
        worker.start()
        try:
            yield run.id
        finally:
            done.set()
            worker.join()
            transitions.finish(database, run.id, begun.attempt, EndReason.STOPPED)


def test_the_service_takes_sweeps_and_ends(rlsweep_at_home: Any, tmp_path: Path) -> None:
    rlsweep = rlsweep_at_home
    assert rlsweep.look("down").stdout == "The service is not up.\n"
    nobody = rlsweep.drive("submit", rlsweep.agents("a"), "--episodes", "5", "--detach", expect=2).stderr
    assert "--detach: nobody is there to drive the sweep. Start the service with `rlsweep up`" in nobody

    (tmp_path / "own_game.py").write_text("raise ImportError")  # beside which the service is started
    said, page = up(rlsweep, cpus=1)
    assert f"Training History: http://localhost:{page}/training\n" in said
    assert "is up already" in rlsweep.look("up").stdout
    assert rlsweep.look("status").stdout.endswith(
        "No sweeps yet. Start one: rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml'\n"
    )
    with urllib.request.urlopen(f"http://127.0.0.1:{page}/api/sweeps") as answer:
        assert json.load(answer)["total"] == 0
    kill_while_it_drives(rlsweep, "night")

    said, page = up(rlsweep, cpus=2)
    assert "2 CPUs for trials" in said
    try:
        card = rlsweep.home / "service" / "service.json"
        assert card.stat().st_mode & 0o077 == 0
        key = json.loads(card.read_text())["key"]
        finish_what_it_left(rlsweep, "night")
        assert {reward: follow_in_a_folder(rlsweep, reward) for reward in (1.0, 2.0)} == {1.0: 10.0, 2.0: 20.0}

        decide_in_the_service(rlsweep)

        # As its benchmark starts one: measured first, in the place of the home.
        start = first_trial(rlsweep.home)
        assert 0 < start.recorded < start.typed

        # Two at once, left to it; one is stopped, the other is there when the service ends.
        base = rlsweep.base("Calm", seconds=0.01)
        for name in ("one", "two"):
            plan = ("--episodes", "2000", "--base-config", base, "--max-concurrent", "1", *EVERY_ROLLOUT)
            rlsweep.drive("submit", "tiny_sweep_a.yaml", *plan, "--name", name, "--detach")
        rlsweep.wait_until(BOTH_UNDER_WAY)
        status = rlsweep.json("status")
        assert status["service"]["page_url"].endswith(f":{page}/training")
        assert key not in json.dumps(status)
        rlsweep.look("stop", "one")
        assert rlsweep.look("attach", "one", expect=1).stdout.count("    rlsweep resume one\n") == 1
        assert "running, 0/2,000 ep" in rlsweep.look("logs", "one").stdout
    finally:
        ended = rlsweep.run("down").stdout
    assert ended == "1 sweep will stop, and can be resumed: two\nThe service has ended.\n"
    assert rlsweep.json("status", "two")["sweep"]["status"] == "stopped"
    assert not rlsweep.left_behind(within_s=60)


def kill_while_it_drives(rlsweep: Any, name: str) -> None:
    """Kill the service in the middle of a sweep of 60 episodes, which is followed meanwhile."""
    plan = ("--episodes", "60", "--base-config", rlsweep.base("Calm", seconds=0.01), *EVERY_ROLLOUT)
    rlsweep.drive("submit", "tiny_sweep_a.yaml", *plan, "--name", name, "--detach")
    pid = rlsweep.json("status")["service"]["pid"]
    attached = rlsweep.start("attach", name)
    rlsweep.wait_until("select count(*) from checkpoints")
    os.kill(pid, signal.SIGKILL)
    _, err = attached.communicate(timeout=PATIENCE_S)
    assert attached.returncode == 1
    assert re.search(rf"The driver process \d+ on .* of sweep {name} gives no sign of life", err)
    assert not rlsweep.left_behind(within_s=60), "neither its page nor its Ray outlives it"


def finish_what_it_left(rlsweep: Any, name: str) -> None:
    """Resume the sweep of a killed service on the next one, where nobody else trains its run."""
    with trained_by_another(rlsweep, name) as run_id:
        refused = rlsweep.drive("resume", name, expect=1).stderr
        assert f"The service's driver of sweep {name} ended before its trials did. The end of its log:" in refused
        assert f"Training run {run_id} is being trained by a process on elsewhere" in refused
    done = rlsweep.drive("resume", name).stdout
    assert "is driven by the service" in done
    (run,) = rlsweep.json("status", name)["runs"]
    assert (run["status"], run["attempt"], run["episodes"]) == ("completed", 3, 60)


def decide_in_the_service(rlsweep: Any) -> None:
    """What decisions choose is trained by the service like any other sweep: with ASHA, and a population."""
    rlsweep.agents("a", "b")
    plan = ("--base-config", rlsweep.base("Calm"), "--total-timesteps", "128")
    halving = ("--scheduler", "asha", "--rungs", "2", "--reduction", "2", "--objective", "training_reward")
    halved = rlsweep.drive("submit", "tiny_sweep_*.yaml", *plan, *halving, "--name", "halved").stdout
    assert "is driven by the service" in halved
    runs = rlsweep.json("status", "halved")["runs"]
    assert sorted((run["status"], run["env_steps"]) for run in runs) == [("completed", 128), ("paused", 64)]

    space = ("--space", "learning_rate=log:1e-4..1e-2", "--scheduler", "pbt", "--population", "4", "--interval", "64")
    bred = rlsweep.drive("submit", "tiny_sweep_a.yaml", *plan, *space, "--name", "bred").stdout
    assert "is driven by the service" in bred
    runs = rlsweep.json("status", "bred")["runs"]
    assert [(run["status"], run["env_steps"]) for run in runs] == [("completed", 128)] * 4
    assert [run["attempt"] for run in runs] == [2] * 4, "each paused at the interval"


def follow_in_a_folder(rlsweep: Any, reward: float) -> float:
    """Submit from a folder with a module and a file of its own, as without the service; the mean reward.

    Two folders' modules and files of one name do not meet.
    """
    folder = rlsweep.folder / f"reward-{reward:g}"
    (folder / "data").mkdir(parents=True)
    (folder / "own_game.py").write_text(OWN_GAME)
    (folder / "data" / "level.txt").write_text(str(reward))
    (folder / "base.json").write_text(json.dumps({"environment": "own_game:Mine"}))
    (folder / "agent.yaml").write_text((rlsweep.folder / "tiny_sweep_a.yaml").read_text())
    there = replace(rlsweep, folder=folder)
    done = there.drive("submit", "agent.yaml", "--episodes", "5", "--base-config", "base.json")
    assert "is driven by the service" in done.stdout
    assert ": completed" in done.stdout
    (run,) = rlsweep.json("status")["runs"]
    assert run["metadata"]["command"].startswith("rlsweep submit agent.yaml")
    return float(run["mean_reward"])
