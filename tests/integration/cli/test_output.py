"""What commands print: for programs, for people, in narrow terminals and into closed pipes."""

import csv
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from unmeasured import measure_configs, measuring_by

from rlsweep.config.run import RunConfig
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.measurement_key import measurement_key

pytestmark = pytest.mark.integration

MEASURED: dict[str | None, Measurement] = {}
CONFIGS = ("ppo_agent_gamma_high", "ppo_agent_lr_high", "ppo_agent_lr_low", "ppo_agent_v1")


@pytest.fixture
def agents(request: pytest.FixtureRequest) -> str:
    return str(request.config.rootpath / "config" / "agents")


@pytest.fixture
def measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first plan measures its environment and networks; the next ones take the same figures."""

    def measure(configs: list[RunConfig], **options: Any) -> list[Measurement]:
        keys = [measurement_key(config) for config in configs]
        if not MEASURED.keys() >= set(keys):
            MEASURED.update(zip(keys, measure_configs(configs, **options), strict=True))
        return [MEASURED[key] for key in keys]

    monkeypatch.setattr("rlsweep.planning.forecast.measuring", measuring_by(measure))


@pytest.mark.xdist_group("plans")
def test_a_plan_as_json(cli: Any, agents: str, measured_once: None) -> None:
    plan = json.loads(cli.run("plan", agents, "--episodes", "100", "--seeds", "2", "--json").stdout)
    assert set(plan) == {
        "trials",
        "environment",
        "mode",
        "budget",
        "environment_facts",
        "environment_instances",
        "space",
        "to_draw",
        "differing_keys",
        "total_seconds",
        "warnings",
    }
    instances = plan["environment_instances"]
    assert instances["per_trial"] == 1
    assert instances["at_once"] == instances["trials_at_once"] >= 1
    assert (plan["environment"], plan["mode"]) == ("open_spiel/connect_four", "smoke")
    assert plan["budget"] == {"episodes": 100, "total_timesteps": None}
    assert set(plan["differing_keys"]) == {"learning_rate", "gamma"}
    assert [(trial["config"], trial["seed"]) for trial in plan["trials"]] == [
        (config, seed) for seed in (0, 1) for config in CONFIGS
    ]
    for trial in plan["trials"]:
        assert set(trial) == {"config", "path", "seed", "config_hash", "estimate"}
        low, high = trial["estimate"]["env_steps"]
        assert 100 <= low < high
        assert trial["estimate"]["peak_memory_bytes"] > 50e6
    assert any("no policy update at n_steps 2048" in warning for warning in plan["warnings"])
    assert plan["space"] is None
    assert not cli.home.exists()


@pytest.mark.xdist_group("plans")
@pytest.mark.parametrize("columns", [80, 140])
def test_a_plan_shows_all_configs_and_only_the_keys_that_differ(
    cli: Any, agents: str, measured_once: None, columns: int
) -> None:
    shown = cli.show("plan", agents, "--episodes", "20000", columns=columns)
    assert_nothing_is_cut(shown)
    assert "learning_rate" in shown
    assert "gamma" in shown
    assert "clip_range" not in shown


def test_lists_are_whole_at_80_columns(cli_on_database: Any, recorded_sweep: Any) -> None:
    recorded_sweep()
    for command in ("status", "runs"):
        assert_nothing_is_cut(cli_on_database.show(command, columns=80))
    for command in ("sweeps", "report"):
        shown = cli_on_database.show(command, columns=80)
        assert "calibration" in shown
        assert "…" not in shown
    assert "\x1b" in cli_on_database.show("runs", columns=80)


def test_no_colours_reach_a_pipe(cli_on_database: Any, recorded_sweep: Any) -> None:
    recorded_sweep()
    for command in (["sweeps"], ["status"], ["runs"], ["report"], ["--help"], ["runs", "--help"]):
        assert "\x1b" not in cli_on_database.run(*command).stdout
    assert "\x1b" not in cli_on_database.run_process("runs").stdout
    shown = cli_on_database.run_in_terminal("runs", columns=80)
    assert_nothing_is_cut(shown)
    assert "\x1b" in shown, "the terminal would show them"


def test_every_list_is_also_json(cli_on_database: Any, recorded_sweep: Any) -> None:
    sweep = recorded_sweep()
    cli = cli_on_database
    (listed,) = cli.json("sweeps")
    assert listed["sweep"]["name"] == "calibration"
    assert listed["runs_by_status"] == {"failed": 1, "completed": 7}
    runs = cli.json("runs", "--sweep", "calibration", "--limit", "100")
    assert len(runs) == len(cli.json("status", str(sweep.id))["runs"]) == 8
    (failed,) = cli.json("runs", "--status", "failed")
    assert failed["error"] == "ZeroDivisionError: a mistake"
    assert cli.json("show", failed["id"][:8])["run"]["id"] == failed["id"]
    assert {config["name"] for config in cli.json("report")["configs"]} == set(CONFIGS)
    assert "ZeroDivisionError: a mistake" in cli.run("show", failed["id"]).stdout


def test_an_export_is_read_by_others(cli_on_database: Any, recorded_sweep: Any) -> None:
    recorded_sweep()
    written = cli_on_database.run("export", "calibration", "--output", "figures").stdout.splitlines()
    assert [name.rpartition("/")[2] for name in written] == [
        "runs.csv",
        "episodes.csv",
        "updates.csv",
        "evaluations.csv",
    ]
    with (cli_on_database.folder / written[1]).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 8 * 40


def test_a_pipe_that_nobody_reads_is_no_error(cli_on_database: Any, recorded_sweep: Any) -> None:
    recorded_sweep()
    for command in (["runs"], ["runs", "--json"], ["--help"]):  # Rich's, ours and Typer's output
        assert cli_on_database.run_unread(*command) == "", command


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_line_of_error(unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rlsweep", "--help"],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.stderr == "Error: The output cannot be written: No space left on device.\n"
    assert done.returncode == 1


def test_an_empty_database_says_how_to_begin(cli_on_database: Any) -> None:
    cli = cli_on_database
    start = "Start one: rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml'"
    assert start in cli.run("sweeps").stdout
    assert "rlsweep submit" in cli.run("runs").stdout
    assert cli.json("sweeps") == cli.json("runs") == []
    for command in ("status", "report", "export"):
        assert cli.run(command, expect=2).stderr == f"Error: No sweeps yet. {start}\n"
    assert "Training run not found: 'c0ffee'. `rlsweep runs` lists them." in cli.run("show", "c0ffee", expect=2).stderr
    assert "Checkpoint not found: gone.zip" in cli.run("eval", "gone.zip", expect=2).stderr
    assert "nothing was trained yet" in cli.run("tensorboard", expect=2).stderr


def test_a_name_that_comes_near_is_suggested(cli_on_database: Any, recorded_sweep: Any) -> None:
    recorded_sweep()
    said = cli_on_database.run("report", "calibratoin", expect=2).stderr
    assert said == "Error: Sweep not found: 'calibratoin'. Did you mean calibration? `rlsweep sweeps` lists them.\n"


def test_the_database_by_hand(cli_with_home: Any) -> None:
    cli = cli_with_home
    assert cli.run_process("db", "upgrade").stdout.startswith("The schema is at version ")
    assert cli.run_process("db", "url").stdout.startswith("postgresql://")
    assert "training_runs" in cli.run_process("db", "shell", "--command", "\\dt").stdout
    refused = cli.run_process("db", "shell", "-c", "select nonsense", expect=1)
    assert 'column "nonsense" does not exist' in refused.stderr


def assert_nothing_is_cut(shown: str) -> None:
    assert "…" not in shown
    assert all(config in shown for config in CONFIGS)
