"""A sweep of trials that do nothing. Arguments: RLSWEEP_HOME, trials, slots. Prints figures as JSON.

The driver, Ray Tune's part, the trainable, each run's attempt, its recorder with its thread and final transaction, and
the database are the product's, unchanged. Left out is what is one trial's own work: the environment, the model, the
checkpoints and the TensorBoard log, that is `rlsweep.training.train`. In its place each worker reports one episode of
one step and is done (idle_trainable.py).
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from rlsweep.attempts.provenance import Provenance
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep
from rlsweep.settings import Settings
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database
from rlsweep.sweep_records import Overview, Sweep

AGENT = """\
agent_id: idle
name: idle
algorithm: MaskablePPO
version: 1
sweep_variant: a
learning_rate: 3.0e-4
"""


def submit(database: Database, folder: Path, trials: int) -> tuple[Sweep, dict[str, float]]:
    """Write the sweep as `rlsweep submit` does; seconds of its plan and of the record."""
    (folder / "idle_sweep_a.yaml").write_text(AGENT)
    began = time.perf_counter()
    plan = make_plan(
        [str(folder / "idle_sweep_*.yaml")],
        base_config=None,
        mode=Mode.SMOKE,
        episodes=1,
        total_timesteps=None,
        seeds=trials,
        with_base=False,
    )
    planned = time.perf_counter()
    provenance = Provenance(versions={}, git_commit=None, git_dirty=None, host="here", command="bench")
    sweep = create_sweep(database, plan, name="idle", patterns=["idle_sweep_*.yaml"], provenance=provenance)
    return sweep, {"plan": planned - began, "insert": time.perf_counter() - planned}


def drive(database: Database, sweep: Sweep, settings: Settings, slots: int) -> dict[str, Any]:
    """Drive it to its end; megabytes of this process by the number of trials that were done."""
    from idle_trainable import IdleTrainable

    from rlsweep.attempts import execution
    from rlsweep.driver import driver
    from rlsweep.driver.selection import PLANNED

    driver.TrialTrainable = IdleTrainable  # type: ignore[misc]
    megabytes: list[tuple[int, float]] = []

    def watch(seen: Overview) -> None:
        megabytes.append((seen.finished, psutil.Process().memory_info().rss / 1e6))

    context = execution.WorkerContext(database_url=database.url, settings=settings, threads=1)
    began = time.time()
    ended = driver.Driver(database, sweep, context, Resources(), selection=PLANNED, slots=slots, grace_seconds=60).run(
        watch
    )
    seconds = time.time() - began
    with database.readonly() as connection:
        row = connection.execute(
            "select extract(epoch from min(started_at))::float8 as first, extract(epoch from max(ended_at))::float8 as"
            " last, count(*) filter (where status = 'completed' and attempt = 1) as completed"
            " from training_runs"
        ).fetchone()
    assert row is not None
    return {
        "status": ended.status,
        "completed": row["completed"],
        "first_trial": row["first"] - began,
        "seconds": seconds,
        "training_seconds": row["last"] - row["first"],
        "megabytes": megabytes,
    }


def main() -> None:
    home, trials, slots = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    settings = Settings(home=home, storage=home, database_url=None)
    session = RaySession(RayOptions(address=os.environ.get("RAY_ADDRESS"), cpus=slots))
    with open_database(settings) as database:
        sweep, seconds = submit(database, home, trials)
        with session:
            session.ready()
            driven = drive(database, sweep, settings, slots)
    print(json.dumps(driven | {"submission": seconds}))


main()
