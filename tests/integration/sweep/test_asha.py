"""A live sweep with ASHA: killed in the middle, resumed, and trained no further than its rungs say."""

import json
import signal
from typing import Any

import pytest

from rlsweep.jsonable import jsonable
from rlsweep.reports.asha_record import states_of
from rlsweep.schedulers.asha import AshaSettings, decide, shares
from rlsweep.store import schedulers, sweeps, training_runs

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]

STEPS, ROLLOUT = 640, 32
DECISIONS = "select number, decision::text from scheduler_decisions order by number"
SETTINGS = AshaSettings(rungs=shares(3, 2), reduction=2)


def test_a_sweep_that_was_killed_goes_on_from_its_rungs(rlsweep: Any, ray_head: dict[str, str]) -> None:
    (rlsweep.folder / "base.yaml").write_text(json.dumps({"environment": {"id": "CartPole-v1"}}))
    variants = ("a", "b", "c", "d", "e", "f")
    flags = ("--base-config", "base.yaml", "--total-timesteps", str(STEPS), "--set", f"n_steps={ROLLOUT}")
    asked = ("--scheduler", "asha", "--rungs", "3", "--reduction", "2", "--objective", "training_reward")
    submitted = rlsweep.start("submit", rlsweep.agents(*variants), *flags, *asked, "--name", "tiny", **ray_head)
    rlsweep.wait_until("select 1 from training_runs where attempt >= 2")
    submitted.send_signal(signal.SIGKILL)
    submitted.communicate(timeout=30)
    before = rlsweep.rows(DECISIONS)
    in_flight = {row[0] for row in rlsweep.rows("select id from training_runs where status = 'running'")}

    done = rlsweep.drive("resume", "tiny", **ray_head)
    assert "begun, and asha goes on" in done.stdout
    assert "TAKE " in done.stdout
    assert (
        rlsweep.rows("select number, decision::text from scheduler_decisions order by number")[: len(before)] == before
    )
    with rlsweep.open() as database:
        sweep = sweeps.get(database, "tiny")
        made = schedulers.decisions(database, sweep.id)
        runs = training_runs.of_sweep(database, sweep.id)
    for each, state in zip(made, states_of(made), strict=True):
        assert jsonable(decide(SETTINGS, state.record, free=each.free)) == each.decision
    assert sweep.status.value == "completed"
    assert {run.status.value for run in runs} == {"completed", "paused"}
    at = {1: 160, 2: 320, 3: STEPS}
    assert {(run.env_steps, run.rung) for run in runs} <= {(steps, rung) for rung, steps in at.items()}
    assert max(run.rung or 0 for run in runs) == 3
    for run in runs:
        assert run.rung is not None
        begun = run.rung + (run.id in in_flight)  # once for each rung, and once more after the kill
        assert run.attempt in (begun, run.rung), "none began anew"
    updates = rlsweep.rows("select run_id, count(*), max(env_steps) from updates group by run_id")
    assert {(count, steps) for _, count, steps in updates} == {
        (run.env_steps // ROLLOUT, run.env_steps) for run in runs
    }
    assert "Sweep tiny is completed, and" in rlsweep.look("resume", "tiny").stdout
    assert "waits at rung 1" in rlsweep.look("status", "tiny").stdout
