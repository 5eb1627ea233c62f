"""`rlsweep submit` against a real Ray and a real Postgres: what goes well, and what goes wrong."""

import os
import re
import signal
import socket
import time
import urllib.request
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from rlsweep.store.database import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def runs_of(rlsweep: Any) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = rlsweep.json("status")["runs"]
    return runs


def test_a_sweep_runs_to_its_end_and_the_databases_password_is_nowhere(
    rlsweep: Any, password_server: Database, copy_of: Any
) -> None:
    password = conninfo_to_dict(password_server.url)["password"]
    assert isinstance(password, str)
    with copy_of(password_server) as database:
        rlsweep = replace(rlsweep, database_url=database.url, measures=True)
        flags = ("--episodes", "20", "--seeds", "2", "--base-config", rlsweep.base("Calm"))
        done = rlsweep.run("submit", rlsweep.agents("a", "b"), *flags)
        runs = runs_of(rlsweep)
        counted = rlsweep.rows("select count(*), max(episode), max(env_steps) from episodes group by run_id")
    assert [(run["config_short_name"], run["seed"], run["status"]) for run in runs] == [
        ("tiny_a", 0, "completed"),
        ("tiny_b", 0, "completed"),
        ("tiny_a", 1, "completed"),
        ("tiny_b", 1, "completed"),
    ]
    assert counted == [(20, 20, 200)] * 4
    assert all(run["updates"] == 3 and run["attempt"] == 1 for run in runs)
    assert all(run["metadata"]["versions"]["ray"] and run["metadata"]["command"] for run in runs)
    assert "4 trials: 2 configs × 2 seeds" in done.stdout
    assert "tiny_b seed 1: completed, 20/20 ep" in done.stdout
    assert all(line.endswith(" …") for line in done.stderr.splitlines()), f"not what it waits for: {done.stderr}"
    assert len(list((rlsweep.home / "tensorboard").rglob("events.out.tfevents.*"))) >= 4
    assert not (rlsweep.home / "postgres").exists()
    secrets = (password, quote(password, safe=""))
    assert not any(secret in done.stdout + done.stderr for secret in secrets)
    files = [path for path in rlsweep.home.rglob("*") if path.is_file()]
    assert not [path for path in files for secret in secrets if secret.encode() in path.read_bytes()]


@pytest.mark.xdist_group("ray head")
def test_trials_that_fail_or_die_disturb_no_other(rlsweep: Any, ray_head: dict[str, str]) -> None:
    (rlsweep.folder / "data").mkdir()
    base = rlsweep.base("Fated", marker="data/marker", after=60, seconds=0.005)
    flags = ("--episodes", "80", "--seeds", "4", "--base-config", base, "--mode", "full")
    flags += ("--set", "checkpoint_interval_episodes=5", "--set", "evaluation.enabled=false")
    done = rlsweep.drive("submit", rlsweep.agents("a"), *flags, expect=1, **ray_head)
    runs = sorted(runs_of(rlsweep), key=lambda run: run["seed"])
    assert [(run["status"], run["attempt"]) for run in runs] == [
        ("completed", 1),
        ("failed", 1),  # its own error would come again
        ("completed", 2),
        ("failed", 4),
    ]
    of_run = "select count(*), min(episode), max(episode), max(env_steps) from episodes where run_id = '{}'"
    assert [rlsweep.rows(of_run.format(runs[seed]["id"])) for seed in (0, 2)] == [[(80, 1, 80, 800)]] * 2
    ((again,),) = rlsweep.rows(f"select min(episode) from episodes where run_id = '{runs[2]['id']}' and attempt = 2")
    assert again > 5, "from its last checkpoint"
    for said in (runs[1]["error_text"], rlsweep.look("show", runs[1]["id"]).stdout):
        assert "ZeroDivisionError: a mistake in the environment" in said
        assert "troubled_envs.py, line " in said
    assert "ZeroDivisionError: a mistake in the environment" in done.stdout
    said = runs[3]["error"]
    assert said.startswith("The trial's process died: exit code 7, by os._exit in ")
    assert "troubled_envs.py, line " in said
    assert "started 4 times" in said
    assert (rlsweep.folder / "data" / "marker").exists(), "trials run where the command was typed"


