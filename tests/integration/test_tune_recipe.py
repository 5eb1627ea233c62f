"""The way `rlsweep` drives Ray Tune, on a real local Ray: what each setting is for is lost if one of these fails.

The product's own session and fit, around a trainable that does nothing but go wrong in every way there is. They run in
a process of their own, which says what happened as JSON.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("tune_recipe")]

TIME_LIMIT_S = 300  # about 40 s on two free cores; a busy machine takes several times as long
KILL_S = 10  # a killed trial is known to have ended within this; 0.1 s is usual
TRIALS = 100
GROWTH_MIB = 40  # of the driver over two fits; 5 to 15 MiB measured

RAISES, RECORDS, EXITS, STOPS, SLEEPS, HOLDS_THE_GIL = 5, 8, 11, 14, 17, 20

DRIVER = """
import ctypes, gc, json, os, sys, threading, time
from pathlib import Path
from uuid import UUID

import psutil

from rlsweep.settings import Settings
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.cluster.resources import Resources

folder, kinds = Path(sys.argv[1]), {int(run): kind for run, kind in json.loads(sys.argv[2]).items()}
TRIALS = int(sys.argv[3])


def main():
    from ray import tune
    from ray.tune.experiment import Trial as TuneTrial

    from rlsweep.driver.run_source import PlannedRuns
    from rlsweep.driver.stop_flag import StopFlag
    from rlsweep.driver.tune import Fit, LiveTrials

    class Trial(tune.Trainable):
        def setup(self, config, log=None, kinds=None, flag=None):
            self.run, self.log, self.kinds, self.flag = UUID(config["run_id"]).int, log, kinds, flag

        def reset_config(self, new_config):
            self.run = UUID(new_config["run_id"]).int
            return True

        def step(self):
            kind = self.kinds.get(self.run)
            self.note()
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
                while not self.flag.is_raised():
                    time.sleep(0.05)
            if kind == "sleeps":
                time.sleep(100_000)
            if kind == "holds_the_gil":
                ctypes.PyDLL("libc.so.6").sleep(100_000)
            return {"done": True}

        def note(self):
            on_main_thread = threading.current_thread() is threading.main_thread()
            with open(self.log, "a") as log:
                log.write(json.dumps([self.run, time.time(), os.getpid(), on_main_thread]) + "\\n")

    class CountedTrials(LiveTrials):
        ended, held = 0, 0

        def on_trial_complete(self, iteration, trials, trial, **info):
            super().on_trial_complete(iteration, trials, trial, **info)
            self.ended += 1
            if self.ended == TRIALS * 3 // 4:
                gc.collect()
                self.held = sum(isinstance(each, TuneTrial) for each in gc.get_objects())

    def left_alone():
        log, flag = folder / "3.log", StopFlag(UUID(int=3))
        log.touch()
        fit = Fit(
            Trial,
            {"log": str(log), "kinds": {}, "flag": flag},
            PlannedRuns([UUID(int=run) for run in range(200)]),
            resources=Resources(),
            slots=slots,
            trials=LiveTrials(),
            folder=folder / "3",
        )
        fit.start()
        while len(log.read_text().splitlines()) < 5:
            time.sleep(0.01)
        fit.begin_no_more()
        return {"ended": fit.wait(60), "error": repr(fit.error), "began": len(log.read_text().splitlines())}

    def sweep(number, trials, kinds):
        log, live, flag = folder / f"{number}.log", CountedTrials(), StopFlag(UUID(int=number))
        log.touch()
        fit = Fit(
            Trial,
            {"log": str(log), "kinds": kinds, "flag": flag},
            PlannedRuns([UUID(int=run) for run in range(trials)]),
            resources=Resources(),
            slots=slots,
            trials=live,
            folder=folder / str(number),
        )
        fit.start()
        killed, lost, seconds_to_die = {}, {}, {}
        deadline = time.monotonic() + 240
        ended = False
        while not ended and time.monotonic() < deadline:
            ended = fit.wait(0.05)
            for run, began, *_ in map(json.loads, log.read_text().splitlines()):
                if kinds.get(run) == "stops":
                    flag.raise_()
                if kinds.get(run) in ("sleeps", "holds_the_gil") and run not in killed and time.time() - began > 1:
                    killed[run] = time.monotonic()
                    live.kill(UUID(int=run))
            for run, reason in live.take_lost().items():
                lost[run.int] = reason
                if run.int in killed:
                    seconds_to_die[run.int] = time.monotonic() - killed[run.int]
        return {
            "ended": ended,
            "error": repr(fit.error),
            "lost": lost,
            "seconds_to_die": seconds_to_die,
            "log": [json.loads(line) for line in log.read_text().splitlines()],
            "held": live.held,
            "folders": len(list((folder / str(number)).rglob("*"))),
            "rss_mib": psutil.Process().memory_info().rss / 1024**2,
        }

    return [sweep(0, TRIALS, kinds), sweep(1, TRIALS, {}), sweep(2, TRIALS, {}), left_alone()]


