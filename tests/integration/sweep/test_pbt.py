"""A live population: killed once members have copied others, and resumed."""

import json
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_baselines3.common.save_util import load_from_zip_file

from rlsweep.checkpoint_format import parse_numbered_name
from rlsweep.jsonable import jsonable
from rlsweep.population_records import Exploit
from rlsweep.reports.population_record import record_of
from rlsweep.schedulers.pbt import decide
from rlsweep.schedulers.pbt_records import PbtSettings
from rlsweep.store import exploits, schedulers, sweeps, training_runs
from rlsweep.store.database import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]


def test_a_population_that_was_killed_goes_on_and_its_copies_are_their_sources(
    rlsweep: Any, ray_head: dict[str, str]
) -> None:
    training = {
        "environment": {"id": "CartPole-v1"}, "normalize_observations": True, "keep_last_n_checkpoints": 100,
    }  # fmt: skip
    (rlsweep.folder / "base.yaml").write_text(json.dumps(training))
    flags = ("--base-config", "base.yaml", "--total-timesteps", "192", "--set", "n_steps=32")
    space = ("--space", "learning_rate=log:1e-4..1e-2", "--space", "batch_size=choice:8,16,32")
    asked = ("--scheduler", "pbt", "--population", "4", "--interval", "32", "--max-concurrent", "2")
    sweep = rlsweep.start("submit", rlsweep.agents("a"), *flags, *space, *asked, "--name", "tiny", **ray_head)
    rlsweep.wait_until("select 1 from exploits having count(*) >= 1")
    sweep.send_signal(signal.SIGKILL)
    sweep.communicate(timeout=30)
    before = rlsweep.rows("select run_id, env_steps, source_uri from exploits order by decision")

    done = rlsweep.drive("resume", "tiny", **ray_head)
    assert "Lineage of member " in done.stdout
    with rlsweep.open() as database:
        found = sweeps.get(database, "tiny")
        runs = training_runs.of_sweep(database, found.id)
        made = exploits.of_sweep(database, found.id)
        decided = schedulers.decisions(database, found.id)
        scheduler = schedulers.find(database, found.id)
        copies = [(each, copy_of(database, each)) for each in made]
    assert scheduler is not None
    assert found.status.value == "completed"
    assert {(run.status.value, run.env_steps) for run in runs} == {("completed", 192)}
    assert rlsweep.rows("select run_id, env_steps, source_uri from exploits order by decision")[: len(before)] == before
    for each in decided:
        again = decide(PbtSettings.from_json(scheduler.settings), record_of(each.record), free=each.free)
        assert jsonable(again) == each.decision
    for each, copied in copies:
        check_equal(Path(each.source_uri), copied)
    episodes = rlsweep.rows("select run_id, count(*), max(episode), min(length) from episodes group by run_id")
    assert all(count == last and shortest > 0 for _, count, last, shortest in episodes), "numbered without a gap"

    promoted = rlsweep.json("promote", "tiny")
    best = rlsweep.json("report", "tiny")["population"]
    assert promoted["config"] == next(each["name"] for each in best["members"] if each["number"] == best["best"])


def copy_of(database: Database, exploit: Exploit) -> Path:
    """The checkpoint with which the member went on, of the first attempt after the copy was decided."""
    paths = [Path(each.uri) for each in training_runs.checkpoints_to_go_on_from(database, exploit.run_id)]
    attempts = {
        path: name.attempt
        for path in paths
        if (name := parse_numbered_name(path.name)) is not None
        and name.env_steps == exploit.env_steps
        and name.attempt > exploit.attempt
    }
    return min(attempts, key=lambda path: attempts[path])


def check_equal(source: Path, copied: Path) -> None:
    (_, ours, _), (_, theirs, _) = load_from_zip_file(copied), load_from_zip_file(source)
    assert ours["policy"].keys() == theirs["policy"].keys()
    assert all(torch.equal(ours["policy"][name], tensor) for name, tensor in theirs["policy"].items())
    states = theirs["policy.optimizer"]["state"]
    assert states
    for place, state in states.items():
        assert all(torch.equal(ours["policy.optimizer"]["state"][place][name], each) for name, each in state.items())
    with zipfile.ZipFile(source) as one, zipfile.ZipFile(copied) as other:
        assert one.read("vecnormalize.pkl") == other.read("vecnormalize.pkl")