def test_the_dashboard_answers_and_ctrl_c_stops_trials_and_keeps_what_they_recorded(rlsweep: Any) -> None:
    base = rlsweep.base("Calm", seconds=0.01)
    plan = (rlsweep.agents("a", "b", "c"), "--episodes", "100000", "--base-config", base)
    with socket.socket() as taken:
        with suppress(OSError):  # or somebody has Ray's usual port anyway
            taken.bind(("127.0.0.1", 8265))
            taken.listen()
        submit = rlsweep.start("submit", *plan, "--dashboard")
        while "From another terminal" not in (line := submit.stdout.readline()):
            assert line, submit.stderr.read()
            if line.startswith("Ray's dashboard"):
                told = re.fullmatch(r"Ray's dashboard: (http://127\.0\.0\.1:\d+) \(token (\w+)\)\n", line)
    assert told is not None
    assert not told[1].endswith(":8265")
    request = urllib.request.Request(f"{told[1]}/api/version", headers={"Authorization": f"Bearer {told[2]}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert "ray_version" in answer.read().decode()

    rlsweep.wait_for_episodes(5)
    submit.send_signal(signal.SIGINT)
    out, err = submit.communicate(timeout=60)
    assert submit.returncode == 130, err
    assert "Stopping" in out
    runs = runs_of(rlsweep)
    assert [run["status"] for run in runs] == ["stopped"] * 3
    assert sum(run["episodes"] for run in runs) >= 5
    assert all("error" not in run or run["error"] is None for run in runs)


def test_a_second_ctrl_c_ends_at_once(rlsweep: Any) -> None:
    base = rlsweep.base("Hangs")
    submit = rlsweep.start("submit", rlsweep.agents("a"), "--episodes", "100", "--base-config", base, "--grace", "600")
    while "running" not in (submit.stdout.readline() or "running"):
        pass
    time.sleep(3)
    submit.send_signal(signal.SIGINT)
    time.sleep(1)
    submit.send_signal(signal.SIGINT)
    _, err = submit.communicate(timeout=30)
    assert submit.returncode == 130, err
    assert "Traceback" not in err
    assert [run["status"] for run in runs_of(rlsweep)] == ["stopped"]


@pytest.mark.xdist_group("ray head")
def test_stop_from_another_terminal_ends_even_a_trial_that_hangs(rlsweep: Any, ray_head: dict[str, str]) -> None:
    base = rlsweep.base("Hangs", marker=str(rlsweep.folder / "marker"))
    submit = rlsweep.start(
        "submit",
        rlsweep.agents("a", "b"),
        "--episodes",
        "1000000",
        "--base-config",
        base,
        "--grace",
        "2",
        "--name",
        "mine",
        **ray_head,
    )
    rlsweep.wait_for_episodes(5)
    assert "running trials will end by themselves" in rlsweep.look("stop", "mine").stdout
    out, err = submit.communicate(timeout=60)
    assert submit.returncode == 1, f"{out}\n{err}"
    assert [run["status"] for run in runs_of(rlsweep)] == ["stopped"] * 2


def test_nothing_of_ray_outlives_a_killed_driver(rlsweep_at_home: Any) -> None:
    rlsweep = rlsweep_at_home
    base = rlsweep.base("Calm", seconds=0.01)
    submit = rlsweep.start("submit", rlsweep.agents("a"), "--episodes", "100000", "--base-config", base)
    rlsweep.wait_for_episodes(5)
    processes = rlsweep.processes()
    titles = set(processes.values())
    workers = [
        process for process, title in processes.items() if title.startswith("ray::") and not title.endswith("Agent")
    ]
    assert len(workers) == 1, "one trial has use for one"
    assert workers[0].nice() == os.nice(0), "or others that compute would starve it"
    (folder,) = {found[1] for line in titles if (found := re.search(r"=(/\S*/rlsweep-ray-\w+)/", line))}
    assert Path(folder).stat().st_mode & 0o077 == 0, "what Ray keeps in it is open to all"
    of_ray = " ".join(title for title in titles if "ray" in title)
    for nobody_uses in ("log_monitor", "monitor.py", "dashboard.py"):
        assert nobody_uses not in of_ray
    submit.kill()
    submit.communicate(timeout=30)
    assert "raylet" in of_ray
    assert not rlsweep.left_behind(of="ray", within_s=30)


def test_an_address_where_no_ray_answers_is_refused_before_anything_is_written(rlsweep: Any) -> None:
    done = rlsweep.drive(
        "submit", rlsweep.agents("a"), "--base-config", rlsweep.base("Calm"), "--address", "127.0.0.1:9", expect=2
    )
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
    assert rlsweep.json("sweeps") == []


@pytest.mark.xdist_group("ray head")
def test_a_running_cluster_is_joined_and_left_as_it_was(rlsweep: Any, ray_head: dict[str, str]) -> None:
    log = rlsweep.folder / "gpus"
    agents, base = rlsweep.agents("a", "b"), rlsweep.base("SeesGpus", log=str(log))
    token = {name: value for name, value in ray_head.items() if name != "RAY_ADDRESS"}
    flags = ("--episodes", "10", "--base-config", base, "--address", ray_head["RAY_ADDRESS"])
    refused = rlsweep.drive("submit", agents, *flags, "--gpus-per-trial", "64", expect=2, **token).stderr
    assert "No node has room for a trial" in refused
    assert rlsweep.json("sweeps") == []
    for files, gpus, visible in (("tiny_sweep_a.yaml", (), {""}), (agents, ("--gpus-per-trial", "0.5"), {"0"})):
        rlsweep.drive("submit", files, *flags, *gpus, **token)
        assert {run["status"] for run in runs_of(rlsweep)} == {"completed"}
        assert set(log.read_text().split("\n")[:-1]) == visible
        log.unlink()


@pytest.mark.xdist_group("ray head")
def test_a_pipe_that_closes_stops_the_sweep(rlsweep: Any, ray_head: dict[str, str]) -> None:
    base = rlsweep.base("Calm", seconds=0.01)
    submit = rlsweep.start("submit", rlsweep.agents("a"), "--episodes", "100000", "--base-config", base, **ray_head)
    rlsweep.wait_for_episodes(5)
    submit.stdout.close()
    submit.send_signal(signal.SIGINT)
    submit.wait(timeout=60)
    with submit.stderr:
        assert "Traceback" not in submit.stderr.read()
    assert [run["status"] for run in runs_of(rlsweep)] == ["stopped"]
    assert rlsweep.json("status")["sweep"]["status"] == "stopped"
