"""What drivers do on one Ray, in a process of its own; what happened goes into a file.

Arguments: a database's URL; a folder, for `happened.json`; and the URL of another database, for a last sweep.
"""

import json
import re
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID

from rlsweep import runs
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import DriverBusyError
from rlsweep.runs import Actor, NewRun
from rlsweep.settings import Settings
from rlsweep.store import sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep, Sweep

STEPS = 64
TELL_S = 40  # Ray passes metrics on every ten seconds


def plan(
    database: Database, name: str, trials: int, environment: dict[str, Any] | None = None, steps: int = STEPS
) -> Sweep:
    training = TrainingConfig.model_validate({"environment": environment or {"id": "CartPole-v1"}})
    planned = []
    for seed in range(trials):
        agent = AgentConfig(agent_id=name, name=name, algorithm="MaskablePPO", version=1, n_steps=STEPS)
        budget = Budget(total_timesteps=steps)
        config = RunConfig(agent=agent, training=training, mode=Mode.SMOKE, budget=budget, seed=seed)
        planned.append(
            NewRun(
                trial_key=f"{name}-{seed}",
                agent_id=name,
                algorithm=agent.algorithm,
                version=1,
                sweep_variant=None,
                config_name=name,
                config_short_name=name,
                config_path=f"{name}.yaml",
                config=config.to_record(),
                config_hash=hyperparameter_hash(agent),
                seed=seed,
            )
        )
    sweep = NewSweep(
        name=name,
        patterns=(f"{name}.yaml",),
        mode="smoke",
        budget=runs.Budget(total_timesteps=steps),
        seeds=tuple(range(trials)),
        base_config=training.model_dump(mode="json"),
        base_config_path=None,
        overrides=(),
        git_commit=None,
        git_dirty=None,
        versions={},
    )
    return sweeps.create(database, sweep, planned)


def runs_of(database: Database, sweep: Sweep) -> list[dict[str, Any]]:
    return [
        {"status": run.status, "attempt": run.attempt, "command": run.metadata["command"], "env_steps": run.env_steps}
        for run in training_runs.of_sweep(database, sweep.id)
    ]


def driver_of(database: Database, sweep: Sweep, folder: Path, selection: Any, **options: Any) -> Any:
    from rlsweep.attempts.execution import WorkerContext
    from rlsweep.driver.driver import Driver

    settings = Settings(home=folder, storage=folder, database_url=database.url)
    context = WorkerContext(database_url=database.url, settings=settings, threads=1, metadata={"command": sweep.name})
    return Driver(database, sweep, context, Resources(), selection=selection, slots=2, grace_seconds=60, **options)


