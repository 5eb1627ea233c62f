"""`backend: rllib`: the same learning as stock SB3's, on the record and in checkpoints as every run's."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import test_rllib as benchmark
from ray_head import own_environ
from sb3_contrib import MaskablePPO

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("rllib")]

HERE = Path(__file__).parent
CONFIG = HERE.parents[2] / "config"
TIMEOUT_S = 600
STEPS = 64
FLOAT32 = 1e-6


def printed(script: str, *arguments: object) -> Any:
    """The JSON that a script beside this file prints."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        env=own_environ(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def on_one_ray(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = printed("rllib_cases.py", tmp_path_factory.mktemp("cases"))
    return found


@pytest.fixture(scope="module")
def cases(on_one_ray: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = on_one_ray["cases"]
    return found


@pytest.fixture(scope="module")
def parity() -> dict[str, Any]:
    found: dict[str, Any] = printed("rllib_parity.py")
    return found


def test_an_env_runner_keeps_no_episode(parity: dict[str, Any]) -> None:
    # what is under way is one chunk of one episode
    assert parity["kept"] <= 1


def test_an_update_is_that_of_stock_sb3(parity: dict[str, Any]) -> None:
    for name, case in parity["updates"].items():
        assert case["moved"] > 1e-3, name
        assert case["distance"] < FLOAT32, name
        assert case["ours"].pop("train/gradient_steps") == 3  # one an epoch; stock's are counted by the session
        theirs = {logged: case["theirs"][logged] for logged in case["ours"]}
        assert case["ours"] == pytest.approx(theirs, rel=1e-3, abs=1e-5), name


def test_every_episode_update_and_evaluation_is_recorded(cases: dict[str, Any]) -> None:
    run = cases["stopped"]
    assert run["result"]["status"] == "stopped"
    assert [episode["episode"] for episode in run["episodes"]] == list(range(1, len(run["episodes"]) + 1))
    steps = [episode["env_steps"] for episode in run["episodes"]]
    assert steps == sorted(steps)
    assert 3 * STEPS < steps[-1] <= 4 * STEPS
    # two env runners, each in midst of an episode at the end
    played = sum(episode["length"] for episode in run["episodes"])
    assert 4 * STEPS - 2 * 42 < played <= 4 * STEPS
    assert {episode["outcome"] for episode in run["episodes"]} == {"win", "loss"}
    assert {episode["outcome"]: episode["reward"] for episode in run["episodes"]} == {"win": 1.0, "loss": -1.0}
    assert [update["env_steps"] for update in run["updates"]] == [STEPS, 2 * STEPS, 3 * STEPS, 4 * STEPS]
    assert [update["learning_rate"] for update in run["updates"]] == pytest.approx(
        [0.01 * (1 - done / 6) for done in (1, 2, 3, 4)]
    )
    assert all(update["entropy"] > 0 and update["approx_kl"] >= 0 for update in run["updates"])
    assert run["evaluations"] == 1
    assert run["facts"]["engine"] == "rllib, env runners: 2, learners: in the run itself"
    assert "not identical" in run["facts"]["equivalence"]


def test_a_stopped_run_goes_on_with_weights_optimizer_and_counters(cases: dict[str, Any]) -> None:
    stopped, gone_on = cases["stopped"], cases["gone on"]
    # asked to stop at the evaluation after the fourth update, which is not to count then
    assert stopped["checkpoints"][-1]["env_steps"] == 3 * STEPS
    assert stopped["optimizer_steps"] == 3 * 4
    assert gone_on["result"] == {"status": "completed", "env_steps": 6 * STEPS}
    assert [update["update"] for update in gone_on["updates"]] == [4, 5, 6]
    assert gone_on["optimizer_steps"] == 6 * 4
    assert gone_on["episodes"][0]["episode"] == stopped["checkpoints"][-1]["episode"] + 1


def test_an_env_runner_that_dies_is_replaced(cases: dict[str, Any]) -> None:
    assert cases["gone on"]["has_killed"]
    assert [update["env_steps"] for update in cases["gone on"]["updates"]] == [4 * STEPS, 5 * STEPS, 6 * STEPS]


def test_stock_sb3_plays_the_policy_that_rllib_learnt(cases: dict[str, Any]) -> None:
    played = cases["played"]
    assert played["equal"] == played["of"] == 300
    assert played["distance"] < FLOAT32
    assert (played["n_steps"], played["n_envs"]) == (STEPS // 2, 2)


def test_two_learners_share_an_update_and_an_episode_budget_is_met(cases: dict[str, Any]) -> None:
    run = cases["learners"]
    assert run["result"]["status"] == "completed"
    assert len(run["episodes"]) == 20
    assert run["result"]["env_steps"] == run["episodes"][-1]["env_steps"]
    assert len(run["updates"]) == run["result"]["env_steps"] // STEPS


def test_what_an_environment_raises_is_the_error_of_the_run(cases: dict[str, Any]) -> None:
    said = (
        r"EnvironmentStateError: Environment 'troubled_envs:Raises': step raises ZeroDivisionError: a mistake in the "
        r"environment \(.*troubled_envs\.py, line \d+\), after env step \d+, in episode \d+\."
    )
    assert re.fullmatch(said, cases["raises"]["error"])
    assert "ZeroDivisionError: a mistake in the environment" in cases["raises"]["traceback"]
    assert cases["raises"]["traceback"].strip().endswith(cases["raises"]["error"])


def test_env_runners_that_only_die_end_the_run(cases: dict[str, Any]) -> None:
    assert cases["dies"]["error"].startswith("WorkersLostError: Env runners died 1 times within one rollout")


def test_nothing_is_left_behind(cases: dict[str, Any]) -> None:
    assert [case["left_behind"] for name, case in cases.items() if name != "played"] == [0] * 5


def test_the_benchmark_trains_with_two_env_runners(on_one_ray: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def asked_for(script: str, *arguments: object) -> Any:
        assert (script, arguments) == ("rllib_runs.py", (2, 256, 0, 1))
        return on_one_ray["benchmark"]

    monkeypatch.setattr(benchmark, "printed", asked_for)
    measured = benchmark.speeds(steps=256, rounds=1, env_runners=(2,))
    assert [len(found) for found in measured.values()] == [1]
    for (found,) in measured.values():
        assert 0 <= found["win_rate"] <= 1
        assert found["played_per_second"] > found["steps_per_second"] > 0


def test_a_run_that_is_interrupted_goes_on_and_is_played(rlsweep: Any) -> None:
    rlsweep.agents("a")
    base = rlsweep.folder / "rllib.yaml"
    base.write_text(json.dumps({"backend": "rllib", "checkpoint_interval_episodes": 5}))
    agent = ("--agent-config", str(rlsweep.folder / "tiny_sweep_a.yaml"), "--base-config", str(base))
    train = rlsweep.start("train", *agent, "--total-timesteps", "1000000")
    deadline = time.monotonic() + 300
    while not list(rlsweep.home.glob("checkpoints/*/*.zip")):
        assert train.poll() is None, train.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.5)
    train.send_signal(signal.SIGINT)
    out, err = train.communicate(timeout=300)
    assert train.returncode == 130, (out, err)
    assert [line for line in err.splitlines() if not line.endswith("…")] == [], "beside what it waits for"
    (stopped,) = rlsweep.json("runs")
    assert stopped["status"] == "stopped"

    more = stopped["env_steps"] + 3 * STEPS
    rlsweep.run("train", "--resume", stopped["id"], "--total-timesteps", str(more), timeout=300)
    shown = rlsweep.json("show", stopped["id"])
    run = shown["run"]
    assert (run["status"], run["attempt"]) == ("completed", 2)
    assert run["metadata"]["resumes"] == "at an episode's start: other processes play it"
    last = max(shown["checkpoints"], key=lambda checkpoint: checkpoint["env_steps"])
    assert MaskablePPO.load(last["uri"], device="cpu").num_timesteps == run["env_steps"] >= more
    assert "5 episodes" in rlsweep.look("eval", stopped["id"], "--episodes", "5").stdout


def test_a_sweep_is_refused(rlsweep: Any) -> None:
    base = str(CONFIG / "training" / "connect_four_rllib.yaml")
    for command in ("submit", "plan", "race"):
        refused = rlsweep.look(command, rlsweep.agents("a", "b"), "--base-config", base, expect=2).stderr
        assert "rlsweep train --agent-config" in refused
