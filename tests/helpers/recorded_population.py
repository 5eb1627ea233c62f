"""A population's record, as population-based training writes it, over runs that are on record already."""

from typing import Any

from psycopg.types.json import Jsonb

from rlsweep.population_records import NewExploit
from rlsweep.scheduler_records import SchedulerKind, SchedulerTerms
from rlsweep.schedulers.pbt_records import PbtSettings
from rlsweep.store import exploits, schedulers, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

COPIES: list[tuple[int, int, int, dict[str, tuple[Any, Any]]]] = [
    # interval, copy, source, what changed
    (1, 4, 1, {"learning_rate": (1e-3, 8e-4)}),
    (1, 6, 2, {"ppo.ent_coef": (0.01, 0.012), "gamma": (0.99, 0.95)}),
    (2, 3, 4, {"learning_rate": (8e-4, 6.4e-4)}),
    (2, 5, 4, {}),
    (3, 1, 3, {"batch_size": (64, 128)}),
    (3, 2, 5, {"gamma": (0.99, 0.95)}),
]
"""Where member 1 is best at the end, it descends from 3, from 4, and from what it was itself at the start."""


def record_population(database: Database, sweep: Sweep) -> int:
    """Make six ended runs of a sweep a population with three intervals behind it; return the env steps of one."""
    runs = training_runs.of_sweep(database, sweep.id)
    interval = min(run.env_steps for run in runs) // 4
    settings = PbtSettings(population=6, interval=interval, intervals=3)
    terms = SchedulerTerms(kind=SchedulerKind.PBT, objective="training_reward", settings=settings.to_json())
    with database.connect() as connection:
        schedulers.insert_terms(connection, sweep.id, terms)
        for number in range(1, 4):
            connection.execute(
                "insert into scheduler_decisions (sweep_id, number, free, record, decision) values (%s, %s, 2, %s, %s)",
                (sweep.id, number, Jsonb(_record(number)), Jsonb({"steps": [], "stop": None})),
            )
            for _, copy, source, changes in (each for each in COPIES if each[0] == number):
                exploit = NewExploit(
                    run_id=runs[copy - 1].id,
                    source_run_id=runs[source - 1].id,
                    env_steps=number * interval,
                    source_uri="/storage/source.zip",
                    source_sha256="0",
                    changes=changes,
                    config=runs[copy - 1].config,
                    config_hash=runs[copy - 1].config_hash,
                )
                exploits.insert(connection, exploit, pause_at=None)
        for run in runs:
            connection.execute(
                "update training_runs set status = 'completed', end_reason = 'completed', ended_at = %s, env_steps = %s"
                " where id = %s",
                (run.ended_at, run.env_steps, run.id),
            )
    return interval


def _record(interval: int) -> dict[str, Any]:
    reached = [{"interval": each, "can_be_copied": True} for each in range(1, interval + 1)]
    return {
        "members": [
            {"number": member, "stage": "waiting", "interval": interval,
             "reached": [each | {"score": 10.0 * interval + member} for each in reached]}
            for member in range(1, 7)
        ]
    }  # fmt: skip
