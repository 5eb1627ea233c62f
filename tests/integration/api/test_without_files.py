"""Configs without files, on record: what shows a config's path says that there is none."""

import re
import threading

import pytest

import rlsweep
from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.attempts.provenance import collect_provenance
from rlsweep.attempts.resuming import reopen_run
from rlsweep.cli.app import main
from rlsweep.config.run import Mode
from rlsweep.errors import InputError
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep
from rlsweep.reports.history import run_detail
from rlsweep.reports.summary import as_json
from rlsweep.runs import RunStatus
from rlsweep.store import sweeps, training_runs

pytestmark = pytest.mark.integration

AGENT = {"agent_id": "ppo", "name": "PPO", "algorithm": "MaskablePPO", "version": 1, "n_steps": 16, "batch_size": 16}
TWIN = {**AGENT, "sweep_variant": "twin"}


@pytest.fixture
def sweep(database, settings, tmp_path):
    plan = make_plan(
        [AGENT, TWIN],
        base_config={"environment": "CartPole-v1"},
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=32,
        seeds=1,
        with_base=False,
    )
    sweep = create_sweep(database, plan, name="dicts", patterns=[], provenance=collect_provenance(tmp_path))
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)
    for run in training_runs.of_sweep(database, sweep.id):
        assert execute_run(run.id, context, stop=threading.Event()) is RunStatus.COMPLETED
    return sweeps.settle(database, sweep.id)


def test_a_sweep_of_dicts(database, sweep, capsys):
    runs = training_runs.of_sweep(database, sweep.id)
    assert [run.config_path for run in runs] == [None, None]
    report = rlsweep.sweep("dicts").report()
    assert {config.name for config in report.configs} == {"ppo_v1", "ppo_twin"}  # alike, and two all the same
    assert [config.path for config in report.configs] == [None, None]
    assert as_json(report)["configs"][0]["path"] is None
    assert rlsweep.sweep("dicts").runs()["config_path"].to_pylist() == [None, None]

    assert main(["report", "dicts"]) == 0
    assert "no file: drawn from a search space, or given as a dict" in capsys.readouterr().out
    assert main(["show", str(runs[0].id)]) == 0
    assert "config path        none: drawn from a search space, or given as a dict" in capsys.readouterr().out

    detail = run_detail(database, runs[0])
    assert detail.config_path is None
    short = str(runs[0].id)[:8]
    how = f"rlsweep.train(rlsweep.run('{short}'), "
    assert detail.long_run_command == how + "mode='full', total_timesteps=1000000)"
    assert detail.reproduce.command == how + "mode='smoke', overrides={'seed': 0}, total_timesteps=32)"
    instead = re.escape(f"Train its config alone: {detail.long_run_command}")
    with pytest.raises(InputError, match=instead):
        reopen_run(database, str(runs[0].id), episodes=None, total_timesteps=64, trust=False)
