"""A live race: killed in the middle, resumed, confirmed and promoted."""

import json
import signal
from typing import Any

import pytest

from rlsweep.deciding.race import decide
from rlsweep.jsonable import jsonable
from rlsweep.reports.race_record import inputs_of
from rlsweep.store import races, sweeps, training_runs

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]


def test_a_race_that_was_killed_goes_on_with_the_very_next_decision(rlsweep: Any, ray_head: dict[str, str]) -> None:
    (rlsweep.folder / "base.yaml").write_text(json.dumps({"environment": {"id": "CartPole-v1"}}))
    variants = ("a", "b", "c", "d", "e", "f", "g", "h")
    flags = ("--base-config", "base.yaml", "--total-timesteps", "640", "--tolerance", "25%", "--set", "n_steps=32")
    race = rlsweep.start("race", rlsweep.agents(*variants), *flags, "--name", "tiny", **ray_head)
    rlsweep.wait_until("select 1 from race_decisions having count(*) >= 2")
    race.send_signal(signal.SIGKILL)
    race.communicate(timeout=30)
    before = rlsweep.rows("select number, decision::text from race_decisions order by number")

    done = rlsweep.drive("resume", "tiny", **ray_head)
    assert "Race tiny: " in done.stdout
    assert "undecided" in done.stdout
    assert "Decision " in done.stdout
    assert "TAKE " in done.stdout
    with rlsweep.open() as database:
        sweep = sweeps.get(database, "tiny")
        made = races.decisions(database, sweep.id)
        runs = training_runs.of_sweep(database, sweep.id)
    assert [each.number for each in made] == list(range(1, len(made) + 1))
    assert rlsweep.rows("select number, decision::text from race_decisions order by number")[: len(before)] == before
    for each in made:
        settings, record, free = inputs_of(each)
        assert jsonable(decide(settings, record, free=free)) == each.decision
    assert sweep.status.value == "completed"
    assert {run.status.value for run in runs} <= {"completed", "paused"}
    chosen = {(move["config"], move["seed"]) for each in made for move in each.decision["moves"]}
    assert len(runs) == len({*chosen, *((config, 0) for config in range(len(variants)))}), "each choice is one run"
    counted = rlsweep.rows("select status, count(*) from evaluations join training_runs on id = run_id group by id")
    assert {("completed", 2)} <= set(counted) <= {("completed", 2), ("paused", 1)}, (
        "each at the rung and at the end, once"
    )

    report = rlsweep.json("report", "tiny")
    assert report["race"]["is_decided"]
    assert report["race"]["cost"]["env_steps"] <= 0.5 * report["race"]["cost"]["grid_env_steps"] * 1.001
    assert "Race tiny is decided" in rlsweep.look("resume", "tiny").stdout

    confirmed = rlsweep.drive("confirm", "tiny", "--seeds", "2", "--json", **ray_head)
    held_out = json.loads(confirmed.stdout)["confirmation"]
    assert held_out["of"] == "tiny"
    assert held_out["take"]["name"] == report["race"]["take"]
    assert held_out["take"]["score"]["seeds"] == 2
    used = {run.seed for run in runs}
    assert not used & {run["seed"] for run in rlsweep.json("runs", "--sweep", "tiny-confirm")}
    promoted = rlsweep.json("promote", "tiny")
    assert promoted["config"] == report["race"]["take"]
    assert (rlsweep.folder / "tiny_v2.yaml").exists()