with RaySession(RayOptions(cpus=2, preload=("colorsys",), preload_with_ray=("ray.tune",))) as session:
    session.ready()
    slots = session.slots(Resources())
    import ray

    said = ray.remote(lambda: os.environ["SAID"]).options(runtime_env={"env_vars": {"SAID": "so"}})
    assert ray.get(said.remote(), timeout=120) == "so", "Ray's own agent made a runtime environment"
    sweeps = main()
    processes = [(process.pid, process.create_time()) for process in psutil.Process().children(recursive=True)]
left = [process.name() for process in psutil.Process().children(recursive=True) if process.status() != "zombie"]
(folder / "result.json").write_text(json.dumps({"sweeps": sweeps, "processes": processes, "left": left}))
"""

KINDS = {
    RAISES: "raises",
    RECORDS: "records",
    EXITS: "exits",
    STOPS: "stops",
    SLEEPS: "sleeps",
    HOLDS_THE_GIL: "holds_the_gil",
}


@pytest.fixture(scope="module")
def outcome() -> Iterator[dict[str, Any]]:
    """What the driver saw, and what it printed; no process or folder outlives it."""
    folder = Path(tempfile.mkdtemp(prefix="rlsweep-"))
    home = folder / "home"
    home.mkdir()
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder), json.dumps(KINDS), str(TRIALS)],
        # Workers that need not import torch: a dozen of them die on the way.
        env=os.environ | {"HOME": str(home), "RAY_preload_python_modules": "colorsys"},
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


def starts(outcome: dict[str, Any], sweep: int) -> Counter[int]:
    return Counter(line[0] for line in outcome["sweeps"][sweep]["log"])


def test_every_trial_runs_once_but_those_that_die_by_themselves(outcome: dict[str, Any]) -> None:
    assert all(sweep["ended"] and sweep["error"] == "None" for sweep in outcome["sweeps"][:3])
    assert starts(outcome, 0) == Counter(dict.fromkeys(range(TRIALS), 1) | {RAISES: 4, EXITS: 4})
    for sweep in (1, 2):
        assert starts(outcome, sweep) == Counter(range(TRIALS))


def test_the_driver_is_told_which_trials_died_for_good_and_why(outcome: dict[str, Any]) -> None:
    lost = outcome["sweeps"][0]["lost"]
    assert set(lost) == {str(run) for run in (RAISES, EXITS, SLEEPS, HOLDS_THE_GIL)}
    assert "ValueError: boom" in lost[str(RAISES)]
    assert "worker process has died" in lost[str(EXITS)]
    assert "killed by `ray.kill`" in lost[str(SLEEPS)]
    assert "killed by `ray.kill`" in lost[str(HOLDS_THE_GIL)]
    assert not outcome["sweeps"][1]["lost"]


def test_a_fit_that_is_left_alone_begins_no_more_trials(outcome: dict[str, Any]) -> None:
    left_alone = outcome["sweeps"][3]
    assert (left_alone["ended"], left_alone["error"]) == (True, "None")
    assert 5 <= left_alone["began"] < 50


def test_a_killed_trial_ends_at_once_even_when_it_holds_the_gil(outcome: dict[str, Any]) -> None:
    seconds = outcome["sweeps"][0]["seconds_to_die"]
    assert set(seconds) == {str(SLEEPS), str(HOLDS_THE_GIL)}
    assert max(seconds.values()) < KILL_S


def test_tune_forgets_trials_that_ended(outcome: dict[str, Any]) -> None:
    for sweep in outcome["sweeps"][:3]:
        assert 1 <= sweep["held"] < 10, "of three quarters that have ended"
        assert sweep["folders"] < 20, "none for each trial"


def test_trials_share_two_processes_and_run_on_their_main_threads(outcome: dict[str, Any]) -> None:
    for sweep in (1, 2):
        assert len({pid for _, _, pid, _ in outcome["sweeps"][sweep]["log"]}) == 2
        assert all(on_main_thread for *_, on_main_thread in outcome["sweeps"][sweep]["log"])


def test_the_driver_does_not_grow_with_the_sweeps_before(outcome: dict[str, Any]) -> None:
    assert outcome["sweeps"][2]["rss_mib"] - outcome["sweeps"][0]["rss_mib"] < GROWTH_MIB


def test_nothing_is_printed_or_written_to_the_home_folder(outcome: dict[str, Any]) -> None:
    assert outcome["out"] == ""
    assert outcome["err"] == ""
    assert outcome["home"] == []


def test_no_process_is_left(outcome: dict[str, Any]) -> None:
    assert outcome["left"] == []
    deadline = time.monotonic() + KILL_S  # Ray kills its raylet and waits for no worker of it
    while left := [pid for pid, created in outcome["processes"] if _lives(pid, created)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _lives(pid: int, created: float) -> bool:
    """A zombie does not: an orphan that died stays one until the machine's first process takes notice."""
    try:
        process = psutil.Process(pid)
        return process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
