"""A search space on record: its configs, trained and retried like any others, listed, promoted and written as files."""

import shlex
import threading
from contextlib import chdir
from pathlib import Path

import pytest
import yaml

import rlsweep
from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.attempts.provenance import collect_provenance
from rlsweep.attempts.resuming import reopen_run
from rlsweep.cli.app import main
from rlsweep.config.given import GivenConfig
from rlsweep.config.loading import load_agent
from rlsweep.config.run import Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import InputError
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep, runs_of_plan
from rlsweep.reports.commands import race_files, submit_longer, train_again, train_file, train_long
from rlsweep.runs import EndReason, RunStatus
from rlsweep.spaces.flags import SpaceFlags
from rlsweep.spaces.keys import base_values
from rlsweep.spaces.reading import read_space
from rlsweep.spaces.search import DrawnConfig, Search
from rlsweep.store import sweeps, training_runs, transitions

pytestmark = pytest.mark.integration

AGENT = {"agent_id": "ppo", "name": "PPO v1", "algorithm": "MaskablePPO", "version": 1, "n_steps": 16, "batch_size": 16}
SPACE = {"base": "agents/ppo_v1.yaml", "sampler": "random", "configs": 3, "seed": 5}
SPACE |= {"space": {"learning_rate": {"log": [1e-4, 1e-2]}, "n_epochs": {"integer": [1, 3]}}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ppo_v1.yaml").write_text(yaml.safe_dump(AGENT))
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(*, configs: int | None = None):
    return make_plan(
        ["space.yaml"],
        base_config={"environment": "CartPole-v1"},
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=32,
        seeds=1,
        with_base=False,
        space=SpaceFlags(configs=configs),
    )


@pytest.fixture
def sweep(folder, database):
    return create_sweep(
        database, planned(), name="drawn", patterns=["space.yaml"], provenance=collect_provenance(folder)
    )


@pytest.fixture
def trained(sweep, database, settings):
    """Its second config failed at first, and was retried."""
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)
    first, second, third = training_runs.of_sweep(database, sweep.id)
    attempt = transitions.begin_attempt(database, second.id, {"host": "here"})
    transitions.finish(database, second.id, attempt.attempt, EndReason.FAILED, "ZeroDivisionError: a mistake")
    reopen_run(database, str(second.id), episodes=None, total_timesteps=None, trust=False)
    for run in (first, second, third):
        assert execute_run(run.id, context, stop=threading.Event()) is RunStatus.COMPLETED
    return sweeps.settle(database, sweep.id)


def test_every_config_is_on_record_before_it_trains_and_the_same_file_gives_the_same_sweep(sweep, database):
    runs = training_runs.of_sweep(database, sweep.id)
    assert runs[0].config_short_name == "ppo_v1"
    assert [run.config_path is None for run in runs] == [False, True, True]
    assert sweep.space["sampler"] == "random"
    assert Path(sweep.space["base"]).samefile("agents/ppo_v1.yaml")
    assert sweeps.find_unfinished(database, runs_of_plan(planned())).id == sweep.id


def test_drawing_goes_on_behind_what_is_on_record(sweep, database):
    runs = training_runs.of_sweep(database, sweep.id)
    agents = [RunConfig.from_record(run.config).agent for run in runs]
    space = read_space(
        GivenConfig("record", {key: value for key, value in sweep.space.items() if key != "source"}), more={}
    )
    base = base_values(agents[0], TrainingConfig(), space.keys)
    known = [
        DrawnConfig(
            number=number,
            variant=agent.sweep_variant,
            values={key: base_values(agent, TrainingConfig(), space.keys)[key] for key in space.keys},
        )
        for number, agent in enumerate(agents[1:], 1)
    ]
    after = Search(space, base, known)
    further = [f"ppo_{after.next().variant}" for _ in range(2)]
    assert further == list(planned(configs=5).labels[3:])


def test_a_drawn_config_is_trained_retried_and_promoted(trained, folder, database, capsys):
    runs = training_runs.of_sweep(database, trained.id)
    assert [run.status for run in runs] == [RunStatus.COMPLETED] * 3
    assert runs[1].attempt == 2
    short = str(runs[2].id)[:8]
    assert main(["show", short]) == 0
    assert "config path        none: drawn from a search space, or given as a dict" in capsys.readouterr().out
    assert main(["report", "drawn"]) == 0
    assert runs[2].config_short_name in capsys.readouterr().out

    promoted = rlsweep.promote(short)
    assert promoted.path.samefile(folder / "agents" / "ppo_v2.yaml"), "beside the base"
    written = load_agent(promoted.path, {}, ()).config
    assert (runs[2].config_name, written.name) == (f"PPO ({runs[2].sweep_variant})", "PPO v2")
    agent = RunConfig.from_record(runs[2].config).agent
    assert (written.learning_rate, written.n_epochs) == (agent.learning_rate, agent.n_epochs)
    assert rlsweep.sweep("drawn").record.space["space"] == {
        "learning_rate": {"log": [1e-4, 1e-2]},
        "n_epochs": {"integer": [1, 3]},
    }


