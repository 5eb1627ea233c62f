"""The way `rlsweep` drives Ray Tune, on a real local Ray: what each setting is for is lost if one of these fails.

One class trainable whose only step is the whole trial, actors that are used again, and a driver that kills what does
not end by itself. Ray runs in a process of its own, which says what happened as JSON.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TIME_LIMIT_S = 240  # about 30 s on two free cores; a busy machine takes several times as long
KILL_S = 5  # a killed trial is known to have ended within this
GROWTH_MIB = 80  # of the driver over two Tuners of 60 trials; 5 to 10 MiB measured

DRIVER = '''
import ctypes, json, logging, os, secrets, sys, threading, time
from pathlib import Path

import psutil

folder = Path(sys.argv[1])
os.environ |= {
    "PYTHONWARNINGS": "ignore",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}

import ray
import ray._private.worker

# On the main thread: Ray's processes die with the thread that started them.
ray.init(
    num_cpus=2,
    include_dashboard=False,
    log_to_driver=False,
    logging_level=logging.CRITICAL,
    object_store_memory=80 * 1024**2,
    _temp_dir=str(folder / "ray"),
)
ray._private.worker.print_to_stdstream = lambda *args, **kwargs: None  # "(raylet) A worker died" on stdout

from ray import tune
from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_put
from ray.tune.execution.placement_groups import PlacementGroupFactory
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator


class Scheduler(FIFOScheduler):
    """Never gives a cached actor to a trial whose own actor is on its way: that would cancel it."""

    def choose_trial_to_run(self, tune_controller):
        return None


class Trial(tune.Trainable):
    def setup(self, config, context=None):
        self.run, self.context = config["run"], context

    def reset_config(self, new_config):
        self.run = new_config["run"]
        return True

    def step(self):
        kind = self.context["kinds"].get(self.run)
        self.note("start")
        if kind == "raises":
            raise ValueError("boom")
        if kind == "records":
            try:
                raise ValueError("boom")
            except ValueError:
                pass
        if kind == "exits":
            os._exit(1)
        if kind == "stops":
            from ray.experimental.internal_kv import _internal_kv_get

            while _internal_kv_get(b"stop", namespace=b"rlsweep") is None:
                time.sleep(0.05)
        if kind == "sleeps":
            time.sleep(100_000)
        if kind == "holds_the_gil":
            ctypes.PyDLL("libc.so.6").sleep(100_000)
        time.sleep(0.1)
        self.note("end")
        return {"done": True}

    def note(self, what):
        main = threading.current_thread() is threading.main_thread()
        line = [self.run, what, os.getpid(), main, os.nice(0)]
        with open(self.context["log"], "a") as log:
            log.write(json.dumps(line) + "\\n")


class Watch(tune.Callback):
    """Runs in Tune's thread, so that an actor is never killed for the trial it held before."""

    def __init__(self, kinds):
        self.kinds, self.live, self.killed, self.seconds, self.errors = kinds, {}, {}, {}, {}

    def __getstate__(self):
        return {}

    def on_trial_start(self, iteration, trials, trial, **info):
        self.live[trial.config["run"]] = (trial, time.monotonic())

    def on_trial_complete(self, iteration, trials, trial, **info):
        self.live.pop(trial.config["run"], None)

    def on_trial_error(self, iteration, trials, trial, **info):
        run = trial.config["run"]
        self.live.pop(run, None)
        self.errors[run] = Path(trial.error_file).read_text()
        if run in self.killed:
            self.seconds[run] = time.monotonic() - self.killed[run]

    def on_step_end(self, iteration, trials, **info):
        for run, (trial, since) in list(self.live.items()):
            waited, kind = time.monotonic() - since, self.kinds.get(run)
            if kind == "stops" and waited > 0.5:
                _internal_kv_put(b"stop", b"1", namespace=b"rlsweep")
            actor = trial.temporary_state.ray_actor
            if kind in ("sleeps", "holds_the_gil") and waited > 1 and run not in self.killed and actor:
                trial.max_failures = 0
                self.killed[run] = time.monotonic()
                ray.kill(actor)


def sweep(number, trials, kinds, max_failures):
    log = folder / f"{number}.log"
    watch = Watch(kinds)
    trainable = tune.with_parameters(Trial, context={"kinds": kinds, "log": str(log)})
    tuner = tune.Tuner(
        tune.with_resources(trainable, PlacementGroupFactory([{"CPU": 1}])),
        param_space={"run": None},  # the key must exist; falsy, or each trial logs a warning
        tune_config=tune.TuneConfig(
            num_samples=trials,
            reuse_actors=True,
            scheduler=Scheduler(),
            search_alg=BasicVariantGenerator(points_to_evaluate=[{"run": i} for i in range(trials)], max_concurrent=2),
        ),
        run_config=tune.RunConfig(
            storage_path=str(folder / "tune"),
            name=str(number),
            verbose=0,
            callbacks=[watch],
            failure_config=tune.FailureConfig(max_failures=max_failures),
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        ),
    )
    results = []
    fit = threading.Thread(target=lambda: results.append(tuner.fit()), daemon=True)
    fit.start()
    fit.join(200)
    trials = results[0]._experiment_analysis.trials if results else []
    return {
        "returned": bool(results),
        "statuses": {trial.config["run"]: trial.status for trial in trials},
        "errors": watch.errors,
        "seconds_to_die": watch.seconds,
        "log": [json.loads(line) for line in log.read_text().splitlines()],
        "rss_mib": psutil.Process().memory_info().rss / 1024**2,
    }