def side_by_side(database: Database, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Drive two sweeps in two threads, one of which a driver left its stop flag to that was killed as it stopped."""
    from rlsweep.driver.selection import PLANNED
    from rlsweep.driver.stop_flag import StopFlag

    both = [plan(database, name, trials=3) for name in ("left", "right")]
    StopFlag(both[0].id).raise_()
    drivers = [driver_of(database, sweep, folder, PLANNED) for sweep in both]
    threads = [threading.Thread(target=driver.run, args=(lambda _: None,)) for driver in drivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {sweep.name: runs_of(database, sweep) for sweep in both}


def stopped_before_it_began(database: Database, folder: Path) -> dict[str, Any]:
    """Drive a stopped sweep that was handed over to be gone on with, and that somebody stopped meanwhile."""
    from rlsweep.driver.selection import UNFINISHED

    sweep = plan(database, "called-off", trials=2)
    sweeps.request_stop(database, sweep.id)
    sweeps.settle(database, sweep.id)
    handed_over = sweeps.assign(database, sweep.id, resources={}, address=None)
    sweeps.request_stop(database, sweep.id)
    ended = driver_of(database, handed_over, folder, UNFINISHED).run(lambda _: None)
    runs = training_runs.of_sweep(database, sweep.id)
    return {"sweep": ended.status, "runs": [(run.status, run.attempt) for run in runs]}


def waiting_for_workers(database: Database, folder: Path) -> dict[str, Any]:
    """Drive two sweeps whose workers load: one until they have, and one that is stopped before."""
    import rlsweep.driver.driver
    from rlsweep.driver.selection import PLANNED

    lease_seconds, rlsweep.driver.driver.LEASE_SECONDS = rlsweep.driver.driver.LEASE_SECONDS, 0.0
    loading, called_off = (plan(database, name, trials=1) for name in ("loading", "called-off-loading"))
    signs: list[tuple[str, int]] = []

    def has_workers() -> bool:
        with database.readonly() as connection:
            row = connection.execute("select heartbeat_at from sweeps where id = %s", (loading.id,)).fetchone()
        assert row is not None
        (run,) = training_runs.of_sweep(database, loading.id)
        signs.append((str(row["heartbeat_at"]), run.attempt))
        return len(signs) > 3

    def stopped() -> bool:
        driver.request_stop()
        return False

    ended = driver_of(database, loading, folder, PLANNED, has_workers=has_workers).run(lambda _: None)
    driver = driver_of(database, called_off, folder, PLANNED, has_workers=stopped)
    other = driver.run(lambda _: None)
    rlsweep.driver.driver.LEASE_SECONDS = lease_seconds
    (run,) = training_runs.of_sweep(database, called_off.id)
    return {"signs": signs, "status": ended.status, "called_off": [other.status, run.status, run.attempt]}


def silent_workers(database: Database, folder: Path) -> dict[str, Any]:
    """Drive a sweep whose runs two workers have that give no sign of life: an actor that lives, and one elsewhere."""
    import ray

    import rlsweep.driver.driver
    from rlsweep.cluster.actor_location import own_actor
    from rlsweep.driver.selection import UNFINISHED

    class Worker:
        def own_actor(self) -> Actor:
            return own_actor()

    actor = ray.remote(Worker).options(num_cpus=0).remote()
    here = ray.get(actor.own_actor.remote())
    sweep = plan(database, "silent", trials=2)
    held, elsewhere = training_runs.ids_of_sweep(database, sweep.id)
    begin_in_silence(database, held, actor=here)
    begin_in_silence(database, elsewhere, actor=replace(here, cluster="session_of_another_cluster"))

    rlsweep.driver.driver.ACTOR_PATIENCE_SECONDS = 5.0
    refused = ""
    try:
        driver_of(database, sweep, folder, UNFINISHED).run(lambda _: None)
    except DriverBusyError as error:
        refused = str(error)
    while_it_lives = [run.status for run in training_runs.of_sweep(database, sweep.id)]

    rlsweep.driver.driver.ACTOR_PATIENCE_SECONDS = 60.0
    driving = threading.Thread(target=driver_of(database, sweep, folder, UNFINISHED).run, args=(lambda _: None,))
    driving.start()
    time.sleep(2)
    waiting = training_runs.get(database, held).attempt
    ray.kill(actor)
    driving.join()
    return {
        "refused": refused,
        "pid": here.pid,
        "statuses": while_it_lives,
        "attempt": waiting,
        "runs": runs_of(database, sweep),
    }


def drive_until_killed(database: Database, folder: Path) -> None:
    """Drive a sweep of one trial, which hangs once the file `hang` is in the folder."""
    from rlsweep.driver.selection import PLANNED

    hangs = {"id": "troubled_envs:HangsOnceTold", "kwargs": {"told": str(folder / "hang"), "seconds": 0.002}}
    sweep = plan(database, "watched", trials=1, environment=hangs, steps=10**6)
    driver_of(database, sweep, folder, PLANNED).run(lambda _: None)


class Scraper:
    """Reads what Ray tells Prometheus, once a second, until the last sweep's end is told.

    series: name, sweep, status (None where it has none), the other labels that are not Ray's own, and the last value
    """

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> "Scraper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + TELL_S
        while time.monotonic() < deadline and not self._tells("silent"):
            time.sleep(0.5)
        self._leaving.set()
        self._thread.join()

    @property
    def series(self) -> list[tuple[str, dict[str, str], float]]:
        return [
            (line.partition("{")[0], dict(re.findall(r'(\w+)="([^"]*)"', line)), value)
            for line, value in self._seen.items()
        ]

    def _tells(self, sweep: str) -> bool:
        return any(
            labels.get("sweep") == sweep and labels.get("status") == "completed" and value
            for _, labels, value in self.series
        )

    def _read(self) -> None:
        import ray

        (node,) = ray.nodes()
        url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
        while not self._leaving.wait(1):
            with suppress(OSError, HTTPException), urlopen(url, timeout=10) as answer:  # the agent may not be up yet
                for line in answer.read().decode().splitlines():
                    if "rlsweep" in line and not line.startswith("#"):
                        name, _, value = line.rpartition(" ")
                        self._seen[name] = float(value)


def begin_in_silence(database: Database, run_id: UUID, actor: Actor | None = None) -> None:
    transitions.begin_attempt(database, run_id, {"host": socket.gethostname(), "command": "older"}, actor=actor)
    with database.connect() as connection:
        connection.execute(
            "update training_runs set heartbeat_at = clock_timestamp() - interval '60 seconds' where id = %s", (run_id,)
        )


def main() -> None:
    database, folder = Database(sys.argv[1]), Path(sys.argv[2])
    with RaySession(RayOptions(cpus=2, dashboard=True)) as session:  # its metrics are read
        session.ready()
        with Scraper() as scraper:
            happened = {
                "side_by_side": side_by_side(database, folder),
                "stopped_before_it_began": stopped_before_it_began(database, folder),
                "waiting_for_workers": waiting_for_workers(database, folder),
                "silent_workers": silent_workers(database, folder),
            }
        happened |= {"series": scraper.series, "dashboard_url": session.dashboard_url, "token": session.token}
        (folder / "happening.json").write_text(json.dumps(happened))
        (folder / "happening.json").rename(folder / "happened.json")
        drive_until_killed(Database(sys.argv[3]), folder)


main()