def test_all_configs_of_a_sweep_are_listed_and_written_once(sweep, folder, database, capsys):
    runs = training_runs.of_sweep(database, sweep.id)
    assert main(["configs"]) == 0
    shown = capsys.readouterr().out
    assert all(run.config_short_name in shown for run in runs)
    assert "Write files of them: rlsweep configs drawn --write DIR" in shown
    assert main(["configs", "drawn", "--write", "out"]) == 0
    assert "Wrote 3 files into out." in capsys.readouterr().out
    for run in runs:
        agent = RunConfig.from_record(run.config).agent
        stem = f"ppo_sweep_{agent.sweep_variant}" if agent.sweep_variant else "ppo_v1"
        assert load_agent(folder / "out" / f"{stem}.yaml", {}, ()).config == agent
    again = {path: path.read_text() for path in (folder / "out").iterdir()}
    (folder / "out" / "ppo_v1.yaml").unlink()
    assert main(["configs", "drawn", "--write", "out"]) == 2
    assert "exists already, and is left as it is; nothing was written. Name another folder" in capsys.readouterr().err
    assert {path: path.read_text() for path in (folder / "out").iterdir()}.items() < again.items()
    plan = make_plan(
        ["out"],
        base_config={"environment": "CartPole-v1"},
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=32,
        seeds=1,
        with_base=False,
    )
    assert {trial.config_hash for trial in plan.trials} == {run.config_hash for run in runs[1:]}
    assert plan.warnings == ()


def test_a_written_config_is_trained_by_a_command(folder, database):
    plan = make_plan(
        ["agents/ppo_v1.yaml"],
        base_config=None,
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=32,
        seeds=1,
        with_base=False,
        space=SpaceFlags(entries=("gamma=uniform:0.9..0.99",), configs=2),
    )
    provenance = collect_provenance(folder)
    sweep = create_sweep(database, plan, name="typed", patterns=["agents/ppo_v1.yaml"], provenance=provenance)
    drawn = training_runs.of_sweep(database, sweep.id)[1]
    command = "rlsweep train --agent-config ppo_v2.yaml --mode full --total-timesteps 1000000"
    assert train_file(Path("ppo_v2.yaml"), drawn, sweep) == command


def test_commands_write_drawn_configs_before_they_train_them(folder, database):
    base = {"episodes": None, "total_timesteps": 32, "seeds": 1, "with_base": False}
    plan = make_plan(["space.yaml"], base_config=None, overrides=("n_envs=2",), mode=Mode.SMOKE, **base)
    provenance = collect_provenance(folder)
    sweep = create_sweep(database, plan, name="night", patterns=["space.yaml"], provenance=provenance)
    base_run, drawn, _ = runs = training_runs.of_sweep(database, sweep.id)
    first = "rlsweep configs night --write night-configs && "
    file = f"night-configs/ppo_sweep_{drawn.sweep_variant}.yaml"
    train = f"rlsweep train --agent-config {file} --set n_envs=2 --mode"
    assert train_again(drawn, sweep) == f"{first}{train} smoke --seed 0 --total-timesteps 32"
    assert train_long(drawn, sweep) == f"{first}{train} full --total-timesteps 1000000"
    assert train_again(base_run, sweep).startswith(
        f"rlsweep train --agent-config {base_run.config_path} --set n_envs=2"
    )
    raced, submitted = race_files(runs, sweep), submit_longer(drawn, sweep, runs, option="--episodes", amount=9)
    assert raced.startswith(f"{first}rlsweep race {base_run.config_path} {file} ")
    assert submitted.startswith(f"{first}rlsweep submit {base_run.config_path} {file} ")
    with pytest.raises(InputError, match="is a trial of a sweep") as refused:
        reopen_run(database, str(drawn.id), episodes=None, total_timesteps=64, trust=False)
    assert str(refused.value).endswith(train_long(drawn, sweep))
    with chdir(folder):
        assert main(shlex.split(first.removesuffix(" && "))[1:]) == 0
        assert main(["plan", *shlex.split(submitted.removeprefix(first))[2:]]) == 0
    plan = make_plan([file], base_config=None, overrides=("n_envs=2",), mode=Mode.SMOKE, **base)
    assert plan.trials[0].config_hash == drawn.config_hash


def test_what_only_a_notebook_knows_is_said_in_python(folder, database):
    dict_space = {**SPACE, "base": AGENT}
    options = {"mode": Mode.SMOKE, "episodes": None, "total_timesteps": 32, "seeds": 1, "with_base": False}
    plan = make_plan([dict_space], base_config=None, **options)
    sweep = create_sweep(database, plan, name="cell", patterns=[], provenance=collect_provenance(folder))
    drawn = training_runs.of_sweep(database, sweep.id)[1]
    assert train_long(drawn, sweep).startswith("rlsweep.train(rlsweep.run(")
    assert race_files([drawn], sweep) is None