kinds = {5: "raises", 8: "records", 11: "exits", 14: "stops", 17: "sleeps", 20: "holds_the_gil"}
sweeps = [sweep(0, 40, kinds, 0), sweep(1, 60, {}, 0), sweep(2, 60, {}, 0), sweep(3, 4, {1: "exits", 2: "sleeps"}, 1)]
processes = [(process.pid, process.create_time()) for process in psutil.Process().children(recursive=True)]
ray.shutdown()
left = [process.name() for process in psutil.Process().children(recursive=True)]
result = {"sweeps": sweeps, "processes": processes, "left": left, "nice": os.nice(0)}
(folder / "result.json").write_text(json.dumps(result))
'''


@pytest.fixture(scope="module")
def outcome() -> Iterator[dict[str, Any]]:
    """What the driver saw, and what it printed; no process or folder outlives it."""
    # Not tmp_path: Ray's sockets lie in here, and their paths may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="rlsweep-"))
    home = folder / "home"
    home.mkdir()
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder)],
        env=os.environ | {"HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = driver.communicate(timeout=TIME_LIMIT_S)
        assert driver.returncode == 0, err
        result: dict[str, Any] = json.loads((folder / "result.json").read_text())
        yield result | {"out": out, "err": err, "home": sorted(path.name for path in home.iterdir())}
    finally:
        if driver.poll() is None:
            ours = psutil.Process(driver.pid).children(recursive=True)
            driver.kill()
            for process in ours:
                if process.is_running():
                    process.kill()
            driver.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def statuses(outcome: dict[str, Any], sweep: int, status: str) -> set[int]:
    return {int(run) for run, its in outcome["sweeps"][sweep]["statuses"].items() if its == status}


def starts(outcome: dict[str, Any], sweep: int) -> list[list[Any]]:
    return [line for line in outcome["sweeps"][sweep]["log"] if line[1] == "start"]


def test_every_trial_ends_and_only_the_right_ones_fail(outcome: dict[str, Any]) -> None:
    assert all(sweep["returned"] for sweep in outcome["sweeps"])
    assert statuses(outcome, 0, "ERROR") == {5, 11, 17, 20}
    assert statuses(outcome, 0, "TERMINATED") == set(range(40)) - {5, 11, 17, 20}
    assert sorted(line[0] for line in starts(outcome, 0)) == list(range(40))
    for sweep in (1, 2):
        assert statuses(outcome, sweep, "TERMINATED") == set(range(60))


def test_the_callback_is_told_which_trial_died_and_why(outcome: dict[str, Any]) -> None:
    errors = outcome["sweeps"][0]["errors"]
    assert set(errors) == {"5", "11", "17", "20"}
    assert "ValueError: boom" in errors["5"]
    assert "worker process has died" in errors["11"]
    assert "killed by `ray.kill`" in errors["17"]
    assert "killed by `ray.kill`" in errors["20"]


def test_a_killed_trial_ends_at_once_even_when_it_holds_the_gil(outcome: dict[str, Any]) -> None:
    seconds = outcome["sweeps"][0]["seconds_to_die"]
    assert set(seconds) == {"17", "20"}
    assert max(seconds.values()) < KILL_S


def test_a_dead_worker_is_replaced_but_a_killed_trial_is_not_started_again(outcome: dict[str, Any]) -> None:
    assert statuses(outcome, 3, "ERROR") == {1, 2}
    assert sorted(line[0] for line in starts(outcome, 3)) == [0, 1, 1, 2, 3]


def test_trials_share_two_warm_workers_and_run_on_their_main_threads(outcome: dict[str, Any]) -> None:
    for sweep in (1, 2):
        assert len({line[2] for line in starts(outcome, sweep)}) == 2
    for sweep in range(4):
        for _, _, _, main_thread, nice in starts(outcome, sweep):
            assert main_thread
            assert nice == outcome["nice"]


def test_the_driver_does_not_grow_with_the_sweeps_before(outcome: dict[str, Any]) -> None:
    assert outcome["sweeps"][2]["rss_mib"] - outcome["sweeps"][0]["rss_mib"] < GROWTH_MIB


def test_nothing_is_printed_or_written_to_the_home_folder(outcome: dict[str, Any]) -> None:
    assert outcome["out"] == ""
    assert outcome["err"] == ""
    assert outcome["home"] == []


def test_no_process_is_left(outcome: dict[str, Any]) -> None:
    assert outcome["left"] == []
    for pid, created in outcome["processes"]:
        try:
            assert psutil.Process(pid).create_time() != created
        except psutil.NoSuchProcess:
            continue
